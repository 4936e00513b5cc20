//! Differences between the Catalog and the knowledge about a KB. This module decides nothing. The Catalog's
//! statement has precedence elsewhere, and a view of a KB shows that another source differs.
//!
//! A statement of only one source is not a difference. A Catalog entry with a later date than the release is
//! not a difference either, because the Catalog sets a new date when it revises the entry. An earlier date is
//! a difference.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::roles::unlisted_checkpoints;
use crate::facts::{Facts, UpdateFacts};
use crate::servicing::{Family, Knowledge, Release, ReleaseKind};
use crate::update::{Architecture, Kb, Kind, Month, PackageName};

/// The subject of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The build that the KB brings.
    Build,
    /// The day of the release.
    Date,
    /// The file for an architecture.
    File,
    /// The kind of the update.
    Kind,
    /// A checkpoint that the dialogs do not list.
    Checkpoint,
    /// Client or server.
    Installation,
}

/// A difference. The field names are part of the JSON output and do not change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// The compared property.
    pub what: DifferenceKind,
    /// The KB, with the architecture or the product if it matters.
    pub subject: String,
    /// The Catalog's statement; `None` if the Catalog does not state what it should.
    pub catalog: Option<String>,
    /// The statement of the knowledge.
    pub knowledge: String,
    /// The table, with the letter of its source: `releases.txt (h)`.
    pub source: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, known) = (&self.subject, &self.knowledge);
        let catalog = self.catalog.as_deref().unwrap_or("nothing");
        let source = table_name(&self.source);
        match self.what {
            DifferenceKind::Build => {
                write!(out, "the Catalog's titles of {subject} state build {catalog}; {source} has {known}")
            }
            DifferenceKind::Date => {
                write!(out, "the Catalog's entry of {subject} is of {catalog}; {source} has {known}")
            }
            DifferenceKind::File => {
                write!(out, "the Catalog lists {catalog} for {subject}; {source} has {known}")
            }
            DifferenceKind::Kind => {
                write!(out, "the Catalog's titles of {subject} state {catalog}; {source} has {known}")
            }
            DifferenceKind::Checkpoint => {
                write!(
                    out,
                    "the download dialog of {subject} does not list {known}, a checkpoint in {source}"
                )
            }
            DifferenceKind::Installation => {
                write!(
                    out,
                    "the Catalog's titles state {subject} for a {catalog}; {source} has it for a {known}"
                )
            }
        }
    }
}

/// Returns the display name of a table.
fn table_name(source: &str) -> String {
    let (table, letter) = source.split_once(' ').unwrap_or((source, ""));
    let words = match table {
        "releases.txt" => "the release history",
        "files.txt" => "the table of files",
        "packages.txt" => "the table of packages",
        "checkpoints.toml" => "the table of checkpoints",
        "enablement.toml" => "the table of enablement packages",
        "prerequisites.toml" => "the table of prerequisites",
        "parents.toml" => "the table of facts missing in titles",
        other => other,
    };
    if letter.is_empty() { words.to_owned() } else { format!("{words} {letter}") }
}

/// Returns the differences between the facts of a KB and the knowledge, in a fixed order. The facts may be
/// those of one update.
pub fn differences(kb: Kb, facts: &Facts, knowledge: &Knowledge) -> Vec<Difference> {
    let mut found: BTreeSet<Difference> = BTreeSet::new();
    for update in facts.updates.iter().filter(|update| update.kb == Some(kb)) {
        let family = update.family(knowledge);
        if let Some(family) = family {
            compare_release(kb, update, family, knowledge, &mut found);
        }
        compare_kind(kb, update, family, knowledge, &mut found);
        if update.files.as_ref().is_some_and(|files| !files.is_empty()) {
            for checkpoint in unlisted_checkpoints(update, facts, knowledge) {
                found.insert(Difference {
                    what: DifferenceKind::Checkpoint,
                    subject: format!("\"{}\"", update.title),
                    catalog: None,
                    knowledge: format!("{} ({})", checkpoint.kb, checkpoint.build),
                    source: "checkpoints.toml".to_owned(),
                });
            }
        }
    }
    for architecture in Architecture::ALL {
        compare_files(kb, architecture, facts, knowledge, &mut found);
    }
    found.into_iter().collect()
}

