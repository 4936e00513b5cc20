//! `show`: what the index knows of a KB or of one update.

use serde_json::json;

use super::args::{Show, Subject};
use super::documents::{checked, of_set, of_update};
use super::output::Output;
use super::setup::Setup;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::Mirror;
use crate::mirror::index::{Owner, PublishState, SetRow, UpdateDetail};
use crate::update::{Architecture, human_size};

/// `show`: all that the index knows of a KB or of one update.
pub(super) fn run(setup: &Setup, arguments: &Show, output: &mut Output) -> Result<ExitCode> {
    let mirror = setup.mirror()?;
    let (owner, name) = match arguments.what {
        Subject::Kb(kb) => (Owner::Kb(kb), kb.to_string()),
        Subject::Update(id) => (Owner::Update(id), id.to_string()),
    };
    let (updates, files) = mirror.index().details_of(owner)?;
    let Some(first) = updates.first() else {
        let message = format!("the index knows nothing of {name}");
        return Err(
            Error::new(ErrorKind::NotFound, message).hint(format!("kbmirror crawl {name} asks the Catalog"))
        );
    };
    let kb = match arguments.what {
        Subject::Kb(kb) => Some(kb),
        Subject::Update(_) => first.facts.kb,
    };
    let sets = match kb {
        Some(kb) => mirror.index().sets(Some(kb))?,
        None => Vec::new(),
    };
    if output.is_json() {
        let updates = updates
            .iter()
            .map(|update| of_update(update, &files, mirror.index()))
            .collect::<Result<Vec<_>>>()?;
        let sets = sets.iter().map(|set| of_set(set, &mirror)).collect::<Result<Vec<_>>>()?;
        output.document(&json!({ "kb": kb, "updates": updates, "sets": sets }))?;
        return Ok(ExitCode::OK);
    }
    for update in &updates {
        show_update(update, output);
    }
    for set in &sets {
        show_set(set, &mirror, output)?;
    }
    Ok(ExitCode::OK)
}

fn show_update(update: &UpdateDetail, output: &mut Output) {
    let facts = &update.facts;
    output.line(&facts.title);
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            output.line(format!("  {name:<14} {value}"));
        }
    };
    field("update id", Some(facts.id.to_string()));
    field("kind", facts.kind.map(|kind| kind.to_string()));
    field("products", Some(facts.products.clone()));
    field("classification", update.classification.clone());
    field("build", facts.build.map(|build| build.to_string()));
    field("last updated", facts.last_updated.map(|date| date.to_string()));
    field("size", facts.size.map(human_size));
    field("restart", update.restart.clone());
    field("seen", Some(format!("{} to {}", date(&update.first_seen), date(&update.last_seen))));
    if facts.files.is_none() {
        field("files", Some("not asked for yet".to_owned()));
    }
    for (name, pairs) in [("replaced by", &update.superseded_by), ("replaces", &update.supersedes)] {
        for (place, (_, title)) in pairs.iter().enumerate() {
            field(if place == 0 { name } else { "" }, Some(title.clone()));
        }
    }
    output.line("");
}

fn date(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

fn show_set(set: &SetRow, mirror: &Mirror, output: &mut Output) -> Result<()> {
    let folder = mirror.folder_of(set)?;
    let place = match set.state {
        Some(PublishState::Published) => mirror.layout().relative(&folder.path).to_string(),
        _ => "not published".to_owned(),
    };
    let architecture = set.architecture.map_or("any architecture", Architecture::as_str);
    output.line(format!("set for {} ({architecture}): {place}", set.products));
    let mut table = output.table(&["#", "role", "kb", "size", "checked", "sha1", "host", "file"]).right(3);
    for (place, member) in set.members.iter().enumerate() {
        let host = member.file.urls.first().and_then(|url| url.split('/').nth(2)).unwrap_or("-");
        let checks = checked(&member.file, mirror.index())?.join(" ");
        table.row([
            (place + 1).to_string(),
            member.role.to_string(),
            member.file.kb.map_or_else(|| "-".to_owned(), |kb| kb.to_string()),
            member.file.size.map_or_else(|| "?".to_owned(), human_size),
            if member.file.present { checks } else { "not here".to_owned() },
            member.file.sha1.map_or_else(|| "-".to_owned(), |sha1| sha1.to_string()),
            host.to_owned(),
            output.file_name(&member.file.name),
        ]);
    }
    output.text(table.render());
    output.line("");
    Ok(())
}
