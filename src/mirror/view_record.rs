//! The record of the views written beside the set folders of a KB, and of the knowledge that produced them.
//!
//! The record distinguishes two kinds of differing text. An outdated text was written by the program, and the
//! program, the tables, or the index are newer now. Any other text was changed from outside. The record is updated
//! before the first view is written and again after the last one. A killed run therefore leaves no text without a
//! record.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::{Access, Mirror, WriteAccess};
use crate::error::{Error, Result};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256};

/// The views of a KB as they were written last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ViewRecord {
    /// The version of the program that made them.
    #[serde(default)]
    program: String,
    /// The digest of the tables that made them.
    knowledge: Sha256,
    /// The digests of the texts by file name; several while the views are being replaced.
    views: BTreeMap<String, BTreeSet<Sha256>>,
    /// `false` while the views are being written.
    is_complete: bool,
}

impl ViewRecord {
    pub(super) fn new(knowledge: &Knowledge) -> Self {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Self { program, knowledge: knowledge.digest(), views: BTreeMap::new(), is_complete: true }
    }

    /// Adds a text that is written, or about to be written.
    pub(super) fn add(&mut self, name: &str, text: &[u8]) {
        self.views.entry(name.to_owned()).or_default().insert(digest(text));
    }

    /// Returns the record to keep while these views replace earlier ones.
    pub(super) fn merged_with_earlier(&self, earlier: Option<&Self>) -> Self {
        let mut both = Self { is_complete: false, ..self.clone() };
        for (name, digests) in earlier.iter().flat_map(|earlier| &earlier.views) {
            both.views.entry(name.clone()).or_default().extend(digests);
        }
        both
    }

    /// Returns `true` if other tables than these made the views.
    pub(super) fn used_other_knowledge(&self, knowledge: &Knowledge) -> bool {
        self.knowledge != knowledge.digest()
    }

    /// Returns `true` if this program made the views with these tables, so that the same rows give the same texts.
    pub(super) fn is_repeatable(&self, knowledge: &Knowledge) -> bool {
        self.program == env!("CARGO_PKG_VERSION") && !self.used_other_knowledge(knowledge)
    }

    /// Returns `true` if all views were written.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the names of the files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.views.keys().map(String::as_str)
    }

    /// Returns `true` if this text was written under this name.
    pub(super) fn contains(&self, name: &str, text: &[u8]) -> bool {
        self.views.get(name).is_some_and(|digests| digests.contains(&digest(text)))
    }
}

fn digest(text: &[u8]) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(text).into())
}

impl<S: Access> Mirror<S> {
    /// Returns the record of a KB. Returns `None` if an earlier version wrote the views, or the index was rebuilt.
    pub(super) fn view_record(&self, kb: Kb) -> Result<Option<ViewRecord>> {
        let text = self.index.meta(&key(kb))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

impl Mirror<WriteAccess> {
    pub(super) fn save_view_record(&mut self, kb: Kb, written: &ViewRecord) -> Result<()> {
        if self.view_record(kb)?.as_ref() == Some(written) {
            return Ok(());
        }
        let text = serde_json::to_string(written).map_err(Error::cannot_write_json)?;
        self.index.in_transaction(|index| index.replace_meta(&key(kb), &text))
    }
}

impl Mirror<WriteAccess> {
    /// Removes the record of a KB that has no published sets any more.
    pub(super) fn remove_view_record(&mut self, kb: Kb) -> Result<()> {
        self.index.in_transaction(|index| index.remove_meta(&key(kb)))
    }
}

fn key(kb: Kb) -> String {
    format!("views:{kb}")
}
