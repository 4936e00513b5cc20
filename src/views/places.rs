//! The places of published files, as seen from an install script beside a set folder.

use std::collections::BTreeMap;

use crate::facts::{PlainName, SetFolder};
use crate::resolve::Step;
use crate::script::FileLocations;
use crate::update::Kb;

/// A file of a set folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFile {
    /// The name in the folder.
    pub name: PlainName,
    /// The Catalog's name of the file.
    pub catalog_name: String,
}

/// The set folders of a mirror or a medium, as seen from a script beside a set folder, in the folder of its KB.
#[derive(Debug)]
pub struct PublishedPlaces {
    kb: Kb,
    folders: BTreeMap<(Kb, SetFolder), Vec<PlacedFile>>,
}

impl PublishedPlaces {
    /// Creates the places of these set folders for the scripts of a KB.
    pub fn new(kb: Kb, folders: BTreeMap<(Kb, SetFolder), Vec<PlacedFile>>) -> Self {
        Self { kb, folders }
    }

    fn files(&self, step: &Step) -> Option<&[PlacedFile]> {
        self.folders.get(step.set.as_ref()?).map(Vec::as_slice)
    }
}

impl FileLocations for PublishedPlaces {
    fn path(&self, step: &Step) -> Option<String> {
        let (kb, folder) = step.set.as_ref()?;
        let mut files = self.files(step)?.iter();
        let file = files.find(|file| Some(&file.catalog_name) == step.name.as_ref())?;
        let up = if *kb == self.kb { String::new() } else { format!("..\\{kb}\\") };
        Some(format!("{up}{folder}\\{}", file.name))
    }

    fn folder_names(&self, step: &Step) -> Vec<String> {
        let files = self.files(step).unwrap_or_default();
        files.iter().map(|file| file.name.to_string()).collect()
    }
}
