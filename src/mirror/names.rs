//! The name policy: which names from the Catalog become names on disk.
//!
//! A name that tries to be a path is hostile and refused. What is merely unusual is made plain, so that every name
//! works on ext4, NTFS, exFAT, and FAT32, in `sha256sum -c` files, and in command lines: letters, digits, and
//! `._()+,=@ -`, at most 120 characters, no name that Windows keeps for devices, no dot or space at either end.
//! The original name stays in the index.

use std::collections::BTreeMap;

/// The longest name of a file or folder: leaves room on media whose paths should stay under 180.
const LENGTH: usize = 120;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is left of it.
    #[error("it is empty")]
    Empty,
    /// It leads out of the folder, or into another one.
    #[error("it is a path, not a plain name")]
    Path,
    /// It holds characters that nobody can see.
    #[error("it holds control characters")]
    Control,
}

/// The name on disk for a name from the Catalog.
pub fn plain_name(name: &str) -> Result<String, Refusal> {
    if name.chars().any(char::is_control) {
        return Err(Refusal::Control);
    }
    if name.contains(['/', '\\', ':'])
        || name.starts_with('~')
        || name.trim_matches([' ', '.']).is_empty() && name.contains('.')
    {
        return Err(Refusal::Path);
    }
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._()+,=@ -".contains(letter);
    let plain: String = name.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect();
    let plain = plain.trim_matches([' ', '.']);
    if plain.is_empty() {
        return Err(Refusal::Empty);
    }
    let plain = if is_device(plain) { format!("_{plain}") } else { plain.to_owned() };
    Ok(shortened(plain))
}

/// Names that Windows keeps for devices, also with an extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|last: char| last.is_ascii_digit()))
}

/// Keeps the end of a long name: Microsoft's digest and the extension are there.
fn shortened(name: String) -> String {
    if name.len() <= LENGTH {
        return name;
    }
    let start = name.len() - LENGTH + 1;
    format!("_{}", &name[start..])
}

/// Names for the files of one folder, in the order given: names that differ only in the case of letters would be
/// one file on most media, so every one after the first gets eight digits of its digest.
pub fn distinct_names<'a>(
    files: impl IntoIterator<Item = (&'a str, String)>,
) -> Result<Vec<String>, (String, Refusal)> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for (name, digest) in files {
        let mut plain = plain_name(name).map_err(|refusal| (name.to_owned(), refusal))?;
        if taken.contains_key(&plain.to_ascii_lowercase()) {
            let digits: String = digest.chars().take(8).collect();
            let (stem, extension) =
                plain.rsplit_once('.').map_or((plain.as_str(), None), |(stem, end)| (stem, Some(end)));
            plain = shortened(match extension {
                Some(extension) => format!("{stem}~{digits}.{extension}"),
                None => format!("{stem}~{digits}"),
            });
        }
        taken.insert(plain.to_ascii_lowercase(), names.len());
        names.push(plain);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_catalogs_own_names_stay_as_they_are() {
        for name in [
            "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu",
            "Windows11.0-KB5121794-x64_5e20a3cce48d6611b16bdec42b07167f5456586a.msu",
            "dotnet-runtime-8.0.11-win-x64.exe",
        ] {
            assert_eq!(plain_name(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn paths_are_refused_and_oddities_made_plain() {
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
            assert!(plain_name(name).is_err(), "{name:?}");
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
            assert_eq!(plain_name(name).as_deref(), Ok(plain), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_the_names_are_plain_and_differ(raw in prop::collection::vec("\\PC{0,140}|[aA]{1,3}\\.msu|[./\\\\~]{0,4}", 0..12)) {
            let named: Vec<&String> = raw.iter().filter(|name| plain_name(name).is_ok()).collect();
            let files = named.iter().enumerate().map(|(place, name)| (name.as_str(), format!("{place:08x}")));
            let names = distinct_names(files).unwrap();
            let folded: std::collections::BTreeSet<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            prop_assert_eq!(folded.len(), names.len());
            for name in names {
                prop_assert!(!name.is_empty() && name.len() <= LENGTH && name.is_ascii());
                prop_assert!(!name.contains(['/', '\\', ':', '\n', '%']) && !name.starts_with('.') && !is_device(&name));
            }
        }
    }
}
