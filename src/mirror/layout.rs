//! Every path of a mirror in one place. Only `is_prepared`, `has_content`, and `side` look at the disk.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::clock::Time;
use crate::disk;
use crate::error::Result;
use crate::facts::SetFolder;
use crate::resolve::Side;
use crate::update::{Kb, Sha256};

/// A report under `runs/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunReport {
    /// A scheduled run.
    Sync,
    /// The news of a scheduled run.
    News,
    /// A verification.
    Verify,
    /// A medium that was checked.
    CheckMedium,
    /// A medium that was imported.
    Import,
    /// A medium that was written.
    Export,
}

impl RunReport {
    /// Returns the word in its file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::News => "news",
            Self::Verify => "verify",
            Self::CheckMedium => "check-medium",
            Self::Import => "import",
            Self::Export => "export",
        }
    }
}

/// The paths of a mirror. `mirror-layout.md` draws the same tree; a test compares the two.
///
/// Only checked names become parts of a path: KBs, digests, and folders of sets. A plain text does not compile:
///
/// ```compile_fail,E0308
/// use camino::Utf8PathBuf;
/// use kbmirror::mirror::Layout;
/// use kbmirror::update::Kb;
///
/// fn path(layout: &Layout, kb: Kb) -> Utf8PathBuf {
///     layout.set(kb, "../../escaped")
/// }
/// ```
///
/// A checked text does:
///
/// ```
/// use camino::Utf8PathBuf;
/// use kbmirror::facts::{NameFault, SetFolder};
/// use kbmirror::mirror::Layout;
/// use kbmirror::update::Kb;
///
/// fn path(layout: &Layout, kb: Kb, folder: &str) -> Result<Utf8PathBuf, NameFault> {
///     Ok(layout.set(kb, &SetFolder::new(folder)?))
/// }
///
/// let (layout, kb) = (Layout::new("mirror".into(), None), Kb::from_number(5_086_672).unwrap());
/// assert!(path(&layout, kb, "windows-11-24h2-arm64").is_ok());
/// assert_eq!(path(&layout, kb, "../../escaped"), Err(NameFault::Path));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: Utf8PathBuf,
    index: Utf8PathBuf,
}

impl Layout {
    /// Creates the layout of a mirror in a folder. The index is inside or, for a mirror on a share, elsewhere.
    pub fn new(root: Utf8PathBuf, index: Option<Utf8PathBuf>) -> Self {
        let index = index.unwrap_or_else(|| root.join("mirror.db"));
        Self { root, index }
    }

    /// Returns the mirror's folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the path of the index.
    pub fn index(&self) -> &Utf8Path {
        &self.index
    }

    /// Returns the pool path of a file content.
    pub fn pool_file(&self, sha256: &Sha256) -> Utf8PathBuf {
        let digits = sha256.to_string();
        self.root.join("pool").join("sha256").join(&digits[..2]).join(digits)
    }

    /// Returns the folder of a KB.
    pub fn kb(&self, kb: Kb) -> Utf8PathBuf {
        self.root.join("kb").join(kb.to_string())
    }

    /// Returns the folder of a published package set.
    pub fn set(&self, kb: Kb, folder: &SetFolder) -> Utf8PathBuf {
        self.kb(kb).join(folder)
    }

    /// Returns the path of the JSON document about the published sets of a KB.
    pub fn kb_json(&self, kb: Kb) -> Utf8PathBuf {
        self.kb(kb).join(format!("{kb}.json"))
    }

    /// Returns the path of the digests of all files in the KB's sets, for `sha256sum -c`.
    pub fn kb_sums(&self, kb: Kb) -> Utf8PathBuf {
        self.kb(kb).join("SHA256SUMS")
    }

    /// Returns the path of the page about the published sets of a KB, for people.
    pub fn kb_readme(&self, kb: Kb) -> Utf8PathBuf {
        self.kb(kb).join("README.txt")
    }

