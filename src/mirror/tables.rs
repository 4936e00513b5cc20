//! Knowledge tables in folders: those of `--knowledge`, and those of a medium that are newer than the built-in
//! ones.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::Digest as _;

use super::pool::sha256_of;
use super::{Access, Layout, Mirror, WriteAccess};
use crate::disk::{self, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::servicing::{Knowledge, Tables};
use crate::update::Sha256;

/// The size limit of a table. The largest built-in one has 200 KB.
const CAP: u64 = 64 << 20;

/// Returns the texts of the tables in a folder by their file names. The list is empty if the folder has no tables.
pub fn read_table_texts(folder: &Utf8Path) -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for name in disk::list(folder)? {
        if Tables::NAMES.contains(&name.as_str()) {
            let text = disk::read_text(&folder.join(&name), CAP)
                .map_err(|error| error.with_kind(ErrorKind::Usage))?;
            texts.push((name, text));
        }
    }
    Ok(texts)
}

/// Replaces built-in tables by texts and checks the complete result, because these texts have not been checked
/// before.
pub fn knowledge_from_texts(texts: &[(String, String)]) -> Result<Knowledge> {
    let mut tables = Tables::built_in();
    for (name, text) in texts {
        tables.replace(name, text);
    }
    let knowledge = Knowledge::parse(tables)?;
    knowledge.check()?;
    Ok(knowledge)
}

/// Reads the tables of a folder that the operator specified. At least one table must exist.
pub fn read_operator_tables(folder: &Utf8Path) -> Result<Vec<(String, String)>> {
    if !disk::is_folder(folder)? {
        return Err(Error::usage(format!("{folder} is not a folder"))
            .hint("specify a folder with tables such as families.toml with --knowledge"));
    }
    let texts = read_table_texts(folder)?;
    if texts.is_empty() {
        return Err(Error::usage(format!("{folder} does not contain a knowledge table"))
            .hint(format!("add at least one of the tables {}", Tables::NAMES.join(", "))));
    }
    Ok(texts)
}

/// Reads knowledge from the tables in a folder. Missing tables are the built-in ones.
pub fn read_knowledge(folder: &Utf8Path) -> Result<Knowledge> {
    knowledge_from_texts(&read_operator_tables(folder)?)
}

/// Returns the effective knowledge of a mirror: the tables of a medium, unless the built-in ones are newer. Also
/// returns the texts that replace built-in ones.
pub fn effective_knowledge(layout: &Layout) -> Result<(Knowledge, Vec<(String, String)>)> {
    let own = Knowledge::built_in()?;
    // Most mirrors do not have this folder. Another fault of the folder is reported by the command that uses it.
    let texts =
        if disk::exists(&layout.knowledge()) { read_table_texts(&layout.knowledge())? } else { Vec::new() };
    if !texts.is_empty() {
        let adopted = knowledge_from_texts(&texts).map_err(|error| error.context(layout.knowledge()))?;
        if !is_newer(&own, &adopted) {
            return Ok((adopted, texts));
        }
    }
    Ok((own, Vec::new()))
}

/// Returns `true` if the tables of a medium replace the mirror's: they are newer, or have the same version and
/// date and other rows. An administrator's correction changes rows and seldom the version, so the newest set of a
/// lineage decides.
pub fn replaces_knowledge(theirs: &Knowledge, texts: &[(String, String)], layout: &Layout) -> Result<bool> {
    let (own, _) = effective_knowledge(layout)?;
    if texts.is_empty() || is_newer(&own, theirs) {
        return Ok(false);
    }
    Ok(theirs.digest() != own.digest())
}

impl Mirror<WriteAccess> {
    /// Replaces the mirror's tables. Later runs use the new ones.
    pub fn adopt_knowledge(&mut self, texts: &[(String, String)]) -> Result<()> {
        let aside = self.layout().partial().join("knowledge-new");
        disk::remove_dir_all(&aside)?;
        for (name, text) in texts {
            if Tables::NAMES.contains(&name.as_str()) {
                disk::write_atomic(&aside.join(name), text.as_bytes())?;
            }
        }
        let folder = self.layout().knowledge();
        disk::remove_dir_all(&folder)?;
        disk::rename(&aside, &folder)?;
        let digest = |text: &str| Sha256::from_bytes(sha2::Sha256::digest(text).into()).to_string();
        self.index_mut().in_transaction(|index| {
            index.remove_meta_with_prefix(ADOPTED)?;
            for (name, text) in texts {
                index.replace_meta(&format!("{ADOPTED}{name}"), &digest(text))?;
            }
            Ok(())
        })
    }
}

/// The prefix of the index key for the digest of an imported table; the table name follows.
const ADOPTED: &str = "adopted-table:";

impl<S: Access> Mirror<S> {
    /// Returns the imported tables that differ from the signed ones, each with its fault.
    pub(super) fn changed_tables(&self) -> Result<Vec<(Utf8PathBuf, String)>> {
        let mut changed = Vec::new();
        let folder = self.layout().knowledge();
        for (key, digest) in self.index().meta_with_prefix(ADOPTED)? {
            let name = &key[ADOPTED.len()..];
            let path = folder.join(name);
            if !Tables::NAMES.contains(&name) || !disk::exists(&folder) {
                continue;
            }
            let message = match disk::entry(&path)? {
                Entry::File(_) => match sha256_of(&path) {
                    Ok(found) if found.to_string() == digest => continue,
                    Ok(_) => "differs from the table that the medium signed".to_owned(),
                    Err(error) => error.full_message(),
                },
                Entry::Missing => "missing, although it was imported from a medium".to_owned(),
                Entry::Folder | Entry::Other => "not a file".to_owned(),
            };
            changed.push((path, message));
        }
        Ok(changed)
    }
}

/// Returns `true` if tables are newer than others: by date, then by version.
pub fn is_newer(this: &Knowledge, than: &Knowledge) -> bool {
    (this.date(), version_numbers(this.version())) > (than.date(), version_numbers(than.version()))
}

/// Splits `2026.10.1` into its numbers, so that 2026.10.10 comes after 2026.10.9.
fn version_numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}
