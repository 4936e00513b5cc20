//! The mark of an export that was begun. It says whose the export is and names every file that it may leave, so that the
//! next one recognises an interrupted medium, and never takes a file of others for its own. It is one file, signed inside:
//! it is there whole or not at all.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::describe::signer;
use super::keys::KeyList;
use super::medium::{DATA, UNFINISHED_MARK, caps, check_path, refused};
use super::reading::read_text;
use super::signature::SecretKey;
use crate::disk::{self, Entry};
use crate::error::{Error, Result};

/// The format of the mark.
const MARK_FORMAT: u32 = 1;

/// An export that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The format.
    pub(super) format: u32,
    /// Always "kbmirror unfinished export".
    pub(super) what: String,
    /// The mirror whose export it is.
    pub(super) mirror_id: String,
    /// The number of its root key.
    pub(super) lineage: String,
    /// The number of the set.
    pub(super) seq: u64,
    /// The time of its begin (RFC 3339).
    pub(super) created: String,
    /// Every file under `data/` that it may leave.
    pub(super) files: Vec<String>,
}

/// The text of a mark with its signature.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    body: String,
    signature: String,
}

impl Mark {
    /// Makes a mark for some files.
    pub(super) fn new(mirror_id: &str, lineage: &str, seq: u64, created: &str, files: Vec<String>) -> Self {
        Self {
            format: MARK_FORMAT,
            what: "kbmirror unfinished export".to_owned(),
            mirror_id: mirror_id.to_owned(),
            lineage: lineage.to_owned(),
            seq,
            created: created.to_owned(),
            files,
        }
    }

    /// Writes the mark onto a medium.
    pub(super) fn write(&self, root: &Utf8Path, key: &SecretKey) -> Result<()> {
        let body = serde_json::to_string(self).map_err(Error::cannot_write_json)?;
        let signature = key.sign(body.as_bytes(), "unfinished export")?;
        let text =
            serde_json::to_string_pretty(&Signed { body, signature }).map_err(Error::cannot_write_json)?;
        disk::write_atomic(&root.join(UNFINISHED_MARK), text.as_bytes())
    }

    /// Reads the mark of a medium, if there is one that one of the keys has signed.
    pub(super) fn read(root: &Utf8Path, keys: &KeyList) -> Result<Option<Self>> {
        if disk::entry(&root.join(UNFINISHED_MARK))? == Entry::Nothing {
            return Ok(None);
        }
        let text = read_text(root, UNFINISHED_MARK, caps::MANIFEST)?;
        let unreadable = |error| refused(format!("{UNFINISHED_MARK} cannot be read")).caused_by(error);
        let signed: Signed = serde_json::from_str(&text).map_err(unreadable)?;
        signer(keys, signed.body.as_bytes(), &signed.signature, UNFINISHED_MARK)?;
        let mark: Self = serde_json::from_str(&signed.body).map_err(unreadable)?;
        if mark.format > MARK_FORMAT {
            return Err(refused(format!(
                "{UNFINISHED_MARK} has format {}; this program reads formats up to {MARK_FORMAT}",
                mark.format
            )));
        }
        for path in &mark.files {
            check_path(path)?;
            if !path.starts_with(&format!("{DATA}/")) {
                return Err(refused(format!("{UNFINISHED_MARK} names {path}, which is not a file of a set")));
            }
        }
        Ok(Some(mark))
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::carrier::keys::ExportKey;

    #[test]
    fn a_mark_is_believed_under_its_signature_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        let key = SecretKey::generate().unwrap();
        let list = |key: &SecretKey| KeyList {
            format: 1,
            version: 1,
            root: key.public().unwrap(),
            export_keys: vec![ExportKey { key: key.public().unwrap(), valid_from: String::new() }],
        };
        assert_eq!(Mark::read(&root, &list(&key)).unwrap(), None);
        let path = "data/KB5086672/windows-11-24h2-arm64/a.msu".to_owned();
        let mark = Mark::new("id", "lineage", 3, "2026-11-23T08:00:00Z", vec![path]);
        mark.write(&root, &key).unwrap();
        let read = Mark::read(&root, &list(&key)).unwrap().unwrap();
        assert_eq!(read, mark);
        let other = SecretKey::generate().unwrap();
        assert!(Mark::read(&root, &list(&other)).is_err());
        let text = disk::read_text(&root.join(UNFINISHED_MARK), 1 << 20).unwrap();
        disk::write_atomic(&root.join(UNFINISHED_MARK), text.replace("a.msu", "b.msu").as_bytes()).unwrap();
        assert!(Mark::read(&root, &list(&key)).is_err());
    }
}
