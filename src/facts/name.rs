//! The name policy: converts names from outside into names on disk. Pure.
//!
//! A [`PlainName`] is the only name that becomes a part of a path. It exists only for a name that passed the
//! policy. A name that is a path is hostile and is refused. A name that is merely unusual is made plain.
//! Every plain name works on ext4, NTFS, exFAT, and FAT32, in `sha256sum -c` files, and in command lines.
//!
//! A plain name has these properties:
//!
//! - It consists of ASCII letters, digits, and `._()+,=@ -`.
//! - It has at most 120 characters.
//! - It is not a device name of Windows.
//! - It has no dot or space at either end.
//!
//! The original name stays in the index.

use std::collections::BTreeSet;
use std::fmt;

use camino::Utf8Path;

/// The maximum length of a file or folder name. It leaves room on media whose paths should stay under 180
/// characters.
pub(super) const LENGTH: usize = 120;

/// The reasons to refuse a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// The name is empty, or nothing of it is left after trimming.
    #[error("the name is empty")]
    Empty,
    /// The name leads out of the folder, or into another folder.
    #[error("the name is a path")]
    Path,
    /// The name contains control characters.
    #[error("the name contains control characters")]
    Control,
    /// The name would be different on disk.
    #[error("the name is not plain")]
    NotPlain,
}

/// A name that passed the name policy: one component of a path, valid on every supported file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlainName(String);

