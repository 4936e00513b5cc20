//! A file that grows while it arrives, over more than one run: what is there is kept, read again, and gone on with.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::{create_dir_all, failed, parent, remove_file};
use crate::error::Result;

/// A file under `partial/`, open for one writer.
#[derive(Debug)]
pub struct GrowingFile {
    file: File,
    path: Utf8PathBuf,
}

impl GrowingFile {
    /// Opens the file, or makes it. One that is read-only is made writable: earlier versions took that right from partial
    /// files, and a run that was killed then left one.
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
        let file = opened.map_err(|error| failed("write", path, error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Keeps so many bytes at the most, shows them in pieces, and goes on behind them. Says how many there are.
    pub fn keep(&mut self, length: u64, mut show: impl FnMut(&[u8])) -> Result<u64> {
        /// As large as the pieces that everything else reads.
        const PIECE: usize = 256 * 1024;
        let fail = |error| failed("read", &self.path, error);
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
        self.file.set_len(kept).map_err(|error| failed("shorten", &self.path, error))?;
        self.file.seek(SeekFrom::Start(kept)).map_err(|error| failed("write", &self.path, error))?;
        Ok(kept)
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed("write", &self.path, error))
    }

    /// Asks the disk for room up to a length, so that a disk which is too small says so now, and the file lies in one piece.
    /// The length of the file stays as it is. A file system that knows no such thing is no fault, and memory is not asked:
    /// reserving there costs as much as writing (it took half of a fetch onto tmpfs), and there are no pieces.
    pub fn reserve(&self, length: u64) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate, fstatfs};
            // `TMPFS_MAGIC` of the kernel's `magic.h`; the type of the field hangs on the machine.
            if fstatfs(&self.file).is_ok_and(|system| system.f_type == 0x0102_1994) {
                return Ok(());
            }
            let reserved = fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, length.max(1));
            if reserved == Err(rustix::io::Errno::NOSPC) {
                return Err(failed("reserve room for", &self.path, io::ErrorKind::StorageFull.into()));
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _elsewhere_the_disk_says_so_when_it_is_full = length;
        Ok(())
    }

    /// Makes the bytes durable.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| failed("sync", &self.path, error))
    }

    /// Gives back the room behind the last byte, and makes everything durable.
    pub fn finish(mut self) -> Result<()> {
        let length = self.file.stream_position().map_err(|error| failed("write", &self.path, error))?;
        self.file.set_len(length).map_err(|error| failed("shorten", &self.path, error))?;
        self.file.sync_all().map_err(|error| failed("sync", &self.path, error))
    }
}

/// Gives the owner the right to write to a file. A file with a second name is removed: the right would be that of all names.
fn make_writable(path: &Utf8Path) -> Result<()> {
    let fail = |error| failed("set the mode of", path, error);
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

/// Returns the number of names of a file; 1 where the system does not tell.
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

/// What tells this start of the machine from the one before; `None` where nobody says it.
///
/// What was written before a power cut may be lost although it was written; after the mere end of a process it is not.
pub fn boot() -> Option<String> {
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
    fn a_partial_file_that_is_read_only_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("x")).unwrap();
        disk::write_atomic(&path, b"one").unwrap();
        disk::set_read_only(&path).unwrap();
        make_writable(&path).unwrap();
        assert!(!fs::metadata(&path).unwrap().permissions().readonly());
        // The whole way, for a user who is held to modes.
        disk::set_read_only(&path).unwrap();
        let mut file = GrowingFile::open(&path).unwrap();
        assert_eq!(file.keep(100, |_| ()).unwrap(), 3);
        file.append(b" two").unwrap();
        file.finish().unwrap();
        assert_eq!(disk::read(&path, 10).unwrap(), b"one two");
        // A second name keeps its bytes and its mode.
        let other = path.with_file_name("y");
        assert!(disk::link(&path, &other).unwrap());
        disk::set_read_only(&other).unwrap();
        make_writable(&path).unwrap();
        assert!(!disk::exists(&path) && fs::metadata(&other).unwrap().permissions().readonly());
    }

    #[test]
    fn what_is_kept_is_shown_and_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().join("partial").join("x")).unwrap();
        let mut file = GrowingFile::open(&path).unwrap();
        file.reserve(1 << 20).unwrap();
        file.append(b"one two").unwrap();
        file.sync().unwrap();
        drop(file);
        assert_eq!(disk::file_size(&path).unwrap(), Some(7), "reserved room is no content");
        let mut file = GrowingFile::open(&path).unwrap();
        let mut shown = Vec::new();
        assert_eq!(file.keep(3, |bytes| shown.extend_from_slice(bytes)).unwrap(), 3);
        file.append(b"!").unwrap();
        file.finish().unwrap();
        assert_eq!((shown.as_slice(), disk::read(&path, 10).unwrap()), (&b"one"[..], b"one!".to_vec()));
        let mut file = GrowingFile::open(&path).unwrap();
        assert_eq!(file.keep(100, |_| ()).unwrap(), 4, "more than there is cannot be kept");
    }
}
