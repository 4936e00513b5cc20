//! `check-medium` and `import`: what came on a medium, checked and taken.

use camino::Utf8Path;
use serde::Serialize;

use super::media_args::{CheckMedium, Import};
use super::output::Output;
use super::setup::Setup;
use crate::carrier::{self, Examined, ImportOptions, Imported, KeyFolder, Trust, examine};
use crate::clock::Time;
use crate::disk;
use crate::documents::{CheckMediumDocument, ErrorBody, MediumReport};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::mirror::{Mirror, REPLAY, RunReport};
use crate::sync::keep_report;
use crate::update::human_size;

/// The format of the reports about media.
const MEDIUM_REPORT_FORMAT: u32 = 1;

/// Keeps what was done with a medium, and how it ended, under `runs/` of the mirror, for whoever has to show that the
/// check was made. Where there is no mirror there is no report.
pub(super) fn keep_medium_report(
    setup: &Setup,
    report: RunReport,
    medium: &Utf8Path,
    outcome: std::result::Result<impl Serialize, &Error>,
    output: &mut Output,
) {
    let layout = setup.layout();
    if !disk::exists(layout.index()) {
        return;
    }
    let (code, done, error) = match outcome {
        Ok(document) => (ExitCode::OK, Some(document), None),
        Err(error) => (error.code(), None, Some(ErrorBody::from(error))),
    };
    let document = MediumReport {
        format: MEDIUM_REPORT_FORMAT,
        command: report.as_str(),
        medium,
        tool: format!("kbmirror {}", env!("CARGO_PKG_VERSION")),
        time: Time::from(setup.now()).to_string(),
        exit_code: code.number(),
        done,
        error,
    };
    if let Err(error) = keep_report(&layout, report, &document, setup.now().into()) {
        output.warn(format!("the report could not be kept: {}", error.full_message()));
    }
}

/// `check-medium`: every check, and no change.
pub(super) fn check(setup: &Setup, arguments: &CheckMedium, output: &mut Output) -> Result<ExitCode> {
    let outcome = checked(setup, arguments);
    let document = outcome.as_ref().map(Checked::document);
    keep_medium_report(setup, RunReport::CheckMedium, &arguments.dir, document, output);
    let checked = outcome?;
    if output.is_json() {
        output.document(&checked.document())?;
        return Ok(ExitCode::OK);
    }
    show_set(&checked.examined, output);
    output.line(checked.evidence());
    if checked.examined.first_use {
        output.warn(format!(
            "the root key {} came with the medium itself; nothing else vouches for it",
            checked.examined.root_key
        ));
    }
    Ok(ExitCode::OK)
}

struct Checked {
    examined: Examined,
    files: u64,
    bytes: u64,
}

impl Checked {
    fn evidence(&self) -> String {
        format!(
            "checked {} files, {}: all as signed, set {}, key {}",
            self.files,
            human_size(self.bytes),
            self.examined.set.label(),
            self.examined.root_key.short()
        )
    }

    fn document(&self) -> CheckMediumDocument<'_> {
        CheckMediumDocument {
            set: &self.examined.set,
            set_id: self.examined.set_id,
            root: self.examined.root_key.to_string(),
            checked: self.files,
            bytes: self.bytes,
            litter: &self.examined.litter,
            evidence: self.evidence(),
        }
    }
}

