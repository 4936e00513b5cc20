//! What do the first bytes of a file say that it is, and does that fit its name? Pure.
//!
//! It settles nothing that a digest settles; it tells people what came in place of a package, and it is all there is for a
//! file of which nobody states a digest.

/// Formats by their first bytes.
const MAGIC: [(&[u8], &str); 9] = [
    (b"MSCF", "a cabinet"),
    (b"MSWIM\0\0\0", "a WIM image"),
    (b"MZ", "a Windows program"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an installer database"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PSTREAM", "a patch storage file"),
    (b"\x1f\x8b", "gzipped data"),
    (b"%PDF-", "a PDF document"),
    (b"<?xml", "XML"),
];

/// What packages of a name extension are made of. Packages of 24H2 and later are WIM images, older ones cabinets.
const CONTAINERS: [(&str, &[&str]); 8] = [
    ("msu", &["a cabinet", "a WIM image"]),
    ("cab", &["a cabinet"]),
    ("wim", &["a WIM image"]),
    ("esd", &["a WIM image"]),
    ("exe", &["a Windows program"]),
    ("msi", &["an installer database"]),
    ("msp", &["an installer database"]),
    ("psf", &["a patch storage file"]),
];

/// How many bytes are looked at.
pub(super) const LOOKED_AT: usize = 8;

/// What the first bytes are of, if that is anything that is known.
fn sort_of(first: &[u8]) -> Option<&'static str> {
    MAGIC.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, sort)| *sort)
}

/// Why a file with these first bytes is not what its name says; `None` when it may be, or when nobody knows the name.
pub(super) fn misnamed(name: &str, first: &[u8]) -> Option<String> {
    let (_, extension) = name.rsplit_once('.')?;
    let (_, containers) = CONTAINERS.iter().find(|(own, _)| own.eq_ignore_ascii_case(extension))?;
    let found = sort_of(first);
    if found.is_some_and(|found| containers.contains(&found)) {
        return None;
    }
    let wanted = containers.join(" or ");
    Some(match found {
        Some(found) => format!("it is {found}, and a .{extension} file is {wanted}"),
        None => format!("it is not {wanted}, as a .{extension} file is"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_by_name() {
        assert_eq!(misnamed("a.msu", b"MSCF\0\0\0\0"), None);
        assert_eq!(misnamed("a.MSU", b"MSWIM\0\0\0"), None);
        assert_eq!(misnamed("a.exe", b"MZ\x90\0"), None);
        assert_eq!(misnamed("a.txt", b"<html>"), None, "nobody knows");
        assert_eq!(misnamed("a", b""), None);
        let zip = misnamed("a.cab", b"PK\x03\x04").unwrap();
        assert_eq!(zip, "it is a ZIP archive, and a .cab file is a cabinet");
        assert_eq!(misnamed("a.msu", b"").unwrap(), "it is not a cabinet or a WIM image, as a .msu file is");
    }
}
