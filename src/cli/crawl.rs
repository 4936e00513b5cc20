//! `crawl`: records updates and files in the index, without downloading packages. The exit code is that of the run. An
//! unknown KB writes nothing.

use super::args::CrawlArgs;
use super::output::Output;
use super::setup::Setup;
use crate::catalog::Query;
use crate::crawl::{
    ConcludedRun, CrawlGoal, CrawlJob, CrawlOutcome, CrawledKb, Failure, RunOptions, Session,
};
use crate::documents::{CrawlDocument, ErrorBody, StoredSet};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::update::{Architecture, Kb, count};

/// Runs `crawl`: records updates, files, and the graph in the index.
pub(super) fn run(setup: &Setup, arguments: &CrawlArgs, output: &mut Output) -> Result<ExitCode> {
    let kbs: Result<Vec<Kb>, _> = arguments.what.iter().map(|word| word.parse()).collect();
    let goal = match kbs {
        Ok(kbs) => CrawlGoal::Kbs(kbs),
        Err(_) => CrawlGoal::Query(Query::new(&arguments.what.join(" "))?),
    };
    let job = CrawlJob { goal, architectures: arguments.arch.clone() };
    let options = RunOptions { refresh: arguments.refresh, trial: false };
    let ConcludedRun { mut session, outcome, code } = setup.run(&job, options)?;
    let document = document(&mut session, &outcome)?;
    if output.is_json() {
        output.document(&document)?;
    } else {
        show(&outcome.crawled, &document, output);
    }
    output.failures(&outcome.failures);
    Ok(code)
}

/// Returns the document of the recorded sets. If nothing was found, the mirror may not exist.
fn document(session: &mut Session, outcome: &CrawlOutcome) -> Result<CrawlDocument> {
    let CrawlOutcome { crawled, failures } = outcome;
    let mut sets = Vec::new();
    if !crawled.is_empty() {
        let mirror = session.mirror()?;
        for (id, _) in crawled.iter().flat_map(|crawled| &crawled.sets) {
            let row = mirror.index().set(*id)?;
            sets.extend(row.map(|row| mirror.stored_set(&row)).transpose()?);
        }
    }
    let error = Failure::first_error(failures);
    let warnings = session.warnings().map(str::to_owned).collect();
    Ok(CrawlDocument {
        sets,
        requests: session.requests(),
        bytes_downloaded: 0,
        failures: failures.iter().map(Failure::item).collect(),
        error: crawled.is_empty().then(|| error.as_ref().map(ErrorBody::from)),
        warnings: (!crawled.is_empty()).then_some(warnings),
    })
}

fn show(crawled: &[CrawledKb], document: &CrawlDocument, output: &mut Output) {
    if crawled.is_empty() {
        return;
    }
    for one in crawled {
        let sets = count(one.sets.len(), "package set");
        output.line(format!("{}: {}, {sets}", one.kb, count(one.updates, "update")));
    }
    let mut table = output.table([
        Column::new("kb"),
        Column::new("arch"),
        Column::new("#"),
        Column::new("role").importance(2),
        Column::file_name("file"),
        Column::sentence("products").importance(1),
    ]);
    for StoredSet { set, .. } in &document.sets {
        for (place, member) in set.files.iter().enumerate() {
            let once = |text: String| if place == 0 { text } else { String::new() };
            table.row([
                once(set.kb.to_string()),
                once(set.architecture.map_or("any", Architecture::as_str).to_owned()),
                (place + 1).to_string(),
                member.file.role.map_or_else(String::new, |role| role.to_string()),
                member.file.name.clone(),
                once(set.product_list.join("; ")),
            ]);
        }
    }
    output.text(table.render());
}
