//! The lines of `index.jsonl`: the header, and one exchange each.
//!
//! Format 1 knew answers only. Format 2 adds exchanges that failed (`failure`) and bodies that were not read to their
//! end (`cut`); it reads format 1 as it is, and a program that knows format 1 alone refuses it with a sentence.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, ErrorKind, Fault, Retry};
use crate::net::{Method, sorted_url};

/// The format that this program writes; it reads this one and those before it.
pub(super) const FORMAT: u32 = 2;
/// The name of the list of exchanges.
pub(super) const INDEX: &str = "index.jsonl";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) recording: String,
    pub(super) provenance: String,
}

/// Any other line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Exchange {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) form: Option<BTreeMap<String, String>>,
    /// Null where there was no answer, as is `final_url`; then there is a `failure`.
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) final_url: Option<Url>,
    pub(super) body: Option<Utf8PathBuf>,
    /// The answer had more bytes than those of the body; they were not read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) cut: bool,
    /// The failure: in place of an answer, or behind the bytes of its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
    pub(super) provenance: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A failure as it is replayed. The retry class is kept as it was decided when the failure was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    /// The same request could have succeeded later.
    #[serde(default)]
    pub(super) retryable: bool,
    #[serde(default)]
    pub(super) hints: Vec<String>,
}

impl Failure {
    /// The failure of the other side of the wire; `None` for a failure of this machine, which is not an answer.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let of_the_wire = matches!(
            error.kind(),
            ErrorKind::Unreachable
                | ErrorKind::Integrity
                | ErrorKind::HostNotAllowed
                | ErrorKind::PageChanged
        );
        of_the_wire.then(|| Self {
            kind: error.kind(),
            message: without_credentials(&error.full_message()),
            retryable: error.is_retryable(),
            hints: error.hints().iter().map(|hint| without_credentials(hint)).collect(),
        })
    }
}

impl Fault for Failure {
    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn retry(&self) -> Retry {
        if self.retryable { Retry::Soon } else { Retry::Never }
    }

    fn hints(&self) -> Vec<String> {
        self.hints.clone()
    }
}

/// A text without user names and passwords in addresses: `http://user:secret@proxy/` is `http://proxy/`.
pub(super) fn without_credentials(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        clean.extend([before, "://"]);
        let ends =
            |sign: char| sign.is_whitespace() || matches!(sign, '/' | '?' | '#' | '"' | '\'' | '<' | '>');
        let authority = behind.find(ends).unwrap_or(behind.len());
        // A password may have an `@` of its own: the host begins behind the last one.
        let host = behind.get(..authority).and_then(|text| text.rfind('@')).map_or(0, |at| at + 1);
        rest = behind.get(host..).unwrap_or_default();
    }
    clean + rest
}

/// The identity of a request.
pub(super) type Key = (&'static str, String, BTreeMap<String, String>);

pub(super) fn key(method: Method, url: &Url, form: BTreeMap<String, String>) -> Key {
    let method = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
    };
    (method, sorted_url(url).into(), form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_out_of_addresses_and_nothing_else() {
        for (text, clean) in [
            ("http://user:secret@proxy:3128/x", "http://proxy:3128/x"),
            ("via http://u:p@ss@proxy and https://me@b", "via http://proxy and https://b"),
            ("mail a@b, https://c/d@e?f@g", "mail a@b, https://c/d@e?f@g"),
            ("://", "://"),
            ("http://é:ü@h\"x@y", "http://h\"x@y"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text), clean);
        }
    }

    #[test]
    fn a_failure_comes_back_as_it_was() {
        let message = "the connection to a broke off: reset by http://u:p@proxy/".to_owned();
        let hints = vec!["look at http://u:p@proxy/".to_owned()];
        let seen = Failure { kind: ErrorKind::Unreachable, message, retryable: true, hints };
        let failure = Failure::of(&seen.into()).unwrap();
        let text = serde_json::to_string(&failure).unwrap();
        assert!(!text.contains("u:p"), "{text}");
        let again = Error::from(serde_json::from_str::<Failure>(&text).unwrap());
        assert_eq!(again.message(), "the connection to a broke off: reset by http://proxy/");
        assert_eq!((again.kind(), again.is_retryable()), (ErrorKind::Unreachable, true));
        assert_eq!(again.hints(), ["look at http://proxy/"]);
        assert_eq!(Failure::of(&Error::new(ErrorKind::Internal, "cannot read /home/me/ca.pem")), None);
        assert_eq!(Failure::of(&Error::usage("--ca-cert /home/me/ca.pem")), None);
    }

    #[test]
    fn a_line_of_format_1_is_read_as_it_is() {
        let line = r#"{"method":"GET","url":"https://a/b?p=0","form":null,"status":200,"headers":{"date":"x"},
            "final_url":"https://a/b?p=0","body":"pages/x.html","provenance":"reconstructed"}"#;
        let exchange: Exchange = serde_json::from_str(line).unwrap();
        assert_eq!((exchange.status, exchange.cut, exchange.failure), (Some(200), false, None));
    }
}
