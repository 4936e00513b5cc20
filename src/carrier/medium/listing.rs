//! The listing of an export set: its package sets with their files and edges, and the updates behind them, as
//! sorted JSON lines. The same selection gives the same bytes, and `diff` can compare two listings.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::names::{DATA, refused};
use super::paths::check_path;
use crate::documents::{FileLine, SetRecord, UpdateLine};
use crate::error::{Error, Result};
use crate::facts::distinct_names;
use crate::update::{Kb, Sha256};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum ListingLine {
    Set { kb: Kb, set: Box<SetRecord> },
    Update { kb: Kb, update: Box<UpdateLine> },
}

/// The content of an export set.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The package sets, sorted by KB and folder.
    pub sets: Vec<(Kb, SetRecord)>,
    /// The updates, sorted by KB and id.
    pub updates: Vec<(Kb, UpdateLine)>,
}

impl Listing {
    /// Sorts all records.
    pub fn sort(&mut self) {
        self.sets.sort_by(|a, b| (a.0, &a.1.folder).cmp(&(b.0, &b.1.folder)));
        self.updates.sort_by_key(|(kb, update)| (*kb, update.update_id));
    }

    /// Returns the text of the listing.
    pub fn to_text(&self) -> Result<String> {
        let sets = self.sets.iter().map(|(kb, set)| ListingLine::Set { kb: *kb, set: Box::new(set.clone()) });
        let updates = (self.updates.iter())
            .map(|(kb, update)| ListingLine::Update { kb: *kb, update: Box::new(update.clone()) });
        let mut text = String::new();
        for line in sets.chain(updates) {
            let line = serde_json::to_string(&line).map_err(Error::cannot_write_json)?;
            text.push_str(&line);
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads a text whose digest was checked already. Checks every path in the text.
    pub fn read(text: &str) -> Result<Self> {
        let mut listing = Self::default();
        let mut known = BTreeSet::new();
        for line in text.lines() {
            let line: ListingLine = serde_json::from_str(line)
                .map_err(|error| refused("a line of listing.jsonl cannot be read").caused_by(error))?;
            match line {
                ListingLine::Set { kb, set } => {
                    check_path(set.folder.as_str())?;
                    if is_view(set.folder.as_str()) {
                        return Err(refused(format!(
                            "{kb} lists the folder {}, a name that is reserved for a file of kbmirror",
                            set.folder
                        )));
                    }
                    if !known.insert((kb, set.folder.as_str().to_ascii_lowercase())) {
                        return Err(refused(format!("{} of {kb} is listed twice", set.folder)));
                    }
                    check_names(kb, &set)?;
                    for file in &set.files {
                        check_path(&path_of(kb, file))?;
                        if !file.path.starts_with(&format!("{}/", set.folder)) {
                            return Err(refused(format!(
                                "{kb} lists {:?} outside of {}",
                                file.path, set.folder
                            )));
                        }
                    }
                    listing.sets.push((kb, *set));
                }
                ListingLine::Update { kb, update } => listing.updates.push((kb, *update)),
            }
        }
        Ok(listing)
    }

    /// Returns every file on the medium by path, with its digest and size. Refuses a file without a digest or a
    /// size.
    pub fn files(&self) -> Result<BTreeMap<String, (Sha256, u64)>> {
        let mut files = BTreeMap::new();
        for (kb, set) in &self.sets {
            for file in &set.files {
                let (Some(sha256), Some(size)) = (file.sha256, file.size) else {
                    return Err(refused(format!("{} of {kb} is listed without digest or size", file.name)));
                };
                files.insert(path_of(*kb, file), (sha256, size));
            }
        }
        Ok(files)
    }
}

/// Returns `true` if the program itself creates a file of this name beside the folders of a KB. Ignores the case of
/// letters, because some media and mirrors ignore it.
fn is_view(folder: &str) -> bool {
    let folder = folder.to_ascii_lowercase();
    let is_json_of_kb = folder.strip_suffix(".json").is_some_and(|name| name.parse::<Kb>().is_ok());
    ["sha256sums", "readme.txt"].contains(&folder.as_str())
        || is_json_of_kb
        || folder.strip_suffix(".cmd").is_some()
}

/// Refuses a set whose names on the medium do not follow from the Catalog's file names. The names on the medium
/// become names in a mirror.
fn check_names(kb: Kb, set: &SetRecord) -> Result<()> {
    let digits = |file: &FileLine| file.sha256.map_or_else(String::new, |digest| digest.to_string());
    let names = distinct_names(set.files.iter().map(|file| (file.name.as_str(), digits(file))));
    let names = names.map_err(|(name, fault)| {
        refused(format!("{kb} lists the file name {name:?}, which is refused: {fault}"))
    })?;
    for (file, name) in set.files.iter().zip(names) {
        if file.path.rsplit('/').next() != Some(name.as_str()) {
            return Err(refused(format!(
                "{kb} lists the path {:?} for the file {:?}, which is refused",
                file.path, file.name
            )));
        }
    }
    Ok(())
}

/// Returns the path of a file of a set on the medium.
pub(in crate::carrier) fn path_of(kb: Kb, file: &FileLine) -> String {
    format!("{DATA}/{kb}/{}", file.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_names_are_not_valid_folder_names() {
        for name in [
            "SHA256SUMS",
            "Sha256Sums",
            "README.txt",
            "readme.TXT",
            "KB5086672.json",
            "kb5086672.JSON",
            "x.cmd",
        ] {
            assert!(is_view(name), "{name}");
        }
        for name in ["windows-11-24h2-arm64", "readme", "x.json", "sha256sums-x64"] {
            assert!(!is_view(name), "{name}");
        }
    }
}
