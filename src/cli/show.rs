//! `show`: what the index knows of a KB or of one update, what the knowledge has of it, and where the two differ.
//!
//! Nobody is asked; with `--catalog` the Catalog is ([`super::show_catalog`]), and what it says is shown by the same means.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::{Show, Subject};
use super::asking::Sources;
use super::documents::{checked, of_set, of_update};
use super::output::Output;
use super::setup::Setup;
use super::show_catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::facts::{Facts, FileFacts, FileKey};
use crate::mirror::Mirror;
use crate::mirror::index::{Owner, PublishState, SetRow, UpdateDetail};
use crate::resolve::{Difference, Side, differences};
use crate::servicing::{Knowledge, KnownRow};
use crate::update::{Architecture, Kb, human_size};

/// `show`: all that is known of a KB or of one update.
pub(super) fn run(setup: &Setup, arguments: &Show, output: &mut Output) -> Result<ExitCode> {
    if arguments.catalog {
        return show_catalog::run(setup, arguments.what, output);
    }
    let sources = Sources::open(setup)?;
    let told = Told::of_index(arguments.what, &sources)?;
    if told.is_empty() {
        // Without a mirror that is what to say.
        setup.mirror().map_err(|error| match sources.side {
            Side::Connected => error.hint(ask_catalog(&told.name)),
            Side::Isolated => error,
        })?;
        let message = match arguments.what {
            Subject::Kb(_) => format!("neither the index nor the knowledge has anything of {}", told.name),
            Subject::Update(_) => format!("the index knows nothing of {}", told.name),
        };
        let error = Error::new(ErrorKind::NotFound, message);
        return Err(match (sources.side, arguments.what) {
            (Side::Isolated, Subject::Kb(kb)) => error.hint(sources.side.to_know(kb)),
            (Side::Isolated, Subject::Update(_)) => error.hint(sources.side.to_know_newer()),
            (Side::Connected, Subject::Kb(kb)) => error
                .hint(ask_catalog(&told.name))
                .hint(format!("kbmirror crawl {kb} records what the Catalog has of it")),
            (Side::Connected, Subject::Update(_)) => {
                error.hint(ask_catalog(&told.name)).hint("kbmirror crawl KB records the updates of its KB")
            }
        });
    }
    if output.is_json() {
        output.document(&told.document(&sources)?)?;
    } else {
        for update in &told.updates {
            show_update(update, &Aside::of_index(update), output);
            output.line("");
        }
        told.show_rest(&sources, setup, output)?;
    }
    Ok(ExitCode::OK)
}

fn ask_catalog(name: &str) -> String {
    format!("kbmirror show {name} --catalog asks the Catalog and writes nothing")
}

/// All that there is to tell of a KB or of one update.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) kb: Option<Kb>,
    pub(super) updates: Vec<UpdateDetail>,
    pub(super) facts: Facts,
    differ: Vec<Difference>,
    sets: Vec<SetRow>,
    known: Vec<KnownRow>,
}

impl Told {
    /// From the index and the knowledge.
    pub(super) fn of_index(what: Subject, sources: &Sources) -> Result<Self> {
        let owner = match what {
            Subject::Kb(kb) => Owner::Kb(kb),
            Subject::Update(id) => Owner::Update(id),
        };
        let (updates, files) = match &sources.mirror {
            Some(mirror) => mirror.index().details_of(owner)?,
            None => Default::default(),
        };
        Self::of(what, updates, files, sources)
    }

    /// With these updates and their files, whoever told them.
    pub(super) fn of(
        what: Subject,
        updates: Vec<UpdateDetail>,
        files: BTreeMap<FileKey, FileFacts>,
        sources: &Sources,
    ) -> Result<Self> {
        let (kb, name) = match what {
            Subject::Kb(kb) => (Some(kb), kb.to_string()),
            Subject::Update(id) => (updates.first().and_then(|update| update.facts.kb), id.to_string()),
        };
        let facts = Facts { updates: updates.iter().map(|update| update.facts.clone()).collect(), files };
        let sets = match (kb, &sources.mirror) {
            (Some(kb), Some(mirror)) => mirror.index().sets(Some(kb))?,
            _ => Vec::new(),
        };
        Ok(Self {
            differ: kb.map(|kb| differences(kb, &facts, &sources.knowledge)).unwrap_or_default(),
            known: kb.map(|kb| sources.knowledge.about(kb)).unwrap_or_default(),
            name,
            kb,
            updates,
            facts,
            sets,
        })
    }

