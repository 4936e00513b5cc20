//! Catalog entries as facts, and the count of outcomes, for the small models of single rules.

use std::collections::BTreeMap;

use kbmirror::facts::{Facts, FileFacts, FileKey, UpdateFacts};
use kbmirror::update::classify;

/// An entry with one file.
pub(super) struct Entry {
    pub(super) title: String,
    pub(super) name: String,
    /// The month of the folder on the content delivery network: "2026/03".
    pub(super) folder: Option<String>,
    pub(super) last_updated: Option<String>,
}

/// Returns the update of an entry with this title, whose dialog lists these files.
pub(super) fn update_of(number: i64, title: &str, files: Vec<FileKey>) -> UpdateFacts {
    let class = classify(title, "", None);
    UpdateFacts {
        id: format!("00000000-0000-0000-0000-{number:012}").parse().unwrap(),
        title: title.to_owned(),
        kb: class.kb,
        kind: class.kind,
        month: class.month,
        product: class.product,
        release: class.release,
        products: String::new(),
        architecture: class.architecture,
        build: class.build,
        last_updated: None,
        size: None,
        files: Some(files),
        files_seen: Some(jiff::civil::date(2026, 11, 23)),
        expired: None,
    }
}

/// Returns the facts of entries whose dialogs were read.
pub(super) fn facts_of(entries: &[Entry]) -> Facts {
    let mut facts = Facts::default();
    for (number, entry) in (1..).zip(entries) {
        let key = FileKey(number);
        let mut file = FileFacts { key: Some(key), ..FileFacts::from_name(&entry.name) };
        if let Some(folder) = &entry.folder {
            file.urls = vec![format!(
                "https://example.test/c/msdownload/update/software/secu/{folder}/{}",
                entry.name
            )];
        }
        facts.files.insert(key, file);
        let last_updated = entry.last_updated.as_ref().map(|day| day.parse().unwrap());
        facts.updates.push(UpdateFacts { last_updated, ..update_of(number, &entry.title, vec![key]) });
    }
    facts
}

/// The number of times that each outcome came up.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<String, u32>);

impl Tally {
    pub(super) fn count(&mut self, label: impl Into<String>) {
        *self.0.entry(label.into()).or_default() += 1;
    }

    /// Prints the numbers, and fails if an outcome came up less often than 20 times.
    pub(super) fn check(&self, labels: &[&str]) {
        println!("{:#?}", self.0);
        for label in labels {
            let times = self.0.get(*label).copied().unwrap_or_default();
            assert!(times >= 20, "{label} came up {times} times only");
        }
    }
}
