//! `show`: what the index knows of a KB or of one update, what the knowledge has of it, and where the two differ.

use serde_json::{Value, json};

use super::args::{Show, Subject};
use super::asking::Sources;
use super::documents::{checked, of_set, of_update};
use super::output::Output;
use super::setup::Setup;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::Mirror;
use crate::mirror::index::{Owner, PublishState, SetRow, UpdateDetail};
use crate::resolve::{Facts, differences};
use crate::servicing::{Knowledge, KnownRow};
use crate::update::{Architecture, human_size};

/// `show`: all that is known of a KB or of one update.
pub(super) fn run(setup: &Setup, arguments: &Show, output: &mut Output) -> Result<ExitCode> {
    let sources = Sources::open(setup)?;
    let (owner, name) = match arguments.what {
        Subject::Kb(kb) => (Owner::Kb(kb), kb.to_string()),
        Subject::Update(id) => (Owner::Update(id), id.to_string()),
    };
    let (updates, files) = match &sources.mirror {
        Some(mirror) => mirror.index().details_of(owner)?,
        None => Default::default(),
    };
    let kb = match arguments.what {
        Subject::Kb(kb) => Some(kb),
        Subject::Update(_) => updates.first().and_then(|update| update.facts.kb),
    };
    let known = kb.map(|kb| sources.knowledge.about(kb)).unwrap_or_default();
    let sets = match (kb, &sources.mirror) {
        (Some(kb), Some(mirror)) => mirror.index().sets(Some(kb))?,
        _ => Vec::new(),
    };
    if updates.is_empty() && known.is_empty() && sets.is_empty() {
        // Without a mirror that is what to say.
        setup.mirror()?;
        let message = match arguments.what {
            Subject::Kb(_) => format!("neither the index nor the knowledge has anything of {name}"),
            Subject::Update(_) => format!("the index knows nothing of {name}"),
        };
        return Err(
            Error::new(ErrorKind::NotFound, message).hint(format!("kbmirror crawl {name} asks the Catalog"))
        );
    }
    let facts = Facts { updates: updates.iter().map(|update| update.facts.clone()).collect(), files };
    let differ = kb.map(|kb| differences(kb, &facts, &sources.knowledge)).unwrap_or_default();
    if output.is_json() {
        let (updates, sets) = match &sources.mirror {
            Some(mirror) => (
                updates
                    .iter()
                    .map(|update| of_update(update, &facts.files, mirror.index()))
                    .collect::<Result<Vec<_>>>()?,
                sets.iter().map(|set| of_set(set, mirror)).collect::<Result<Vec<_>>>()?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        output.document(&json!({
            "kb": kb,
            "updates": updates,
            "sets": sets,
            "differences": differ,
            "knowledge": of_knowledge(&known, &sources.knowledge),
        }))?;
        return Ok(ExitCode::OK);
    }
    for update in &updates {
        show_update(update, output);
    }
    if let Some(mirror) = &sources.mirror {
        for set in &sets {
            show_set(set, mirror, output)?;
        }
    }
    for difference in &differ {
        output.sentence("differs: ", &difference.to_string());
    }
    if !known.is_empty() {
        let date = sources.knowledge.date();
        let before = if !updates.is_empty() {
            String::new()
        } else if !sets.is_empty() {
            format!("the index has these files of {name} and no entry of the Catalog; ")
        } else if sources.mirror.is_some() {
            format!("the index knows nothing of {name}; ")
        } else {
            format!("there is no mirror at {}; ", setup.layout().root())
        };
        output.line(format!("{before}knowledge of {date}:"));
        show_known(&known, output);
    }
    Ok(ExitCode::OK)
}

/// What the tables have, as data; null where they have nothing.
fn of_knowledge(known: &[KnownRow], knowledge: &Knowledge) -> Value {
    if known.is_empty() {
        return Value::Null;
    }
    json!({ "version": knowledge.version(), "date": knowledge.date(), "rows": known })
}

fn show_known(known: &[KnownRow], output: &mut Output) {
    for row in known {
        let source = match row.source.as_deref() {
            None => String::new(),
            // A letter that the head of the table explains.
            Some(letter) if letter.len() == 1 => format!(" (source {letter})"),
            Some(source) => format!(" ({source})"),
        };
        output.sentence(&format!("  {:<19} ", row.table), &format!("{}{source}", row.statement));
    }
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
    field(
        "re-issued",
        update.reissued.as_ref().map(|date| format!("{date}, with other files; the older ones are kept")),
    );
    field(
        "expired",
        facts.expired.as_ref().map(|expired| format!("{}: the Catalog shows it no more", expired.since)),
    );
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
