//! `check-medium` and `import`: what came on a medium, checked and taken.

use serde_json::json;

use super::args::{CheckMedium, Import};
use super::output::Output;
use super::setup::Setup;
use crate::carrier::{self, Examined, ImportOptions, Imported, KeyFolder, Trust, examine};
use crate::disk;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::mirror::{Mirror, REPLAY};
use crate::update::human_size;

/// `check-medium`: every check, and no change.
pub(super) fn check(setup: &Setup, arguments: &CheckMedium, output: &mut Output) -> Result<ExitCode> {
    let trust = trust(setup, arguments.trust_on_first_use)?;
    let (examined, (files, bytes)) = setup.watched(|events| {
        let examined = examine(&arguments.dir, &trust)?;
        events.send(crate::event::Event::Phase(format!("reading set {}", examined.set.label())));
        let counted = examined.read_all(&mut |_, _| {})?;
        Ok((examined, counted))
    })?;
    if let Some(error) = examined.missing_error() {
        return Err(error);
    }
    let evidence = format!(
        "checked {files} files, {}: all as signed, set {}, key {}",
        human_size(bytes),
        examined.set.label(),
        examined.root_key.short()
    );
    if output.is_json() {
        output.document(&json!({
            "set": examined.set,
            "set_id": examined.set_id,
            "root": examined.root_key,
            "checked": files,
            "bytes": bytes,
            "litter": examined.litter,
            "evidence": evidence,
        }))?;
        return Ok(ExitCode::OK);
    }
    show_set(&examined, output);
    output.line(evidence);
    if examined.first_use {
        output.note(format!(
            "warning: the root key {} came with the medium itself; nothing else vouches for it",
            examined.root_key
        ));
    }
    Ok(ExitCode::OK)
}

fn show_set(examined: &Examined, output: &mut Output) {
    let set = &examined.set;
    if set.demo {
        output.line("DEMO: the files are stand-ins; nothing here can be installed");
    }
    output.line(format!("set {} of the mirror {}, made {}", set.label(), set.mirror_id, set.created));
    let mut table = output.table(&["kb", "folder", "files", "size"]).right(2).right(3);
    for (kb, record) in &examined.listing.sets {
        let size: u64 = record.files.iter().filter_map(|file| file.size).sum();
        table.row([kb.to_string(), record.folder.clone(), record.files.len().to_string(), human_size(size)]);
    }
    output.text(table.render());
    for item in &set.missing {
        output.line(format!("was missing when it was made: {} {} ({})", item.kb, item.what, item.why));
    }
    for name in &examined.litter {
        output.line(format!("not of the set, not read: {name}"));
    }
}

fn trust(setup: &Setup, on_first_use: bool) -> Result<Trust> {
    let keys = KeyFolder::new(setup.layout().keys()).trusted()?;
    Ok(Trust { keys, on_first_use })
}

/// `import`: checks a medium and takes it into the mirror.
pub(super) fn import(setup: &Setup, arguments: &Import, output: &mut Output) -> Result<ExitCode> {
    let trust = trust(setup, arguments.trust_on_first_use)?;
    let examined = examine(&arguments.dir, &trust)?;
    let is_new = !disk::exists(setup.layout().index());
    let mut mirror = Mirror::open_to_write(setup.layout(), &examined.set.origin, setup.now())?;
    let options = ImportOptions { partial_ok: arguments.partial_ok };
    let now = crate::clock::unix_seconds(setup.now());
    let imported = setup.watched(|events| carrier::import(&examined, options, &mut mirror, now, events));
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => {
            // A medium that was refused does not decide where the content of a new mirror comes from.
            if is_new {
                mirror.unmake_if_empty()?;
            }
            return Err(error);
        }
    };
    if examined.first_use {
        let how = format!("trusted on first use, set {}", examined.set.label());
        KeyFolder::new(setup.layout().keys()).trust(&examined.root_key, &how, &setup.now().to_string())?;
    }
    let code = if imported.left.is_empty() { ExitCode::OK } else { ExitCode::INCOMPLETE };
    if output.is_json() {
        output.document(&json!({ "imported": imported, "evidence": imported.evidence() }))?;
        return Ok(code);
    }
    show_imported(&imported, &mirror, output)?;
    if examined.first_use {
        output.note(format!("warning: the root key {} is trusted from now on, unseen", examined.root_key));
    }
    Ok(code)
}

fn show_imported(imported: &Imported, mirror: &Mirror, output: &mut Output) -> Result<()> {
    if mirror.origin()? == REPLAY {
        output.line("DEMO: the files are stand-ins; nothing here can be installed");
    }
    if imported.already_applied {
        output.line(format!("set {:04} is applied already; nothing was changed", imported.seq));
        return Ok(());
    }
    if imported.older {
        output.line(format!(
            "set {:04} is older than what is here: what was missing was added, and nothing was moved back",
            imported.seq
        ));
    }
    for folder in &imported.published {
        output.line(format!("published {folder}"));
    }
    if imported.unchanged > 0 {
        output.line(format!("{} folders were here and right", imported.unchanged));
    }
    for name in &imported.litter {
        output.line(format!("not of the set, not read: {name}"));
    }
    if imported.knowledge_adopted {
        output.line("the knowledge of the medium is newer than what was here, and is used from now on");
    }
    if let Some(why) = &imported.knowledge_left {
        output.note(format!("warning: the knowledge of the medium was left: {why}"));
    }
    output.line(imported.evidence());
    for kb in &imported.left {
        output.note(format!("left: {kb} is not whole on the medium"));
    }
    for leftover in &imported.missing {
        let size = leftover.bytes.map_or_else(String::new, |bytes| format!(", {}", human_size(bytes)));
        output.note(format!("missing: {}{size}", leftover.path));
    }
    Ok(())
}
