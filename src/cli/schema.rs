//! `schema`: prints the JSON Schemas of all documents. Does not read a mirror or query the Catalog. An unknown name
//! is a usage error that lists the names.

use super::args::SchemaArgs;
use super::output::Output;
use crate::documents::{DOCUMENTS, DocumentKind};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::report::Column;

/// Runs `schema`: prints the list of documents, or one schema.
pub(super) fn run(arguments: &SchemaArgs, output: &mut Output) -> Result<ExitCode> {
    let Some(name) = &arguments.name else { return list(output) };
    let Some(kind) = DocumentKind::named(name) else {
        let names: Vec<&str> = DOCUMENTS.iter().map(|kind| kind.name).collect();
        return Err(Error::usage(format!("no document is named {name:?}"))
            .hint(format!("choose from {}", names.join(", "))));
    };
    output.document(&kind.schema())?;
    Ok(ExitCode::OK)
}

fn list(output: &mut Output) -> Result<ExitCode> {
    if output.is_json() {
        output.document(&DOCUMENTS.iter().map(DocumentKind::line).collect::<Vec<_>>())?;
        return Ok(ExitCode::OK);
    }
    let mut table = output.table([
        Column::new("document"),
        Column::new("direction").importance(1),
        Column::sentence("source"),
    ]);
    for kind in DOCUMENTS {
        table.row([kind.name, kind.direction.as_str(), kind.of].map(str::to_owned));
    }
    output.text(table.render());
    Ok(ExitCode::OK)
}
