//! The source of a statement, and the properties of a file that are compared.

use std::fmt;

macro_rules! words {
    ($(#[$type_doc:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$type_doc])*
        pub enum $type {
            $($(#[$doc])* $name,)*
        }

        impl $type {
            /// All values, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the word in the index and in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Returns the value of a word, or `None` for a word of a later version.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                let unknown = || serde::de::Error::unknown_variant(&word, &[$($text,)*]);
                Self::from_word(&word).ok_or_else(unknown)
            }
        }

        crate::update::schema_of_text!($type, stringify!($type), |generator: &mut schemars::SchemaGenerator| {
            generator.subschema_for::<String>()
        });
    };
}

words! {
    /// The source of a statement. The order is the precedence: of two contradictory statements, the one of
    /// the earlier source counts. The words are part of the index and of JSON and do not change.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    Source {
        /// The metadata inside a package file.
        Package = "package",
        /// A download dialog of the Catalog.
        Dialog = "dialog",
        /// A search page of the Catalog.
        SearchPage = "search page",
        /// A details page of the Catalog.
        Details = "details page",
        /// A support article.
        Article = "article",
        /// A knowledge table.
        Knowledge = "knowledge",
        /// The name of a file.
        Name = "name",
        /// The content of an earlier download that no other source confirmed.
        EarlierDownload = "earlier download",
        /// The content of the file itself. Every file agrees with this statement, so it is the weakest
        /// source.
        Bytes = "bytes",
    }
}

impl Source {
    /// Returns `true` if a source other than the content makes the statement.
    pub fn is_stated(self) -> bool {
        !matches!(self, Self::EarlierDownload | Self::Bytes)
    }

    /// Returns the stronger of a recorded source and a new one.
    #[must_use]
    pub fn stronger(recorded: Option<Self>, new: Option<Self>) -> Option<Self> {
        match (recorded, new) {
            (Some(recorded), Some(new)) => Some(recorded.min(new)),
            (recorded, new) => recorded.or(new),
        }
    }
}

words! {
    /// A property of a file that is compared with a statement. The words are part of the index and of JSON
    /// and do not change.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    FileProperty {
        /// The number of bytes.
        Size = "size",
        /// The SHA-1.
        Sha1 = "sha1",
        /// The SHA-256.
        Sha256 = "sha256",
        /// The SHA-1 in the name of the file.
        Name = "name",
        /// The metadata inside the file.
        Metadata = "metadata",
        /// The signature of the file.
        Signature = "signature",
    }
}

/// A property of a file that was compared: the content agrees with a statement. The field names are part of
/// JSON and do not change.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub struct PropertyCheck {
    /// The property, such as `sha256`.
    pub what: FileProperty,
    /// The source of the statement, such as `dialog`.
    pub against: Source,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_parses_to_its_value() {
        for source in Source::ALL {
            assert_eq!(Source::from_word(source.as_str()), Some(*source));
            let json = serde_json::to_string(source).unwrap();
            assert_eq!(serde_json::from_str::<Source>(&json).unwrap(), *source);
        }
        for checked in FileProperty::ALL {
            assert_eq!(FileProperty::from_word(checked.as_str()), Some(*checked));
        }
        assert_eq!(Source::from_word("rumour"), None);
        assert!(serde_json::from_str::<Source>("\"rumour\"").is_err());
    }

    #[test]
    fn source_order_is_the_precedence() {
        use Source::{Bytes, Dialog, Knowledge, Name, Package};
        assert!(Package < Dialog && Dialog < Knowledge && Knowledge < Name && Name < Bytes);
        assert_eq!(Source::stronger(Some(Knowledge), Some(Dialog)), Some(Dialog));
        assert_eq!(Source::stronger(Some(Dialog), Some(Knowledge)), Some(Dialog));
        assert_eq!(Source::stronger(None, Some(Name)), Some(Name));
        assert_eq!(Source::stronger(Some(Name), None), Some(Name));
        assert!(Name.is_stated() && !Bytes.is_stated());
    }
}
