//! The mark of an unfinished export. The mark identifies the mirror of the export and names every file that the
//! export may leave behind. The next export uses the mark to recognise an interrupted medium, and never treats
//! foreign files as its own. The mark is one file with its signature inside, so it exists completely or not at all.

use super::keys::KeyList;
use super::signature::SecretKey;
use super::signed::signer;
use crate::carrier::medium::{DATA, UNFINISHED_MARK, check_path, refused};
use crate::clock::Time;
use crate::documents::{ExportMark, SignedMark};
use crate::error::{Error, Result};

/// The format of the mark.
const MARK_FORMAT: u32 = 1;

/// Returns the mark of an export with the files that the export may leave behind.
pub(in crate::carrier) fn new_mark(
    mirror_id: &str,
    lineage: &str,
    seq: u64,
    created: Time,
    files: Vec<String>,
) -> ExportMark {
    ExportMark {
        format: MARK_FORMAT,
        what: "kbmirror unfinished export".to_owned(),
        mirror_id: mirror_id.to_owned(),
        lineage: lineage.to_owned(),
        seq,
        created: created.to_string(),
        files,
    }
}

/// Returns the text of the signed mark file.
pub(in crate::carrier) fn mark_text(mark: &ExportMark, key: &SecretKey) -> Result<String> {
    let body = serde_json::to_string(mark).map_err(Error::cannot_write_json)?;
    let signature = key.sign(body.as_bytes(), "unfinished export")?;
    serde_json::to_string_pretty(&SignedMark { body, signature }).map_err(Error::cannot_write_json)
}

/// Reads the text of a mark. Refuses a mark that none of the keys has signed.
pub(in crate::carrier) fn read_mark(text: &str, keys: &KeyList) -> Result<ExportMark> {
    let unreadable = |error| refused(format!("{UNFINISHED_MARK} cannot be read")).caused_by(error);
    let signed: SignedMark = serde_json::from_str(text).map_err(unreadable)?;
    signer(keys, signed.body.as_bytes(), &signed.signature, UNFINISHED_MARK)?;
    let mark: ExportMark = serde_json::from_str(&signed.body).map_err(unreadable)?;
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
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::super::keys::ExportKey;
    use super::*;

    #[test]
    fn mark_is_accepted_only_with_a_valid_signature() {
        let key = SecretKey::generate().unwrap();
        let list = |key: &SecretKey| KeyList {
            format: 1,
            version: 1,
            root: key.public().unwrap(),
            export_keys: vec![ExportKey {
                key: key.public().unwrap(),
                valid_from: String::new(),
                valid_until: None,
            }],
            retired: Vec::new(),
        };
        let path = "data/KB5086672/windows-11-24h2-arm64/a.msu".to_owned();
        let mark = new_mark("id", "lineage", 3, "2026-11-23T08:00:00Z".parse().unwrap(), vec![path]);
        let text = mark_text(&mark, &key).unwrap();
        assert_eq!(read_mark(&text, &list(&key)).unwrap(), mark);
        let other = SecretKey::generate().unwrap();
        assert!(read_mark(&text, &list(&other)).is_err());
        assert!(read_mark(&text.replace("a.msu", "b.msu"), &list(&key)).is_err());
    }
}
