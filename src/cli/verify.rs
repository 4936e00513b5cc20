//! `verify`: everything is read again and compared. Findings are recorded in the index, so that no command hands out what is damaged;
//! the report goes to `runs/` and a note of it to `health.json`. On a mirror that cannot be written it warns, and reports its
//! findings all the same.

use std::collections::BTreeSet;

use super::args::Verify;
use super::output::Output;
use super::setup::Setup;
use crate::clock::Time;
use crate::documents::VerifyReport;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::mirror::{Access, Mirror};
use crate::report::{Column, Tone};
use crate::sync::keep_verify_report;
use crate::update::Kb;

/// `verify`: is the mirror what its index says?
pub(super) fn run(setup: &Setup, arguments: &Verify, output: &mut Output) -> Result<ExitCode> {
    let mirror = setup.mirror()?;
    let (knowledge, now) = (setup.knowledge()?, Time::from(setup.now()));
    let verify = |events: &_| mirror.verify(&arguments.kbs, arguments.deep, &knowledge, now, events);
    let report = setup.watched(verify)?;
    if let Err(error) = keep_verify_report(mirror.layout(), &report, now) {
        output.warn(format!("the report could not be kept: {}", error.full_message()));
    }
    let code = if report.findings.is_empty() { ExitCode::OK } else { ExitCode::INTEGRITY };
    if output.is_json() {
        output.document(&report)?;
        return Ok(code);
    }
    if !report.findings.is_empty() {
        let mut table = output.table([
            Column::new("finding").tone(Tone::Bad),
            Column::sentence("kb"),
            Column::new("path"),
            Column::sentence("reason"),
        ]);
        for finding in &report.findings {
            let kbs: Vec<String> = finding.kbs.iter().map(ToString::to_string).collect();
            table.row([
                finding.kind.as_str().to_owned(),
                if kbs.is_empty() { "-".to_owned() } else { kbs.join(" ") },
                finding.path.to_string(),
                finding.message.clone(),
            ]);
        }
        output.text(table.render());
        output.note(format!("  hint: {}", hint(&mirror, &report)?));
    }
    for path in &report.healed {
        output.line(format!("recorded as damaged before, sound now: {path}"));
    }
    if !report.in_use.is_empty() {
        output.note(format!(
            "in use by a process that writes to the mirror now: {}",
            report.in_use.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(", ")
        ));
    }
    for leftover in &report.leftovers {
        output.note(format!("left by a run that was cut off: {leftover}"));
    }
    for warning in &report.warnings {
        output.warn(warning);
    }
    output.line(report.evidence());
    Ok(code)
}

/// Returns how the findings go away.
fn hint(mirror: &Mirror<impl Access>, report: &VerifyReport) -> Result<String> {
    let layout = mirror.layout();
    if report.findings.iter().any(|finding| finding.path == layout.relative(layout.index())) {
        return Ok("run kbmirror repair --rebuild-index: it keeps the index as evidence and makes it anew"
            .to_owned());
    }
    let kbs: BTreeSet<Kb> = report.findings.iter().flat_map(|finding| finding.kbs.iter().copied()).collect();
    if kbs.is_empty() {
        return Ok("move what is not of the mirror away, and verify again".to_owned());
    }
    let kbs: Vec<String> = kbs.iter().map(ToString::to_string).collect();
    Ok(mirror.side()?.to_heal(kbs.join(" ")))
}
