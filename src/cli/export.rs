//! `export`: the plan, then the medium. `--dry-run` prints the plan alone.

use serde_json::{Value, json};

use super::media_args::Export;
use super::medium::keep_medium_report;
use super::output::Output;
use super::setup::Setup;
use crate::carrier::{self, ExportPlan, ExportRequest, Exported, KeyFolder};
use crate::clock::{rfc3339, unix_seconds};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::mirror::{REPLAY, table_texts};
use crate::servicing::{Knowledge, Tables};
use crate::update::human_size;

/// `export`: writes a medium and reads it back.
pub(super) fn run(setup: &Setup, arguments: &Export, output: &mut Output) -> Result<ExitCode> {
    if arguments.kbs.is_empty() && !arguments.all {
        return Err(Error::usage("what is to be exported is missing").hint("name KBs, or --all"));
    }
    let request = ExportRequest {
        kbs: arguments.kbs.clone(),
        all: arguments.all,
        architectures: arguments.arch.clone(),
        tools: arguments.with_tool.clone(),
    };
    let knowledge = setup.knowledge()?;
    if arguments.dry_run {
        let mirror = setup.mirror()?;
        let plan = ExportPlan::new(&request, &mirror, &knowledge)?;
        if output.is_json() {
            output.document(&json!({ "plan": plan, "exported": null }))?;
        } else {
            show_plan(&plan, mirror.origin()? == REPLAY, output);
        }
        return Ok(if plan.is_complete() { ExitCode::OK } else { ExitCode::INCOMPLETE });
    }
    let outcome = write(setup, &request, arguments, &knowledge);
    keep_medium_report(setup, "export", &arguments.to, outcome.as_ref().map(Done::document), output);
    let done = outcome?;
    if output.is_json() {
        output.document(&done.document())?;
    } else {
        show_plan(&done.plan, done.is_demo, output);
        show_exported(&done.exported, output);
    }
    Ok(if done.plan.is_complete() { ExitCode::OK } else { ExitCode::INCOMPLETE })
}

struct Done {
    plan: ExportPlan,
    exported: Exported,
    is_demo: bool,
}

impl Done {
    fn document(&self) -> Value {
        json!({ "plan": self.plan, "exported": self.exported, "evidence": self.exported.evidence() })
    }
}

fn write(setup: &Setup, request: &ExportRequest, arguments: &Export, knowledge: &Knowledge) -> Result<Done> {
    let keys = KeyFolder::new(setup.layout().keys()).signing_keys()?;
    let mut mirror = setup.mirror_to_write()?;
    let plan = ExportPlan::new(request, &mirror, knowledge)?;
    let tables = tables(setup)?;
    let now = rfc3339(unix_seconds(setup.now()));
    let exported = setup.watched(|events| {
        let context = carrier::Context { keys: &keys, knowledge, tables: &tables, now: &now, events };
        carrier::export(&plan, &arguments.to, &mut mirror, &context)
    })?;
    Ok(Done { is_demo: mirror.origin()? == REPLAY, plan, exported })
}

/// All tables that travel along: the built-in ones, and over them what the mirror or the caller goes by.
fn tables(setup: &Setup) -> Result<Vec<(String, String)>> {
    let other = match setup.knowledge_folder() {
        Some(folder) => table_texts(&folder)?,
        None => Vec::new(),
    };
    let built_in = Tables::built_in();
    let mut tables = Vec::new();
    for (name, text) in built_in.iter() {
        let own = other.iter().find(|(other, _)| other == name).map(|(_, text)| text.clone());
        tables.push((name.to_owned(), own.unwrap_or_else(|| text.to_owned())));
    }
    Ok(tables)
}

fn show_plan(plan: &ExportPlan, is_demo: bool, output: &mut Output) {
    if is_demo {
        output.line("DEMO: the files are stand-ins; the medium says so on every page");
    }
    let mut table = output.table(&["kb", "folder", "files", "size", "along with"]).right(2).right(3);
    for set in &plan.sets {
        let along: Vec<String> = set.needed_by.iter().map(ToString::to_string).collect();
        table.row([
            set.kb.to_string(),
            set.folder.clone(),
            set.files.to_string(),
            human_size(set.bytes),
            along.join(", "),
        ]);
    }
    output.text(table.render());
    output.line(plan.to_string());
    for item in &plan.left_out {
        output.line(format!("left out: {} {} ({})", item.kb, item.what, item.why));
    }
    for item in &plan.missing {
        output.note(format!("missing: {} {} ({})", item.kb, item.what, item.why));
    }
}

fn show_exported(exported: &Exported, output: &mut Output) {
    output.line(exported.evidence());
    if exported.removed > 0 {
        output.line(format!("took away {} files of an earlier set", exported.removed));
    }
    output.line(format!("{} is safe to remove", exported.folder));
    if !exported.read_back_cold {
        output.note("a medium that was read right after it was written may still be answered from memory: take it out, put it in again, and run kbmirror check-medium");
    }
    if !exported.complete {
        output.note("warning: the set is not complete, and says so in set.json");
    }
}
