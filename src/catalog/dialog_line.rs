//! The grammar of one data line in a download dialog: an assignment to a part of `downloadInformation`.
//!
//! ```text
//! downloadInformation[0] = new Object(); downloadInformation[0].enTitle ='2026-09 Cumulative Update …';
//! downloadInformation[0].files[1].url = 'https://…';
//! ```
//!
//! The grammar is a list of the forms that the site uses, not a subset of JavaScript. A line is accepted completely or
//! not at all, and nothing is evaluated. A text is in single quotes and has known escapes only.

use winnow::ascii::{dec_int, dec_uint, space0, space1};
use winnow::combinator::{alt, delimited, empty, fail, opt, preceded, repeat};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::token::take_while;

type ParseResult<T> = winnow::Result<T, ContextError>;

/// The target of an assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssignmentTarget<'a> {
    /// The target `downloadInformation[i]`.
    Update(usize),
    /// The target `downloadInformation[i].name`.
    UpdateProperty(usize, &'a str),
    /// The target `downloadInformation[i].files[j]`.
    File(usize, usize),
    /// The target `downloadInformation[i].files[j].name`.
    FileProperty(usize, usize, &'a str),
}

/// The value of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AssignedValue {
    Text(String),
    Number(i64),
    Bool(bool),
    NewObject,
    NewArray,
}

/// The prefix of a data line.
pub(super) const DATA_PREFIX: &str = "downloadInformation[";

/// Parses one line without surrounding white space; returns `None` if it is not an assignment.
pub(super) fn parse_line(line: &str) -> Option<(AssignmentTarget<'_>, AssignedValue)> {
    assignment.parse(line).ok()
}

/// Returns `true` if the line declares the array that holds all data.
pub(super) fn is_declaration(line: &str) -> bool {
    let mut declaration = ("var", space1, "downloadInformation", equals, new("Array"), end);
    declaration.parse(line).is_ok()
}

fn assignment<'a>(input: &mut &'a str) -> ParseResult<(AssignmentTarget<'a>, AssignedValue)> {
    let (place, (), value, ()) = (place, equals, value, end).parse_next(input)?;
    Ok((place, value))
}

fn equals(input: &mut &str) -> ParseResult<()> {
    (space0, '=', space0).void().parse_next(input)
}

fn end(input: &mut &str) -> ParseResult<()> {
    (space0, ';').void().parse_next(input)
}

fn place<'a>(input: &mut &'a str) -> ParseResult<AssignmentTarget<'a>> {
    let update = preceded("downloadInformation", index).parse_next(input)?;
    let file = opt(preceded(".files", index)).parse_next(input)?;
    let property = opt(preceded('.', name)).parse_next(input)?;
    Ok(match (file, property) {
        (None, None) => AssignmentTarget::Update(update),
        (None, Some(name)) => AssignmentTarget::UpdateProperty(update, name),
        (Some(file), None) => AssignmentTarget::File(update, file),
        (Some(file), Some(name)) => AssignmentTarget::FileProperty(update, file, name),
    })
}

fn index(input: &mut &str) -> ParseResult<usize> {
    delimited('[', dec_uint, ']').parse_next(input)
}

fn name<'a>(input: &mut &'a str) -> ParseResult<&'a str> {
    take_while(1.., |sign: char| sign.is_ascii_alphanumeric() || sign == '_').parse_next(input)
}

fn value(input: &mut &str) -> ParseResult<AssignedValue> {
    alt((
        text.map(AssignedValue::Text),
        dec_int.map(AssignedValue::Number),
        "true".value(AssignedValue::Bool(true)),
        "false".value(AssignedValue::Bool(false)),
        new("Object").value(AssignedValue::NewObject),
        new("Array").value(AssignedValue::NewArray),
    ))
    .parse_next(input)
}

fn new<'a>(class: &'static str) -> impl Parser<&'a str, (), ContextError> {
    ("new", space1, class, space0, '(', space0, ')').void()
}

fn text(input: &mut &str) -> ParseResult<String> {
    let plain = take_while(1.., |sign| !matches!(sign, '\'' | '\\'));
    let piece = alt((plain.map(str::to_owned), escape.map(String::from)));
    let pieces = repeat(0.., piece).fold(String::new, |mut text, piece| {
        text.push_str(&piece);
        text
    });
    delimited('\'', pieces, '\'').parse_next(input)
}

fn escape(input: &mut &str) -> ParseResult<char> {
    let known = alt((
        alt(('\'', '\\', '"', '/')),
        'n'.value('\n'),
        preceded('x', hexadecimal::<2>).verify_map(char::from_u32),
        preceded('u', code_unit),
    ));
    preceded('\\', known).parse_next(input)
}

