//! `schema`: the JSON Schemas of all documents. Reads no mirror and queries no Catalog. A name that does not exist is a mistake in
//! the arguments, and the error lists the names.

use super::args::Schema;
use super::output::Output;
use crate::documents::{DOCUMENTS, DocumentKind};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::report::Column;

/// Runs `schema`: prints the list of documents, or one schema.
pub(super) fn run(arguments: &Schema, output: &mut Output) -> Result<ExitCode> {
    let Some(name) = &arguments.name else { return list(output) };
    let Some(kind) = DocumentKind::named(name) else {
        let names: Vec<&str> = DOCUMENTS.iter().map(|kind| kind.name).collect();
        return Err(Error::usage(format!("{name:?} is not the name of a document"))
            .hint(format!("the documents are {}", names.join(", "))));
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
