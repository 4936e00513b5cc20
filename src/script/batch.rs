//! The building blocks of batch files: templates with placeholders, and untrusted text made harmless.
//!
//! Batch files have no quoting that works everywhere. Text from titles is therefore reduced to letters without a
//! special meaning in `cmd.exe`. A path keeps every character of a valid Windows path and is used between double quotes
//! only.

/// Fills the `{{placeholders}}` of a template and ends each line with CR LF. If a placeholder alone on a line has no
/// value, the line is dropped. Several empty lines become one.
pub(super) fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut after_empty = false;
    for line in template.lines() {
        let filled = fill_line(line, values);
        if filled.is_empty() && !line.is_empty() {
            continue;
        }
        for line in filled.split('\n') {
            let line = line.trim_end();
            if !(line.is_empty() && after_empty) {
                text.push_str(line);
                text.push_str("\r\n");
            }
            after_empty = line.is_empty();
        }
    }
    text
}

/// Fills the placeholders of a line in one pass; values are not searched for placeholders.
fn fill_line(line: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        if let Some((_, value)) = values.iter().find(|(key, _)| *key == name) {
            filled.push_str(value);
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// Makes text for people harmless in `echo`, in `rem`, and between quotes. Special characters of `cmd.exe` and
/// characters outside of ASCII become spaces.
pub(super) fn words(text: &str) -> String {
    plain_text(text, "")
}

/// Makes a sentence harmless in `echo` and `rem`. Paths and file patterns in it stay readable.
pub(super) fn sentence(text: &str) -> String {
    plain_text(text, "\\*")
}

fn plain_text(text: &str, more: &str) -> String {
    let plain = |letter: char| {
        letter.is_ascii_alphanumeric() || " .,;:-_/()+'#".contains(letter) || more.contains(letter)
    };
    let text: String = text.chars().map(|letter| if plain(letter) { letter } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes a path or name harmless between double quotes. Characters that Windows file names cannot contain, and
/// characters outside of ASCII, become underscores. The script then reports a missing file and does nothing else.
pub(super) fn path(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '%' => quoted.push_str("%%"),
            '/' => quoted.push('\\'),
            '"' | '<' | '>' | '|' | '?' | '*' => quoted.push('_'),
            letter if letter.is_ascii_graphic() || letter == ' ' => quoted.push(letter),
            _ => quoted.push('_'),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_with_crlf_lines() {
        let values = [("a", "{{b}}".to_owned()), ("b", "x\ny".to_owned()), ("none", String::new())];
        assert_eq!(fill("1 {{a}}\n{{none}}\n{{b}}\n\n\n2", &values), "1 {{b}}\r\nx\r\ny\r\n\r\n2\r\n");
        assert_eq!(fill("open {{ only", &values), "open {{ only\r\n");
    }

    #[test]
    fn untrusted_text_is_harmless() {
        assert_eq!(words("a & del %PATH% | \"b\" ^> c!\r\nd é"), "a del PATH b c d");
        assert_eq!(sentence(r"copy \a\SSU-*.cab > %b%"), r"copy \a\SSU-*.cab b");
        assert_eq!(path("a&b (x86)\\50%.msu"), "a&b (x86)\\50%%.msu");
        assert_eq!(path("a\"& del\r\n\u{e9}"), "a_& del___");
    }
}
