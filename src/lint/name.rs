//! The name of a file that may have been renamed: "1 - KB5043080 - Checkpoint Update.msu", "copy of
//! windows11.0-….msu", "… (1).msu". The Catalog's form is parsed first. Otherwise, KB, digest, and
//! architecture are searched anywhere in the name.

use std::collections::BTreeSet;

use crate::update::{Architecture, Kb, PackageName, Sha1};

/// The parts of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameReading {
    /// The parts that the name has. The KB is `None` if the name has several.
    pub named: PackageName,
    /// Every KB in the name.
    pub kbs: BTreeSet<Kb>,
    /// `true` if the name has Microsoft's form, or nothing that contradicts it.
    pub has_form: bool,
}

/// Parses the name of a file in a folder.
pub fn read_name(name: &str) -> NameReading {
    let named = PackageName::parse(name);
    if named.kb.is_some() || named.build.is_some() {
        return NameReading { kbs: named.kb.into_iter().collect(), named, has_form: true };
    }
    let words = words(name);
    let kbs = kbs_in(&words);
    let only = |kbs: &BTreeSet<Kb>| if kbs.len() == 1 { kbs.first().copied() } else { None };
    let digests: BTreeSet<Sha1> =
        words.iter().filter(|word| word.len() == 40).filter_map(|word| word.parse().ok()).collect();
    let architectures: BTreeSet<Architecture> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let is_dotnet = |word: &&String| {
        word.strip_prefix("ndp").is_some_and(|digits| (2..=3).contains(&digits.len()) && is_number(digits))
    };
    let has_form = kbs.is_empty();
    let named = PackageName {
        kb: only(&kbs),
        architecture: if architectures.len() == 1 { architectures.first().copied() } else { None },
        dotnet: words.iter().find(is_dotnet).cloned(),
        sha1: if digests.len() == 1 { digests.first().copied() } else { named.sha1 },
        ..named
    };
    NameReading { named, kbs, has_form }
}

/// Returns the alphanumeric words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Returns the KBs in the words, such as "KB5043080", "KB 5043080", and "windows11.0kb5043080".
fn kbs_in(words: &[String]) -> BTreeSet<Kb> {
    let mut kbs = BTreeSet::new();
    for (word, next) in words.iter().zip(words.iter().skip(1).map(Some).chain([None])) {
        for (at, _) in word.match_indices("kb") {
            let digits = word.get(at + 2..).unwrap_or_default();
            let digits = if digits.is_empty() { next.map_or("", String::as_str) } else { digits };
            let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
            let digits = digits.get(..end).unwrap_or_default();
            if (6..=8).contains(&digits.len()) {
                kbs.extend(digits.parse::<Kb>().ok());
            }
        }
    }
    kbs
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kb_is_found_anywhere_in_a_name() {
        const SHA1: &str = "97df4ed279e18da5b02308a5a3361313520fd346";
        let form = format!("windows11.0-kb5086672-x64_{SHA1}");
        for (name, kb, architecture, sha1, has_form) in [
            (format!("{form}.msu"), "KB5086672", "x64", SHA1, true),
            (format!("{form} (1).msu"), "KB5086672", "x64", SHA1, false),
            (format!("copy of {form}.msu"), "KB5086672", "x64", SHA1, false),
            (format!("{form} - Kopie.msu"), "KB5086672", "x64", SHA1, false),
            (format!("{form}.msu.msu"), "KB5086672", "x64", SHA1, false),
            ("1 - KB5043080 - Checkpoint Update [26100.1742].msu".to_owned(), "KB5043080", "", "", false),
            ("KB5086672.msu".to_owned(), "KB5086672", "", "", false),
            ("kb 5086672 arm64.MSU".to_owned(), "KB5086672", "arm64", "", false),
            ("02_windows11.0-kb5086672-x64.msu".to_owned(), "KB5086672", "x64", "", false),
            ("Windows11.0-KB5086672-x64.msu".to_owned(), "KB5086672", "x64", "", true),
            ("KB5043080 and KB5086672.msu".to_owned(), "", "", "", false),
            ("KB5086672 KB5086672.msu".to_owned(), "KB5086672", "", "", false),
            ("kb12345.msu".to_owned(), "", "", "", true),
            ("kb123456789.msu".to_owned(), "", "", "", true),
            (format!("update_{SHA1}.msu"), "", "", SHA1, true),
            ("update.msu".to_owned(), "", "", "", true),
        ] {
            let read = read_name(&name);
            let text = |value: Option<String>| value.unwrap_or_default();
            assert_eq!(text(read.named.kb.map(|kb| kb.to_string())), kb, "{name}");
            assert_eq!(text(read.named.architecture.map(|it| it.to_string())), architecture, "{name}");
            assert_eq!(text(read.named.sha1.map(|sha1| sha1.to_string())), sha1, "{name}");
            assert_eq!(read.has_form, has_form, "{name}");
        }
        assert_eq!(read_name("KB5043080 and KB5086672.msu").kbs.len(), 2);
        assert_eq!(read_name("x KB5043080.msu").named.extension.as_deref(), Some("msu"));
    }

    proptest::proptest! {
        #[test]
        fn any_file_name_can_be_read(name in "\\PC{0,200}") {
            let _reading = read_name(&name);
        }
    }
}
