//! All file access of the crate.
//!
//! Each function names the path in its error and maps a full disk to [`ErrorKind::NoSpace`]. A new or changed file
//! becomes visible by a rename within one file system, after its bytes were synced. The folder is synced after the
//! rename: a reader sees the old state or the new one, also after a power cut. Listings are sorted.
//!
//! On Windows a rename may fail for a moment while a virus scanner holds the file; there, renames are retried for
//! some seconds.
#![expect(clippy::disallowed_methods, reason = "clippy.toml bans these methods everywhere else")]

#[cfg(test)]
pub(crate) mod crash;
mod new_file;
mod open_folder;
mod partial_file;
mod place;
mod random_file;
mod secret;
mod space;
#[cfg(test)]
mod tests;
mod write;

use std::fs::{self, File};
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, ErrorKind, Result};

fn disk_error(doing: &str, path: &Utf8Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("cannot {doing} {path}")).caused_by(error)
}

pub use new_file::NewFile;
pub use open_folder::OpenFolder;
pub use partial_file::{PartialFile, boot_id};
pub use place::{canonical, link, modified, set_modified, volume};
pub use random_file::RandomFile;
pub use secret::{Privacy, privacy};
pub use space::{allocated, available_space, supports_file_size, supports_links, with_overhead};
pub use write::{TEMPORARY_PREFIX, append_line, write_atomic, write_if_changed, write_named, write_secret};

