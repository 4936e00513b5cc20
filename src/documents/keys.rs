//! The documents of the commands that change and list keys.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

/// The use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// It signs the list of export keys.
    Root,
    /// It signs sets.
    Export,
    /// Only its number is known here.
    Unknown,
}

/// The state of a key on this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The root key of this mirror.
    Own,
    /// It signs the media of this mirror.
    Signing,
    /// Its validity has ended, and nothing is signed with it.
    Ended,
    /// Another key took its place.
    Retired,
    /// It may be in other hands: no medium that it signed is taken.
    Revoked,
    /// Media under this root key are taken here.
    Trusted,
    /// Media under this key are not taken here any more.
    Distrusted,
}

/// A key with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListedKey {
    /// The use of the key.
    pub kind: KeyKind,
    /// The number by which minisign names the key.
    pub id: String,
    /// The state.
    pub state: KeyState,
    /// The time from which it is valid, RFC 3339.
    pub from: Option<String>,
    /// The time up to which it is or was valid, RFC 3339.
    pub until: Option<String>,
    /// `true` if its secret key has a passphrase; null where the secret key is not here.
    pub passphrase: Option<bool>,
    /// The key, in the form of minisign; null where only its number is known.
    pub key: Option<String>,
}

/// The document of `keys list`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyListDocument {
    /// The keys: those of this mirror, the trusted ones, and those that are not trusted any more.
    pub keys: Vec<ListedKey>,
}

/// The document of `keys rotate`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotatedDocument {
    /// The new export key, in the form of minisign.
    pub key: String,
    /// The number of the new export key.
    pub id: String,
    /// The time up to which it is valid, RFC 3339; null without an end.
    pub valid_until: Option<String>,
    /// The number of the key that is retired.
    pub retired_id: String,
    /// The version of the list of export keys.
    pub version: u32,
}

/// The document of `keys revoke`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedDocument {
    /// The number of the key.
    pub id: String,
    /// The key, in the form of minisign.
    pub key: String,
    /// The version of the list of export keys that says so.
    pub version: u32,
    /// `true` if it was not revoked before.
    pub new: bool,
}

/// The document of `keys distrust`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DistrustDocument {
    /// The number of the key.
    pub id: String,
    /// `true` if it was trusted, or unknown, before.
    pub new: bool,
}

/// The document of `keys move-root`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MovedRootDocument {
    /// The file with the secret root key.
    #[schemars(with = "String")]
    pub secret_root_key: Utf8PathBuf,
}

impl KeyKind {
    /// Returns the word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Export => "export",
            Self::Unknown => "unknown",
        }
    }
}

impl KeyState {
    /// Returns the word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Signing => "signing",
            Self::Ended => "ended",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
            Self::Trusted => "trusted",
            Self::Distrusted => "distrusted",
        }
    }
}
