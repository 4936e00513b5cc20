//! `README.txt`: the page for people beside the set folders of a KB.

use std::borrow::Cow;

use super::facts::{KbFacts, PlannedView};
use crate::documents::{FileLine, SetRecord};
use crate::facts::{FileProperty, Role, Source};
use crate::resolve::Plan;
use crate::update::{Architecture, Kb, escape_hidden, human_size};

/// Returns the lines for cases in which the set folder is not sufficient: steps of other KBs, WinPE past the
/// checkpoint, and one .NET Framework package of several.
fn steps_beyond_the_folder(kb: Kb, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        let when = step.needed_if.as_ref().map_or_else(String::new, |when| format!(", when: {when}"));
        if let Some((other, folder)) = step.set.as_ref().filter(|(other, _)| *other != kb) {
            lines.push(format!("  before  {other} ({}), in ..\\{other}\\{folder}{when}", step.role));
        } else if let Some(other) = step.kb.filter(|other| *other != kb && step.set.is_none()) {
            lines.push(format!("  before  {other} ({}), not in this mirror{when}", step.role));
        }
    }
    if plan.steps.iter().any(|step| step.role == Role::Checkpoint) {
        lines.push(
            "  WinPE   at or after the checkpoint needs only the target: kbmirror stage --for winpe --baseline BUILD"
                .to_owned(),
        );
    }
    if plan.steps.iter().filter(|step| step.role == Role::DotnetChild).count() > 1 {
        lines.push(
            "  .NET    a machine needs only one of the packages: kbmirror stage --dotnet VERSION".to_owned(),
        );
    }
    lines
}

/// Returns the note on a file that only the knowledge verifies.
fn knowledge_note(file: &FileLine) -> String {
    if file.checks.iter().any(|check| check.against == Source::Dialog && check.what != FileProperty::Size) {
        return String::new();
    }
    let of_knowledge = file.checks.iter().filter(|check| check.against == Source::Knowledge);
    let words: Vec<String> =
        of_knowledge.map(|check| format!("{} ({})", check.what, check.against)).collect();
    if words.is_empty() {
        return String::new();
    }
    format!(", checked by {}, not by the Catalog", words.join(" and "))
}

/// Returns the lines of a set.
fn section(set: &SetRecord, planned: &PlannedView, facts: &KbFacts) -> Vec<String> {
    let kb = facts.document.kb;
    let mut lines = vec![String::new(), format!("{}/", set.folder)];
    let architecture = set.architecture.map_or("every architecture", Architecture::as_str);
    lines.push(format!("  for     {} ({architecture})", set.products.join("; ")));
    lines.push("  order   of installation:".to_owned());
    for file in &set.files {
        let size = file.size.map(human_size).unwrap_or_default();
        let order = if file.order == 0 { "?".to_owned() } else { format!("{}.", file.order) };
        lines.push(format!("          {order:<2} {}", file.name_in_folder()));
        lines.push(format!("             {}, {size}{}", file.role, knowledge_note(file)));
    }
    let builds = facts.builds.iter().filter(|(architecture, _)| *architecture == set.architecture);
    let builds: Vec<String> = builds.map(|(_, build)| build.to_string()).collect();
    if !builds.is_empty() {
        lines.push(format!("  result  build {}", builds.join(", ")));
    }
    if let Some(plan) = &planned.plan {
        lines.extend(steps_beyond_the_folder(kb, plan));
    }
    if planned.script.is_some() {
        lines.push(format!(
            "  script  {}.cmd installs the set and checks the result after the restart",
            set.folder
        ));
    }
    lines
}

/// Returns the page, with Windows line ends, because it is read there too. Products and reasons come from outside,
/// so hidden characters in them are escaped.
pub(super) fn readme(facts: &KbFacts) -> String {
    let kb = facts.document.kb;
    let mut lines = vec![format!("{kb}")];
    if facts.document.is_demo() {
        lines.push(String::new());
        lines.push(
            "DEMO: these files come from a recording. They are stand-ins; nothing here can be installed."
                .to_owned(),
        );
    }
    for (set, planned) in facts.document.sets.iter().zip(&facts.planned) {
        lines.extend(section(set, planned, facts));
    }
    lines.push(String::new());
    lines.push("Check the files on Linux from this folder:  sha256sum -c SHA256SUMS".to_owned());
    lines.push("Check one file on Windows:                  certutil -hashfile FILE SHA256".to_owned());
    lines.push("Each folder contains exactly one package set, so that DISM finds no other package beside the target.".to_owned());
    lines.push(format!(
        "List the files that a machine needs:  kbmirror resolve {kb} --arch ARCH --baseline BUILD"
    ));
    let lines: Vec<Cow<'_, str>> = lines.iter().map(|line| escape_hidden(line)).collect();
    lines.join("\r\n") + "\r\n"
}
