//! A partial file that grows over more than one run: existing bytes are kept and read again, and the download
//! resumes behind them.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::{create_dir_all, disk_error, parent, remove_file};
use crate::error::Result;

/// A file under `partial/`, open for one writer.
#[derive(Debug)]
pub struct PartialFile {
    file: File,
    path: Utf8PathBuf,
}

impl PartialFile {
    /// Opens the file, or creates it. Makes a read-only file writable: earlier versions made partial files
    /// read-only, and a killed run left such files behind.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        create_dir_all(parent(path))?;
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(path);
        let opened = match open() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                make_writable(path)?;
                open()
            }
            opened => opened,
        };
        let file = opened.map_err(|error| disk_error("write", path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Keeps at most `length` bytes of the file and passes them to `show` in pieces. Later writes append behind
    /// them. Returns the number of kept bytes.
    pub fn keep(&mut self, length: u64, mut show: impl FnMut(&[u8])) -> Result<u64> {
        /// The same size as for all other reads in pieces.
        const PIECE: usize = 256 * 1024;
        let fail = |error| disk_error("read", &self.path, error);
        let mut buffer = vec![0; PIECE];
        let mut kept = 0;
        self.file.seek(SeekFrom::Start(0)).map_err(fail)?;
        while kept < length {
            let most = usize::try_from(length - kept).unwrap_or(PIECE).min(PIECE);
            let read = self.file.read(&mut buffer[..most]).map_err(fail)?;
            if read == 0 {
                break;
            }
            show(&buffer[..read]);
            kept += read as u64;
        }
        self.file.set_len(kept).map_err(|error| disk_error("shorten", &self.path, error))?;
        self.file.seek(SeekFrom::Start(kept)).map_err(|error| disk_error("write", &self.path, error))?;
        Ok(kept)
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| disk_error("write", &self.path, error))
    }

    /// Reserves disk space up to a length, so that a full disk is reported early and the file is not fragmented.
    /// The length of the file does not change.
    ///
    /// A file system without reservations is not an error. On tmpfs no space is reserved: it costs as much as
    /// writing (measured: half of the time of a fetch onto tmpfs), and fragmentation does not matter in memory.
    pub fn reserve(&self, length: u64) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate, fstatfs};
            // `TMPFS_MAGIC` of the kernel's `magic.h`. The type of the field depends on the architecture.
            if fstatfs(&self.file).is_ok_and(|system| system.f_type == 0x0102_1994) {
                return Ok(());
            }
            let reserved = fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, length.max(1));
            if reserved == Err(rustix::io::Errno::NOSPC) {
                return Err(disk_error("reserve space for", &self.path, io::ErrorKind::StorageFull.into()));
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _elsewhere_the_disk_says_so_when_it_is_full = length;
        Ok(())
    }

    /// Makes the bytes durable.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| disk_error("sync", &self.path, error))
    }

    /// Releases the reserved space behind the last byte, and makes everything durable.
    pub fn finish(mut self) -> Result<()> {
        let length = self.file.stream_position().map_err(|error| disk_error("write", &self.path, error))?;
        self.file.set_len(length).map_err(|error| disk_error("shorten", &self.path, error))?;
        self.file.sync_all().map_err(|error| disk_error("sync", &self.path, error))
    }
}

/// Makes a file writable for its owner. Removes a file with a second name, because the mode would change for all
/// its names.
fn make_writable(path: &Utf8Path) -> Result<()> {
    let fail = |error| disk_error("set the mode of", path, error);
    let metadata = fs::symlink_metadata(path).map_err(fail)?;
    if !metadata.is_file() || names_of(&metadata) != 1 {
        return remove_file(path);
    }
    let mut permissions = metadata.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        permissions.set_mode(0o644);
    }
    #[cfg(not(unix))]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).map_err(fail)
}

/// Returns the number of names of a file, or 1 if the system does not report it.
fn names_of(metadata: &fs::Metadata) -> u64 {
    #[cfg(unix)]
    {
        std::os::unix::fs::MetadataExt::nlink(metadata)
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        1
    }
}

/// Returns an identifier of the current boot of the machine, or `None` if the system does not provide one.
///
/// Written bytes may be lost in a power cut. They are not lost when only the process ends.
pub fn boot_id() -> Option<String> {
    #[cfg(target_os = "linux")]
    {
        let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(id.trim().to_owned()).filter(|id| !id.is_empty())
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk;

    #[test]
    fn read_only_partial_file_is_resumed() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("x")).unwrap();
        disk::write_atomic(&path, b"one").unwrap();
        disk::set_read_only(&path).unwrap();
        make_writable(&path).unwrap();
        assert!(!fs::metadata(&path).unwrap().permissions().readonly());
        // Open the file through the public function, for a user whom modes restrict.
        disk::set_read_only(&path).unwrap();
        let mut file = PartialFile::open(&path).unwrap();
        assert_eq!(file.keep(100, |_| ()).unwrap(), 3);
        file.append(b" two").unwrap();
        file.finish().unwrap();
        assert_eq!(disk::read(&path, 10).unwrap(), b"one two");
        // The second name keeps its bytes and its mode.
        let other = path.with_file_name("y");
        assert!(disk::link(&path, &other).unwrap());
        disk::set_read_only(&other).unwrap();
        make_writable(&path).unwrap();
        assert!(!disk::exists(&path) && fs::metadata(&other).unwrap().permissions().readonly());
    }

    #[test]
    fn kept_bytes_are_shown_and_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("partial").join("x")).unwrap();
        let mut file = PartialFile::open(&path).unwrap();
        file.reserve(1 << 20).unwrap();
        file.append(b"one two").unwrap();
        file.sync().unwrap();
        drop(file);
        assert_eq!(disk::file_size(&path).unwrap(), Some(7), "reserved space does not count as content");
        let mut file = PartialFile::open(&path).unwrap();
        let mut shown = Vec::new();
        assert_eq!(file.keep(3, |bytes| shown.extend_from_slice(bytes)).unwrap(), 3);
        file.append(b"!").unwrap();
        file.finish().unwrap();
        assert_eq!((shown.as_slice(), disk::read(&path, 10).unwrap()), (&b"one"[..], b"one!".to_vec()));
        let mut file = PartialFile::open(&path).unwrap();
        assert_eq!(file.keep(100, |_| ()).unwrap(), 4, "cannot keep more bytes than the file has");
    }
}
