//! `fetch`: the main job, its table, and its document. Exits as the run went; what failed is named after what was done.

use serde_json::json;

use super::args::Fetch;
use super::documents::{checked, of_fetched};
use super::output::Output;
use super::setup::Setup;
use crate::crawl::{Run, RunOptions, Session};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::facts::Role;
use crate::fetch::{FetchJob, FetchOutcome, FetchRequest, FetchedSet, LeftOut, SetStatus};
use crate::mirror::Mirror;
use crate::servicing::ProductFilter;
use crate::update::{Architecture, human_size};

/// `fetch`: the main job.
pub(super) fn run(setup: &Setup, arguments: &Fetch, output: &mut Output) -> Result<ExitCode> {
    let knowledge = setup.knowledge()?;
    let products = arguments.product.iter().map(|asked| ProductFilter::new(asked, None, &knowledge));
    let request = FetchRequest {
        kbs: arguments.kbs.clone(),
        architectures: arguments.arch.clone(),
        products: products.collect::<std::result::Result<_, _>>()?,
        kinds: arguments.kind.clone(),
        accept_unverified: arguments.accept_unverified,
        closure: !arguments.no_closure,
        max_bytes: arguments.max_bytes,
    };
    let job = FetchJob { request, dry_run: arguments.dry_run };
    let options = RunOptions { refresh: arguments.refresh, trial: arguments.dry_run };
    let Run { mut session, outcome, code } = setup.run(&job, options)?;
    if output.is_json() {
        document(&mut session, &outcome, output)?;
        output.failures(&outcome.failures);
        return Ok(code);
    }
    if !outcome.sets.is_empty() {
        let mirror = session.mirror()?;
        for set in &outcome.sets {
            show_set(set, mirror, output)?;
        }
    }
    show_left_out(&outcome, output);
    let requests = session.requests();
    if arguments.dry_run {
        output.line(format!("{} ({requests} requests)", outcome.plan));
    } else if !outcome.sets.is_empty() {
        let count = |status| outcome.sets.iter().filter(|set| set.status == status).count();
        output.line(format!(
            "{} published, {} unchanged, {} failed; {} downloaded, {requests} requests",
            count(SetStatus::Published),
            count(SetStatus::Unchanged),
            count(SetStatus::Failed),
            human_size(outcome.bytes_downloaded)
        ));
    }
    output.failures(&outcome.failures);
    Ok(code)
}

fn document(session: &mut Session, outcome: &FetchOutcome, output: &mut Output) -> Result<()> {
    let requests = session.requests();
    let warnings: Vec<String> = session.warnings().map(str::to_owned).collect();
    let mut sets = Vec::new();
    for set in &outcome.sets {
        sets.push(of_fetched(set, session.mirror()?)?);
    }
    let left_out: Vec<_> = outcome
        .plan
        .left_out
        .iter()
        .map(|(set, reason)| json!({ "kb": set.kb, "folder": set.folder, "reason": reason_word(*reason) }))
        .collect();
    output.document(&json!({
        "sets": sets,
        "requests": requests,
        "bytes_downloaded": outcome.bytes_downloaded,
        "failures": outcome.failures,
        "error": session.error_of(&outcome.failures).filter(|_| outcome.sets.is_empty()),
        "left_out": left_out,
        "warnings": warnings,
    }))
}

/// The order, each file's role, size, digest state, and where it lies.
pub(super) fn show_set(set: &FetchedSet, mirror: &Mirror, output: &mut Output) -> Result<()> {
    let row = &set.row;
    let status = match set.status {
        SetStatus::Published => "published",
        SetStatus::Unchanged => "unchanged (names and sizes checked; contents not re-read)",
        SetStatus::Failed => "FAILED, nothing published",
        SetStatus::Planned if mirror.is_pooled_whole(row) => {
            "is in the pool; would be published where it is not"
        }
        SetStatus::Planned => "would be fetched",
    };
    let architecture = row.architecture.map_or("any architecture", Architecture::as_str);
    output.line(format!("{}  {} ({architecture}): {status}", row.kb, row.products));
    if !set.needed_by.is_empty() {
        let needed_by: Vec<String> = set.needed_by.iter().map(ToString::to_string).collect();
        output.line(format!("comes along with {}", needed_by.join(", ")));
    }
    match (&set.folder, &set.error) {
        (Some((path, _)), _) => output.line(path.as_str()),
        (None, Some(error)) => output.line(error),
        (None, None) => {}
    }
    let mut table = output.table(&["#", "role", "size", "checked", "file"]).right(2);
    let mut order = 0;
    for (place, member) in row.members.iter().enumerate() {
        let known = member.role != Role::Companion;
        order += usize::from(known);
        let name = set.folder.as_ref().and_then(|(_, names)| names.get(place)).unwrap_or(&member.file.name);
        let checks = checked(&member.file, mirror.index())?;
        let is_here = match member.file.key {
            Some(key) => mirror.pooled(key)?.is_some(),
            None => false,
        };
        let state = match (is_here, checks.is_empty()) {
            (false, _) => "not here".to_owned(),
            (true, true) => "unverified".to_owned(),
            (true, false) => checks.join(" "),
        };
        table.row([
            if known { order.to_string() } else { "?".to_owned() },
            member.role.to_string(),
            member.file.size.map_or_else(|| "?".to_owned(), human_size),
            state,
            output.file_name(name),
        ]);
    }
    output.text(table.render());
    output.line("");
    Ok(())
}

fn reason_word(reason: LeftOut) -> &'static str {
    match reason {
        LeftOut::Architecture => "architecture",
        LeftOut::Product => "product",
        LeftOut::Kind => "kind",
        LeftOut::Dynamic => "dynamic",
    }
}

fn show_left_out(outcome: &FetchOutcome, output: &mut Output) {
    for (set, reason) in &outcome.plan.left_out {
        let why = match reason {
            LeftOut::Architecture => continue,
            LeftOut::Product => "not the product that was asked for".to_owned(),
            LeftOut::Kind => "not the kind that was asked for".to_owned(),
            LeftOut::Dynamic => {
                let kind = set.kind.map_or("dynamic", |kind| kind.as_str());
                format!("a copy that Windows Setup takes; --kind {kind} fetches it")
            }
        };
        output.line(format!("left out: {} {} ({why})", set.kb, set.folder));
    }
}