/// Parses `\u0041`, or two of them if they are the surrogates of one character. A single surrogate is refused.
fn code_unit(input: &mut &str) -> ParseResult<char> {
    const HIGH: std::ops::RangeInclusive<u32> = 0xD800..=0xDBFF;
    const LOW: std::ops::RangeInclusive<u32> = 0xDC00..=0xDFFF;
    let unit = hexadecimal::<4>(input)?;
    let code = if HIGH.contains(&unit) {
        let low = preceded("\\u", hexadecimal::<4>).verify(|low| LOW.contains(low)).parse_next(input)?;
        0x1_0000 + ((unit - HIGH.start()) << 10) + (low - LOW.start())
    } else {
        unit
    };
    match char::from_u32(code) {
        Some(sign) => empty.value(sign).parse_next(input),
        None => fail.parse_next(input),
    }
}

fn hexadecimal<const DIGITS: usize>(input: &mut &str) -> ParseResult<u32> {
    take_while(DIGITS..=DIGITS, |sign: char| sign.is_ascii_hexdigit())
        .verify_map(|digits| u32::from_str_radix(digits, 16).ok())
        .parse_next(input)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(line: &str) -> Option<String> {
        match parse_line(&format!("downloadInformation[0].x = '{line}';"))?.1 {
            AssignedValue::Text(text) => Some(text),
            _ => None,
        }
    }

    #[test]
    fn the_forms_of_the_site_are_parsed() {
        let cases = [
            ("downloadInformation[0] = new Object();", AssignmentTarget::Update(0), AssignedValue::NewObject),
            (
                "downloadInformation[0].isHotFix =false;",
                AssignmentTarget::UpdateProperty(0, "isHotFix"),
                AssignedValue::Bool(false),
            ),
            (
                "downloadInformation[12].files = new Array();",
                AssignmentTarget::UpdateProperty(12, "files"),
                AssignedValue::NewArray,
            ),
            (
                "downloadInformation[0].files[41] = new Object();",
                AssignmentTarget::File(0, 41),
                AssignedValue::NewObject,
            ),
            (
                "downloadInformation[1].files[0].defaultFileNameLength = 181;",
                AssignmentTarget::FileProperty(1, 0, "defaultFileNameLength"),
                AssignedValue::Number(181),
            ),
            (
                "downloadInformation[0].enTitle ='a  b; c = [d]';",
                AssignmentTarget::UpdateProperty(0, "enTitle"),
                AssignedValue::Text("a  b; c = [d]".to_owned()),
            ),
        ];
        for (line, place, value) in cases {
            assert_eq!(parse_line(line), Some((place, value)), "{line}");
        }
        assert!(is_declaration("var downloadInformation = new Array();"));
        assert!(!is_declaration("var downloadInformation = [];"));
    }

    #[test]
    fn known_escapes_are_decoded_and_others_refused() {
        assert_eq!(
            text_of(r#"it\'s \\ \"x\" \/ \x26 \u00e9 \ud83d\ude00\n"#).unwrap(),
            "it's \\ \"x\" / & é 😀\n"
        );
        assert_eq!(text_of("").unwrap(), "");
        for text in [
            r"\q",
            r"\0",
            r"\u12",
            r"\x2",
            r"\ud83d",
            r"\ud83dx",
            r"\ud83d\u0041",
            r"\ude00",
            "a'b",
            r"\",
            r"\u+041",
        ] {
            assert_eq!(text_of(text), None, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for line in [
            "",
            "downloadInformation[0].url = \"x\";",
            "downloadInformation[0].url = 'x'",
            "downloadInformation[0].url = 'x'; alert(1);",
            "downloadInformation[0].url = 'x' + 'y';",
            "downloadInformation[0].url = f('x');",
            "downloadInformation[0].url == 'x';",
            "downloadInformation[i].url = 'x';",
            "downloadInformation[-1] = new Object();",
            "downloadInformation[99999999999999999999] = new Object();",
            "downloadInformation[0].files[0].a.b = 1;",
            "downloadInformation[0] = new Date();",
            " downloadInformation[0] = new Object();",
            "var files = downloadInformation[0].files;",
        ] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_text_is_decoded_to_the_original(text in "[\\PC\n]{0,60}") {
            let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            prop_assert_eq!(text_of(&escaped), Some(text));
        }

        #[test]
        fn any_line_is_accepted_without_a_panic(line in any::<String>(), tail in "[0-9a-z.=;'\\\\\\[\\] ]{0,40}") {
            let _result = parse_line(&line);
            let _result = parse_line(&format!("downloadInformation[0]{tail}"));
        }
    }
}
