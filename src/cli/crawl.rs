//! `crawl`: the index is filled and nothing is downloaded. Exits as the run went; a KB that nobody knows writes nothing.

use serde_json::json;

use super::args::Crawl;
use super::documents::of_set;
use super::output::Output;
use super::setup::Setup;
use crate::catalog::Query;
use crate::crawl::{CrawlGoal, CrawlJob, CrawlOutcome, Run, RunOptions};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::update::{Architecture, Kb, count};

/// `crawl`: updates, files, and graph into the index; no payload.
pub(super) fn run(setup: &Setup, arguments: &Crawl, output: &mut Output) -> Result<ExitCode> {
    let kbs: Result<Vec<Kb>, _> = arguments.what.iter().map(|word| word.parse()).collect();
    let goal = match kbs {
        Ok(kbs) => CrawlGoal::Kbs(kbs),
        Err(_) => CrawlGoal::Query(Query::new(&arguments.what.join(" "))?),
    };
    let job = CrawlJob { goal, architectures: arguments.arch.clone() };
    let options = RunOptions { refresh: arguments.refresh, trial: false };
    let Run { mut session, outcome: CrawlOutcome { crawled: done, failures }, code } =
        setup.run(&job, options)?;
    // Nothing was found and nothing written: there may be no mirror to show anything of.
    if done.is_empty() {
        if output.is_json() {
            output.document(&json!({
                "sets": [],
                "requests": session.requests(),
                "bytes_downloaded": 0,
                "failures": failures,
                "error": session.error_of(&failures),
            }))?;
        }
        output.failures(&failures);
        return Ok(code);
    }
    let requests = session.requests();
    let warnings: Vec<String> = session.warnings().map(str::to_owned).collect();
    let mirror = session.mirror()?;
    let mut documents = Vec::new();
    let mut lines = Vec::new();
    for crawled in &done {
        for (id, set) in &crawled.sets {
            let Some(row) = mirror.index().set(*id)? else { continue };
            documents.push(of_set(&row, mirror)?);
            lines.push((crawled, set, row));
        }
    }
    if output.is_json() {
        output.document(&json!({
            "sets": documents,
            "requests": requests,
            "bytes_downloaded": 0,
            "failures": failures,
            "warnings": warnings,
        }))?;
        output.failures(&failures);
        return Ok(code);
    }
    for crawled in &done {
        let sets = crawled.sets.len();
        output.line(format!(
            "{}: {}, {}",
            crawled.kb,
            count(crawled.updates, "update"),
            count(sets, "package set")
        ));
    }
    let mut table = output.table(&["kb", "arch", "#", "role", "file", "products"]);
    for (crawled, set, row) in lines {
        for (place, member) in row.members.iter().enumerate() {
            let first = place == 0;
            let once = |text: String| if first { text } else { String::new() };
            table.row([
                once(crawled.kb.to_string()),
                once(row.architecture.map_or("any", Architecture::as_str).to_owned()),
                (place + 1).to_string(),
                member.role.to_string(),
                output.file_name(&member.file.name),
                once(set.products.join("; ")),
            ]);
        }
    }
    output.text(table.render());
    output.failures(&failures);
    Ok(code)
}