/// Compares build, date, and installation of one entry with the release history.
fn compare_release(
    kb: Kb,
    update: &UpdateFacts,
    family: &Family,
    knowledge: &Knowledge,
    found: &mut BTreeSet<Difference>,
) {
    let of_number = knowledge.releases().of_kb(kb);
    let of_number: Vec<&Release> =
        of_number.iter().filter(|release| release.build.number == family.id).collect();
    let own: Vec<&Release> = of_number.iter().copied().filter(|release| release.is_for(family)).collect();
    let source = |release: &Release| format!("releases.txt ({})", release.source);
    if let (true, Some(other)) = (own.is_empty(), of_number.first()) {
        found.insert(Difference {
            what: DifferenceKind::Installation,
            subject: kb.to_string(),
            catalog: Some(family.installation.as_str().to_owned()),
            knowledge: other.installation.map_or("any", |own| own.as_str()).to_owned(),
            source: source(other),
        });
    }
    // A re-released KB has several builds, and its titles state one of them.
    if let (Some(build), Some(last)) = (update.build.and_then(|build| family.canonical(build)), own.last())
        && !own.iter().any(|release| release.build == build)
    {
        found.insert(Difference {
            what: DifferenceKind::Build,
            subject: kb.to_string(),
            catalog: Some(build.to_string()),
            knowledge: last.build.to_string(),
            source: source(last),
        });
    }
    let Some((date, release)) = own.iter().filter_map(|own| Some((own.date?, *own))).min_by_key(|own| own.0)
    else {
        return;
    };
    let mut differ = |catalog: String| {
        found.insert(Difference {
            what: DifferenceKind::Date,
            subject: kb.to_string(),
            catalog: Some(catalog),
            knowledge: date.to_string(),
            source: source(release),
        });
    };
    // Lists and time zones may differ by a day.
    if let Some(own) = update.last_updated
        && date.yesterday().is_ok_and(|before| own < before)
    {
        differ(own.to_string());
    }
    if let Some(month) = update.month.filter(|month| Month::of(date).is_some_and(|own| own != *month)) {
        differ(month.to_string());
    }
}

/// Compares the kind in the title with the tables.
fn compare_kind(
    kb: Kb,
    update: &UpdateFacts,
    family: Option<&Family>,
    knowledge: &Knowledge,
    found: &mut BTreeSet<Difference>,
) {
    // A delta update is a second package of the KB, not another statement about the first one.
    let Some(catalog) = update.kind.filter(|kind| *kind != Kind::Delta) else { return };
    let mut known: Vec<(Kind, String)> = Vec::new();
    if let Some(kind) = knowledge.parents().kind_of(kb) {
        known.push((kind, "parents.toml".to_owned()));
    } else {
        for package in knowledge.packages().of_kb(kb) {
            known.push((package.kind, format!("packages.txt ({})", package.source)));
        }
    }
    for release in family.map(|family| knowledge.releases().of_kb_for(kb, family)).unwrap_or_default() {
        let source = format!("releases.txt ({})", release.source);
        // The copy for Windows Setup has the same KB.
        known.push((Kind::DynamicCu, source.clone()));
        if release.kind != Some(ReleaseKind::Preview) {
            known.push((Kind::Lcu, source.clone()));
        }
        if matches!(release.kind, None | Some(ReleaseKind::Preview)) {
            known.push((Kind::LcuPreview, source));
        }
    }
    if known.iter().any(|(kind, _)| *kind == catalog) {
        return;
    }
    let said = known.into_iter().find(|(kind, _)| *kind != Kind::DynamicCu);
    if let Some((kind, source)) = said {
        found.insert(Difference {
            what: DifferenceKind::Kind,
            subject: kb.to_string(),
            catalog: Some(catalog.to_string()),
            knowledge: kind.to_string(),
            source,
        });
    }
}

/// Compares the KB's own files for an architecture: reports a file that a dialog lists and that no table has,
/// if a table has another one.
fn compare_files(
    kb: Kb,
    architecture: Architecture,
    facts: &Facts,
    knowledge: &Knowledge,
    found: &mut BTreeSet<Difference>,
) {
    // The name of a servicing stack may not contain a KB.
    let is_own =
        |kb_of_name: Option<Kb>, name: &str| kb_of_name.or(knowledge.parents().kb_of_file(name)) == Some(kb);
    let listed: BTreeSet<&str> = facts
        .updates
        .iter()
        .filter(|update| update.kb == Some(kb))
        .flat_map(|update| facts.files_of(update))
        .filter(|file| {
            file.architecture == Some(architecture) && is_own(file.kb, &file.name) && !file.is_delta()
        })
        .map(|file| file.name.as_str())
        .collect();
    let mut known = knowledge.names_of(kb, architecture);
    let of_rows = knowledge.files_in_rows(kb).filter(|(_, file)| file.architecture == architecture);
    known.extend(of_rows.map(|(table, file)| (table, file.name.clone())));
    let same = |a: &str, b: &str| {
        let (a_sha1, b_sha1) = (PackageName::parse(a).sha1, PackageName::parse(b).sha1);
        a.eq_ignore_ascii_case(b) || (a_sha1.is_some() && a_sha1 == b_sha1)
    };
    let extension = |name: &str| name.rsplit('.').next().map(str::to_ascii_lowercase);
    for name in listed.iter().filter(|name| !known.iter().any(|(_, own)| same(own, name))) {
        let other = known.iter().find(|(_, own)| {
            extension(own) == extension(name) && !listed.iter().any(|listed| same(listed, own))
        });
        if let Some((table, other)) = other {
            found.insert(Difference {
                what: DifferenceKind::File,
                subject: format!("{kb} ({architecture})"),
                catalog: Some((*name).to_owned()),
                knowledge: other.clone(),
                source: (*table).to_owned(),
            });
        }
    }
}
