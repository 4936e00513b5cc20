//! A folder that is opened once and below which no link is followed.
//!
//! This type is for folders that other people prepared, such as a medium. Every component of a path below the
//! folder is opened by itself and must be a real folder; a file must be a regular file. So nothing is read,
//! written, or removed outside of the folder, also when a component becomes a link while the program runs. Pipes,
//! devices, and sockets are refused before they are opened, and opening never blocks.
//!
//! An entry of the wrong kind is [`ErrorKind::Integrity`]. The caller maps the error to its own kind.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};

use super::write::{TEMPORARY_PREFIX, make_readable_by_all};
use super::{Entry, NewFile, disk_error, with_retry};
use crate::error::{Error, ErrorKind, Result};

/// An open folder. Its paths are relative to the folder, with `/` between their components. The empty path is the
/// folder itself.
#[derive(Debug, Clone)]
pub struct OpenFolder {
    dir: Arc<Dir>,
    path: Utf8PathBuf,
}

impl OpenFolder {
    /// Opens a folder. Follows links in this path, because the caller named it.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority());
        let dir = dir.map_err(|error| disk_error("open the folder", path, error))?;
        Ok(Self { dir: Arc::new(dir), path: path.to_owned() })
    }

    /// Creates a folder in an existing parent and opens it. Refuses a path that exists already.
    pub fn create(path: &Utf8Path) -> Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| disk_error("create the folder", path, io::ErrorKind::InvalidInput.into()))?;
        let parent = Self::open(super::parent(path))?;
        if !parent.create_dir(name)? {
            return Err(disk_error("create the folder", path, io::ErrorKind::AlreadyExists.into()));
        }
        Ok(Self { dir: parent.open_required(name)?, path: path.to_owned() })
    }

    /// Returns the path under which the folder was opened.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns the full path of an entry below the folder, for messages.
    pub fn locate(&self, path: &str) -> Utf8PathBuf {
        if path.is_empty() { self.path.clone() } else { self.path.join(path) }
    }

    /// Opens a folder below this one. Refuses a path that does not exist or is not a real folder.
    pub fn inner(&self, path: &str) -> Result<Self> {
        Ok(Self { dir: self.open_required(path)?, path: self.locate(path) })
    }

    /// Returns the kind of entry at a path.
    pub fn entry(&self, path: &str) -> Result<Entry> {
        let Some((dir, name)) = self.open_parent(path)? else { return Ok(Entry::Missing) };
        if name.is_empty() {
            return Ok(Entry::Folder);
        }
        Ok(self.metadata_of(&dir, name, path)?.map_or(Entry::Missing, |metadata| entry_kind(&metadata)))
    }

    /// Returns the sorted names in a folder. The list is empty if the folder does not exist.
    pub fn list(&self, path: &str) -> Result<Vec<String>> {
        let Some(dir) = self.open_below(path)? else { return Ok(Vec::new()) };
        let unlisted = |error| disk_error("list", &self.locate(path), error);
        let mut names = Vec::new();
        for entry in dir.entries().map_err(unlisted)? {
            names.push(entry.map_err(unlisted)?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Opens a regular file for reading.
    pub fn open_regular(&self, path: &str) -> Result<std::fs::File> {
        let cannot = |doing: &str, error| disk_error(doing, &self.locate(path), error);
        let absent = || cannot("open", io::ErrorKind::NotFound.into());
        let (dir, name) = self.open_parent(path)?.ok_or_else(absent)?;
        let before = self.metadata_of(&dir, name, path)?.ok_or_else(absent)?;
        if !before.is_file() {
            return Err(self.not_regular(path));
        }
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = match dir.open_with(name, &options) {
            Ok(file) => file.into_std(),
            // The entry was a regular file and has been replaced since.
            Err(_) if !self.metadata_of(&dir, name, path)?.is_some_and(|now| now.is_file()) => {
                return Err(self.not_regular(path));
            }
            Err(error) => return Err(cannot("open", error)),
        };
        if !file.metadata().map_err(|error| cannot("examine", error))?.is_file() {
            return Err(self.not_regular(path));
        }
        Ok(file)
    }

    /// Reads a complete regular file of at most `cap` bytes. Returns `None` if the file is larger.
    pub fn read(&self, path: &str, cap: u64) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let read = self.open_regular(path)?.take(cap.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| disk_error("read", &self.locate(path), error))?;
        Ok((bytes.len() as u64 <= cap).then_some(bytes))
    }

    /// Creates one folder in an existing parent. Returns `false` if a real folder exists there already.
    pub fn create_dir(&self, path: &str) -> Result<bool> {
        let (dir, name) = self.open_required_parent(path)?;
        match dir.create_dir(name) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.open_required(path).map(|_| false)
            }
            Err(error) => Err(disk_error("create the folder", &self.locate(path), error)),
        }
    }

    /// Creates a new file. Removes an existing entry of that name, and never follows a link.
    pub fn create_new(&self, path: &str) -> Result<NewFile> {
        self.remove_file(path)?;
        let (dir, name) = self.open_required_parent(path)?;
        let file = create_new(&dir, name).map_err(|error| disk_error("write", &self.locate(path), error))?;
        Ok(NewFile::new(file, self.locate(path)))
    }

    /// Writes a complete file so that a reader sees the old content or the new one. Creates its folder if
    /// necessary.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.create_dir(folder)?;
        }
        let (dir, name) = self.open_required_parent(path)?;
        let file = self.locate(path);
        let (mut new, temporary) =
            create_temporary(&dir).map_err(|error| disk_error("write in", &self.path, error))?;
        let written = new.write_all(bytes).and_then(|()| new.sync_all());
        let placed = written.map_err(|error| disk_error("write", &file, error)).and_then(|()| {
            make_readable_by_all(&new, &file)?;
            with_retry(|| dir.rename(&temporary, &dir, name))
                .map_err(|error| disk_error("replace", &file, error))
        });
        if placed.is_err() {
            // The first error says more than a failed cleanup. Such names are removed later.
            let _left = dir.remove_file(&temporary);
        }
        placed?;
        self.sync(&dir, path)
    }

    /// Gives a regular file a second name. Returns `false` if that is not possible.
    pub fn link(&self, from: &str, to: &str) -> bool {
        let linked = || {
            let ((from_dir, from), (to_dir, to)) =
                (self.open_required_parent(from)?, self.open_required_parent(to)?);
            Ok::<_, Error>(from_dir.hard_link(from, &to_dir, to).is_ok())
        };
        linked().unwrap_or(false)
    }

    /// Renames a file and replaces a file of the new name.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let ((from_dir, from_name), (to_dir, to_name)) =
            (self.open_required_parent(from)?, self.open_required_parent(to)?);
        with_retry(|| from_dir.rename(from_name, &to_dir, to_name))
            .map_err(|error| disk_error(&format!("rename {from} to"), &self.locate(to), error))?;
        self.sync(&to_dir, to)
    }

    /// Removes a file, or a link itself. Succeeds if the path does not exist.
    pub fn remove_file(&self, path: &str) -> Result<()> {
        let Some((dir, name)) = self.open_parent(path)? else { return Ok(()) };
        match dir.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(disk_error("remove", &self.locate(path), error))
            }
            _ => Ok(()),
        }
    }

    /// Removes a folder if it is empty. Returns `true` if the folder was removed.
    pub fn remove_empty_dir(&self, path: &str) -> bool {
        matches!(self.open_parent(path), Ok(Some((dir, name))) if dir.remove_dir(name).is_ok())
    }

    /// Makes the names in a folder durable.
    pub fn sync_dir(&self, path: &str) -> Result<()> {
        let dir = self.open_required(path)?;
        self.sync(&dir, path)
    }

    /// Advises the system to drop the cached bytes of a file, which must be synced. Returns `true` if the system
    /// accepted the advice. This proves nothing about lower caches.
    pub fn drop_cached(&self, path: &str) -> bool {
        self.open_regular(path).is_ok_and(|file| super::place::drop_cached_of(&file))
    }

    #[cfg_attr(not(unix), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "Unix syncs"))]
    fn sync(&self, dir: &Dir, path: &str) -> Result<()> {
        #[cfg(unix)]
        {
            // The existing handle may not have the right to sync the folder.
            let synced = dir.open(".").and_then(|folder| folder.sync_all());
            synced.map_err(|error| disk_error("sync the folder of", &self.locate(path), error))?;
        }
        #[cfg(not(unix))]
        let _ = (dir, path);
        Ok(())
    }

    /// Opens a folder below this one, component by component. Returns `None` if a component is missing.
    fn open_below(&self, path: &str) -> Result<Option<Arc<Dir>>> {
        let mut dir = Arc::clone(&self.dir);
        let mut end = 0;
        for name in path.split('/').filter(|_| !path.is_empty()) {
            end += name.len() + usize::from(end > 0);
            let here = path.get(..end).unwrap_or(path);
            self.expect_name(name, here)?;
            match dir.open_dir_nofollow(name) {
                Ok(inner) => dir = Arc::new(inner),
                Err(error) => match self.metadata_of(&dir, name, here)? {
                    None => return Ok(None),
                    Some(there) if there.is_dir() => {
                        return Err(disk_error("open the folder", &self.locate(here), error));
                    }
                    Some(_) => {
                        let what = format!("{} is not a real folder", self.locate(here));
                        return Err(Error::new(ErrorKind::Integrity, what));
                    }
                },
            }
        }
        Ok(Some(dir))
    }

    fn open_required(&self, path: &str) -> Result<Arc<Dir>> {
        let absent = || disk_error("open the folder", &self.locate(path), io::ErrorKind::NotFound.into());
        self.open_below(path)?.ok_or_else(absent)
    }

    /// Opens the parent folder of a path, and returns it with the last component. Returns `None` if the parent is
    /// missing.
    fn open_parent<'p>(&self, path: &'p str) -> Result<Option<(Arc<Dir>, &'p str)>> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !path.is_empty() {
            self.expect_name(name, path)?;
        }
        Ok(self.open_below(folder)?.map(|dir| (dir, name)))
    }

    fn open_required_parent<'p>(&self, path: &'p str) -> Result<(Arc<Dir>, &'p str)> {
        let absent =
            || disk_error("open the folder above", &self.locate(path), io::ErrorKind::NotFound.into());
        self.open_parent(path)?.ok_or_else(absent)
    }

    fn metadata_of(&self, dir: &Dir, name: &str, path: &str) -> Result<Option<Metadata>> {
        match dir.symlink_metadata(name) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk_error("examine", &self.locate(path), error)),
        }
    }

    /// Refuses a component that does not name an entry in its own folder.
    fn expect_name(&self, name: &str, path: &str) -> Result<()> {
        if matches!(name, "" | "." | "..") {
            return Err(Error::new(
                ErrorKind::Integrity,
                format!("{path:?} is not a path below {}", self.path),
            ));
        }
        Ok(())
    }

    fn not_regular(&self, path: &str) -> Error {
        Error::new(ErrorKind::Integrity, format!("{} is not a regular file", self.locate(path)))
    }
}

