//! The container of a file by its first bytes: its format, whether the format fits the name, and whether the file ends
//! before the container does. Pure: the caller reads the beginning, at most [`FIRST_BYTES`] bytes.
//!
//! A digest proves more. This check finds a truncated or replaced package when neither digest nor size is known.

/// The number of bytes to read from the beginning. The header of a WIM image has 208 bytes.
pub const FIRST_BYTES: usize = 512;

/// The number of bytes that identify a container.
pub const MAGIC_LENGTH: usize = 8;

/// The container of a file, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Container {
    /// A cabinet: `MSCF`
    Cabinet,
    /// A WIM image: `MSWIM`
    Wim,
    /// A Windows program: `MZ`
    Program,
    /// A compound file, such as an `.msi`.
    Installer,
    /// A ZIP archive: `PK`
    Zip,
    /// A patch storage file: `PSTREAM`
    PatchStorage,
    /// Data compressed with gzip.
    Gzip,
    /// A PDF document: `%PDF`
    Pdf,
    /// XML: `<?xml`
    Xml,
    /// The beginning of a web page.
    Html,
}

/// Formats by their first bytes.
const MAGIC: [(&[u8], Container); 9] = [
    (b"MSCF", Container::Cabinet),
    (b"MSWIM\0\0\0", Container::Wim),
    (b"MZ", Container::Program),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Container::Installer),
    (b"PK\x03\x04", Container::Zip),
    (b"PSTREAM", Container::PatchStorage),
    (b"\x1f\x8b", Container::Gzip),
    (b"%PDF-", Container::Pdf),
    (b"<?xml", Container::Xml),
];

/// The containers of a file extension. Packages of 24H2 and later are WIM images, older packages are cabinets.
const BY_EXTENSION: [(&str, &[Container]); 8] = [
    ("msu", &[Container::Cabinet, Container::Wim]),
    ("cab", &[Container::Cabinet]),
    ("wim", &[Container::Wim]),
    ("esd", &[Container::Wim]),
    ("exe", &[Container::Program]),
    ("msi", &[Container::Installer]),
    ("msp", &[Container::Installer]),
    ("psf", &[Container::PatchStorage]),
];

impl Container {
    /// Returns the container with these first bytes, or `None` if they are unknown.
    pub fn of(first: &[u8]) -> Option<Self> {
        let known = MAGIC.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, own)| *own);
        known.or_else(|| is_html(first).then_some(Self::Html))
    }

    /// Returns `true` for the containers of package files: all but documents and web pages.
    pub fn is_package(self) -> bool {
        !matches!(self, Self::Gzip | Self::Pdf | Self::Xml | Self::Html)
    }

    /// Returns the name for people, with an article.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Cabinet => "a cabinet",
            Self::Wim => "a WIM image",
            Self::Program => "a Windows program",
            Self::Installer => "an installer database",
            Self::Zip => "a ZIP archive",
            Self::PatchStorage => "a patch storage file",
            Self::Gzip => "gzipped data",
            Self::Pdf => "a PDF document",
            Self::Xml => "XML",
            Self::Html => "a web page",
        }
    }

    /// Returns the word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cabinet => "cab",
            Self::Wim => "wim",
            Self::Program => "exe",
            Self::Installer => "msi",
            Self::Zip => "zip",
            Self::PatchStorage => "psf",
            Self::Gzip => "gzip",
            Self::Pdf => "pdf",
            Self::Xml => "xml",
            Self::Html => "html",
        }
    }
}

fn is_html(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    let begins = |tag: &[u8]| text.get(..tag.len()).is_some_and(|own| own.eq_ignore_ascii_case(tag));
    begins(b"<!doctype html") || begins(b"<html") || begins(b"<head") || begins(b"<body")
}

/// Returns why a file with these first bytes is not what its name states, or `None` if it may be or the extension is
/// unknown.
pub fn mismatch_reason(name: &str, first: &[u8]) -> Option<String> {
    let (_, extension) = name.rsplit_once('.')?;
    let (_, containers) = BY_EXTENSION.iter().find(|(own, _)| own.eq_ignore_ascii_case(extension))?;
    let found = Container::of(first);
    if found.is_some_and(|found| containers.contains(&found)) {
        return None;
    }
    let wanted = containers.iter().map(|container| container.noun()).collect::<Vec<_>>().join(" or ");
    Some(match found {
        Some(found) => format!("it is {}, but a .{extension} file is {wanted}", found.noun()),
        None => format!("it is not {wanted}, which a .{extension} file must be"),
    })
}

