//! Random access to bytes: the source from which packages are read.
//!
//! A reader that takes a [`ReadAt`] does not know if the bytes are a file, a slice, or a part of another package. So it
//! stays pure, and reads of a large file cost only the bytes that are used. Reads need no exclusive access.
//!
//! A read past the end gives fewer bytes or none. Any other failure is the error of the source.

use std::io;

/// A source of bytes that can be read at any offset.
pub trait ReadAt {
    /// Returns the number of bytes.
    fn size(&self) -> u64;

    /// Reads bytes at an offset into the buffer, and returns their number. Only at the end is it 0.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Fills the buffer with the bytes at an offset. Fails if the source ends before.
    fn read_exact_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(offset, buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    offset += length as u64;
                    buffer = buffer.get_mut(length..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(from), Some(to)) = (rest.get(..length), buffer.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> u64 {
        self.as_slice().size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_read_at_every_offset() {
        let bytes = b"kbmirror".to_vec();
        let mut buffer = [0; 4];
        assert_eq!(bytes.read_at(2, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"mirr");
        assert_eq!(bytes.read_at(6, &mut buffer).unwrap(), 2);
        assert_eq!(bytes.read_at(8, &mut buffer).unwrap(), 0);
        assert_eq!(bytes.read_at(u64::MAX, &mut buffer).unwrap(), 0);
        bytes.read_exact_at(1, &mut buffer).unwrap();
        assert_eq!(&buffer, b"bmir");
        let error = bytes.read_exact_at(5, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