    /// Returns the parent folder of all KB folders.
    pub fn kbs(&self) -> Utf8PathBuf {
        self.root.join("kb")
    }

    /// Returns the path of the install script of a set, beside its folder.
    pub fn kb_script(&self, kb: Kb, folder: &SetFolder) -> Utf8PathBuf {
        self.kb(kb).join(format!("{folder}.cmd"))
    }

    /// Returns the folder of the knowledge tables that were imported from a medium.
    pub fn knowledge(&self) -> Utf8PathBuf {
        self.root.join("knowledge")
    }

    /// Returns the folder of the keys and of the list of trusted keys.
    pub fn keys(&self) -> Utf8PathBuf {
        self.root.join("keys")
    }

    /// Returns `true` if `init`, `keys init`, or `keys trust` prepared this folder for a mirror.
    pub fn is_prepared(&self) -> bool {
        let keys = self.keys();
        [self.config(), keys.join("root.pub"), keys.join("trusted.txt")].iter().any(|path| disk::exists(path))
    }

    /// Returns `true` if the folder contains package sets, with or without an index.
    pub fn has_content(&self) -> Result<bool> {
        Ok(!disk::list(&self.kbs())?.is_empty())
    }

    /// Returns the side of the gap, inferred from the keys of this folder. A folder that trusts a foreign root key
    /// and has no keys of its own imports media and writes none.
    pub fn side(&self) -> Side {
        let keys = self.keys();
        if disk::exists(&keys.join("trusted.txt")) && !disk::exists(&keys.join("root.pub")) {
            Side::Isolated
        } else {
            Side::Connected
        }
    }

    /// Returns the folder of the pool.
    pub fn pool(&self) -> Utf8PathBuf {
        self.root.join("pool").join("sha256")
    }

    /// Returns the folder of partial files. It is on the pool's file system, so that a rename makes a file
    /// visible.
    pub fn partial(&self) -> Utf8PathBuf {
        self.root.join("partial")
    }

    /// Returns the folder of package sets that were removed on purpose, by date. Its entries are kept for 14 days.
    pub fn trash(&self) -> Utf8PathBuf {
        self.root.join("trash")
    }

    /// Returns the folder of rejected bytes and of evidence. [`super::Mirror::purge`] deletes old rejected bytes.
    pub fn quarantine(&self) -> Utf8PathBuf {
        self.root.join("quarantine")
    }

    /// Returns the folder of reports and of pages that could not be parsed.
    pub fn runs(&self) -> Utf8PathBuf {
        self.root.join("runs")
    }

    /// Returns the path of a run's report: `runs/2026-11-23T080000Z-sync.json`. Sorting by name sorts by time.
    pub fn run_report(&self, time: Time, report: RunReport) -> Utf8PathBuf {
        let time = Timestamp::from(time).strftime("%Y-%m-%dT%H%M%SZ");
        self.runs().join(format!("{time}-{}.json", report.as_str()))
    }

    /// Returns the path of the configuration of `sync`, written by `init` and by the operator.
    pub fn config(&self) -> Utf8PathBuf {
        self.root.join("kbmirror.toml")
    }

    /// Returns the path of the mirror's health, for `status` and for other programs.
    pub fn health(&self) -> Utf8PathBuf {
        self.root.join("health.json")
    }

    /// Returns the path of the state outside of the index: lineage, record of media, removed KBs.
    pub fn state(&self) -> Utf8PathBuf {
        self.root.join("state.json")
    }

    /// Returns the path of the lock file, held by the process that writes.
    pub fn lock(&self) -> Utf8PathBuf {
        self.root.join("lock")
    }

    /// Returns a path relative to the mirror, for output.
    pub fn relative<'p>(&self, path: &'p Utf8Path) -> &'p Utf8Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// Returns a path relative to the mirror with `/` on every system, as stored in the index.
    pub fn portable(&self, path: &Utf8Path) -> Utf8PathBuf {
        let names: Vec<&str> = self.relative(path).components().map(|part| part.as_str()).collect();
        names.join("/").into()
    }
}