/// The length of a file compared with the header of its container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The file has at least all bytes that the header states.
    Complete,
    /// The header states more bytes than the file has.
    Truncated {
        /// The minimum length of the file.
        stated: u64,
    },
    /// The header contradicts itself or has no content; the file cannot be unpacked.
    Broken,
    /// The container does not state a length that this module reads.
    Unknown,
}

/// Compares the length of a file with its header. `first` is the beginning of the file, up to [`FIRST_BYTES`] bytes.
pub fn extent(first: &[u8], length: u64) -> Extent {
    let end = match Container::of(first) {
        Some(Container::Cabinet) => cabinet_end(first),
        Some(Container::Wim) => wim_end(first),
        _ => return Extent::Unknown,
    };
    match end {
        Some(stated) if stated > length => Extent::Truncated { stated },
        Some(_) => Extent::Complete,
        None => Extent::Broken,
    }
}

/// Returns the end of a cabinet: `cbCabinet`, or the end of the signature behind the cabinet.
///
/// The offsets are from Microsoft's cabinet file format: length at 8, first file at 16, flags at 30, and size of the
/// reserved area at 36. The reserved area begins at 40 and holds offset and size of a signature.
fn cabinet_end(first: &[u8]) -> Option<u64> {
    /// The length of the header without optional fields.
    const HEADER: u64 = 36;
    const RESERVE_PRESENT: u16 = 4;
    /// The size of the reserved area that signtool makes, and the number at the start of that area.
    const SIGNED: (u16, u32) = (20, 0x0010_0000);
    if (first.len() as u64) < HEADER {
        return Some(HEADER);
    }
    let length = u64::from(u32_at(first, 8)?);
    let files = u64::from(u32_at(first, 16)?);
    if length < HEADER || files < HEADER || files >= length {
        return None;
    }
    let is_signed = u16_at(first, 30)? & RESERVE_PRESENT != 0
        && u16_at(first, 36).zip(u32_at(first, 40)).is_some_and(|found| found == SIGNED);
    let signature = match (u32_at(first, 44), u32_at(first, 48)) {
        (Some(offset), Some(size)) if is_signed => u64::from(offset) + u64::from(size),
        _ => 0,
    };
    Some(length.max(signature))
}

