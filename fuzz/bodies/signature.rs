//! A public key on the first line, and a signature file behind it, of any bytes: what is not written as ours are is no
//! signature of anything.

use kbmirror::carrier::{PublicKey, parsers};

/// The bytes that the seeds sign.
pub(crate) const SIGNED: &[u8] = b"seed of the fuzz target\n";

/// Returns `true` if the signature holds.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (key, signature) = text.split_once('\n').unwrap_or((&text, ""));
    let form = parsers::signature_form(signature);
    let Ok(key) = key.parse::<PublicKey>() else { return false };
    assert_eq!(key.as_str().parse::<PublicKey>().ok(), Some(key.clone()));
    let holds = key.verify(SIGNED, signature).is_ok();
    assert!(!holds || form.is_ok(), "a signature in another form than ours holds");
    assert!(key.verify(b"other bytes", signature).is_err(), "a signature holds for other bytes");
    holds
}
