//! `search`: queries the Catalog, filters and sorts the rows. Writes nothing.

use super::output::Output;
use super::search_args::SearchArgs;
use super::search_table;
use super::setup::Setup;
use crate::catalog::{
    ClassifiedRow, Filter, FilterExclusion, Query, RowSelection, SearchResult, SelectedRows, filter_values,
    is_newest_first, unknown_product,
};
use crate::documents::{FilterCount, SearchDocument, UpdateSummary};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::servicing::ProductFilter;

/// The part of the Catalog's rows that was read.
struct Coverage {
    /// The number of rows that the Catalog reports.
    total: u64,
    /// The number of rows that were read.
    found: usize,
    /// `true` if all rows were read.
    complete: bool,
    /// `true` if the Catalog truncated its response and other queries did not find all rows.
    capped: bool,
    /// The number of rows that were not queried, because the limit was reached.
    unqueried: u64,
    /// The reason why more rows may exist, unless it is the limit.
    shortfall: Option<String>,
}

impl Coverage {
    fn of(query: &Query, answer: &SearchResult, choice: &RowSelection) -> Self {
        let found = answer.rows.len();
        let is_enough = !choice.needs_all_rows() && choice.limit == Some(found);
        let unqueried = if is_enough { answer.total.saturating_sub(found as u64) } else { 0 };
        let shortfall = answer.incompleteness(query).filter(|_| !is_enough);
        let capped = answer.capped && !answer.complete;
        Self { total: answer.total, found, complete: answer.complete, capped, unqueried, shortfall }
    }
}

