//! `verify`: reads every file again and compares it. Findings are recorded in the index, so that no command uses
//! damaged files. The report goes to `runs/`, and its summary to `health.json`. On a read-only mirror, `verify`
//! prints its findings and warns that it cannot record them.

use std::collections::BTreeSet;

use super::args::VerifyArgs;
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

/// Runs `verify`: compares the mirror with its index.
pub(super) fn run(setup: &Setup, arguments: &VerifyArgs, output: &mut Output) -> Result<ExitCode> {
    let mirror = setup.mirror()?;
    let (knowledge, now) = (setup.knowledge()?, Time::from(setup.now()));
    let verify = |events: &_| mirror.verify(&arguments.kbs, arguments.deep, &knowledge, now, events);
    let report = setup.with_progress(verify)?;
    if let Err(error) = keep_verify_report(mirror.layout(), &report, now) {
        output.warn(format!("cannot save the report: {}", error.full_message()));
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
        output.line(format!("recorded as damaged before, intact now: {path}"));
    }
    if !report.in_use.is_empty() {
        output.note(format!(
            "in use by another process that writes to the mirror: {}",
            report.in_use.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(", ")
        ));
    }
    for leftover in &report.leftovers {
        output.note(format!("left by an interrupted run: {leftover}"));
    }
    for warning in &report.warnings {
        output.warn(warning);
    }
    output.line(report.evidence());
    Ok(code)
}

/// Returns the hint that resolves the findings.
fn hint(mirror: &Mirror<impl Access>, report: &VerifyReport) -> Result<String> {
    let layout = mirror.layout();
    if report.findings.iter().any(|finding| finding.path == layout.relative(layout.index())) {
        return Ok(
            "run kbmirror repair --rebuild-index: it keeps the damaged index as evidence and rebuilds it"
                .to_owned(),
        );
    }
    let kbs: BTreeSet<Kb> = report.findings.iter().flat_map(|finding| finding.kbs.iter().copied()).collect();
    if kbs.is_empty() {
        return Ok("move the foreign files away and run kbmirror verify again".to_owned());
    }
    let kbs: Vec<String> = kbs.iter().map(ToString::to_string).collect();
    Ok(mirror.side()?.advise_repair(kbs.join(" ")))
}
