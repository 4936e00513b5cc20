//! `status`: how the mirror is, from its `health.json` and its index. Asks nobody and changes nothing. A mirror that is not
//! current exits 10, so that a monitoring system needs no more than the exit code.

use std::collections::BTreeSet;

use serde_json::json;

use super::args::Status;
use super::damage;
use super::output::Output;
use super::setup::Setup;
use crate::carrier::last_imports;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::index::PublishState;
use crate::sync::{Health, newest_news};
use crate::update::{Kb, human_size};

/// `status`: the age of the mirror, its last runs, and what is in it.
pub(super) fn run(setup: &Setup, arguments: &Status, output: &mut Output) -> Result<ExitCode> {
    let layout = setup.layout();
    let has_config = setup.settings().config.is_some();
    let mirror = match setup.mirror() {
        Ok(mirror) => Some(mirror),
        // Set up and never filled is a state of its own.
        Err(error) if error.kind() == ErrorKind::NotFound && disk::exists(&layout.config()) => None,
        Err(error) => return Err(error),
    };
    if arguments.news {
        return show_news(setup, output);
    }
    let (mut sets, mut kbs, mut bytes) = (0, BTreeSet::<Kb>::new(), 0);
    let (mut newest, mut imports) = (None, Vec::new());
    let mut damaged = Vec::new();
    if let Some(mirror) = &mirror {
        for (kb, _, _, state) in mirror.index().published_folders(None)? {
            if state == PublishState::Published {
                sets += 1;
                kbs.insert(kb);
            }
        }
        newest = mirror.index().newest_published()?;
        imports = last_imports(mirror)?;
        damaged = mirror.damaged_sets()?;
        bytes = mirror.index().pool()?.iter().map(|(_, _, size)| size).sum();
    }
    let known = Health::read(&layout)?;
    let synced = known.as_ref().is_some_and(|health| health.last_attempt.is_some());
    let health = known.unwrap_or_default();
    // A mirror that is filled by hand has no schedule that it could lag behind.
    let mut complaints =
        if synced || has_config { health.complaints(setup.now(), arguments.max_age) } else { Vec::new() };
    complaints.extend(damaged.iter().map(|set| format!("{} {}: {}", set.kb, set.folder, damage::state(set))));
    let code = if complaints.is_empty() { ExitCode::OK } else { ExitCode::UNRESOLVED };
    let free = disk::available_space(layout.root()).ok().or(health.bytes_free);
    if output.is_json() {
        output.document(&json!({
            "mirror": layout.root(),
            "current": complaints.is_empty(),
            "complaints": complaints,
            "sets": sets,
            "damaged_sets": damaged,
            "kbs": kbs.len(),
            "pool_bytes": bytes,
            "bytes_free": free,
            "max_age_seconds": arguments.max_age.as_secs(),
            "newest_content": newest,
            "imports": imports.iter().map(|last| json!({ "seq": last.seq, "set_id": last.set_id, "created": last.created })).collect::<Vec<_>>(),
            "health": if synced || health.last_verify.is_some() { json!(health) } else { json!(null) },
        }))?;
        return Ok(code);
    }
    let or_never = |text: &Option<String>| text.clone().unwrap_or_else(|| "never".to_owned());
    let verified = match &health.last_verify {
        None => "never".to_owned(),
        Some(verify) => format!("{}, {}", verify.time, count(verify.findings, "finding")),
    };
    let mut table = output.table(&["what", "is"]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    row("mirror", layout.root().to_string());
    row(
        "holds",
        format!("{} of {}, {}", count(sets, "package set"), count(kbs.len(), "KB"), human_size(bytes)),
    );
    row("free", free.map_or_else(|| "?".to_owned(), human_size));
    row("newest update", newest.unwrap_or_else(|| "-".to_owned()));
    for last in &imports {
        row("newest medium", format!("set {:04}, made {}", last.seq, last.created));
    }
    // What lives on media alone has no sync to tell of.
    if synced || imports.is_empty() {
        row("last complete sync", or_never(&health.last_success));
        row("last sync", or_never(&health.last_attempt));
        row("failed in it", health.items_failed.to_string());
    }
    row("last verify", verified);
    output.text(table.render());
    if let Some(mirror) = &mirror {
        damage::show(&damaged, mirror, output)?;
    }
    for kb in &health.withdrawn {
        output.line(format!("withdrawn by Microsoft and still here: {kb}"));
    }
    for one in &health.expected {
        output.line(format!("expected: {}", one.message));
    }
    for complaint in &complaints {
        output.line(format!("not current: {complaint}"));
    }
    Ok(code)
}

fn show_news(setup: &Setup, output: &mut Output) -> Result<ExitCode> {
    let layout = setup.layout();
    let Some(news) = newest_news(&layout)? else {
        return Err(Error::new(ErrorKind::NotFound, format!("no run brought any news to {}", layout.root()))
            .hint("kbmirror sync asks the Catalog for some"));
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

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
