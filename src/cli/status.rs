//! `status`: the state of the mirror, from its `health.json`, its index, and the knowledge. Does not query the
//! Catalog and changes nothing. A mirror that is not current exits 10, so that the exit code is sufficient for a
//! monitoring system.
//!
//! This file gathers the facts for [`Checks`] and prints the checks.

use std::collections::{BTreeMap, BTreeSet};

use super::args::StatusArgs;
use super::damage;
use super::output::Output;
use super::setup::Setup;
use crate::carrier::{KeyFolder, last_imports};
use crate::disk;
use crate::documents::{Checks, ContentRoute, DamagedSet, Health, ImportedMedium, StatusDocument};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::index::PublishState;
use crate::mirror::{Access, IndexLibrary, Layout, Mirror};
use crate::report::Column;
use crate::resolve::newest_of;
use crate::servicing::Knowledge;
use crate::sync::{AppliedMedium, Config, MirroredFamily, MonitorFacts, Profile, newest_news};
use crate::update::{Kb, count, human_size};

/// The statements of a mirror's index; empty for a mirror that was set up and never filled.
#[derive(Default)]
struct IndexSummary {
    sets: usize,
    kbs: BTreeSet<Kb>,
    bytes: u64,
    newest: Option<String>,
    media: Vec<(AppliedMedium, crate::update::Sha256)>,
    is_imported: bool,
    families: Vec<MirroredFamily>,
    last_sync: Option<jiff::Timestamp>,
    last_sync_code: Option<i64>,
    last_fetch: Option<jiff::Timestamp>,
    unfinished: Option<crate::sync::UnfinishedRun>,
    /// The paths of damaged files.
    damage: Vec<String>,
    /// The sets with damaged files.
    damaged: Vec<DamagedSet>,
}

/// Runs `status`: prints all checks, the last runs, and the content of the mirror.
pub(super) fn run(setup: &Setup, arguments: &StatusArgs, output: &mut Output) -> Result<ExitCode> {
    let layout = setup.layout();
    let mirror = match setup.mirror_if_there()? {
        // A mirror that was set up and never filled has a status of its own.
        None if !disk::exists(&layout.config()) => Some(setup.mirror()?),
        mirror => mirror,
    };
    if arguments.news {
        return show_news(setup, output);
    }
    let knowledge = setup.knowledge()?;
    let config = setup.settings().config.as_ref();
    let profiles = config.map_or_else(|| Ok(Vec::new()), |config| config.profiles(&knowledge))?;
    let index_summary = match &mirror {
        Some(mirror) => index_summary(mirror, &knowledge)?,
        None => IndexSummary::default(),
    };
    let health = Health::read(&layout)?;
    let facts = facts(setup, &index_summary, health.as_ref(), &profiles, &knowledge);
    let checks = Checks::of(&facts);
    let code = if checks.is_current() { ExitCode::OK } else { ExitCode::UNRESOLVED };
    let known = health.as_ref().filter(|own| own.last_attempt.is_some() || own.last_verify.is_some());
    let free = disk::available_space(layout.root()).ok().or(known.and_then(|own| own.bytes_free));
    if output.is_json() {
        let imports = index_summary.media.iter().map(|(medium, set_id)| ImportedMedium {
            seq: medium.seq,
            number: medium.number,
            set_id: *set_id,
            created: &medium.created,
            imported: medium.imported.as_deref(),
        });
        output.document(&StatusDocument {
            mirror: layout.root().to_owned(),
            current: checks.is_current(),
            complaints: checks.complaints(),
            checks: &checks,
            filled: facts.filled,
            sets: index_summary.sets,
            kbs: index_summary.kbs.len(),
            pool_bytes: index_summary.bytes,
            bytes_free: free,
            max_age_seconds: facts.max_age.as_secs(),
            newest_content: index_summary.newest.as_deref(),
            damaged_sets: &index_summary.damaged,
            imports: imports.collect(),
            export_key_passphrase: KeyFolder::new(layout.keys()).has_passphrase("export.key"),
            advice: advice(&layout),
            health: known,
        })?;
        return Ok(code);
    }
    show(setup, &facts, &index_summary, free, output);
    show_checks(&checks, output);
    if let Some(mirror) = &mirror {
        damage::show(&index_summary.damaged, mirror.side()?, output);
    }
    for kb in facts.health.iter().flat_map(|health| &health.withdrawn) {
        output.line(format!("withdrawn by Microsoft but still here: {kb}"));
    }
    for one in facts.health.iter().flat_map(|health| &health.expected) {
        output.line(format!("expected: {}", one.message));
    }
    for advice in advice(&layout) {
        output.sentence("advice: ", &advice);
    }
    show_next_steps(&checks, output);
    Ok(code)
}

