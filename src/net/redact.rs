//! Credentials out of what is shown or kept: command lines, lines of a configuration, addresses.
//!
//! Errs on the side of hiding: what stands before an `@` in a word with `://` is taken for a user name and a password,
//! also where one of their signs was not written as it should be and the address means something else.

/// What stands in the place of a user name and a password.
const HIDDEN: &str = "***";
/// The option whose value is an address also without `://`.
const PROXY_OPTION: &str = "--proxy";

/// One word or address without its credentials.
pub fn redacted(word: &str) -> String {
    match word.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}"),
            None => word.to_owned(),
        },
        None => word.to_owned(),
    }
}

/// What somebody typed, repeated in a message, without credentials. Blanks may be part of a password, so they end
/// nothing; quotes and the ends of lines do.
pub fn redacted_text(text: &str) -> String {
    let ends = |letter: char| matches!(letter, '"' | '\'' | '`' | '<' | '>' | '\n');
    text.split_inclusive(ends).map(redacted_proxy).collect()
}

/// The arguments of a command line without credentials.
pub fn redacted_arguments(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut is_proxy = false;
    let redact = |argument: String| {
        let value = match argument.strip_prefix(PROXY_OPTION).and_then(|rest| rest.strip_prefix('=')) {
            Some(value) => Some(format!("{PROXY_OPTION}={}", redacted_proxy(value))),
            None => is_proxy.then(|| redacted_proxy(&argument)),
        };
        is_proxy = argument == PROXY_OPTION;
        value.unwrap_or_else(|| redacted(&argument))
    };
    arguments.into_iter().map(redact).collect()
}

/// The address of a proxy, with or without its scheme.
pub(super) fn redacted_proxy(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, host)) if !text.contains("://") => format!("{HIDDEN}@{host}"),
        _ => redacted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_host_is_hidden() {
        for (word, shown) in [
            ("http://user:secret@proxy:3128", "http://***@proxy:3128"),
            ("http://user:sec/ret#1@proxy:3128/", "http://***@proxy:3128/"),
            ("http://user:sec@ret@proxy", "http://***@proxy"),
            ("--proxy=http://user:secret@proxy", "--proxy=http://***@proxy"),
            ("https://proxy:3128/x", "https://proxy:3128/x"),
            ("somebody@example.org", "somebody@example.org"),
        ] {
            assert_eq!(redacted(word), shown);
        }
        let text = "error: unexpected argument 'http://u:p@h' found\n  http://v:q@h/x";
        assert_eq!(redacted_text(text), "error: unexpected argument 'http://***@h' found\n  http://***@h/x");
        assert_eq!(redacted_text("proxy = \"http://u:s e#c@h\" # x"), "proxy = \"http://***@h\" # x");
        assert_eq!(redacted_text("proxy = 'u:secret@h:1'"), "proxy = '***@h:1'");
        assert_eq!(redacted_text("[network] # who? ask"), "[network] # who? ask");
    }

    #[test]
    fn a_proxy_needs_no_scheme_to_have_its_credentials_hidden() {
        let hide = |words: &[&str]| redacted_arguments(words.iter().map(|&word| word.to_owned())).join(" ");
        assert_eq!(hide(&["--proxy", "u:secret@h:1", "fetch", "a@b"]), "--proxy ***@h:1 fetch a@b");
        assert_eq!(hide(&["--proxy=u:secret@h:1", "list"]), "--proxy=***@h:1 list");
        assert_eq!(hide(&["--proxy", "http://u:s e@h", "x"]), "--proxy http://***@h x");
        assert_eq!(hide(&["--catalog-url", "http://u:s@h"]), "--catalog-url http://***@h");
    }
}
