//! `set.json`: the description of an export set.

use super::names::refused;
use super::paths::check_path;
use crate::documents::MediumSet;
use crate::error::{Error, Result};

/// The format of `set.json` and of the listing.
pub(in crate::carrier) const SET_FORMAT: u32 = 1;

/// Returns the text of `set.json`, which is signed in this form.
pub(in crate::carrier) fn set_text(set: &MediumSet) -> Result<String> {
    let mut text = serde_json::to_string_pretty(set).map_err(Error::cannot_write_json)?;
    text.push('\n');
    Ok(text)
}

/// Reads a `set.json` whose signature was checked already.
pub(in crate::carrier) fn read_set(text: &str) -> Result<MediumSet> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| refused("set.json cannot be read").caused_by(error))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or(u64::MAX);
    if format > u64::from(SET_FORMAT) {
        return Err(refused(format!(
            "set.json has format {format}; this program reads formats up to {SET_FORMAT}"
        ))
        .hint("use the version of kbmirror that wrote it, or a newer one"));
    }
    let set: MediumSet =
        serde_json::from_value(value).map_err(|error| refused("set.json cannot be read").caused_by(error))?;
    for name in set.tag_files.keys() {
        check_path(name)?;
    }
    Ok(set)
}