/// Returns `true` if something exists at a path. Returns `false` for a path that cannot be examined; a later use of
/// the path reports the error.
pub fn exists(path: &Utf8Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Returns the size of a regular file, or `None` if the path is not a regular file.
pub fn file_size(path: &Utf8Path) -> Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

/// The identity of a file on this machine, independent of its names: volume and file number.
pub type FileNumber = (u64, u64);

/// Returns the identity of the file at a path, without following links. Two names with the same identity are one
/// file. Returns `None` if the path does not exist, or if the system does not provide identities.
pub fn file_number(path: &Utf8Path) -> Result<Option<FileNumber>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(number_of(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not tell")]
fn number_of(metadata: &fs::Metadata) -> Option<FileNumber> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number_of(_metadata: &fs::Metadata) -> Option<FileNumber> {
    None
}

/// The state of a file. It changes when the file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    number: Option<FileNumber>,
    size: u64,
    modified: Option<std::time::SystemTime>,
}

/// Returns the state of the entry at a path, without following links, or `None` if the path does not exist.
pub fn stamp(path: &Utf8Path) -> Result<Option<FileStamp>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(FileStamp {
            number: number_of(&metadata),
            size: metadata.len(),
            modified: metadata.modified().ok(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

/// Returns the absolute form of a path. The path does not need to exist.
pub fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf> {
    let absolute = std::path::absolute(path).map_err(|error| disk_error("resolve", path, error))?;
    Utf8PathBuf::from_path_buf(absolute)
        .map_err(|path| Error::new(ErrorKind::Usage, format!("{} is not UTF-8", path.display())))
}

/// Returns `true` if the path is a folder or a link to one.
pub fn is_folder(path: &Utf8Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

/// Returns `true` if the path is a regular file or a link to one.
pub fn is_file(path: &Utf8Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

/// The kind of entry at a path; links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The path does not exist.
    Missing,
    /// A regular file of this many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A link, a device, or another kind of entry.
    Other,
}

/// Returns the kind of entry at a path, without following links.
pub fn entry(path: &Utf8Path) -> Result<Entry> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Entry::File(metadata.len())),
        Ok(metadata) if metadata.is_dir() => Ok(Entry::Folder),
        Ok(_) => Ok(Entry::Other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Entry::Missing),
        Err(error) => Err(disk_error("examine", path, error)),
    }
}

/// Opens a regular file and refuses anything else. A link is not followed, also when it replaces the file during
/// the call.
pub fn open_regular(path: &Utf8Path) -> Result<File> {
    let not_regular = || Error::new(ErrorKind::Integrity, format!("{path} is not a regular file"));
    let before = fs::symlink_metadata(path).map_err(|error| disk_error("examine", path, error))?;
    if !before.is_file() {
        return Err(not_regular());
    }
    let file = open(path)?;
    let opened = file.metadata().map_err(|error| disk_error("examine", path, error))?;
    if !is_same_file(&before, &opened) {
        return Err(not_regular());
    }
    Ok(file)
}

#[cfg(unix)]
fn is_same_file(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same_file(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    b.is_file() && a.len() == b.len()
}

/// Passes the bytes of a file to a closure in pieces, whatever the size of the file.
pub fn read_in_pieces(path: &Utf8Path, mut take: impl FnMut(&[u8])) -> Result<()> {
    let mut pieces = PieceReader::open(path)?;
    while pieces.read_next()? {
        take(pieces.piece());
    }
    Ok(())
}

/// A file that is read piece by piece.
#[derive(Debug)]
pub struct PieceReader {
    path: Utf8PathBuf,
    file: File,
    buffer: Vec<u8>,
    filled: usize,
}

impl PieceReader {
    /// Opens a file without reading from it.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        Ok(Self::new(path, open(path)?))
    }

    /// Opens a regular file and refuses anything else, as [`open_regular`] does.
    pub fn open_regular(path: &Utf8Path) -> Result<Self> {
        Ok(Self::new(path, open_regular(path)?))
    }

    fn new(path: &Utf8Path, file: File) -> Self {
        /// Large enough that reading costs nothing compared to hashing.
        const PIECE: usize = 256 * 1024;
        Self { path: path.to_owned(), file, buffer: vec![0; PIECE], filled: 0 }
    }

    /// Reads the next piece in place of the last one. Returns `false` at the end of the file.
    pub fn read_next(&mut self) -> Result<bool> {
        loop {
            match self.file.read(&mut self.buffer) {
                Ok(length) => {
                    self.filled = length;
                    return Ok(length > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(disk_error("read", &self.path, error)),
            }
        }
    }

    /// Returns the piece that was read last.
    pub fn piece(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }
}

/// Reads the length of a regular file and at most `cap` bytes of its beginning. Refuses links, devices, and pipes.
pub fn read_start(path: &Utf8Path, cap: u64) -> Result<(u64, Vec<u8>)> {
    let file = open_regular(path)?;
    let length = file.metadata().map_err(|error| disk_error("examine", path, error))?.len();
    let mut first = Vec::new();
    file.take(cap).read_to_end(&mut first).map_err(|error| disk_error("read", path, error))?;
    Ok((length, first))
}

/// Reads a complete file of at most `cap` bytes.
pub fn read(path: &Utf8Path, cap: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(cap + 1).read_to_end(&mut bytes).map_err(|error| disk_error("read", path, error))?;
    if bytes.len() as u64 > cap {
        return Err(Error::new(ErrorKind::Internal, format!("{path} is larger than {cap} bytes")));
    }
    Ok(bytes)
}

/// Reads a complete text file of at most `cap` bytes.
pub fn read_text(path: &Utf8Path, cap: u64) -> Result<String> {
    String::from_utf8(read(path, cap)?)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("{path} is not UTF-8")).caused_by(error))
}

/// Opens a file for reading.
pub fn open(path: &Utf8Path) -> Result<File> {
    File::open(path).map_err(|error| disk_error("open", path, error))
}

/// Checks that files can be created in a folder, by creating a temporary file there.
pub fn check_writable(path: &Utf8Path) -> Result<()> {
    let path = if path.as_str().is_empty() { Utf8Path::new(".") } else { path };
    tempfile::tempfile_in(path).map(drop).map_err(|error| disk_error("write in", path, error))
}

/// Creates one folder; its parent must exist. Returns `false` if the path exists already.
pub fn create_dir(path: &Utf8Path) -> Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(disk_error("create the folder", path, error)),
    }
}

/// Removes a folder if it is empty. Returns `true` if the folder was removed.
pub fn remove_empty_dir(path: &Utf8Path) -> bool {
    fs::remove_dir(path).is_ok()
}

/// Creates a folder and its missing parents. The names of new folders are durable: the parent of each new folder is
/// synced.
pub fn create_dir_all(path: &Utf8Path) -> Result<()> {
    if path.as_str().is_empty() || path.as_std_path().is_dir() {
        return Ok(());
    }
    create_dir_all(parent(path))?;
    match fs::create_dir(path) {
        Ok(()) => match sync_dir(parent(path)) {
            // A folder that is writable but not readable cannot be opened, and so cannot be synced.
            Err(error) if is_forbidden(&error) => Ok(()),
            other => other,
        },
        // Another process was faster.
        Err(_) if path.as_std_path().is_dir() => Ok(()),
        Err(error) => Err(disk_error("create the folder", path, error)),
    }
}

fn is_forbidden(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::PermissionDenied)
}