    /// Whether nobody knows anything.
    pub(super) fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.known.is_empty() && self.sets.is_empty()
    }

    /// The JSON document.
    pub(super) fn document(&self, sources: &Sources) -> Result<Value> {
        let index = sources.mirror.as_ref().map(Mirror::index);
        let withdrawn = |kb: Option<Kb>| {
            let row = sources.knowledge.withdrawn(kb?)?;
            Some(json!({ "successor": row.successor, "why": row.why }))
        };
        let updates = self.updates.iter().map(|update| {
            let mut document = of_update(update, &self.facts.files, index)?;
            document["withdrawn"] = json!(withdrawn(update.facts.kb));
            Ok(document)
        });
        let sets = match &sources.mirror {
            Some(mirror) => self.sets.iter().map(|set| of_set(set, mirror)).collect::<Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        Ok(json!({
            "kb": self.kb,
            "from": "index",
            "updates": updates.collect::<Result<Vec<_>>>()?,
            "sets": sets,
            "differences": self.differ,
            "knowledge": of_knowledge(&self.known, &sources.knowledge),
        }))
    }

    /// For people, what comes behind the updates: where the files lie, and what the knowledge has.
    pub(super) fn show_rest(&self, sources: &Sources, setup: &Setup, output: &mut Output) -> Result<()> {
        if let Some(mirror) = &sources.mirror {
            for set in &self.sets {
                show_set(set, mirror, output)?;
            }
        }
        for difference in &self.differ {
            output.sentence("differs: ", &difference.to_string());
        }
        if !self.known.is_empty() {
            let date = sources.knowledge.date();
            let before = if !self.updates.is_empty() {
                String::new()
            } else if !self.sets.is_empty() {
                format!("the index has these files of {} and no entry of the Catalog; ", self.name)
            } else if sources.mirror.is_some() {
                format!("the index knows nothing of {}; ", self.name)
            } else {
                format!("there is no mirror at {}; ", setup.layout().root())
            };
            output.line(format!("{before}knowledge of {date}:"));
            show_known(&self.known, output);
        }
        Ok(())
    }
}

/// What is told of an update beside what its entry says.
pub(super) struct Aside {
    /// When the index saw it.
    pub(super) seen: Option<String>,
    /// The size in words, for an update whose bytes are not told.
    pub(super) size_text: Option<String>,
    /// What to say where its files were not read.
    pub(super) no_files: &'static str,
}

impl Aside {
    pub(super) fn of_index(update: &UpdateDetail) -> Self {
        let seen = format!("{} to {}", date(&update.first_seen), date(&update.last_seen));
        Self { seen: Some(seen), size_text: None, no_files: "not asked for yet" }
    }
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

/// An update for people.
pub(super) fn show_update(update: &UpdateDetail, aside: &Aside, output: &mut Output) {
    let facts = &update.facts;
    output.sentence("", facts.title.trim_end());
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            output.sentence(&format!("  {name:<14} "), value.trim_end());
        }
    };
    field("update id", Some(facts.id.to_string()));
    field("kind", facts.kind.map(|kind| kind.to_string()));
    field("products", Some(facts.products.clone()));
    field("classification", update.classification.clone());
    field("build", facts.build.map(|build| build.to_string()));
    field("last updated", facts.last_updated.map(|date| date.to_string()));
    field("size", facts.size.map(human_size).or_else(|| aside.size_text.clone()));
    field("restart", update.restart.clone());
    field("seen", aside.seen.clone());
    let reissued = update.reissued.as_ref();
    field("re-issued", reissued.map(|date| format!("{date}, with other files; the older ones are kept")));
    let expired = facts.expired.as_ref();
    field("expired", expired.map(|expired| format!("{}: the Catalog shows it no more", expired.since)));
    if facts.files.is_none() {
        field("files", Some(aside.no_files.to_owned()));
    }
    for (name, pairs) in [("replaced by", &update.superseded_by), ("replaces", &update.supersedes)] {
        for (place, (_, title)) in pairs.iter().enumerate() {
            field(if place == 0 { name } else { "" }, Some(title.clone()));
        }
    }
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
