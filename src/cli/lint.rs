//! `lint`: judges a folder that somebody brings. Needs no mirror; where there is one, its index tells who a file is. A
//! finding exits 10.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::args::Lint;
use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::{Index, Mirror};
use crate::resolve::lint::{Ask, Entry, Folder, LintReport, LintStatus, lint};
use crate::resolve::{Facts, unlisted_kbs};
use crate::servicing::Knowledge;
use crate::update::{DualHasher, Kb, PackageName};

/// `lint`: is this folder a set that DISM may be pointed at?
pub(super) fn run(setup: &Setup, arguments: &Lint, output: &mut Output) -> Result<ExitCode> {
    let knowledge = setup.knowledge()?;
    let folder = read_folder(&arguments.dir, arguments.deep)?;
    let ask = Ask {
        target: arguments.target,
        architecture: arguments.arch,
        baseline: arguments.baseline,
        installation: arguments.installation.map(Into::into),
        place: arguments.place.into(),
        features_on_demand: arguments.fod,
        installed: arguments.installed.iter().copied().collect(),
    };
    let facts = match setup.mirror() {
        Ok(mirror) => facts_of(&folder, &ask, &mirror, &knowledge)?,
        Err(error) if error.kind() == ErrorKind::NotFound => Facts::default(),
        Err(error) => return Err(error),
    };
    let report = lint(&folder, &ask, &knowledge, &facts);
    if output.is_json() {
        output.document(&report)?;
    } else {
        show(&arguments.dir, &report, output);
    }
    Ok(match report.status {
        LintStatus::Ok => ExitCode::OK,
        LintStatus::RefuseSet => ExitCode::UNRESOLVED,
    })
}

/// What lies in the folder; in deep mode with the digests of the packages.
fn read_folder(path: &Utf8Path, deep: bool) -> Result<Folder> {
    if !disk::is_folder(path)? {
        return Err(Error::usage(format!("{path} is no folder")));
    }
    let mut entries = Vec::new();
    for name in disk::list(path)? {
        let place = path.join(&name);
        let is_folder = disk::is_folder(&place)?;
        let mut entry = Entry { name, is_folder, content: None };
        if deep && entry.is_package() {
            let mut hasher = DualHasher::new();
            disk::read_in_pieces(&place, |piece| hasher.update(piece))?;
            entry.content = Some(hasher.finish());
        }
        entries.push(entry);
    }
    Ok(Folder { entries })
}

/// What the index holds of the KBs in the names, of the entries that list the files by their digests, and of what those
/// need.
fn facts_of(folder: &Folder, ask: &Ask, mirror: &Mirror, knowledge: &Knowledge) -> Result<Facts> {
    let index: &Index = mirror.index();
    let mut kbs: BTreeSet<Kb> = ask.target.into_iter().collect();
    for entry in folder.entries.iter().filter(|entry| entry.is_package()) {
        let named = PackageName::parse(&entry.name);
        kbs.extend(named.kb);
        for sha1 in [named.sha1, entry.content.map(|content| content.sha1)].into_iter().flatten() {
            kbs.extend(index.kbs_of_file(sha1)?);
        }
    }
    let own = index.facts_of(&kbs)?;
    let unlisted: Vec<Kb> = kbs.iter().flat_map(|&kb| unlisted_kbs(kb, &own, knowledge)).collect();
    kbs.extend(unlisted);
    index.facts_of(&kbs)
}

fn show(path: &Utf8Path, report: &LintReport, output: &mut Output) {
    let subject = match report.target {
        Some(kb) => format!("{path} (for {kb})"),
        None => path.to_string(),
    };
    if report.status == LintStatus::Ok {
        output.line(format!("{subject}: ok"));
        return;
    }
    let count = match report.findings.len() {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    output.line(format!("{subject}: do not point DISM at this folder, {count}"));
    let mut files = output.table(&["#", "finding", "kb", "file"]).right(0);
    // Sentences have a table of their own: beside the names there is no room for them.
    let mut reasons = output.table(&["#", "because"]).right(0);
    for (number, finding) in (1..).zip(&report.findings) {
        let number = format!("{number}");
        files.row([
            number.clone(),
            finding.code.to_string(),
            finding.kb.map_or_else(|| "-".to_owned(), |kb| kb.to_string()),
            finding.name.as_deref().map_or_else(|| "-".to_owned(), |name| output.file_name(name)),
        ]);
        reasons.row([number, finding.message.clone()]);
    }
    output.text(files.render());
    output.text(reasons.render());
}
