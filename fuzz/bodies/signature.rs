//! Arbitrary bytes: a public key in the first line, and a signature file after it. Only signatures in the exact form
//! that kbmirror writes can be valid.

use kbmirror::carrier::{PublicKey, parsers};

/// The bytes that the seeds sign.
pub(crate) const SIGNED: &[u8] = b"seed of the fuzz target\n";

/// Returns `true` if the signature is valid.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (key, signature) = text.split_once('\n').unwrap_or((&text, ""));
    let form = parsers::signature_form(signature);
    let Ok(key) = key.parse::<PublicKey>() else { return false };
    assert_eq!(key.as_str().parse::<PublicKey>().ok(), Some(key.clone()));
    let is_valid = key.verify(SIGNED, signature).is_ok();
    assert!(!is_valid || form.is_ok(), "a signature in another form is valid");
    assert!(key.verify(b"other bytes", signature).is_err(), "a signature is valid for other bytes");
    is_valid
}
