//! The record of the install scripts that were written beside the set folders of a KB, and of the knowledge that made them.
//!
//! Another run may go by other tables. The record lets [`super::verify`] tell a script that other tables made from a damaged one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::{Access, Mirror, Writing};
use crate::error::{Error, Result};
use crate::facts::SetFolder;
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256};

/// The scripts of a KB as they were written last.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WrittenScripts {
    /// The digest of the tables that made them.
    knowledge: Sha256,
    /// The digests of the scripts, by set folder.
    scripts: BTreeMap<SetFolder, Sha256>,
}

impl WrittenScripts {
    pub(super) fn new(knowledge: &Knowledge) -> Self {
        Self { knowledge: knowledge.digest(), scripts: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, folder: &SetFolder, text: &str) {
        self.scripts.insert(folder.clone(), digest(text));
    }

    /// Returns `true` if other tables than these made the scripts.
    pub(super) fn is_of_other(&self, knowledge: &Knowledge) -> bool {
        self.knowledge != knowledge.digest()
    }

    /// Returns the folders that a script was written for.
    pub(super) fn folders(&self) -> impl Iterator<Item = &SetFolder> {
        self.scripts.keys()
    }

    /// Returns `true` if this is the text that was written for a folder.
    pub(super) fn holds(&self, folder: &SetFolder, text: &str) -> bool {
        self.scripts.get(folder) == Some(&digest(text))
    }
}

fn digest(text: &str) -> Sha256 {
    Sha256::from_bytes(sha2::Sha256::digest(text).into())
}

impl<S: Access> Mirror<S> {
    /// Returns the record of a KB. `None` for one that an earlier version wrote, or whose index was rebuilt.
    pub(super) fn written_scripts(&self, kb: Kb) -> Result<Option<WrittenScripts>> {
        let text = self.index.meta(&key(kb))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

impl Mirror<Writing> {
    pub(super) fn record_written_scripts(&mut self, kb: Kb, written: &WrittenScripts) -> Result<()> {
        if self.written_scripts(kb)?.as_ref() == Some(written) {
            return Ok(());
        }
        let text = serde_json::to_string(written).map_err(Error::cannot_write_json)?;
        self.index.in_transaction(|index| index.replace_meta(&key(kb), &text))
    }
}

fn key(kb: Kb) -> String {
    format!("scripts:{kb}")
}
