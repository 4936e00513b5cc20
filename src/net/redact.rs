//! Removes secrets from texts that are shown or stored: command lines, configuration lines, URLs.
//!
//! The user name and the password of a URL are secrets. The query is a secret too, because it may be a signature or a
//! token. In doubt, this module hides: in a word with `://`, the text before an `@` counts as a user name and a
//! password. This also holds if one of their characters was not escaped and the URL therefore means something else.

use url::Url;

/// The replacement for a secret.
const HIDDEN: &str = "***";
/// The options whose values are URLs also without `://`.
const URL_OPTIONS: [&str; 3] = ["--proxy", "--allow-host", "--catalog-url"];

/// Returns one word or URL without its secrets.
pub fn redacted(word: &str) -> String {
    match word.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", without_secrets(rest)),
        None => word.to_owned(),
    }
}

/// Returns a URL without its secrets, with or without a scheme.
pub(super) fn redacted_url_text(text: &str) -> String {
    if text.contains("://") { redacted(text) } else { without_secrets(text) }
}

/// Returns a parsed URL for a message, shortened, without user name, password, and query.
pub(super) fn redacted_url(url: &Url) -> String {
    /// The most characters that are shown. Real URLs have some 180.
    const SHOWN: usize = 300;
    let mut url = url.clone();
    // Fails for URLs that cannot have credentials; nothing has to be removed then.
    let _cannot_have = url.set_username("");
    let _cannot_have = url.set_password(None);
    if url.query().is_some_and(|query| !query.is_empty()) {
        url.set_query(Some(HIDDEN));
    }
    url.as_str().chars().take(SHOWN).collect()
}

/// Returns text that the operator typed, for a message, without secrets. Blanks may be part of a password and do not
/// end a secret; quotes and line ends do.
pub fn redacted_text(text: &str) -> String {
    let ends = |letter: char| matches!(letter, '"' | '\'' | '`' | '<' | '>' | '\n');
    let redact = |piece: &str| {
        let body = piece.trim_end_matches(ends);
        let end = piece.get(body.len()..).unwrap_or_default();
        let hidden = match body.rsplit_once('@') {
            Some((_, host)) if !body.contains("://") => format!("{HIDDEN}@{host}"),
            _ => redacted(body),
        };
        hidden + end
    };
    text.split_inclusive(ends).map(redact).collect()
}

/// Returns the arguments of a command line without secrets.
pub fn redacted_arguments(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut is_url = false;
    let redact = |argument: String| {
        let given = argument.split_once('=').filter(|(option, _)| URL_OPTIONS.contains(option));
        let value = match given {
            Some((option, value)) => Some(format!("{option}={}", redacted_url_text(value))),
            None => is_url.then(|| redacted_url_text(&argument)),
        };
        is_url = URL_OPTIONS.contains(&argument.as_str());
        value.unwrap_or_else(|| redacted(&argument))
    };
    arguments.into_iter().map(redact).collect()
}

/// Returns the part of a URL after its scheme, without secrets.
fn without_secrets(rest: &str) -> String {
    let (hidden, location) = match rest.rsplit_once('@') {
        Some((_, location)) => (format!("{HIDDEN}@"), location),
        None => (String::new(), rest),
    };
    match location.split_once('?') {
        Some((path, query)) if !query.is_empty() => format!("{hidden}{path}?{HIDDEN}"),
        _ => hidden + location,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_queries_are_hidden() {
        for (word, shown) in [
            ("http://user:secret@proxy:3128", "http://***@proxy:3128"),
            ("http://user:sec/ret#1@proxy:3128/", "http://***@proxy:3128/"),
            ("http://user:sec@ret@proxy", "http://***@proxy"),
            ("--proxy=http://user:secret@proxy", "--proxy=http://***@proxy"),
            ("https://proxy:3128/x", "https://proxy:3128/x"),
            ("person@example.org", "person@example.org"),
            ("https://u:p@h/x?sig=s e&t=1", "https://***@h/x?***"),
            ("https://h/x?", "https://h/x?"),
            ("who?", "who?"),
        ] {
            assert_eq!(redacted(word), shown);
        }
        let text = "error: unexpected argument 'http://u:p@h' found\n  http://v:q@h/x";
        assert_eq!(redacted_text(text), "error: unexpected argument 'http://***@h' found\n  http://***@h/x");
        assert_eq!(redacted_text("proxy = \"http://u:s e#c@h\" # x"), "proxy = \"http://***@h\" # x");
        assert_eq!(redacted_text("proxy = 'u:secret@h:1'"), "proxy = '***@h:1'");
        assert_eq!(redacted_text("[network] # who? ask"), "[network] # who? ask");
        assert_eq!(redacted_text("url = \"http://h/x?sig=s\" # x"), "url = \"http://h/x?***\" # x");
    }

    #[test]
    fn secrets_are_hidden_in_urls_without_a_scheme() {
        let hide = |words: &[&str]| redacted_arguments(words.iter().map(|&word| word.to_owned())).join(" ");
        assert_eq!(hide(&["--proxy", "u:secret@h:1", "fetch", "a@b"]), "--proxy ***@h:1 fetch a@b");
        assert_eq!(hide(&["--proxy=u:secret@h:1", "list"]), "--proxy=***@h:1 list");
        assert_eq!(hide(&["--proxy", "http://u:s e@h", "x"]), "--proxy http://***@h x");
        assert_eq!(hide(&["--catalog-url", "http://u:s@h"]), "--catalog-url http://***@h");
        assert_eq!(hide(&["--catalog-url", "h/?sig=s", "x?y=z"]), "--catalog-url h/?*** x?y=z");
        assert_eq!(hide(&["--catalog-url=http://h/?sig=s"]), "--catalog-url=http://h/?***");
        assert_eq!(hide(&["--allow-host", "u:s@h:1", "--arch=x"]), "--allow-host ***@h:1 --arch=x");
    }
    #[test]
    fn a_parsed_url_is_shown_without_secrets() {
        let shown = |text: &str| redacted_url(&Url::parse(text).unwrap());
        assert_eq!(shown("https://u:p@h/x?sig=s"), "https://h/x?***");
        assert_eq!(shown("https://h/x"), "https://h/x");
        assert_eq!(shown(&format!("https://h/{}", "x".repeat(900))).len(), 300);
    }
}
