//! A check after every run of every test: `lint` accepts each set folder that the run published.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::harness::{file_stamp, names_in};

/// The set folders of a mirror, each with a stamp that changes when the folder is made again.
#[derive(Debug)]
pub(crate) struct PublishedFolders(BTreeMap<Utf8PathBuf, String>);

impl PublishedFolders {
    /// Returns the set folders of a mirror, which may not exist.
    pub(crate) fn of(mirror: &Utf8Path) -> Self {
        let kbs = mirror.join("kb");
        let kbs = names_in(&kbs).into_iter().map(|name| kbs.join(name)).filter(|path| path.is_dir());
        let sets = kbs.flat_map(|kb| names_in(&kb).into_iter().map(move |name| kb.join(name)));
        let sets = sets.filter(|path| path.is_dir() && !path.is_symlink());
        Self(sets.map(|path| (path.clone(), file_stamp(&path))).collect())
    }

    /// Returns the folders that were made since then.
    pub(crate) fn made_since(&self, before: &Self) -> Vec<Utf8PathBuf> {
        let is_new = |(path, stamp): &(&Utf8PathBuf, &String)| before.0.get(*path) != Some(*stamp);
        self.0.iter().filter(is_new).map(|(path, _)| path.clone()).collect()
    }
}

/// Returns the options of a run that decide what its mirror knows.
pub(crate) fn options_of<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let named = |pair: &&[&str]| ["--knowledge", "--index", "--config"].contains(&pair[0]);
    arguments.windows(2).filter(named).flat_map(|pair| pair.iter().copied()).collect()
}
