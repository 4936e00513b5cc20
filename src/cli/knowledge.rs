//! `knowledge`: prints and checks the tables of facts about Windows servicing.
//!
//! A table is printed unchanged, so that its text can be saved, edited, and used with `--knowledge`.

use camino::Utf8Path;

use super::args::{KnowledgeArgs, KnowledgeCommand};
use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::documents::{KnowledgeDocument, TableDocument};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::servicing::{TableCheck, TableFinding, TableInfo, Tables, check_tables, rows_of};

/// Runs `knowledge`. Writes nothing except the file of `--to`.
pub(super) fn run(setup: &Setup, arguments: &KnowledgeArgs, output: &mut Output) -> Result<ExitCode> {
    setup.with_tables(|tables| match &arguments.what {
        KnowledgeCommand::Show { table: None, .. } => show_all(&tables, output),
        KnowledgeCommand::Show { table: Some(table), to } => show_one(&tables, table, to.as_deref(), output),
        KnowledgeCommand::Check => check(&tables, output),
    })
}

fn show_all(tables: &Tables<'_>, output: &mut Output) -> Result<ExitCode> {
    // Contradictory tables are printed too, so that the operator can inspect them.
    let TableCheck { version, date, tables: overview, .. } = check_tables(*tables)?;
    if output.is_json() {
        output.document(&KnowledgeDocument { version, date, tables: overview })?;
        return Ok(ExitCode::OK);
    }
    output.line(format!("knowledge {version}, as of {date}"));
    let mut table = output.table([
        Column::new("table"),
        Column::number("rows").importance(1),
        Column::sentence("purpose"),
    ]);
    for TableInfo { name, about, rows } in overview {
        table.row([name.to_owned(), rows.to_string(), about.to_owned()]);
    }
    output.text(table.render());
    Ok(ExitCode::OK)
}

fn show_one(tables: &Tables<'_>, word: &str, to: Option<&Utf8Path>, output: &mut Output) -> Result<ExitCode> {
    let found = Tables::name_of(word).and_then(|name| Some((name, tables.text_of(name)?)));
    let Some((name, text)) = found else {
        return Err(Error::usage(format!("no table is named {word:?}"))
            .hint(format!("choose from {}", Tables::NAMES.join(", "))));
    };
    if let Some(path) = to {
        disk::write_named(path, text.as_bytes())?;
        output.note(format!("wrote {path}"));
    }
    if !output.is_json() {
        if to.is_none() {
            output.text(text);
        }
        return Ok(ExitCode::OK);
    }
    let rows = rows_of(name, text)?;
    let about = tables.overview()?.into_iter().find(|table| table.name == name).map(|table| table.about);
    output.document(&TableDocument { name, about, rows, path: to.map(Utf8Path::to_owned) })?;
    Ok(ExitCode::OK)
}

fn check(tables: &Tables<'_>, output: &mut Output) -> Result<ExitCode> {
    let checked = check_tables(*tables)?;
    let code = if checked.findings.is_empty() { ExitCode::OK } else { ExitCode::UNRESOLVED };
    if output.is_json() {
        output.document(&checked)?;
        return Ok(code);
    }
    for finding in &checked.findings {
        show_finding(finding, output);
    }
    output.sentence("", &summary(&checked));
    Ok(code)
}

fn show_finding(finding: &TableFinding, output: &mut Output) {
    output.sentence(&format!("{}: ", finding.table), &format!("{} ({})", finding.message, finding.code));
}

fn summary(checked: &TableCheck) -> String {
    let rows: usize = checked.tables.iter().map(|table| table.rows).sum();
    let count = match checked.findings.len() {
        0 => "no contradictions".to_owned(),
        1 => "1 contradiction".to_owned(),
        many => format!("{many} contradictions"),
    };
    let known = match checked.known.len() {
        0 => String::new(),
        known => format!(", and {known} known ones (contradictions.toml)"),
    };
    format!("{rows} rows in {} tables, {count}{known}", checked.tables.len())
}