/// Runs `search`: queries the Catalog and prints the rows.
pub(super) fn run(setup: &Setup, arguments: &SearchArgs, output: &mut Output) -> Result<ExitCode> {
    // The tables have names of products only.
    let knowledge = if arguments.has_products() { Some(setup.knowledge()?) } else { None };
    let (query, choice) = (arguments.query()?, arguments.choice(knowledge.as_deref())?);
    let families = knowledge.as_deref().map_or(&[][..], |knowledge| knowledge.families().all());
    let answer = query_catalog(setup, &query, &choice)?;
    let coverage = Coverage::of(&query, &answer, &choice);
    if answer.rows.is_empty() {
        let message = format!("the Catalog finds nothing for {:?}", query.words());
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    let parts = answer.parts;
    let found: Vec<ClassifiedRow> = answer.rows.into_iter().map(ClassifiedRow::from).collect();
    let chosen = choice.apply(found.clone(), families);
    if let Some(refusal) =
        unknown_product(&choice.products, &found, families).and_then(ProductFilter::refusal)
    {
        return Err(refusal.clone().into());
    }
    if chosen.rows.is_empty() {
        return Err(no_match_error(&query, &found, &chosen, &coverage));
    }
    if output.is_json() {
        output.document(&SearchDocument {
            query: query.words().to_owned(),
            total: coverage.total,
            complete: coverage.complete && chosen.rows.len() == chosen.matching,
            updates: chosen.rows.iter().map(found_update).collect(),
            found: coverage.found,
            matching: chosen.matching,
            left_out: chosen.exclusions.iter().map(filtered_out).collect(),
            capped: answer.capped,
            parts,
        })?;
    } else {
        search_table::show(&chosen.rows, output);
        output.note(summary_line(&coverage, &chosen));
    }
    Ok(ExitCode::OK)
}

/// Returns the document of a row.
fn found_update(ClassifiedRow { row, class }: &ClassifiedRow) -> UpdateSummary {
    UpdateSummary {
        update_id: row.update_id,
        kb: class.kb,
        title: row.title.clone(),
        kind: class.kind,
        month: class.month,
        release: class.release.clone(),
        product: class.product.clone(),
        products: row.products.clone(),
        product_list: class.product.iter().cloned().collect(),
        classification: row.classification.clone(),
        architecture: class.implied_architecture(),
        build: class.build,
        last_updated: row.last_updated,
        size: row.size,
        withdrawn: None,
        files: None,
        supersedes: None,
        superseded_by: None,
    }
}

fn filtered_out(left_out: &FilterExclusion) -> FilterCount {
    FilterCount { filter: left_out.filter.option(), updates: left_out.updates }
}

/// Queries all rows, or the pages that the limit needs.
fn query_catalog(setup: &Setup, query: &Query, choice: &RowSelection) -> Result<SearchResult> {
    let enough = choice.limit.filter(|_| !choice.needs_all_rows());
    setup.with_catalog(|catalog| {
        let query = query.clone();
        async move {
            let first = catalog.search(&query, enough).await?;
            // The newest rows are on the first pages if the site sorts them.
            if enough.is_none() || is_newest_first(&first.rows) {
                return Ok(first);
            }
            catalog.search(&query, None).await
        }
    })
}

/// "--arch 2, --kind 4"
fn filter_counts(left_out: &[FilterExclusion]) -> String {
    let filter_counts: Vec<String> = left_out
        .iter()
        .filter(|out| out.updates > 0)
        .map(|out| format!("{} {}", out.filter, out.updates))
        .collect();
    filter_counts.join(", ")
}

/// Returns the number of rows found and shown, and the reasons for the difference.
fn summary_line(coverage: &Coverage, chosen: &SelectedRows) -> String {
    let shown = chosen.rows.len();
    let more = if coverage.capped { "more than " } else { "" };
    let mut parts = vec![format!("{more}{} found", coverage.total)];
    if shown as u64 != coverage.total {
        parts.push(format!("{shown} shown"));
    }
    let left_out = coverage.found - chosen.matching;
    if left_out > 0 {
        parts.push(format!("{left_out} excluded by filters ({})", filter_counts(&chosen.exclusions)));
    }
    let cut = (chosen.matching - shown) as u64 + coverage.unqueried;
    if coverage.capped && coverage.unqueried > 0 {
        parts.push("the others cut by --limit".to_owned());
    } else if cut > 0 {
        parts.push(format!("{cut} cut by --limit"));
    }
    let note = parts.join(", ");
    match &coverage.shortfall {
        Some(shortfall) => format!("{note}; {shortfall}"),
        None => note,
    }
}

/// Returns the error that the filters exclude every row, with the number of rows per filter.
fn no_match_error(
    query: &Query,
    found: &[ClassifiedRow],
    chosen: &SelectedRows,
    coverage: &Coverage,
) -> Error {
    let error = Error::new(
        ErrorKind::NotFound,
        format!(
            "the filters exclude all {} updates that the Catalog has for {:?}; excluded: {}",
            found.len(),
            query.words(),
            filter_counts(&chosen.exclusions)
        ),
    );
    let causes = chosen.exclusions.iter().filter(|out| out.updates == found.len());
    let error = causes.fold(error, |error, out| match suggested_values(out.filter, found) {
        Some(others) => error.hint(format!("use {} with {others}", out.filter)),
        None => error,
    });
    match &coverage.shortfall {
        Some(shortfall) => error.hint(shortfall.clone()),
        None => error,
    }
}

/// Returns the values of a filter that match rows, or `None` if no value matches.
fn suggested_values(filter: Filter, found: &[ClassifiedRow]) -> Option<String> {
    /// The greatest number of values in a hint.
    const SHOWN: usize = 8;
    if matches!(filter, Filter::Since | Filter::Until) {
        let days = || found.iter().map(|found| found.row.last_updated);
        return Some(format!("a day from {} to {}", days().min()?, days().max()?));
    }
    let values = filter_values(filter, found);
    let quoted = |value: &String| if value.contains(' ') { format!("{value:?}") } else { value.clone() };
    let mut words: Vec<String> = values.iter().take(SHOWN).map(quoted).collect();
    if values.len() > SHOWN {
        words.push(format!("{} others", values.len() - SHOWN));
    }
    Some(words.join(", ")).filter(|words| !words.is_empty())
}