/// Returns the sorted names in a folder. The list is empty if the folder does not exist.
pub fn list(path: &Utf8Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk_error("list", path, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| disk_error("list", path, error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Removes a file. Succeeds if the file does not exist.
pub fn remove_file(path: &Utf8Path) -> Result<()> {
    #[cfg(test)]
    crash::count_change(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk_error("remove", path, error)),
        _ => Ok(()),
    }
}

/// Removes a folder with its content. Succeeds if the folder does not exist.
pub fn remove_dir_all(path: &Utf8Path) -> Result<()> {
    #[cfg(test)]
    crash::count_change(path)?;
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk_error("remove", path, error)),
        _ => Ok(()),
    }
}

/// Renames a file or folder within one file system and syncs its new parent folder.
pub fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    #[cfg(test)]
    crash::count_change(from)?;
    rename_with_retry(from, to).map_err(|error| disk_error(&format!("rename {from} to"), to, error))?;
    sync_dir(parent(to))
}

/// Exchanges two folders in one atomic step. Returns `false`, without any change, if the system or the file system
/// cannot do that.
pub fn exchange(a: &Utf8Path, b: &Utf8Path) -> Result<bool> {
    #[cfg(test)]
    {
        crash::count_change(a)?;
        if !crash::has_exchange() {
            return Ok(false);
        }
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, a.as_std_path(), CWD, b.as_std_path(), RenameFlags::EXCHANGE) {
            Ok(()) => {
                sync_dir(parent(a))?;
                sync_dir(parent(b))?;
                Ok(true)
            }
            // A layered file system (such as overlayfs) cannot move folders of its lower layers.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV) => Ok(false),
            Err(error) => Err(disk_error(&format!("exchange {a} with"), b, error.into())),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (a, b);
        Ok(false)
    }
}

fn rename_with_retry(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    with_retry(|| fs::rename(from, to))
}

#[cfg(not(windows))]
fn with_retry(rename: impl Fn() -> io::Result<()>) -> io::Result<()> {
    rename()
}

#[cfg(windows)]
fn with_retry(rename: impl Fn() -> io::Result<()>) -> io::Result<()> {
    // Virus scanners hold new files open for a moment. Retry for up to 10 s in 50 steps, as other package managers
    // do.
    for _ in 0..50 {
        match rename() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            other => return other,
        }
    }
    rename()
}

/// Makes a file read-only. Pool files share their bytes with published files.
pub fn set_read_only(path: &Utf8Path) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|error| disk_error("examine", path, error))?;
    let mut permissions = metadata.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        permissions.set_mode(0o444);
    }
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    fs::set_permissions(path, permissions).map_err(|error| disk_error("set the mode of", path, error))
}

/// Returns `true` if the mode or attribute of a file allows writing, and `false` if the file does not exist.
pub fn is_writable(path: &Utf8Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.permissions().readonly())
}

/// Makes the names in a folder durable.
pub fn sync_dir(path: &Utf8Path) -> Result<()> {
    #[cfg(test)]
    crash::count_change(path)?;
    #[cfg(unix)]
    {
        let folder = open(path)?;
        folder.sync_all().map_err(|error| disk_error("sync", path, error))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Returns the folder that contains a path.
pub fn parent(path: &Utf8Path) -> &Utf8Path {
    match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    }
}

/// Opens a file for locking and creates it if necessary.
pub(crate) fn open_lock(path: &Utf8Path) -> Result<File> {
    create_dir_all(parent(path))?;
    let options = File::options().read(true).write(true).create(true).truncate(false).open(path);
    options.map_err(|error| disk_error("open", path, error))
}