/// Returns advice that does not affect whether the mirror is current.
fn advice(layout: &Layout) -> Vec<String> {
    let has_root = KeyFolder::new(layout.keys()).has_root_beside();
    let root = format!(
        "the secret root key is beside the export key in {}; move it offline: kbmirror keys move-root --to DIR",
        layout.keys()
    );
    has_root.then_some(root).into_iter().collect()
}

/// Gathers the facts for the checks.
fn facts<'a>(
    setup: &Setup,
    index_summary: &IndexSummary,
    health: Option<&'a Health>,
    profiles: &'a [Profile],
    knowledge: &'a Knowledge,
) -> MonitorFacts<'a> {
    let settings = setup.settings();
    let synced =
        health.is_some_and(|health| health.last_attempt.is_some()) || index_summary.last_sync_code.is_some();
    let asks = settings.config.as_ref().is_some_and(Config::has_work);
    let filled = match (synced, index_summary.is_imported, asks) {
        (true, ..) | (false, false, true) => ContentRoute::BySync,
        (false, true, _) => ContentRoute::ByImport,
        (false, false, false) => ContentRoute::ByHand,
    };
    MonitorFacts {
        now: setup.now(),
        max_age: settings.options.max_age,
        filled,
        health,
        last_sync: index_summary.last_sync,
        last_sync_code: index_summary.last_sync_code,
        last_fetch: index_summary.last_fetch,
        media: index_summary.media.iter().map(|(medium, _)| medium.clone()).collect(),
        damage: index_summary.damage.clone(),
        sets: index_summary.sets,
        profiles,
        families: index_summary.families.clone(),
        unfinished: index_summary.unfinished.clone(),
        knowledge,
    }
}

/// Reads the index of the mirror.
fn index_summary(mirror: &Mirror<impl Access>, knowledge: &Knowledge) -> Result<IndexSummary> {
    let index = mirror.index();
    let mut found = IndexSummary {
        newest: index.newest_published()?.map(|day| day.to_string()),
        bytes: index.pool()?.iter().map(|(_, _, size)| size).sum(),
        is_imported: mirror.is_imported()?,
        damaged: mirror.damaged_sets()?,
        ..IndexSummary::default()
    };
    // Recorded damage that was not repaired, and files on disk whose name or size differs.
    let recorded = index.damage()?.into_iter().map(|one| one.path.to_string());
    let seen = found.damaged.iter().flat_map(|set| &set.faults).map(|fault| fault.path.to_string());
    found.damage = recorded.chain(seen).collect::<BTreeSet<String>>().into_iter().collect();
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for (kb, _, _, state) in index.published_folders(None)? {
        if state == PublishState::Published {
            found.sets += 1;
            found.kbs.insert(kb);
        }
    }
    for kb in &found.kbs {
        for set in index.published_sets(*kb)? {
            *folders.entry(set.family.unwrap_or_else(|| set.folder.to_string())).or_default() += 1;
        }
    }
    let library = IndexLibrary::new(index, knowledge);
    for (folder, sets) in folders {
        let family = knowledge.families().iter().find(|family| family.folder == folder);
        let newest = family.map(|family| newest_of(family, &library, knowledge)).transpose()?;
        found.families.push(MirroredFamily { folder, sets, newest });
    }
    // Version 0.1 did not record the time of an import. The time of publishing is close to it.
    let published = index.newest_publication()?.map(|time| time.to_string());
    for last in last_imports(mirror)? {
        let imported = last.imported.or_else(|| published.clone());
        let number = last.number.unwrap_or(last.seq);
        found
            .media
            .push((AppliedMedium { seq: last.seq, number, created: last.created, imported }, last.set_id));
    }
    let runs = index.recorded_runs()?;
    let complete = |word: &str| {
        let of_word = runs.iter().filter(|run| run.is_complete(word)).filter_map(|run| run.finished);
        of_word.max().map(jiff::Timestamp::from)
    };
    found.last_sync = complete("sync");
    let ended = runs.iter().rev().find(|run| run.is_run_of("sync") && run.exit_code.is_some());
    found.last_sync_code = ended.and_then(|run| run.exit_code);
    found.last_fetch = complete("fetch").max(found.last_sync);
    found.unfinished = runs
        .last()
        .filter(|run| run.finished.is_none())
        .map(|run| crate::sync::UnfinishedRun { started: run.started.to_string() });
    Ok(found)
}

