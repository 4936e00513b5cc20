//! `check-medium` and `import`: check a medium, and add its sets to the mirror.

use super::media_args::{CheckMediumArgs, ImportArgs};
use super::output::Output;
use super::setup::Setup;
use crate::carrier::{CheckJob, ExaminedMedium, ImportJob, ImportSummary};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::update::human_size;

/// Runs `check-medium`: checks everything and changes nothing.
pub(super) fn check(setup: &Setup, arguments: &CheckMediumArgs, output: &mut Output) -> Result<ExitCode> {
    let job = CheckJob {
        medium: &arguments.dir,
        trust_on_first_use: arguments.trust_on_first_use,
        now: setup.now(),
    };
    let checked = setup.with_progress(|events| job.run(&setup.layout(), events))?;
    if output.is_json() {
        output.document(&checked.document())?;
        return Ok(ExitCode::OK);
    }
    show_set(&checked.examined, output);
    output.line(checked.evidence());
    if let Some(end) = checked.dates.expires.as_ref().filter(|_| !checked.dates.is_expired) {
        output.line(format!("valid until {end}"));
    }
    for warning in checked.dates.warnings() {
        output.warn(warning);
    }
    let signed = &checked.examined.signed;
    if signed.first_use {
        output.warn(format!(
            "the root key {} is from the medium itself; compare it with the key of the connected side",
            signed.root_key
        ));
    }
    Ok(ExitCode::OK)
}

fn show_set(examined: &ExaminedMedium, output: &mut Output) {
    let set = &examined.signed.set;
    if set.demo {
        output.line("DEMO: the files are stand-ins and cannot be installed");
    }
    output.line(format!("set {} of the mirror {}, made {}", set.label(), set.mirror_id, set.created));
    let mut table = output.table([
        Column::new("kb"),
        Column::new("folder"),
        Column::number("files").importance(1),
        Column::number("size").importance(2),
    ]);
    for (kb, record) in &examined.listing.sets {
        let size: u64 = record.files.iter().filter_map(|file| file.size).sum();
        table.row([
            kb.to_string(),
            record.folder.to_string(),
            record.files.len().to_string(),
            human_size(size),
        ]);
    }
    output.text(table.render());
    for item in &set.missing {
        output.line(format!("missing since the export: {} {} ({})", item.kb, item.what, item.why));
    }
    for name in &examined.litter {
        output.line(format!("not part of the set, not read: {name}"));
    }
}

/// Runs `import`: checks a medium and adds its sets to the mirror.
pub(super) fn import(setup: &Setup, arguments: &ImportArgs, output: &mut Output) -> Result<ExitCode> {
    let named = setup.named_knowledge()?;
    let job = ImportJob {
        medium: &arguments.dir,
        partial_ok: arguments.partial_ok,
        trust_on_first_use: arguments.trust_on_first_use,
        accept_lineage: arguments.accept_lineage,
        accept_expired: arguments.accept_expired,
        named: named.as_deref(),
        now: setup.now(),
    };
    let outcome = setup.with_progress(|events| job.run(&setup.layout(), events))?;
    let imported = &outcome.imported;
    let code = if imported.left.is_empty() { ExitCode::OK } else { ExitCode::INCOMPLETE };
    if output.is_json() {
        output.document(&imported.document())?;
        return Ok(code);
    }
    show_imported(imported, outcome.is_demo, output);
    if let Some(key) = &outcome.newly_trusted {
        output.warn(format!(
            "trusted the root key {key} without comparing it with the key of the connected side"
        ));
    }
    Ok(code)
}

fn show_skipped(imported: &ImportSummary, output: &mut Output) {
    for folder in &imported.skipped {
        output.line(format!(
            "skipped {folder}: it was removed here on purpose (kbmirror forget --undo KB reverses it)"
        ));
    }
}

fn show_restored(imported: &ImportSummary, output: &mut Output) {
    for folder in &imported.healed_folders {
        output.line(format!("published {folder} again: it had damaged files"));
    }
    for path in &imported.rewritten {
        output.line(format!("rewrote {path}"));
    }
}

fn show_imported(imported: &ImportSummary, is_demo: bool, output: &mut Output) {
    if is_demo {
        output.line("DEMO: the files are stand-ins and cannot be installed");
    }
    if imported.already_applied {
        output.line(format!(
            "set {:04} was imported before: verified signatures, manifest, and listing; did not read the payload again",
            imported.number
        ));
        show_restored(imported, output);
        show_skipped(imported, output);
        output.line(if imported.healed_folders.is_empty() && imported.rewritten.is_empty() {
            "nothing was changed; run kbmirror check-medium to read the payload"
        } else {
            "nothing else was changed; run kbmirror check-medium to read the payload"
        });
        if !imported.missing.is_empty() {
            output.warn(format!(
                "{} missing on the medium, but not in this mirror: {}",
                match imported.missing.len() {
                    1 => "1 listed file is".to_owned(),
                    more => format!("{more} listed files are"),
                },
                imported.missing.iter().map(|leftover| leftover.path.as_str()).collect::<Vec<_>>().join(", ")
            ));
        }
        return;
    }
    if imported.older {
        output.line(format!(
            "set {:04} is older than the last import: added missing files, kept newer ones",
            imported.number
        ));
    }
    for healed in &imported.healed {
        output.line(match &healed.kept {
            Some(kept) => format!("replaced damaged {}; the old bytes are kept as {kept}", healed.path),
            None => format!("replaced missing {}", healed.path),
        });
    }
    for folder in &imported.published {
        output.line(format!("published {folder}"));
    }
    show_restored(imported, output);
    show_skipped(imported, output);
    if imported.unchanged > 0 {
        let folders = match imported.unchanged {
            1 => "1 folder was".to_owned(),
            number => format!("{number} folders were"),
        };
        output.line(format!("{folders} already present (names and sizes checked, not re-read)"));
    }
    for name in &imported.litter {
        output.line(format!("not part of the set, not read: {name}"));
    }
    if imported.knowledge_adopted {
        output.line("adopted the knowledge tables of the medium for this mirror");
    }
    if let Some(why) = &imported.knowledge_left {
        output.warn(format!("ignored the knowledge tables on the medium: {why}"));
    }
    output.line(imported.evidence());
    for kb in &imported.left {
        output.note(format!("skipped: {kb} is incomplete on the medium"));
    }
    for leftover in &imported.missing {
        let size = leftover.bytes.map_or_else(String::new, |bytes| format!(", {}", human_size(bytes)));
        output.note(format!("missing: {}{size}", leftover.path));
    }
}
