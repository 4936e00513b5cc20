//! `manifest-sha256.txt`: the digests of the files under `data/`, in the format of `sha256sum -c`.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{MANIFEST, caps, refused};
use super::paths::check_payload_path;
use crate::error::Result;
use crate::update::Sha256;

/// Returns the manifest of some files as sorted lines: digest, two spaces, path.
pub(in crate::carrier) fn manifest_text(files: &BTreeMap<String, Sha256>) -> String {
    let lines: Vec<String> = files.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect();
    lines.concat()
}

/// Reads a manifest strictly: any changed byte changes the result or is refused.
pub(in crate::carrier) fn read_manifest(text: &str) -> Result<BTreeMap<String, Sha256>> {
    let mut files = BTreeMap::new();
    let mut last: Option<&str> = None;
    let mut folded = BTreeSet::new();
    for line in text.split_inclusive('\n') {
        let wrong =
            || refused(format!("a line of {MANIFEST} does not have the format of kbmirror: {line:?}"));
        let body = line.strip_suffix('\n').ok_or_else(wrong)?;
        let (digits, path) = body.split_at_checked(64).ok_or_else(wrong)?;
        let path = path.strip_prefix("  ").ok_or_else(wrong)?;
        let sha256: Sha256 = digits.parse().map_err(|_| wrong())?;
        if sha256.to_string() != digits || last.is_some_and(|last| last >= path) {
            return Err(wrong());
        }
        check_payload_path(path)?;
        if !folded.insert(path.to_ascii_lowercase()) {
            return Err(refused(format!(
                "{path} and another listed file differ only in the case of letters"
            )));
        }
        files.insert(path.to_owned(), sha256);
        last = Some(path);
        if files.len() > caps::FILES {
            return Err(refused(format!("{MANIFEST} has more than {} files", caps::FILES)));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(number: u8) -> Sha256 {
        Sha256::from_bytes([number; 32])
    }

    fn files() -> BTreeMap<String, Sha256> {
        [
            ("data/KB5086672/windows-11-24h2-arm64.cmd", 1),
            ("data/KB5086672/windows-11-24h2-arm64/windows11.0-kb5086672-arm64_ec8e.msu", 2),
        ]
        .into_iter()
        .map(|(path, number)| (path.to_owned(), digest(number)))
        .collect()
    }

    #[test]
    fn manifest_round_trips_and_every_byte_counts() {
        let text = manifest_text(&files());
        assert_eq!(read_manifest(&text).unwrap(), files());
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert_ne!(read_manifest(&changed).ok(), Some(files()), "byte {place}");
        }
    }

    proptest! {
        #[test]
        fn read_manifest_does_not_panic(text in "\\PC{0,200}") {
            let _read = read_manifest(&text);
        }
    }
}
