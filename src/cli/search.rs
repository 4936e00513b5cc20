//! `search`: what the Catalog has, filtered here; writes nothing.

use super::args::Search;
use super::documents::{SearchDocument, of_row};
use super::output::Output;
use super::setup::Setup;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::update::{Architecture, classify, human_size};

/// `search`: asks the Catalog, writes nothing.
pub(super) fn run(setup: &Setup, arguments: &Search, output: &mut Output) -> Result<ExitCode> {
    let query = arguments.query()?;
    let filtered = !arguments.arch.is_empty() || !arguments.kind.is_empty();
    let limit = arguments.limit.map(|limit| limit as usize);
    // What is filtered here has to be read whole; what is only cut short need not.
    let asked = limit.filter(|_| !filtered);
    let answer = setup.with_catalog(|catalog| {
        let query = query.clone();
        async move { catalog.search(&query, asked).await }
    })?;
    if answer.rows.is_empty() {
        let message = format!("the Catalog finds nothing for {:?}", query.words());
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let mut complete = answer.complete;
    let rows = answer.rows.iter().map(|row| (row, classify(&row.title, &row.products, None)));
    let mut rows: Vec<_> = rows
        .filter(|(_, class)| {
            let architecture = class.implied_architecture();
            (arguments.arch.is_empty() || architecture.is_some_and(|own| arguments.arch.contains(&own)))
                && (arguments.kind.is_empty() || class.kind.is_some_and(|own| arguments.kind.contains(&own)))
        })
        .collect();
    if rows.is_empty() {
        let message = format!(
            "none of the {} updates for {:?} is of that architecture and kind",
            answer.rows.len(),
            query.words()
        );
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    if let Some(limit) = limit
        && rows.len() > limit
    {
        rows.truncate(limit);
        complete = false;
    }
    if output.is_json() {
        output.document(&SearchDocument {
            query: query.words().to_owned(),
            total: answer.total,
            complete,
            parts: answer.parts.clone(),
            updates: rows.iter().map(|(row, class)| of_row(row, class)).collect(),
        })?;
    } else {
        let mut table = output.table(&["updated", "kind", "arch", "size", "title"]).right(3);
        for (row, class) in &rows {
            table.row([
                row.last_updated.to_string(),
                class.kind.map_or("-", |kind| kind.as_str()).to_owned(),
                class.implied_architecture().map_or("-", Architecture::as_str).to_owned(),
                human_size(row.size),
                row.title.clone(),
            ]);
        }
        output.text(table.render());
        if let Some(lacking) = answer.lacking(&query) {
            output.note(format!("warning: {lacking}"));
        }
        output.note(match (answer.capped && !answer.complete, rows.len() as u64 == answer.total) {
            (true, _) => format!("{} shown; narrow the query to see the rest", rows.len()),
            (false, true) => format!("{} found", rows.len()),
            (false, false) => format!("{} shown of {}", rows.len(), answer.total),
        });
    }
    Ok(ExitCode::OK)
}