fn entry_kind(metadata: &Metadata) -> Entry {
    if metadata.is_file() {
        Entry::File(metadata.len())
    } else if metadata.is_dir() {
        Entry::Folder
    } else {
        Entry::Other
    }
}

fn create_new(dir: &Dir, name: &str) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).follow(FollowSymlinks::No);
    Ok(dir.open_with(name, &options)?.into_std())
}

/// Creates a file under a new temporary name.
fn create_temporary(dir: &Dir) -> io::Result<(std::fs::File, String)> {
    /// The same number of letters as in the other temporary names of this program.
    const LETTERS: usize = 6;
    loop {
        let mut name = uuid::Uuid::new_v4().simple().to_string();
        name.truncate(LETTERS);
        name.insert_str(0, TEMPORARY_PREFIX);
        match create_new(dir, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|file| (file, name)),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::disk;

    struct TestFolders {
        _guard: tempfile::TempDir,
        outside: Utf8PathBuf,
        folder: OpenFolder,
    }

    /// Creates a folder with one file, and a second folder beside it that must not change.
    fn test_folders() -> TestFolders {
        let guard = tempfile::tempdir().unwrap();
        let base = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        let (inside, outside) = (base.join("inside"), base.join("outside"));
        for folder in [&inside, &outside] {
            disk::write_atomic(&folder.join("sub/file"), b"old").unwrap();
        }
        TestFolders { _guard: guard, outside, folder: OpenFolder::open(&inside).unwrap() }
    }

    #[test]
    fn reads_and_changes_entries_below_the_folder() {
        let TestFolders { _guard, folder, .. } = test_folders();
        folder.write("new/a", b"text").unwrap();
        folder.write("b", b"text").unwrap();
        assert_eq!(folder.list("").unwrap(), ["b", "new", "sub"]);
        assert_eq!(folder.read("new/a", 4).unwrap().unwrap(), b"text");
        assert_eq!(folder.read("new/a", 3).unwrap(), None);
        assert!(folder.link("b", "new/c"));
        folder.rename("new/c", "sub/file").unwrap();
        assert_eq!(folder.inner("sub").unwrap().read("file", 9).unwrap().unwrap(), b"text");
        let mut new = folder.create_new("b").unwrap();
        new.write(b"other").unwrap();
        new.finish().unwrap();
        assert_eq!(folder.read("sub/file", 9).unwrap().unwrap(), b"text", "the other name keeps its bytes");
        folder.remove_file("new/a").unwrap();
        folder.remove_file("new/a").unwrap();
        assert!(folder.remove_empty_dir("new") && !folder.remove_empty_dir("sub"));
        assert_eq!((folder.entry("new/a/x").unwrap(), folder.list("no").unwrap()), (Entry::Missing, vec![]));
        assert_eq!((folder.entry("").unwrap(), folder.entry("b").unwrap()), (Entry::Folder, Entry::File(5)));
        assert!(!folder.create_dir("sub").unwrap());
    }

    #[test]
    fn does_not_follow_links() {
        let TestFolders { _guard, outside, folder } = test_folders();
        symlink(&outside, folder.locate("out")).unwrap();
        symlink("sub", folder.locate("in")).unwrap();
        symlink(outside.join("sub/file"), folder.locate("file")).unwrap();
        for link in ["out/sub", "in"] {
            let at = |name: &str| format!("{link}/{name}");
            let refusals = [
                folder.entry(&at("file")).map(drop),
                folder.list(link).map(drop),
                folder.read(&at("file"), 9).map(drop),
                folder.write(&at("file"), b"new"),
                folder.create_new(&at("file")).map(drop),
                folder.create_dir(&at("made")).map(drop),
                folder.rename("sub/file", &at("file")),
                folder.rename(&at("file"), "sub/other"),
                folder.remove_file(&at("file")),
                folder.sync_dir(link),
            ];
            for refusal in refusals {
                let error = refusal.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
                assert!(error.message().ends_with("is not a real folder"), "{error}");
            }
            assert!(!folder.link("sub/file", &at("second")) && !folder.remove_empty_dir(&at("sub")));
        }
        assert_eq!(folder.entry("file").unwrap(), Entry::Other);
        assert_eq!(folder.open_regular("file").unwrap_err().kind(), ErrorKind::Integrity);
        folder.write("file", b"new").unwrap();
        assert_eq!(folder.entry("file").unwrap(), Entry::File(3), "the link itself was replaced");
        for path in ["../outside/sub/file", "sub/../../outside/sub/file", "/etc/passwd", "sub//file", "."] {
            assert!(folder.read(path, 9).is_err() && folder.write(path, b"new").is_err(), "{path}");
        }
        assert_eq!(disk::read(&outside.join("sub/file"), 9).unwrap(), b"old");
        assert_eq!(disk::list(&outside.join("sub")).unwrap(), ["file"]);
    }

    #[test]
    fn non_regular_files_are_refused_without_blocking() {
        let TestFolders { _guard, folder, .. } = test_folders();
        let made = std::process::Command::new("mkfifo").arg(folder.locate("pipe")).status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(folder.locate("socket")).unwrap();
        for name in ["pipe", "socket", "sub"] {
            assert_eq!(folder.open_regular(name).unwrap_err().kind(), ErrorKind::Integrity, "{name}");
        }
    }
}
