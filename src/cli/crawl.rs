//! `crawl`: the index is filled and nothing is downloaded. Exits as the run went; a KB that nobody knows writes nothing.

use serde_json::json;

use super::args::Crawl;
use super::documents::of_set;
use super::output::Output;
use super::setup::Setup;
use crate::catalog::Query;
use crate::crawl::{Crawled, Failure, Session, told_once};
use crate::error::{ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::update::{Architecture, Kb, count};

struct Done {
    session: Session,
    crawled: Vec<Crawled>,
    failures: Vec<Failure>,
}

/// `crawl`: updates, files, and graph into the index; no payload.
pub(super) fn run(setup: &Setup, arguments: &Crawl, output: &mut Output) -> Result<ExitCode> {
    let kbs: Result<Vec<Kb>, _> = arguments.what.iter().map(|word| word.parse()).collect();
    let mut done = setup.with_session(|session| crawl(session, kbs.ok(), arguments))?;
    told_once(&done.session, &mut done.failures)?;
    let kinds: Vec<ErrorKind> = done.failures.iter().map(|failure| failure.kind).collect();
    let code = done.session.exit_code(ExitCode::of_run(done.crawled.len(), &kinds));
    done.session.finish(code, 0)?;
    // Nothing was found and nothing written: there may be no mirror to show anything of.
    if done.crawled.is_empty() {
        if output.is_json() {
            output.document(&json!({
                "sets": [],
                "requests": done.session.requests(),
                "bytes_downloaded": 0,
                "failures": done.failures,
                "error": done.session.error_of(&done.failures),
            }))?;
        }
        output.failures(&done.failures);
        return Ok(code);
    }
    let requests = done.session.requests();
    let warnings: Vec<String> = done.session.warnings().map(str::to_owned).collect();
    let mirror = done.session.mirror()?;
    let mut documents = Vec::new();
    let mut lines = Vec::new();
    for crawled in &done.crawled {
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
            "failures": done.failures,
            "warnings": warnings,
        }))?;
        output.failures(&done.failures);
        return Ok(code);
    }
    for crawled in &done.crawled {
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
    output.failures(&done.failures);
    Ok(code)
}

async fn crawl(mut session: Session, kbs: Option<Vec<Kb>>, arguments: &Crawl) -> Result<Done> {
    let (mut crawled, mut failures) = (Vec::new(), Vec::new());
    if arguments.refresh {
        session.refresh();
    }
    if let Some(kbs) = kbs {
        for kb in kbs {
            match session.crawl_kb(kb, &arguments.arch).await {
                Ok(mut one) => {
                    failures.append(&mut one.failures);
                    crawled.push(one);
                }
                Err(error) => failures.push(Failure::new(kb.to_string(), &error)),
            }
        }
    } else {
        let query = Query::new(&arguments.what.join(" "))?;
        let found = session.crawl_query(&query, &arguments.arch).await;
        if let Err(error) = &found {
            session.finish(session.exit_code(error.code()), 0)?;
        }
        let (found, without_kb) = found?;
        failures.extend(without_kb);
        for mut one in found {
            failures.append(&mut one.failures);
            crawled.push(one);
        }
    }
    Ok(Done { session, crawled, failures })
}
