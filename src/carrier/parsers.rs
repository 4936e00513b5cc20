//! The access of the fuzz targets to the parsers of a medium. Each function takes a text and returns a value or a
//! refusal. No other code uses this module.

use std::collections::BTreeMap;

use super::medium;
use super::trust;
use crate::documents::MediumSet;
use crate::error::Result;
use crate::update::Sha256;

/// Reads a `manifest-sha256.txt`.
pub fn manifest(text: &str) -> Result<BTreeMap<String, Sha256>> {
    medium::read_manifest(text)
}

/// Returns the text of a manifest.
pub fn manifest_text(files: &BTreeMap<String, Sha256>) -> String {
    medium::manifest_text(files)
}

/// Reads a `set.json`.
pub fn set(text: &str) -> Result<MediumSet> {
    medium::read_set(text)
}

/// Returns the text of a `set.json`.
pub fn set_text(set: &MediumSet) -> Result<String> {
    medium::set_text(set)
}

/// Checks that a signature file has the exact form that kbmirror writes.
pub fn signature_form(text: &str) -> Result<()> {
    trust::check_form(text)
}
