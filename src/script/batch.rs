//! What a batch file can bear: templates with places to fill, and foreign text made harmless.
//!
//! Batch files have no quoting that holds everywhere, so text from titles is reduced to letters that mean nothing to
//! `cmd.exe`, and a path keeps all that a Windows path may have, to be used between double quotes only.

/// A template with its `{{places}}` filled, each line ended by CR LF. A place that stands alone on a line and has no
/// value takes the line with it; several empty lines become one.
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

/// In one pass: a value is never searched for places.
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

/// Text for people, harmless in `echo`, in `rem`, and between quotes: what means something to `cmd.exe` and what is not
/// ASCII becomes a space.
pub(super) fn words(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " .,;:-_/()+'#".contains(letter);
    let text: String = text.chars().map(|letter| if plain(letter) { letter } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A path or name for use between double quotes. What no Windows file name may have, and what is not ASCII, becomes an
/// underscore: the script then says that the file is missing, and does nothing else.
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
    fn places_are_filled_once_and_lines_end_as_windows_wants() {
        let values = [("a", "{{b}}".to_owned()), ("b", "x\ny".to_owned()), ("none", String::new())];
        assert_eq!(fill("1 {{a}}\n{{none}}\n{{b}}\n\n\n2", &values), "1 {{b}}\r\nx\r\ny\r\n\r\n2\r\n");
        assert_eq!(fill("open {{ only", &values), "open {{ only\r\n");
    }

    #[test]
    fn foreign_text_is_harmless() {
        assert_eq!(words("a & del %PATH% | \"b\" ^> c!\r\nd é"), "a del PATH b c d");
        assert_eq!(path("a&b (x86)\\50%.msu"), "a&b (x86)\\50%%.msu");
        assert_eq!(path("a\"& del\r\n\u{e9}"), "a_& del___");
    }
}
