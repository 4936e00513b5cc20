//! The documents of the commands that change and list keys.

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

/// The use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// The key signs the list of export keys.
    Root,
    /// The key signs sets.
    Export,
    /// Unknown, because only the number of the key is known.
    Unknown,
}

/// The state of a key on this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The root key of this mirror.
    Own,
    /// The key that signs the media of this mirror.
    Signing,
    /// The validity of the key has ended, and it does not sign anything.
    Ended,
    /// The key was replaced by another key.
    Retired,
    /// Other people may have the key. No medium that it signed is accepted.
    Revoked,
    /// A root key whose media are accepted.
    Trusted,
    /// A key whose media are refused.
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
    /// The time until which it is or was valid, RFC 3339.
    pub until: Option<String>,
    /// `true` if its secret key has a passphrase; null if the secret key is missing.
    pub passphrase: Option<bool>,
    /// The key, in the format of minisign; null if only its number is known.
    pub key: Option<String>,
}

/// The document of `keys list`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeyListDocument {
    /// The keys: those of this mirror, the trusted ones, and the distrusted ones.
    pub keys: Vec<ListedKey>,
}

/// The document of `keys rotate`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotatedDocument {
    /// The new export key, in the format of minisign.
    pub key: String,
    /// The number of the new export key.
    pub id: String,
    /// The time until which it is valid, RFC 3339; null if it does not expire.
    pub valid_until: Option<String>,
    /// The number of the retired key.
    pub retired_id: String,
    /// The version of the list of export keys.
    pub version: u32,
}

/// The document of `keys revoke`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedDocument {
    /// The number of the key.
    pub id: String,
    /// The key, in the format of minisign.
    pub key: String,
    /// The version of the list of export keys that revokes the key.
    pub version: u32,
    /// `true` if the key was not revoked before.
    pub new: bool,
}

/// The document of `keys distrust`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DistrustDocument {
    /// The number of the key.
    pub id: String,
    /// `true` if the key was not distrusted before.
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
    /// Returns the name of the use in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Export => "export",
            Self::Unknown => "unknown",
        }
    }
}

impl KeyState {
    /// Returns the name of the state in the document.
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
