//! The facts about a KB or an update, for `show` with and without `--catalog`: the document, and its text for people.
//! The text depends on the document only.

use std::collections::BTreeMap;

use super::args::Subject;
use super::output::Output;
use super::plan_sources::Sources;
use crate::documents::{
    KbKnowledge, SetStatus, ShowDocument, ShowOrigin, StoredSet, UpdateDocument, Withdrawal,
};
use crate::error::Result;
use crate::facts::{Facts, FileFacts, FileKey};
use crate::mirror::index::{SetRow, UpdateDetail, UpdateSelector};
use crate::mirror::{Mirror, update_document};
use crate::report::Column;
use crate::resolve::{Difference, differences};
use crate::servicing::KnownRow;
use crate::update::{Architecture, Kb, human_size};

/// The facts about a KB or an update.
pub(super) struct KbView {
    /// The requested KB or identifier.
    pub(super) name: String,
    pub(super) updates: Vec<UpdateDetail>,
    pub(super) facts: Facts,
    kb: Option<Kb>,
    differ: Vec<Difference>,
    sets: Vec<SetRow>,
    known: Vec<KnownRow>,
}

impl KbView {
    /// Reads index and knowledge.
    pub(super) fn of_index(what: Subject, sources: &Sources) -> Result<Self> {
        let owner = match what {
            Subject::Kb(kb) => UpdateSelector::Kb(kb),
            Subject::Update(id) => UpdateSelector::Update(id),
        };
        let (updates, files) = match &sources.mirror {
            Some(mirror) => mirror.index().details_of(owner)?,
            None => Default::default(),
        };
        Self::of(what, updates, files, sources)
    }

    /// Returns the view with these updates and files, from index or Catalog.
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
        let own = updates.iter().map(|update| update.facts.clone()).collect();
        let facts = Facts { updates: own, files, ..Facts::default() };
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

    /// Returns `true` if neither index nor knowledge has an entry.
    pub(super) fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.known.is_empty() && self.sets.is_empty()
    }

    /// Returns the document.
    pub(super) fn document(&self, sources: &Sources) -> Result<ShowDocument> {
        let index = sources.mirror.as_ref().map(Mirror::index);
        let withdrawal = |kb: Option<Kb>| {
            let row = sources.knowledge.withdrawn().of_kb(kb?)?;
            Some(Withdrawal { successor: row.successor, why: row.why.clone() })
        };
        let updates = self.updates.iter().map(|update| {
            let mut document = update_document(update, &self.facts.files, index)?;
            document.withdrawn = withdrawal(update.facts.kb);
            Ok(document)
        });
        let sets = match &sources.mirror {
            Some(mirror) => {
                self.sets.iter().map(|set| mirror.stored_set(set)).collect::<Result<Vec<StoredSet>>>()?
            }
            None => Vec::new(),
        };
        Ok(ShowDocument {
            kb: self.kb,
            from: ShowOrigin::Index,
            updates: updates.collect::<Result<_>>()?,
            sets,
            differences: self.differ.clone(),
            knowledge: (!self.known.is_empty()).then(|| KbKnowledge {
                version: sources.knowledge.version().to_owned(),
                date: sources.knowledge.date(),
                rows: self.known.clone(),
            }),
            index_differences: None,
            failures: None,
            warnings: None,
            error: None,
        })
    }

    /// Returns the reason why the knowledge is the only source. The text is empty if the index has updates.
    pub(super) fn without_updates(&self, sources: &Sources, root: &str) -> String {
        if !self.updates.is_empty() {
            String::new()
        } else if !self.sets.is_empty() {
            format!("the index has these files of {} but no entry of the Catalog; ", self.name)
        } else if sources.mirror.is_some() {
            format!("the index has no entry for {}; ", self.name)
        } else {
            format!("no mirror exists at {root}; ")
        }
    }
}

/// The texts about an update that its document does not contain.
pub(super) struct UpdateNotes {
    /// The period in which crawls saw the update.
    pub(super) seen: Option<String>,
    /// The text if its files were not read.
    pub(super) no_files: &'static str,
}