impl PlainName {
    /// Returns the name on disk for a file name of the Catalog.
    pub fn of(name: &str) -> Result<Self, NameFault> {
        if name.chars().any(char::is_control) {
            return Err(NameFault::Control);
        }
        if name.contains(['/', '\\', ':'])
            || name.starts_with('~')
            || name.trim_matches([' ', '.']).is_empty() && name.contains('.')
        {
            return Err(NameFault::Path);
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._()+,=@ -".contains(letter);
        let plain: String = name.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect();
        let plain = plain.trim_matches([' ', '.']);
        if plain.is_empty() {
            return Err(NameFault::Empty);
        }
        let plain = if is_device(plain) { format!("_{plain}") } else { plain.to_owned() };
        Ok(Self(shorten(plain)))
    }

    /// Returns the name unchanged, or refuses it if it is not plain already.
    pub fn exact(name: &str) -> Result<Self, NameFault> {
        Self::of(name).and_then(|plain| if plain.0 == name { Ok(plain) } else { Err(NameFault::NotPlain) })
    }

    /// Returns the fallback name `other`.
    pub(super) fn other() -> Self {
        Self("other".to_owned())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name with a mark before its extension, for a file of the same name as another file.
    ///
    /// The mark is never cut off: a part after the last dot that is longer than any extension counts as part
    /// of the stem.
    fn with_mark(&self, mark: &str) -> Self {
        /// The maximum length of an extension. The longest extension of the Catalog is `manifest`.
        const EXTENSION: usize = 16;
        Self(shorten(match self.0.rsplit_once('.').filter(|(_, end)| end.len() <= EXTENSION) {
            Some((stem, extension)) => format!("{stem}~{mark}.{extension}"),
            None => format!("{}~{mark}", self.0),
        }))
    }

    /// Returns the name as case-insensitive file systems compare it. A plain name is ASCII, so Unicode
    /// normalization does not matter.
    fn case_folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for PlainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// Joins the name to a path.
impl AsRef<Utf8Path> for PlainName {
    fn as_ref(&self) -> &Utf8Path {
        Utf8Path::new(&self.0)
    }
}

/// Comparisons of names with text, such as the names in a folder.
macro_rules! compare_with_text {
    ($type:ty: $($text:ty),*) => {$(
        impl PartialEq<$text> for $type {
            fn eq(&self, text: &$text) -> bool {
                let text: &str = text;
                self.as_str() == text
            }
        }
    )*};
}
pub(super) use compare_with_text;

compare_with_text!(PlainName: str, &str, String);

/// Returns `true` for device names of Windows, also with an extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|last: char| last.is_ascii_digit()))
}

/// Returns a name of at most [`LENGTH`] characters. The end is kept, because Microsoft's digest and the
/// extension are there.
fn shorten(name: String) -> String {
    if name.len() <= LENGTH {
        return name;
    }
    let start = name.len() - LENGTH + 1;
    format!("_{}", &name[start..])
}

/// Returns distinct names for the files of one folder, in the given order.
///
/// Names that differ only in the case of letters would be one file on most media. Every such name after the
/// first one gets `~` and the first 8 digits of its digest after its stem, or more if 8 are not enough.
///
/// The names are distinct for any input. Digests from outside may share a crafted prefix, or may not be
/// digests at all; then a number distinguishes the files.
pub fn distinct_names<'a>(
    files: impl IntoIterator<Item = (&'a str, String)>,
) -> Result<Vec<PlainName>, (String, NameFault)> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for (name, digest) in files {
        let plain = PlainName::of(name).map_err(|fault| (name.to_owned(), fault))?;
        let mut candidates = std::iter::once(plain.clone())
            .chain(distinguishing_marks(&digest).map(|mark| plain.with_mark(&mark)));
        // The iterator of marks is endless, and no two marks give the same name.
        let Some(own) = candidates.find(|candidate| taken.insert(candidate.case_folded())) else { continue };
        names.push(own);
    }
    Ok(names)
}

/// Returns marks that distinguish a file: 8, 16, 32, and 64 digits of its digest, then numbers without end.
fn distinguishing_marks(digest: &str) -> impl Iterator<Item = String> {
    let plain: String = digest.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let some = plain.clone();
    let lengths = [8, 16, 32, 64].into_iter().filter(move |&length| length == 8 || length <= some.len());
    let first = plain.get(..8).unwrap_or(&plain).to_owned();
    let digits = lengths.map(move |length| plain.get(..length).unwrap_or(&plain).to_owned());
    digits.chain((2_u64..).map(move |number| format!("{first}-{number}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn catalog_names_are_unchanged() {
        for name in [
            "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu",
            "Windows11.0-KB5121794-x64_5e20a3cce48d6611b16bdec42b07167f5456586a.msu",
            "dotnet-runtime-8.0.11-win-x64.exe",
        ] {
            assert_eq!(PlainName::exact(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn paths_are_refused_and_unusual_names_made_plain() {
        for name in [
            "../x.msu",
            "..",
            ".",
            "a/b",
            "a\\b",
            "C:x",
            "~root",
            "x\0y",
            "x\ny",
            "",
            " .. ",
            "\\\\host\\share",
        ] {
            assert!(PlainName::of(name).is_err(), "{name:?}");
        }
        for (name, plain) in [
            ("CON.msu", "_CON.msu"),
            ("com1", "_com1"),
            ("a|b?.cab", "a_b_.cab"),
            ("trail. ", "trail"),
            (".hidden", "hidden"),
            ("\u{fc}ber.msu", "_ber.msu"),
            ("100%.msu", "100_.msu"),
        ] {
            assert_eq!(PlainName::of(name).unwrap().as_str(), plain, "{name:?}");
            assert_eq!(PlainName::exact(name), Err(NameFault::NotPlain), "{name:?}");
        }
    }

    #[test]
    fn equal_digest_prefixes_give_distinct_names() {
        let name = "windows11.0-kb5100001-arm64.msu";
        let digests = ["68c2088b00", "68c2088b6f", "68c2088b6f", "", ""];
        let names = distinct_names(digests.map(|digest| (name, digest.to_owned()))).unwrap();
        let names: Vec<&str> = names.iter().map(PlainName::as_str).collect();
        assert_eq!(
            names,
            [
                "windows11.0-kb5100001-arm64.msu",
                "windows11.0-kb5100001-arm64~68c2088b.msu",
                "windows11.0-kb5100001-arm64~68c2088b-2.msu",
                "windows11.0-kb5100001-arm64~.msu",
                "windows11.0-kb5100001-arm64~-2.msu",
            ]
        );
        let full = |end: &str| format!("{}{end}", "ab".repeat(31));
        let names = distinct_names(["00", "11", "22"].map(|end| (name, full(end)))).unwrap();
        assert_eq!(names[1].as_str(), "windows11.0-kb5100001-arm64~abababab.msu");
        assert_eq!(names[2].as_str(), "windows11.0-kb5100001-arm64~abababababababab.msu");
    }

    proptest! {
        /// Names that differ only in case or length, with digests that share a long prefix or are equal.
        #[test]
        fn names_are_distinct_when_digests_collide(
            files in prop::collection::vec(("[aAbB]{1,2}(\\.[mM]su)?|a\\.[a-z]{110,130}|[aA]{119,121}\\.msu", "(00000000){0,8}[01]?"), 0..40)
        ) {
            let count = files.len();
            let names = distinct_names(files.iter().map(|(name, digest)| (name.as_str(), digest.clone()))).unwrap();
            let folded: BTreeSet<String> = names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
            prop_assert_eq!((folded.len(), names.len()), (count, count));
            prop_assert!(names.iter().all(|name| name.as_str().len() <= LENGTH && !is_device(name.as_str())));
        }

        #[test]
        fn names_of_any_input_are_plain_and_distinct(raw in prop::collection::vec("\\PC{0,140}|[aA]{1,3}\\.msu|[./\\\\~]{0,4}", 0..12)) {
            let named: Vec<&String> = raw.iter().filter(|name| PlainName::of(name).is_ok()).collect();
            let files = named.iter().enumerate().map(|(place, name)| (name.as_str(), format!("{place:08x}")));
            let names = distinct_names(files).unwrap();
            let folded: BTreeSet<String> = names.iter().map(|name| name.as_str().to_ascii_lowercase()).collect();
            prop_assert_eq!(folded.len(), names.len());
            for name in &names {
                let name = name.as_str();
                prop_assert!(!name.is_empty() && name.len() <= LENGTH && name.is_ascii());
                prop_assert!(!name.contains(['/', '\\', ':', '\n', '%']) && !name.starts_with('.') && !is_device(name));
            }
        }
    }
}
