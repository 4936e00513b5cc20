//! The CDN's answers for package files: complete, for HEAD, or one range.

use std::ops::Range;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha1::{Digest as _, Sha1};

use super::http::{Answer, Pairs, Request, pair};

const LAST_MODIFIED: &str = "Tue, 10 Sep 2024 17:00:00 GMT";

/// Returns the answer for a file with these bytes. The `recorded` headers replace the default headers.
pub(super) fn file_answer(request: &Request, bytes: &Arc<[u8]>, recorded: &Pairs) -> Answer {
    let mut headers = recorded.clone();
    let made = [
        pair("Content-Type", "application/octet-stream"),
        pair("Accept-Ranges", "bytes"),
        pair("ETag", &format!("\"{}\"", HEXLOWER.encode(&Sha1::digest(bytes)))),
        pair("Last-Modified", LAST_MODIFIED),
    ];
    for (name, value) in made {
        if header(&headers, &name).is_none() {
            headers.push((name, value));
        }
    }
    let length = bytes.len();
    // RFC 9110, section 13.1.5: a weak tag never matches, and a date is compared as text.
    let unchanged = request.header("if-range").is_none_or(|validator| {
        let current = [header(&headers, "ETag"), header(&headers, "Last-Modified")];
        !validator.starts_with("W/") && current.contains(&Some(validator))
    });
    let requested = request.header("range").filter(|_| unchanged && !request.is_head());
    let requested_range = requested.map(|text| range(text, length));
    let (status, part) = match requested_range {
        None | Some(RangeRequest::Everything) => (200, 0..length),
        Some(RangeRequest::Part(part)) => {
            headers.push(pair("Content-Range", &format!("bytes {}-{}/{length}", part.start, part.end - 1)));
            (206, part)
        }
        Some(RangeRequest::Unsatisfiable) => {
            return Answer::text(416, "").with("Content-Range", &format!("bytes */{length}"));
        }
    };
    let mut answer = Answer::new(status, "", Arc::clone(bytes));
    answer.headers = headers;
    answer.part = part;
    answer.package = true;
    answer
}

fn header<'a>(headers: &'a Pairs, name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

enum RangeRequest {
    Part(Range<usize>),
    /// The header is not one range of bytes, and a server may ignore it.
    Everything,
    Unsatisfiable,
}

/// Parses `bytes=4-7`, `bytes=4-`, or `bytes=-4` for a file of this length.
fn range(text: &str, length: usize) -> RangeRequest {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return RangeRequest::Everything;
    };
    let part = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(tail)) if first.is_empty() => length.saturating_sub(tail)..length,
        _ => return RangeRequest::Everything,
    };
    if part.is_empty() { RangeRequest::Unsatisfiable } else { RangeRequest::Part(part) }
}