fn checked(setup: &Setup, arguments: &CheckMedium) -> Result<Checked> {
    let trust = trust(setup, arguments.trust_on_first_use)?;
    let (examined, (files, bytes)) = setup.watched(|events| {
        let examined = examine(&arguments.dir, &trust)?;
        if disk::exists(setup.layout().index()) {
            carrier::refuse_replaced_key(&examined, &setup.mirror()?)?;
        }
        events.send(crate::event::Event::Phase(format!("reading set {}", examined.set.label())));
        let counted = examined.read_all(events)?;
        Ok((examined, counted))
    })?;
    if let Some(error) = examined.missing_error() {
        return Err(error);
    }
    examined.expect_sets()?;
    Ok(Checked { examined, files, bytes })
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
        table.row([
            kb.to_string(),
            record.folder.to_string(),
            record.files.len().to_string(),
            human_size(size),
        ]);
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
    let outcome = imported(setup, arguments);
    let document = outcome.as_ref().map(|(_, imported, _)| imported.document());
    keep_medium_report(setup, RunReport::Import, &arguments.dir, document, output);
    let outcome = outcome?;
    let (examined, imported, is_demo) = &outcome;
    let code = if imported.left.is_empty() { ExitCode::OK } else { ExitCode::INCOMPLETE };
    if output.is_json() {
        output.document(&imported.document())?;
        return Ok(code);
    }
    show_imported(imported, *is_demo, output);
    if examined.first_use {
        output.warn(format!("the root key {} is trusted from now on, unseen", examined.root_key));
    }
    Ok(code)
}

/// The medium, what was done, and whether it is one of a recording.
fn imported(setup: &Setup, arguments: &Import) -> Result<(Examined, Imported, bool)> {
    let trust = trust(setup, arguments.trust_on_first_use)?;
    let examined = examine(&arguments.dir, &trust)?;
    let is_new = !disk::exists(setup.layout().index());
    let mut mirror =
        Mirror::open_to_write(setup.layout(), &examined.set.origin, &*setup.knowledge()?, setup.now())?;
    let options = ImportOptions { partial_ok: arguments.partial_ok };
    let now = setup.now().into();
    let named = setup.named_knowledge()?;
    let imported = setup
        .watched(|events| carrier::import(&examined, options, &mut mirror, named.as_deref(), now, events));
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
    let is_demo = mirror.origin()? == REPLAY;
    Ok((examined, imported, is_demo))
}

fn show_made_again(imported: &Imported, output: &mut Output) {
    for folder in &imported.healed_folders {
        output.line(format!("published again {folder}, which had damaged files"));
    }
    for path in &imported.rewritten {
        output.line(format!("put right {path}"));
    }
}

fn show_imported(imported: &Imported, is_demo: bool, output: &mut Output) {
    if is_demo {
        output.line("DEMO: the files are stand-ins; nothing here can be installed");
    }
    if imported.already_applied {
        output.line(format!(
            "set {:04} is applied already: signatures, manifest, and listing were verified; the payload was not read again",
            imported.seq
        ));
        show_made_again(imported, output);
        output.line(if imported.healed_folders.is_empty() && imported.rewritten.is_empty() {
            "nothing was changed; kbmirror check-medium reads the payload"
        } else {
            "nothing else was changed; kbmirror check-medium reads the payload"
        });
        if !imported.missing.is_empty() {
            output.warn(format!(
                "{} on the medium missing; this mirror has them: {}",
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
            "set {:04} is older than what is here: what was missing was added, and nothing was moved back",
            imported.seq
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
    show_made_again(imported, output);
    if imported.unchanged > 0 {
        let folders = match imported.unchanged {
            1 => "1 folder was".to_owned(),
            number => format!("{number} folders were"),
        };
        output.line(format!("{folders} already present (names and sizes checked, not re-read)"));
    }
    for name in &imported.litter {
        output.line(format!("not of the set, not read: {name}"));
    }
    if imported.knowledge_adopted {
        output.line("the knowledge tables of the medium replace those of this mirror from now on");
    }
    if let Some(why) = &imported.knowledge_left {
        output.warn(format!("the knowledge of the medium was left: {why}"));
    }
    output.line(imported.evidence());
    for kb in &imported.left {
        output.note(format!("left: {kb} is not whole on the medium"));
    }
    for leftover in &imported.missing {
        let size = leftover.bytes.map_or_else(String::new, |bytes| format!(", {}", human_size(bytes)));
        output.note(format!("missing: {}{size}", leftover.path));
    }
}
