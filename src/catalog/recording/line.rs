//! The lines of `index.jsonl`: the header, and one exchange per line.
//!
//! Format 1 has responses only. Format 2 adds failed exchanges (`failure`) and bodies that were not read to their end
//! (`cut`). Format 2 contains format 1 unchanged; a program that knows format 1 only refuses format 2 with a message.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, ErrorKind, Fault, Retry};
use crate::net::{HttpMethod, sorted_url};

/// The format that this program writes. It also reads all earlier formats.
pub(super) const FORMAT: u32 = 2;
/// The file name of the list of exchanges.
pub(super) const INDEX: &str = "index.jsonl";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecordingHeader {
    pub(super) format: u32,
    pub(super) recording: String,
    pub(super) provenance: String,
}

/// Any other line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecordedExchange {
    pub(super) method: HttpMethod,
    pub(super) url: Url,
    pub(super) form: Option<BTreeMap<String, String>>,
    /// The status; null, like `final_url`, if the exchange failed without a response. Then `failure` is set.
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) final_url: Option<Url>,
    pub(super) body: Option<Utf8PathBuf>,
    /// `true` if the response had more bytes than the body; they were not read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) cut: bool,
    /// The failure, in place of a response or after the bytes of its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<RecordedFailure>,
    pub(super) provenance: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires this signature")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A failure that is replayed. The retry class is the one of the time of recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(super) struct RecordedFailure {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
    /// `true` if the same request could have succeeded later.
    #[serde(default)]
    pub(super) retryable: bool,
    #[serde(default)]
    pub(super) hints: Vec<String>,
}

impl RecordedFailure {
    /// Returns the failure of the remote side, or `None` for a failure of this machine, which is not a response.
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
            message: remove_credentials(&error.full_message()),
            retryable: error.is_retryable(),
            hints: error.hints().iter().map(|hint| remove_credentials(hint)).collect(),
        })
    }
}

impl Fault for RecordedFailure {
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

/// Removes user names and passwords from the URLs in a text: `http://user:secret@proxy/` becomes `http://proxy/`.
pub(super) fn remove_credentials(text: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        clean.extend([before, "://"]);
        let ends =
            |sign: char| sign.is_whitespace() || matches!(sign, '/' | '?' | '#' | '"' | '\'' | '<' | '>');
        let authority = behind.find(ends).unwrap_or(behind.len());
        // A password may contain an `@`: the host begins after the last one.
        let host = behind.get(..authority).and_then(|text| text.rfind('@')).map_or(0, |at| at + 1);
        rest = behind.get(host..).unwrap_or_default();
    }
    clean + rest
}

/// The identity of a request.
pub(super) type RequestKey = (&'static str, String, BTreeMap<String, String>);

pub(super) fn request_key(method: HttpMethod, url: &Url, form: BTreeMap<String, String>) -> RequestKey {
    let method = match method {
        HttpMethod::Get => "GET",
        HttpMethod::Head => "HEAD",
        HttpMethod::Post => "POST",
    };
    (method, sorted_url(url).into(), form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_removed_from_urls_only() {
        for (text, clean) in [
            ("http://user:secret@proxy:3128/x", "http://proxy:3128/x"),
            ("via http://u:p@ss@proxy and https://me@b", "via http://proxy and https://b"),
            ("mail a@b, https://c/d@e?f@g", "mail a@b, https://c/d@e?f@g"),
            ("://", "://"),
            ("http://é:ü@h\"x@y", "http://h\"x@y"),
            ("", ""),
        ] {
            assert_eq!(remove_credentials(text), clean);
        }
    }

    #[test]
    fn a_failure_is_replayed_unchanged() {
        let message = "the connection to a was interrupted: reset by http://u:p@proxy/".to_owned();
        let hints = vec!["look at http://u:p@proxy/".to_owned()];
        let seen = RecordedFailure { kind: ErrorKind::Unreachable, message, retryable: true, hints };
        let failure = RecordedFailure::of(&seen.into()).unwrap();
        let text = serde_json::to_string(&failure).unwrap();
        assert!(!text.contains("u:p"), "{text}");
        let again = Error::from(serde_json::from_str::<RecordedFailure>(&text).unwrap());
        assert_eq!(again.message(), "the connection to a was interrupted: reset by http://proxy/");
        assert_eq!((again.kind(), again.is_retryable()), (ErrorKind::Unreachable, true));
        assert_eq!(again.hints(), ["look at http://proxy/"]);
        assert_eq!(
            RecordedFailure::of(&Error::new(ErrorKind::Internal, "cannot read /home/me/ca.pem")),
            None
        );
        assert_eq!(RecordedFailure::of(&Error::usage("--ca-cert /home/me/ca.pem")), None);
    }

    #[test]
    fn a_line_of_format_1_is_read() {
        let line = r#"{"method":"GET","url":"https://a/b?p=0","form":null,"status":200,"headers":{"date":"x"},
            "final_url":"https://a/b?p=0","body":"pages/x.html","provenance":"reconstructed"}"#;
        let exchange: RecordedExchange = serde_json::from_str(line).unwrap();
        assert_eq!((exchange.status, exchange.cut, exchange.failure), (Some(200), false, None));
    }
}
