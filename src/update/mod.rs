//! The domain types of the Catalog and of Windows servicing, pure.
//!
//! KB numbers, update ids, architectures, builds, digests, sizes, and dates are distinct types, so that a KB number
//! cannot be passed as a build. Two grammars, of titles ([`title`]) and of file names ([`file_name`]), turn Microsoft's
//! texts into these types. [`classify()`] joins title, products, and the WSUS legacy name, if known, into one
//! [`Classification`].
//!
//! Everything in this room is a function of its arguments: no clock, no file, no network, no environment. A text that
//! does not fit is an error value or `None`, never a panic, because texts from the network may contain anything.

mod architecture;
mod build;
mod classify;
pub mod container;
mod count;
mod date;
mod digest;
mod dual_digest;
mod escape;
pub mod file_name;
mod kb;
mod kind;
mod pattern;
pub mod schema;
mod size;
mod slug;
pub mod title;
mod update_id;
mod words;

pub use architecture::Architecture;
pub use build::Build;
pub use classify::{Classification, classify};
pub use count::{count, plural};
pub use date::{Month, parse_catalog_date};
pub use digest::{Sha1, Sha256};
pub use dual_digest::{Digests, DualHasher};
pub use escape::{escape_hidden, is_hidden};
pub use file_name::PackageName;
pub use kb::Kb;
pub use kind::Kind;
pub use size::{human_size, parse_size_text};
pub(crate) use slug::slug;
pub use update_id::UpdateId;
pub use words::{parse_age, parse_bytes, parse_duration, parse_expiry, parse_parallel, parse_stall};

/// A text of the wrong form: the expected form and the text (shortened).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseError {
    /// The accepted form, with an article: "a KB number such as KB5086672".
    pub expected: &'static str,
    /// The text, cut to a length that fits a message.
    pub text: String,
}

impl ParseError {
    pub(crate) fn new(expected: &'static str, text: &str) -> Self {
        /// The maximum length. Every valid value is shorter; hostile values are cut.
        const SHOWN: usize = 80;
        let text = text.chars().take(SHOWN).collect();
        Self { expected, text }
    }
}

/// Implements `Serialize` by `Display` and `Deserialize` by `FromStr`, so that each value has one spelling. The schema
/// has the pattern of that spelling, or its words.
macro_rules! serde_as_text {
    ($type:ty, $name:literal, $about:literal, $pattern:literal) => {
        crate::update::serde_as_text!($type);
        crate::update::schema_of_text!($type, $name, |generator: &mut schemars::SchemaGenerator| {
            crate::update::schema::pattern_schema(generator, $about, $pattern)
        });
    };
    ($type:ty, $name:literal, $about:literal, words $all:expr) => {
        crate::update::serde_as_text!($type);
        crate::update::schema_of_text!($type, $name, |generator: &mut schemars::SchemaGenerator| {
            let words: Vec<&str> = $all.iter().map(|one| one.as_str()).collect();
            crate::update::schema::words_schema(generator, $about, &words)
        });
    };
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Implements `JsonSchema` for a type that is a text in JSON.
macro_rules! schema_of_text {
    ($type:ty, $name:expr, $schema:expr) => {
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $schema(generator)
            }
        }
    };
}
pub(crate) use schema_of_text;