/// Returns the end of a WIM image, which is the end of its last table. The resource headers of the lookup table, XML
/// data, boot metadata, and integrity table are at 48, 72, 96, and 124. Each has 7 bytes of size, one byte of flags,
/// and the offset.
fn wim_end(first: &[u8]) -> Option<u64> {
    /// The length of the header, which the header also states at 8.
    const HEADER: u64 = 208;
    if (first.len() as u64) < HEADER {
        return Some(HEADER);
    }
    if u64::from(u32_at(first, 8)?) < HEADER {
        return None;
    }
    let table = |at: usize| {
        let (size, offset) = (u64_at(first, at)? & 0x00ff_ffff_ffff_ffff, u64_at(first, at + 8)?);
        offset.checked_add(size).filter(|_| size == 0 || offset >= HEADER).map(|end| (size, end))
    };
    let [lookup, xml, boot, integrity] = [table(48)?, table(72)?, table(96)?, table(124)?];
    // An image that is still being written has neither table.
    if lookup.0 == 0 || xml.0 == 0 {
        return None;
    }
    [lookup, xml, boot, integrity].into_iter().filter(|(size, _)| *size > 0).map(|(_, end)| end).max()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the header of an unsigned cabinet that states this length.
    fn cabinet(length: u32) -> Vec<u8> {
        let mut bytes = b"MSCF\0\0\0\0".to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(44_u32.to_le_bytes());
        bytes.resize(80, 0);
        bytes
    }

    /// Returns a WIM header with tables at these places.
    fn wim(tables: [(u64, u64); 4]) -> Vec<u8> {
        let mut bytes = b"MSWIM\0\0\0".to_vec();
        bytes.extend(208_u32.to_le_bytes());
        bytes.resize(208, 0);
        for (at, (size, offset)) in [48, 72, 96, 124].into_iter().zip(tables) {
            bytes[at..at + 8].copy_from_slice(&(size | 2 << 56).to_le_bytes());
            bytes[at + 8..at + 16].copy_from_slice(&offset.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn file_extension_limits_the_container() {
        assert_eq!(mismatch_reason("a.msu", b"MSCF\0\0\0\0"), None);
        assert_eq!(mismatch_reason("a.MSU", b"MSWIM\0\0\0"), None);
        assert_eq!(mismatch_reason("a.exe", b"MZ\x90\0"), None);
        assert_eq!(mismatch_reason("a.txt", b"<html>"), None, "the extension is unknown");
        assert_eq!(mismatch_reason("a", b""), None);
        assert_eq!(
            mismatch_reason("a.cab", b"PK\x03\x04").unwrap(),
            "it is a ZIP archive, but a .cab file is a cabinet"
        );
        assert_eq!(
            mismatch_reason("a.msu", b"").unwrap(),
            "it is not a cabinet or a WIM image, which a .msu file must be"
        );
        for page in [&b"<!DOCTYPE html>"[..], b"\xef\xbb\xbf\r\n <HTML lang=en>", b"<head>"] {
            assert!(mismatch_reason("a.msu", page).unwrap().contains("a web page"));
        }
        assert!(mismatch_reason("a.msu", b"MZ").unwrap().contains("a Windows program"));
        assert!(mismatch_reason("a.cab", b"MSWIM\0\0\0").is_some(), "a .cab file is not a WIM image");
    }

    #[test]
    fn truncated_cabinet_is_found_by_its_header() {
        assert_eq!(extent(&cabinet(100), 100), Extent::Complete);
        assert_eq!(extent(&cabinet(100), 101), Extent::Complete);
        assert_eq!(extent(&cabinet(100), 99), Extent::Truncated { stated: 100 });
        assert_eq!(extent(b"MSCF", 4), Extent::Truncated { stated: 36 });
        assert_eq!(extent(&cabinet(0), 99), Extent::Broken);
        let mut signed = cabinet(100);
        signed[30] = 4;
        signed[36] = 20;
        signed[40..44].copy_from_slice(&0x0010_0000_u32.to_le_bytes());
        signed[44..48].copy_from_slice(&100_u32.to_le_bytes());
        signed[48..52].copy_from_slice(&50_u32.to_le_bytes());
        assert_eq!(extent(&signed, 150), Extent::Complete);
        assert_eq!(extent(&signed, 149), Extent::Truncated { stated: 150 });
    }

    #[test]
    fn truncated_image_is_found_by_its_header() {
        let image = wim([(100, 1000), (50, 1100), (0, 0), (0, 0)]);
        assert_eq!(extent(&image, 1150), Extent::Complete);
        assert_eq!(extent(&image, 1149), Extent::Truncated { stated: 1150 });
        assert_eq!(
            extent(&wim([(100, 1000), (50, 300), (10, 2000), (5, 3000)]), 3004),
            Extent::Truncated { stated: 3005 }
        );
        assert_eq!(extent(&image[..207], 207), Extent::Truncated { stated: 208 });
        for broken in [
            wim([(0, 0); 4]),
            wim([(100, 1000), (0, 0), (0, 0), (0, 0)]),
            wim([(100, 8), (50, 1100), (0, 0), (0, 0)]),
            wim([(100, u64::MAX), (50, 1100), (0, 0), (0, 0)]),
        ] {
            assert_eq!(extent(&broken, 1 << 30), Extent::Broken);
        }
        assert_eq!(extent(b"MZ", 2), Extent::Unknown);
        assert_eq!(extent(b"", 0), Extent::Unknown);
    }

    proptest::proptest! {
        #[test]
        fn any_first_bytes_are_read_without_panic(
            magic in proptest::sample::select(vec![&b"MSCF"[..], b"MSWIM\0\0\0", b"MZ", b""]),
            rest in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            length in proptest::num::u64::ANY,
        ) {
            let bytes = [magic, &rest].concat();
            let _extent = extent(&bytes, length);
            let _misfit = mismatch_reason("a.msu", &bytes);
        }
    }
}
