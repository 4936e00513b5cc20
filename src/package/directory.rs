//! The directory of a cabinet, with every number checked against the source before the crate `cab` uses it.
//!
//! The crate decompresses, but it trusts a cabinet: a member beyond the end of its data is a panic there. This module
//! accepts only cabinets in which each member lies in its folder, and each block has the length that it states. It also
//! bounds the memory: of the names, and of the window of LZX.
//!
//! The layout is from Microsoft's cabinet file format: CFHEADER, CFFOLDER, CFFILE, and CFDATA.

use std::io::{self, Read as _, Seek as _, SeekFrom};

use super::fault::PackageFault;
use super::member_name::is_safe;
use super::source_reader::SourceReader;
use crate::read_at::ReadAt;

/// The uncompressed bytes of a block, at most: the cabinet format.
const BLOCK: u64 = 32 * 1024;

/// The longest name in the cabinet format, without its end.
const LONGEST_NAME: usize = 255;

/// The largest window of LZX in a cabinet, as a power of two: the cabinet format.
const LARGEST_WINDOW: u16 = 21;

const PREVIOUS_CABINET: u16 = 1;
const NEXT_CABINET: u16 = 2;
const RESERVE_PRESENT: u16 = 4;

/// A member of a cabinet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DirectoryEntry {
    pub(super) name: String,
    pub(super) size: u64,
    folder: usize,
    offset: u64,
}

impl DirectoryEntry {
    /// Returns the bytes of data that must be unpacked for the first `length` bytes of the member.
    pub(super) fn needed(&self, length: u64) -> u64 {
        self.offset + length.min(self.size)
    }
}

#[derive(Debug)]
struct FolderEntry {
    first_block: u64,
    blocks: u16,
    is_stored: bool,
}

/// The members of a cabinet and the places of their data.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) entries: Vec<DirectoryEntry>,
    folders: Vec<FolderEntry>,
    /// The reserved bytes before the data of each block.
    block_reserve: u64,
    /// The bytes that the entries take in memory.
    pub(super) memory: u64,
}

impl Directory {
    /// Reads the directory of the cabinet at `path`. At most `memory` bytes are kept for the names.
    pub(super) fn read(source: &dyn ReadAt, path: &str, memory: u64) -> Result<Self, PackageFault> {
        let mut reader = SourceReader::new(source);
        let of_io = |error| PackageFault::of_io(path, error);
        let header: [u8; 36] = array(&mut reader).map_err(of_io)?;
        if !header.starts_with(b"MSCF") {
            return Err(PackageFault::damaged(path, "it is not a cabinet"));
        }
        let files_at = u64::from(u32_at(&header, 16));
        let (folders, files, flags) = (u16_at(&header, 26), u16_at(&header, 28), u16_at(&header, 30));
        if flags & (PREVIOUS_CABINET | NEXT_CABINET) != 0 {
            return Err(PackageFault::damaged(path, "it is a part of a set of several cabinets"));
        }
        let (mut folder_reserve, mut block_reserve) = (0, 0);
        if flags & RESERVE_PRESENT != 0 {
            let [low, high, of_folder, of_block]: [u8; 4] = array(&mut reader).map_err(of_io)?;
            (folder_reserve, block_reserve) = (i64::from(of_folder), u64::from(of_block));
            let reserve = i64::from(u16::from_le_bytes([low, high]));
            reader.seek(SeekFrom::Current(reserve)).map_err(of_io)?;
        }
        let mut directory = Self { entries: Vec::new(), folders: Vec::new(), block_reserve, memory: 0 };
        for _ in 0..folders {
            let entry: [u8; 8] = array(&mut reader).map_err(of_io)?;
            reader.seek(SeekFrom::Current(folder_reserve)).map_err(of_io)?;
            directory.folders.push(folder_of(entry, path)?);
        }
        reader.seek(SeekFrom::Start(files_at)).map_err(of_io)?;
        for _ in 0..files {
            let entry = directory.read_entry(&mut reader, path)?;
            // The crate keeps each entry twice, and the result keeps its name.
            directory.memory += 4 * entry.name.len() as u64 + 220;
            if directory.memory > memory {
                return Err(PackageFault::TooManyMembers { cabinet: path.to_owned() });
            }
            directory.entries.push(entry);
        }
        Ok(directory)
    }