impl UpdateNotes {
    /// Returns the texts for an update in the index.
    pub(super) fn of_index(update: &UpdateDocument) -> Self {
        Self { seen: seen(update), no_files: "not queried yet" }
    }
}

/// Returns the period in which crawls saw an update, or `None` if the index does not have it.
pub(super) fn seen(update: &UpdateDocument) -> Option<String> {
    Some(format!("{} to {}", update.first_seen?.date(), update.last_seen?.date()))
}

/// Prints an update.
pub(super) fn show_update(update: &UpdateDocument, notes: &UpdateNotes, output: &mut Output) {
    output.sentence("", update.title.trim_end());
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            output.sentence(&format!("  {name:<14} "), value.trim_end());
        }
    };
    field("update id", Some(update.update_id.to_string()));
    field("kind", update.kind.map(|kind| kind.to_string()));
    field("products", Some(update.products.clone()));
    field("classification", update.classification.clone());
    field("build", update.build.map(|build| build.to_string()));
    field("last updated", update.last_updated.map(|date| date.to_string()));
    field("size", update.size.map(human_size).or_else(|| update.size_text.clone().flatten()));
    field("restart", update.restart.clone());
    field("seen", notes.seen.clone());
    let reissued = update.reissued.as_ref();
    field("re-issued", reissued.map(|date| format!("{date}, with other files; older files are kept")));
    let expired = update.expired.as_ref();
    field("expired", expired.map(|since| format!("{since}: the Catalog does not list it any more")));
    if update.files.is_none() {
        field("files", Some(notes.no_files.to_owned()));
    }
    for (name, related) in [("replaced by", &update.superseded_by), ("replaces", &update.supersedes)] {
        for (place, one) in related.iter().flatten().enumerate() {
            field(if place == 0 { name } else { "" }, Some(one.title.clone()));
        }
    }
}

/// Prints the sets, the differences, and the rows of the knowledge, with the text `before` ahead of the rows.
pub(super) fn show_rest(document: &ShowDocument, before: &str, output: &mut Output) {
    for set in &document.sets {
        show_set(set, output);
    }
    for difference in &document.differences {
        output.sentence("differs: ", &difference.to_string());
    }
    if let Some(known) = &document.knowledge {
        output.line(format!("{before}knowledge of {}:", known.date));
        show_known(&known.rows, output);
    }
}

fn show_known(known: &[KnownRow], output: &mut Output) {
    for row in known {
        let source = match row.source.as_deref() {
            None => String::new(),
            // The head of the table explains the letter.
            Some(letter) if letter.len() == 1 => format!(" (source {letter})"),
            Some(source) => format!(" ({source})"),
        };
        output.sentence(&format!("  {:<19} ", row.table), &format!("{}{source}", row.statement));
    }
}

fn show_set(StoredSet { set, .. }: &StoredSet, output: &mut Output) {
    let architecture = set.architecture.map_or("unknown architecture", Architecture::as_str);
    let subject = format!("{} ({architecture}):", set.product_list.join("; "));
    output.wrapped_line("set for ", &subject);
    output.line(match set.status {
        SetStatus::Published => set.folder.as_str(),
        _ => "not published",
    });
    let mut table = output.table([
        Column::new("#"),
        Column::new("role").importance(5),
        Column::new("kb").importance(4),
        Column::number("size").importance(3),
        Column::sentence("checked").status(),
        Column::new("sha1").importance(2),
        Column::new("host").importance(1),
        Column::file_name("file"),
    ]);
    for (place, member) in set.files.iter().enumerate() {
        let file = &member.file;
        table.row([
            (place + 1).to_string(),
            file.role.map_or_else(String::new, |role| role.to_string()),
            file.kb.map_or_else(|| "-".to_owned(), |kb| kb.to_string()),
            file.size.map_or_else(|| "?".to_owned(), human_size),
            if file.present { file.checked.join(" ") } else { "missing".to_owned() },
            file.sha1.map_or_else(|| "-".to_owned(), |sha1| sha1.to_string()),
            file.host().unwrap_or("-").to_owned(),
            file.name.clone(),
        ]);
    }
    output.text(table.render());
    output.line("");
}
