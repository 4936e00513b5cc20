//! Knowledge tables that lie in folders: those that somebody names, and those that came with a medium and are newer than the
//! built-in ones.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::Digest as _;

use super::pool::sha256_of;
use super::{Access, Layout, Mirror, Writing};
use crate::disk::{self, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::servicing::{Knowledge, Tables};
use crate::update::Sha256;

/// The largest of ours has 200 KB.
const CAP: u64 = 64 << 20;

/// The texts of the tables in a folder, by their file names; empty where there is none.
pub fn table_texts(folder: &Utf8Path) -> Result<Vec<(String, String)>> {
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

/// Knowledge from texts over the built-in tables, checked as a whole: nobody else has looked at them.
pub fn knowledge_of(texts: &[(String, String)]) -> Result<Knowledge> {
    let mut tables = Tables::built_in();
    for (name, text) in texts {
        tables.replace(name, text);
    }
    let knowledge = Knowledge::parse(tables)?;
    knowledge.check()?;
    Ok(knowledge)
}

/// The texts of the tables in a folder that somebody names; there has to be one at least.
pub fn read_tables(folder: &Utf8Path) -> Result<Vec<(String, String)>> {
    if !disk::is_folder(folder)? {
        return Err(Error::usage(format!("{folder} is no folder"))
            .hint("--knowledge names a folder with tables such as families.toml"));
    }
    let texts = table_texts(folder)?;
    if texts.is_empty() {
        return Err(Error::usage(format!("{folder} holds no knowledge table"))
            .hint(format!("the tables are {}", Tables::NAMES.join(", "))));
    }
    Ok(texts)
}

/// Knowledge from the tables in a folder; those that it lacks are the built-in ones.
pub fn read_knowledge(folder: &Utf8Path) -> Result<Knowledge> {
    knowledge_of(&read_tables(folder)?)
}

/// Returns the knowledge that a mirror goes by: the tables that came with a medium, unless the built-in ones are newer. With
/// the texts that are not the built-in ones.
pub fn knowledge_of_mirror(layout: &Layout) -> Result<(Knowledge, Vec<(String, String)>)> {
    let own = Knowledge::built_in()?;
    // Most mirrors have none; another fault of the folder is reported by the command that uses it.
    let texts =
        if disk::exists(&layout.knowledge()) { table_texts(&layout.knowledge())? } else { Vec::new() };
    if !texts.is_empty() {
        let adopted = knowledge_of(&texts).map_err(|error| error.context(layout.knowledge()))?;
        if !is_newer(&own, &adopted) {
            return Ok((adopted, texts));
        }
    }
    Ok((own, Vec::new()))
}

/// Returns `true` if the tables of a medium replace the mirror's: they are newer, or of the same version and date with other
/// rows. A correction of an administrator changes rows and seldom the version, and the newest set of a lineage decides.
pub fn replaces_knowledge(theirs: &Knowledge, texts: &[(String, String)], layout: &Layout) -> Result<bool> {
    let (own, _) = knowledge_of_mirror(layout)?;
    if texts.is_empty() || is_newer(&own, theirs) {
        return Ok(false);
    }
    Ok(theirs.digest() != own.digest())
}

impl Mirror<Writing> {
    /// Puts these tables in the place of the mirror's: later runs go by them.
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
            index.remove_meta_of(ADOPTED)?;
            for (name, text) in texts {
                index.replace_meta(&format!("{ADOPTED}{name}"), &digest(text))?;
            }
            Ok(())
        })
    }
}

/// Before the name of a table that came with a medium, its digest.
const ADOPTED: &str = "adopted-table:";

impl<S: Access> Mirror<S> {
    /// Returns the tables that came with a medium and are not as it signed them, each with what is wrong.
    pub(super) fn changed_tables(&self) -> Result<Vec<(Utf8PathBuf, String)>> {
        let mut changed = Vec::new();
        let folder = self.layout().knowledge();
        for (key, digest) in self.index().meta_of(ADOPTED)? {
            let name = &key[ADOPTED.len()..];
            let path = folder.join(name);
            if !Tables::NAMES.contains(&name) || !disk::exists(&folder) {
                continue;
            }
            let message = match disk::entry(&path)? {
                Entry::File(_) => match sha256_of(&path) {
                    Ok(found) if found.to_string() == digest => continue,
                    Ok(_) => "it is not the table that came with the medium".to_owned(),
                    Err(error) => error.full_message(),
                },
                Entry::Nothing => "it came with the medium and is missing".to_owned(),
                Entry::Folder | Entry::Other => "it is not a file".to_owned(),
            };
            changed.push((path, message));
        }
        Ok(changed)
    }
}

/// Whether tables are newer than others: by date, then by version.
pub fn is_newer(this: &Knowledge, than: &Knowledge) -> bool {
    (this.date(), numbers(this.version())) > (than.date(), numbers(than.version()))
}

/// `2026.10.1` by its numbers: 2026.10.10 comes after 2026.10.9.
fn numbers(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}