fn show(
    setup: &Setup,
    facts: &MonitorFacts<'_>,
    index_summary: &IndexSummary,
    free: Option<u64>,
    output: &mut Output,
) {
    let or_never = |text: Option<&String>| text.cloned().unwrap_or_else(|| "never".to_owned());
    let health = facts.health;
    let mut table = output.table([Column::new("property"), Column::sentence("value")]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("mirror", setup.layout().root().to_string());
    row(
        "holds",
        format!(
            "{} of {}, {}",
            count(index_summary.sets, "package set"),
            count(index_summary.kbs.len(), "KB"),
            human_size(index_summary.bytes)
        ),
    );
    row("free", free.map_or_else(|| "?".to_owned(), human_size));
    if let Some(has_one) = KeyFolder::new(setup.layout().keys()).has_passphrase("export.key") {
        row("export key", if has_one { "with a passphrase" } else { "without a passphrase" }.to_owned());
    }
    row("newest update", index_summary.newest.clone().unwrap_or_else(|| "-".to_owned()));
    for medium in &facts.media {
        row("newest medium", format!("set {:04}, made {}", medium.number, medium.created));
        row("last import", or_never(medium.imported.as_ref()));
    }
    match facts.filled {
        ContentRoute::BySync => {
            row("last complete sync", or_never(health.and_then(|health| health.last_success.as_ref())));
            row("last sync", or_never(health.and_then(|health| health.last_attempt.as_ref())));
            let failed = health.map_or(0, |health| health.items_failed);
            row("items failed in last sync", failed.to_string());
        }
        ContentRoute::ByHand => {
            let fetched = facts.last_fetch.map(|time| time.to_string());
            row("last complete fetch", or_never(fetched.as_ref()));
        }
        ContentRoute::ByImport => {}
    }
    let verified = match health.and_then(|health| health.last_verify.as_ref()) {
        None => "never".to_owned(),
        Some(verify) => format!("{}, {}", verify.time, count(verify.findings, "finding")),
    };
    row("last verify", verified);
    output.text(table.render());
    output.line("");
}

fn show_checks(checks: &Checks, output: &mut Output) {
    let mut table =
        output.table([Column::new("check"), Column::new("verdict").status(), Column::sentence("reason")]);
    for (name, check) in checks.all() {
        table.row([name.replace('_', " "), check.verdict.as_str().to_owned(), check.reason.clone()]);
    }
    output.text(table.render());
}

fn show_next_steps(checks: &Checks, output: &mut Output) {
    let wrong: Vec<_> = checks.all().into_iter().filter(|(_, check)| check.verdict.is_wrong()).collect();
    if wrong.is_empty() {
        return;
    }
    output.line("");
    let names: Vec<String> = wrong.iter().map(|(name, _)| name.replace('_', " ")).collect();
    output.line(format!("not current: {}", names.join(", ")));
    for (name, check) in wrong {
        if let Some(next) = &check.next {
            output.sentence("  next: ", &format!("{next} ({})", name.replace('_', " ")));
        }
    }
}

fn show_news(setup: &Setup, output: &mut Output) -> Result<ExitCode> {
    let layout = setup.layout();
    let Some(news) = newest_news(&layout)? else {
        let error =
            Error::new(ErrorKind::NotFound, format!("no run has recorded news for {}", layout.root()));
        let mirror = setup.mirror_unless_empty().ok().flatten();
        return Err(error.hint(setup.side(mirror.as_ref())?.advise_news()));
    };
    if output.is_json() {
        output.document(&news)?;
        return Ok(ExitCode::OK);
    }
    output.line(format!("news of {}", news.time));
    for line in news.lines() {
        output.line(line);
    }
    Ok(ExitCode::OK)
}
