//! A reader that seeks in a [`ReadAt`], with a small buffer. The crate `cab` reads headers byte by byte.

use std::io::{self, Read, Seek, SeekFrom};

use crate::read_at::ReadAt;

/// The bytes of one read. A block of a cabinet has up to 38 KiB.
const BUFFER: usize = 64 * 1024;

/// A position in a source, and the last bytes that were read from it.
pub(super) struct SourceReader<'a> {
    source: &'a dyn ReadAt,
    position: u64,
    buffer: Vec<u8>,
    buffer_start: u64,
}

impl<'a> SourceReader<'a> {
    /// Makes a reader at the beginning of a source.
    pub(super) fn new(source: &'a dyn ReadAt) -> Self {
        Self { source, position: 0, buffer: Vec::new(), buffer_start: 0 }
    }

    /// Returns the buffered bytes at the position.
    fn buffered(&self) -> &[u8] {
        let skipped = self.position.checked_sub(self.buffer_start);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        skipped.and_then(|skipped| self.buffer.get(skipped..)).unwrap_or_default()
    }

    /// Replaces the buffer by the bytes at the position.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.resize(BUFFER, 0);
        self.buffer_start = self.position;
        let length = match self.source.read_at(self.position, &mut self.buffer) {
            Ok(length) => length,
            Err(error) => {
                self.buffer.clear();
                return Err(error);
            }
        };
        self.buffer.truncate(length);
        Ok(())
    }
}

impl Read for SourceReader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        if self.buffered().is_empty() {
            self.fill()?;
        }
        let length = self.buffered().read(to)?;
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for SourceReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(change) => self.position.checked_add_signed(change),
            SeekFrom::End(change) => self.source.size().checked_add_signed(change),
        };
        self.position = position.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_seeks_like_a_file() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        let mut reader = SourceReader::new(&bytes);
        for (at, length) in [(0, 10), (65_530, 20), (5, 100_000), (199_990, 10), (199_000, 5)] {
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let mut part = vec![0; length];
            reader.read_exact(&mut part).unwrap();
            assert_eq!(part, bytes[at..at + length]);
        }
        assert_eq!(reader.seek(SeekFrom::End(-1)).unwrap(), 199_999);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, bytes[199_999..]);
        reader.seek(SeekFrom::Start(1 << 40)).unwrap();
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
        assert!(reader.seek(SeekFrom::Current(i64::MIN)).is_err());
    }
}