    fn read_entry(&self, reader: &mut SourceReader<'_>, path: &str) -> Result<DirectoryEntry, PackageFault> {
        let of_io = |error| PackageFault::of_io(path, error);
        let fixed: [u8; 16] = array(reader).map_err(of_io)?;
        let name = read_name(reader, path)?;
        if !is_safe(&name) {
            return Err(PackageFault::UnsafeName { cabinet: path.to_owned(), name });
        }
        let size = u64::from(u32_at(&fixed, 0));
        let offset = u64::from(u32_at(&fixed, 4));
        let folder = usize::from(u16_at(&fixed, 8));
        let member = joined(path, &name);
        let Some(found) = self.folders.get(folder) else {
            return Err(PackageFault::damaged(&member, "its data is not in this cabinet"));
        };
        let most = u64::from(found.blocks) * BLOCK;
        if offset + size > most {
            let reason = format!("it states {size} bytes at {offset}, but its data has at most {most} bytes");
            return Err(PackageFault::damaged(&member, reason));
        }
        Ok(DirectoryEntry { name, size, folder, offset })
    }

    /// Checks the blocks up to the first `length` bytes of a member.
    pub(super) fn check_blocks(
        &self,
        source: &dyn ReadAt,
        entry: &DirectoryEntry,
        length: u64,
        member: &str,
    ) -> Result<(), PackageFault> {
        let Some(folder) = self.folders.get(entry.folder) else {
            return Err(PackageFault::damaged(member, "its data is not in this cabinet"));
        };
        let needed = entry.needed(length);
        let (mut at, mut bytes) = (folder.first_block, 0);
        for _ in 0..folder.blocks {
            if bytes >= needed {
                return Ok(());
            }
            let mut header = [0; 8];
            source.read_exact_at(at, &mut header).map_err(|error| PackageFault::of_io(member, error))?;
            let (packed, unpacked) = (u64::from(u16_at(&header, 4)), u64::from(u16_at(&header, 6)));
            at += 8 + self.block_reserve + packed;
            if unpacked == 0 || unpacked > BLOCK || (folder.is_stored && packed != unpacked) {
                return Err(PackageFault::damaged(member, "a block of its data has an impossible length"));
            }
            if at > source.size() {
                return Err(PackageFault::damaged(member, "it ends too early"));
            }
            bytes += unpacked;
        }
        if bytes >= needed {
            return Ok(());
        }
        Err(PackageFault::damaged(member, format!("it needs {needed} bytes of data, but {bytes} are there")))
    }
}

/// Reads the place and the compression of a folder. Quantum is not used by any package of Windows since Vista.
fn folder_of(entry: [u8; 8], path: &str) -> Result<FolderEntry, PackageFault> {
    let compression = u16_at(&entry, 6);
    let window = compression >> 8 & 0x1f;
    let is_stored = match compression & 0xf {
        0 => true,
        1 => false,
        3 if window <= LARGEST_WINDOW => false,
        _ => {
            let reason = format!("its compression {compression:#06x} is unknown");
            return Err(PackageFault::damaged(path, reason));
        }
    };
    Ok(FolderEntry { first_block: u64::from(u32_at(&entry, 0)), blocks: u16_at(&entry, 4), is_stored })
}

/// Reads a name and its end. Bytes that are not UTF-8 are replaced as the crate does.
fn read_name(reader: &mut SourceReader<'_>, path: &str) -> Result<String, PackageFault> {
    let mut bytes = Vec::new();
    loop {
        let [byte]: [u8; 1] = array(reader).map_err(|error| PackageFault::of_io(path, error))?;
        match byte {
            0 => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ if bytes.len() == LONGEST_NAME => {
                return Err(PackageFault::damaged(path, "the name of a member is too long"));
            }
            byte => bytes.push(byte),
        }
    }
}

/// Returns the path of a member of the cabinet at `path`.
pub(super) fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn array<const LENGTH: usize>(reader: &mut SourceReader<'_>) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns the number at an offset, or 0 past the end. All callers read inside of their arrays.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |found| u16::from_le_bytes(*found))
}

/// Returns the number at an offset, or 0 past the end. All callers read inside of their arrays.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |found| u32::from_le_bytes(*found))
}
