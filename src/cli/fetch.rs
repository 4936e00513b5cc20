//! `fetch`: the main job, its tables, and its document. The exit code is that of the run. Failures follow the results.

use super::args::FetchArgs;
use super::output::Output;
use super::setup::Setup;
use crate::crawl::{ConcludedRun, Failure, RunOptions, Session};
use crate::documents::{
    ErrorBody, ExcludedSet, ExclusionFilter, FetchDocument, FetchedSetDocument, SetStatus,
};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::fetch::{Exclusion, FetchJob, FetchOutcome, FetchRequest};
use crate::report::{Column, Tone};
use crate::resolve::PackageSet;
use crate::servicing::ProductFilter;
use crate::update::{Architecture, human_size};

/// Runs `fetch`: downloads, checks, and publishes KBs.
pub(super) fn run(setup: &Setup, arguments: &FetchArgs, output: &mut Output) -> Result<ExitCode> {
    let knowledge = setup.knowledge()?;
    let products =
        arguments.product.iter().map(|asked| ProductFilter::new(asked, None, knowledge.families()));
    let request = FetchRequest {
        kbs: arguments.kbs.clone(),
        architectures: arguments.arch.clone(),
        products: products.collect::<std::result::Result<_, _>>()?,
        kinds: arguments.kind.clone(),
        generation: arguments.generation.unwrap_or_default(),
        accept_unverified: arguments.accept_unverified,
        closure: !arguments.no_closure,
        max_bytes: arguments.max_bytes,
    };
    let job = FetchJob { request, dry_run: arguments.dry_run };
    let options = RunOptions { refresh: arguments.refresh, trial: arguments.dry_run };
    let ConcludedRun { mut session, outcome, code } = setup.run(&job, options)?;
    let document = document(&mut session, &outcome)?;
    if output.is_json() {
        output.document(&document)?;
        output.failures(&outcome.failures);
        return Ok(code);
    }
    for set in &document.sets {
        show_set(set, output);
    }
    show_left_out(&document.left_out, output);
    let requests = document.requests;
    if arguments.dry_run {
        output.line(format!("{} ({})", outcome.plan, crate::update::count(requests, "request")));
    } else if !outcome.sets.is_empty() {
        let count = |status| outcome.sets.iter().filter(|set| set.status == status).count();
        output.line(format!(
            "{} published, {} unchanged, {} failed; {} downloaded, {}",
            count(SetStatus::Published),
            count(SetStatus::Unchanged),
            count(SetStatus::Failed),
            human_size(outcome.bytes_downloaded),
            crate::update::count(requests, "request")
        ));
    }
    output.failures(&outcome.failures);
    Ok(code)
}

fn document(session: &mut Session, outcome: &FetchOutcome) -> Result<FetchDocument> {
    let error = Failure::first_error(&outcome.failures).filter(|_| outcome.sets.is_empty());
    let mut sets = Vec::new();
    for set in &outcome.sets {
        sets.push(set.document(session.mirror()?)?);
    }
    Ok(FetchDocument {
        sets,
        requests: session.requests(),
        bytes_downloaded: outcome.bytes_downloaded,
        failures: outcome.failures.iter().map(Failure::item).collect(),
        error: error.as_ref().map(ErrorBody::from),
        left_out: outcome.plan.excluded.iter().map(|(set, reason)| left_out_set(set, *reason)).collect(),
        warnings: session.warnings().map(str::to_owned).collect(),
    })
}

fn left_out_set(set: &PackageSet, reason: Exclusion) -> ExcludedSet {
    let left_out_by = match reason {
        Exclusion::Architecture => ExclusionFilter::Architecture,
        Exclusion::Product => ExclusionFilter::Product,
        Exclusion::Kind => ExclusionFilter::Kind,
        Exclusion::Dynamic => ExclusionFilter::Dynamic,
        Exclusion::Generation => ExclusionFilter::Generation,
        Exclusion::Delta => ExclusionFilter::Delta,
        Exclusion::OlderVersion => ExclusionFilter::OlderVersion,
    };
    ExcludedSet {
        kb: set.kb,
        folder: set.folder.to_string(),
        folder_name: set.folder.to_string(),
        reason: left_out_by,
        left_out_by,
        kind: set.kind.map_or("dynamic", |kind| kind.as_str()),
        generation: set.generation,
    }
}

/// Prints a set: its status, its folder, and the order, role, size, and checks of each file.
pub(super) fn show_set(fetched: &FetchedSetDocument, output: &mut Output) {
    let set = &fetched.set;
    let tone = match set.status {
        SetStatus::Published => Some(Tone::Good),
        SetStatus::Failed => Some(Tone::Bad),
        SetStatus::Unchanged | SetStatus::Planned => None,
    };
    let status = match set.status {
        SetStatus::Published => "published",
        SetStatus::Unchanged => "unchanged (names and sizes checked; contents not re-read)",
        SetStatus::Failed => "failed, nothing published",
        SetStatus::Planned if set.is_completely_pooled() => {
            "is in the pool; would be published if it is not yet"
        }
        SetStatus::Planned => "would be fetched",
    };
    let architecture = set.architecture.map_or("unknown architecture", Architecture::as_str);
    let subject = format!("{}  {} ({architecture}): ", set.kb, set.product_list.join("; "));
    output.status_line(&subject, tone, status);
    if !fetched.needed_by.is_empty() {
        let needed_by: Vec<String> = fetched.needed_by.iter().map(ToString::to_string).collect();
        output.line(format!("needed by {}", needed_by.join(", ")));
    }
    match (&fetched.place, &set.error) {
        (Some(path), _) => output.line(path.as_str()),
        (None, Some(error)) => output.line(error),
        (None, None) => {}
    }
    let mut table = output.table([
        Column::new("#"),
        Column::new("role").importance(2),
        Column::number("size").importance(1),
        Column::sentence("checked").status(),
        Column::file_name("file"),
    ]);
    for member in &set.files {
        let file = &member.file;
        let name = if fetched.place.is_some() { &member.folder_name } else { &file.name };
        let state = match (member.is_pooled, file.checked.is_empty()) {
            (false, _) => "missing".to_owned(),
            (true, true) => "unverified".to_owned(),
            (true, false) => file.checked.join(" "),
        };
        table.row([
            member.order.map_or_else(|| "?".to_owned(), |order| order.to_string()),
            file.role.map_or_else(String::new, |role| role.to_string()),
            file.size.map_or_else(|| "?".to_owned(), human_size),
            state,
            name.clone(),
        ]);
    }
    output.text(table.render());
    output.line("");
}

fn show_left_out(left_out: &[ExcludedSet], output: &mut Output) {
    for set in left_out {
        let why = match set.left_out_by {
            ExclusionFilter::Architecture => continue,
            ExclusionFilter::Product => "not the requested product".to_owned(),
            ExclusionFilter::Kind => "not the requested kind".to_owned(),
            ExclusionFilter::Generation => match set.generation {
                Some(own) => {
                    format!("issue {} of {} of this KB; --generation {0} fetches it", own.number, own.of)
                }
                None => "not the requested issue of this KB".to_owned(),
            },
            ExclusionFilter::Delta => {
                "a delta update, which fits machines of exactly the previous month and is never fetched"
                    .to_owned()
            }
            ExclusionFilter::OlderVersion => {
                "an older version of a fetched program; --product with its title fetches it".to_owned()
            }
            ExclusionFilter::Dynamic => {
                format!("a copy for Windows Setup; --kind {} fetches it", set.kind)
            }
        };
        output.line(format!("left out: {} {} ({why})", set.kb, set.folder_name));
    }
}
