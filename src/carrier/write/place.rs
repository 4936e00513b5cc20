//! The checks of the target folder of an export: whether it may become a medium, and whether it is a separate medium
//! or a local folder.
//!
//! At most the last component of the path is created, so that an export to a stick that is not mounted does not
//! create the path on the local disk. The target and the mirror never contain each other. A folder on the file
//! system of `/` or of the mirror is called a local folder. It is allowed, for instance to burn a disc from it.

use camino::{Utf8Path, Utf8PathBuf};

use crate::carrier::medium::{DATA, KNOWLEDGE, SET, TOOLS, UNFINISHED_FOLDER, UNFINISHED_MARK};
use crate::disk::{self, Entry};
use crate::documents::SharedFileSystem;
use crate::error::{Error, Result};
use crate::mirror::Layout;

/// A folder that may become a medium.
#[derive(Debug, Clone)]
pub struct TargetFolder {
    /// The folder, as the caller named it.
    pub(super) root: Utf8PathBuf,
    /// `true` if its last component does not exist yet.
    pub(super) is_new: bool,
    /// The file system that the folder shares with the system or the mirror, if it is not a separate medium.
    pub local: Option<SharedFileSystem>,
}

/// Returns the note about a local folder.
fn note_on(local: SharedFileSystem, folder: &Utf8Path) -> String {
    match local {
        SharedFileSystem::System => {
            format!("{folder} is a local folder, on the same file system as /: not a separate medium")
        }
        SharedFileSystem::Mirror => {
            format!(
                "{folder} is a local folder, on the same file system as the mirror: not a separate medium"
            )
        }
        SharedFileSystem::Unknown => {
            format!("{folder} may be a local folder: this system does not number its file systems")
        }
    }
}

impl TargetFolder {
    /// Returns the note about a local folder, or `None` for a separate medium.
    pub fn local_note(&self) -> Option<String> {
        self.local.map(|local| note_on(local, &self.root))
    }

    /// Checks a folder without changing anything.
    pub fn new(to: &Utf8Path, layout: &Layout, expect_mount: bool) -> Result<Self> {
        let parent = disk::parent(to);
        if !disk::is_folder(parent).unwrap_or(false) {
            return Err(Error::usage(format!(
                "the folder {parent} does not exist, and export creates only the last folder of {to}"
            ))
            .hint("mount the medium, or create the folder; nothing was changed"));
        }
        let is_new = match disk::entry(to)? {
            Entry::Folder => false,
            Entry::Missing => true,
            Entry::Other if disk::is_folder(to)? => false,
            Entry::File(_) | Entry::Other => return Err(Error::usage(format!("{to} is not a folder"))),
        };
        let canonical = if is_new {
            let name = to.file_name().ok_or_else(|| Error::usage(format!("{to} does not name a folder")))?;
            disk::canonical(parent)?.join(name)
        } else {
            disk::canonical(to)?
        };
        refuse_overlap(to, &canonical, layout)?;
        refuse_inner_folder(to, &canonical)?;
        let local = shared_file_system(if is_new { parent } else { to }, layout)?;
        if let Some(local) = local.filter(|_| expect_mount) {
            return Err(Error::usage(format!("--expect-mount: {}", note_on(local, to)))
                .hint("mount the medium there; nothing was changed"));
        }
        Ok(Self { root: to.to_owned(), is_new, local })
    }
}

/// Refuses a target inside the mirror, and a mirror inside the target, also through links and bind mounts.
fn refuse_overlap(to: &Utf8Path, canonical: &Utf8Path, layout: &Layout) -> Result<()> {
    let own =
        [layout.root().to_owned(), layout.index().to_owned(), layout.pool(), layout.kbs(), layout.keys()];
    for path in own.iter().filter(|path| disk::exists(path)) {
        let inner = disk::canonical(path)?;
        let refused = |how: &str| {
            Error::usage(format!("the target {to} {how} the mirror at {}", layout.root()))
                .hint("name a folder outside of the mirror; nothing was changed")
        };
        // A file of the mirror beside the target, such as an index on a share, is not a folder that contains the
        // target.
        if disk::is_folder(path)? && contains(&inner, canonical)? {
            return Err(refused("is inside"));
        }
        if contains(canonical, &inner)? {
            return Err(refused("contains"));
        }
    }
    Ok(())
}

