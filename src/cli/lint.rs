//! `lint`: judges a folder that somebody brings. Needs no mirror; where there is one, its index tells who a file is. A
//! finding exits 10.

use camino::Utf8Path;

use super::args::Lint;
use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::facts_of_folder;
use crate::resolve::Facts;
use crate::resolve::lint::{Ask, Entry, Folder, LintReport, LintStatus, lint};
use crate::update::DualHasher;

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
        Ok(mirror) => facts_of_folder(&folder, ask.target, mirror.index(), &knowledge)?,
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
