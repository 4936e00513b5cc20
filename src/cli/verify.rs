//! `verify`: everything is read again and compared. Changes nothing but its own report under `runs/` and the note of it in
//! `health.json`; on a medium that cannot be written it says so and tells its findings all the same.

use super::args::Verify;
use super::output::Output;
use super::setup::Setup;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::sync::keep_verify_report;

/// `verify`: is the mirror what its index says?
pub(super) fn run(setup: &Setup, arguments: &Verify, output: &mut Output) -> Result<ExitCode> {
    let mirror = setup.mirror()?;
    let now = setup.now();
    let time = crate::clock::rfc3339(now.as_second());
    let report = setup.watched(|events| mirror.verify(&arguments.kbs, arguments.deep, time, events))?;
    if let Err(error) = keep_verify_report(mirror.layout(), &report, now) {
        output.note(format!("warning: the report could not be kept: {}", error.full_message()));
    }
    let code = if report.findings.is_empty() { ExitCode::OK } else { ExitCode::INTEGRITY };
    if output.is_json() {
        output.document(&report)?;
        return Ok(code);
    }
    if !report.findings.is_empty() {
        let mut table = output.table(&["finding", "kb", "path", "because"]);
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
        output.note("  hint: kbmirror fetch KB… makes again what is missing, files and folders");
        output.note(
            "  hint: move a damaged file out of pool/ and remove the folders of the KBs that have it, then fetch them",
        );
    }
    for leftover in &report.leftovers {
        output.note(format!("left by a run that was cut off: {leftover}"));
    }
    for warning in &report.warnings {
        output.note(format!("warning: {warning}"));
    }
    output.line(report.evidence());
    Ok(code)
}
