//! A package set: its number in the index, and the name of its folder. Pure.

use std::fmt;

use camino::Utf8Path;

use super::name::{LENGTH, NameFault, PlainName, compare_with_text};
use crate::update::slug;

/// The number of a package set in the index. A set keeps its number while its files stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub i64);

/// The name of a set's folder under its KB: a plain name. The install script beside the folder has the same
/// name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetFolder(PlainName);

impl SetFolder {
    /// Returns the folder of this name, or refuses the name if it is not plain already.
    pub fn new(name: &str) -> Result<Self, NameFault> {
        PlainName::exact(name).map(Self)
    }

    /// Returns the folder for these words. Words that are not a plain name are converted to letters, digits,
    /// and hyphens.
    pub fn from_words(words: &str) -> Self {
        let plain = PlainName::exact(words).or_else(|_| {
            let mut slug = slug(words);
            slug.truncate(LENGTH);
            PlainName::exact(slug.trim_end_matches('-'))
        });
        Self(plain.unwrap_or_else(|_| PlainName::other()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns `true` if both names would be the same folder on case-insensitive media.
    pub fn is_same_folder(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl fmt::Display for SetFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Joins the name to a path.
impl AsRef<Utf8Path> for SetFolder {
    fn as_ref(&self) -> &Utf8Path {
        self.0.as_ref()
    }
}

compare_with_text!(SetFolder: str, &str, String);

impl serde::Serialize for SetFolder {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Refuses a name that is not plain when it is read.
impl<'de> serde::Deserialize<'de> for SetFolder {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::new(&name).map_err(|fault| {
            serde::de::Error::custom(format!("the folder name {name:?} is refused: {fault}"))
        })
    }
}

crate::update::schema_of_text!(SetFolder, "SetFolder", |generator: &mut schemars::SchemaGenerator| {
    generator.subschema_for::<String>()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_folder_names() {
        assert_eq!(SetFolder::new("windows-11-24h2-arm64").unwrap().as_str(), "windows-11-24h2-arm64");
        for name in ["", "..", "../x", "a/b", "a\\b", "C:", "NUL", "a ", "a~01234567"] {
            assert!(SetFolder::new(name).is_err(), "{name:?}");
            assert!(serde_json::from_value::<SetFolder>(name.into()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn any_words_give_a_folder_name() {
        for (words, folder) in [
            ("windows-11-24h2-arm64", "windows-11-24h2-arm64"),
            ("../../Etc Passwd", "etc-passwd"),
            ("NUL", "other"),
            ("", "other"),
        ] {
            assert_eq!(SetFolder::from_words(words).as_str(), folder, "{words:?}");
        }
        assert!(SetFolder::from_words(&"long name: ".repeat(40)).as_str().len() <= LENGTH);
    }
}
