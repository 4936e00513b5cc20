//! A `kbmirror.toml` of arbitrary bytes. An accepted configuration can be used. A refusal names the file.

use std::sync::OnceLock;

use kbmirror::servicing::Knowledge;
use kbmirror::sync::Config;

/// Returns `true` if the configuration and its profiles are accepted.
pub(crate) fn check(bytes: &[u8]) -> bool {
    static KNOWLEDGE: OnceLock<Option<Knowledge>> = OnceLock::new();
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let config = match Config::parse(text, "mirror/kbmirror.toml".into()) {
        Ok(config) => config,
        Err(error) => {
            assert!(error.message().contains("kbmirror.toml"), "{}", error.message());
            return false;
        }
    };
    let _asks = config.has_work();
    let knowledge = KNOWLEDGE.get_or_init(|| Knowledge::built_in().ok());
    knowledge.as_ref().is_some_and(|knowledge| config.profiles(knowledge).is_ok())
}