/// Returns `true` if a path is a folder or lies inside it. Both paths are canonical. The file numbers detect bind
/// mounts.
fn contains(folder: &Utf8Path, path: &Utf8Path) -> Result<bool> {
    if path.starts_with(folder) {
        return Ok(true);
    }
    let Some(number) = disk::file_number(folder)? else { return Ok(false) };
    for ancestor in path.ancestors().filter(|ancestor| !ancestor.as_str().is_empty()) {
        if disk::file_number(ancestor)? == Some(number) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a target among the files of another medium, because new files would damage that medium.
fn refuse_inner_folder(to: &Utf8Path, canonical: &Utf8Path) -> Result<()> {
    for outer in canonical.ancestors().skip(1) {
        let inner = canonical.strip_prefix(outer).ok().and_then(|inner| inner.components().next());
        let is_of_medium =
            inner.is_some_and(|inner| [DATA, KNOWLEDGE, TOOLS, UNFINISHED_FOLDER].contains(&inner.as_str()));
        if is_of_medium && (disk::exists(&outer.join(SET)) || disk::exists(&outer.join(UNFINISHED_MARK))) {
            return Err(Error::usage(format!("{to} is inside the medium {outer}"))
                .hint(format!("use --to {outer} to add to that medium; nothing was changed")));
        }
    }
    Ok(())
}

/// Returns the file system that a folder shares with the system or the mirror, or `None` for a separate medium.
fn shared_file_system(folder: &Utf8Path, layout: &Layout) -> Result<Option<SharedFileSystem>> {
    let Some(own) = disk::volume(folder)? else { return Ok(Some(SharedFileSystem::Unknown)) };
    let is_on = |path: &Utf8Path| Ok::<_, Error>(disk::exists(path) && disk::volume(path)? == Some(own));
    if is_on(Utf8Path::new("/"))? {
        return Ok(Some(SharedFileSystem::System));
    }
    Ok(is_on(layout.root())?.then_some(SharedFileSystem::Mirror))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    #[test]
    fn targets_are_checked_by_their_canonical_paths() {
        let (_guard, folder) = folder();
        let mirror = folder.join("outer/mirror");
        for name in ["outer/mirror/pool", "outer/mirror/keys", "free", "medium/data/KB1"] {
            disk::create_dir_all(&folder.join(name)).unwrap();
        }
        disk::write_atomic(&folder.join("medium/set.json"), b"{}").unwrap();
        disk::write_atomic(&folder.join("file"), b"x").unwrap();
        for (from, to) in
            [("outer/mirror", "into"), ("outer", "around"), ("free", "link"), ("gone", "dangling")]
        {
            std::os::unix::fs::symlink(folder.join(from), folder.join(to)).unwrap();
        }
        let layout = Layout::new(mirror, None);
        let place = |to: &str| TargetFolder::new(&folder.join(to), &layout, false);
        for (to, words) in [
            ("outer/mirror", "is inside"),
            ("outer/mirror/new", "is inside"),
            ("outer/mirror/pool/new", "is inside"),
            ("into", "is inside"),
            ("into/keys/new", "is inside"),
            ("free/../outer/mirror/new", "is inside"),
            ("outer", "contains"),
            ("around", "contains"),
            ("link/..", "contains"),
            ("file", "is not a folder"),
            ("dangling", "is not a folder"),
            ("missing/new", "creates only the last folder"),
            ("file/new", "creates only the last folder"),
            ("medium/data", "is inside the medium"),
            ("medium/data/KB1/new", "is inside the medium"),
            ("medium/tools", "is inside the medium"),
        ] {
            let error = place(to).unwrap_err();
            assert!(error.message().contains(words), "{to}: {error}");
            assert_eq!(error.kind(), ErrorKind::Usage, "{to}");
        }
        for (to, is_new) in
            [("free", false), ("free/new", true), ("link", false), ("medium", false), ("medium/b", true)]
        {
            let place = place(to).unwrap();
            assert_eq!(place.is_new, is_new, "{to}");
            // The mirror and the folders of this test are on one file system.
            assert!(place.local.is_some(), "{to}");
            let error = TargetFolder::new(&folder.join(to), &layout, true).unwrap_err();
            assert!(error.message().starts_with("--expect-mount: "), "{error}");
        }
        assert!(!disk::exists(&folder.join("free/new")));
    }
}
