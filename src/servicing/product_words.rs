//! The words of a product name: the normal form of its spellings, and the distance between two names.

/// Reduces a product name to its distinctive words. "Windows 11, version 24H2", "win11 24h2", and "windows-11-24h2"
/// become `windows 11 24h2`; "Microsoft Server operating system-24H2" becomes `server operating system 24h2`.
pub(super) fn words(text: &str) -> String {
    let text = text.to_lowercase().replace(|letter: char| !letter.is_alphanumeric() && letter != '.', " ");
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace().flat_map(split).map(|word| word.trim_matches('.').to_owned()) {
        // "24 H2" becomes one word.
        if let Some(last) = words.last_mut().filter(|last| last.len() == 2 && is_number(last))
            && matches!(word.as_str(), "h1" | "h2")
        {
            last.push_str(&word);
        } else if !matches!(word.as_str(), "" | "version" | "microsoft") {
            words.push(if word == "win" { "windows".to_owned() } else { word });
        }
    }
    // "Windows Server 2025" and "Server 2025" are the same name.
    if words.first().is_some_and(|word| word == "windows")
        && words.get(1).is_some_and(|word| word == "server")
    {
        words.remove(0);
    }
    words.join(" ")
}

/// Splits words that are written as one: "win11", "server2025", "2012r2".
fn split(word: &str) -> Vec<&str> {
    for prefix in ["windows", "server", "win"] {
        if let Some(rest) = word.strip_prefix(prefix)
            && rest.starts_with(|letter: char| letter.is_ascii_digit())
        {
            return [vec![prefix], split(rest)].concat();
        }
    }
    match word.strip_suffix("r2") {
        Some(year) if year.len() == 4 && is_number(year) => vec![year, "r2"],
        _ => vec![word],
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns `true` for the form of a version: `25h2`, or the older `2004` and `1909`.
pub(super) fn is_release(word: &str) -> bool {
    match word.as_bytes() {
        [a, b, b'h' | b'H', b'1' | b'2'] => a.is_ascii_digit() && b.is_ascii_digit(),
        // 1507 to 2009.
        [b'1', b'5'..=b'9', b'0' | b'1', d] | [b'2', b'0', b'0', d] => d.is_ascii_digit(),
        _ => false,
    }
}

/// Returns the number of letters to add, remove, or replace to turn one text into the other.
pub(super) fn distance(a: &str, b: &str) -> usize {
    /// The maximum length. Every name is shorter; the work grows with the square of the length.
    const LONGEST: usize = 80;
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(LONGEST).collect(), b.chars().take(LONGEST).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (number, &letter) in (1..).zip(&a) {
        let mut next = vec![number];
        for ((&other, pair), column) in b.iter().zip(row.windows(2)).zip(0..) {
            let [above_left, above] = pair else { continue };
            let left: usize = next.get(column).copied().unwrap_or(number);
            next.push((left + 1).min(above + 1).min(above_left + usize::from(letter != other)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_the_same_words() {
        for (spellings, expected) in [
            (
                &[
                    "Windows 11, version 24H2",
                    "windows-11-24h2",
                    " WIN11  24h2",
                    "Windows11 24 H2",
                    "win 11,24H2,",
                ][..],
                "windows 11 24h2",
            ),
            (&["Windows Server 2025", "server-2025", "Server2025", "WinServer 2025"][..3], "server 2025"),
            (&["Windows Server 2012 R2", "server 2012r2", "server-2012-r2"], "server 2012 r2"),
            (&["Microsoft Server operating system-24H2"], "server operating system 24h2"),
            (&["windows-8.1", "Windows 8.1.", "win8.1"], "windows 8.1"),
            (&["", " , ", "Version", "."], ""),
        ] {
            for spelling in spellings {
                assert_eq!(words(spelling), expected, "{spelling}");
            }
        }
    }

    #[test]
    fn versions_are_recognized_by_form() {
        for word in ["25H2", "21h1", "2004", "1909", "1507", "2009"] {
            assert!(is_release(word), "{word}");
        }
        for word in ["26200", "7601", "9600", "2016", "2025", "25h3", "h2", "", "10"] {
            assert!(!is_release(word), "{word}");
        }
    }

    #[test]
    fn distance_counts_edited_letters() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "abd", 1),
            ("ac", "abc", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
