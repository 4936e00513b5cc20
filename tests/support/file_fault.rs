//! Faults of a CDN in the transfer of a file. Faults can be combined, as in `[WeakTag, CutAfter(5)]`: each may change
//! the interpretation of the request and then the answer.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::fault::Hook;
use super::http::{Answer, Delivery, Framing, Request, value_of};

/// A fault. Range faults do not affect a request without a range.
#[derive(Debug, Clone)]
pub(crate) enum FileFault {
    /// The body ends after this number of bytes.
    CutAfter(usize),
    /// The connection is reset after this number of body bytes.
    ResetAfter(usize),
    /// Silence after this number of body bytes, until the client closes the connection. The hook is called
    /// repeatedly.
    StallAfter(usize, Hook),
    /// Pieces of this number of bytes, with the hook before each.
    Drip(usize, Hook),
    /// A chunked body without a Content-Length.
    Chunked,
    /// A body that ends with the connection.
    CloseDelimited,
    /// A body shorter than the file by this number of bytes, with a matching Content-Length.
    Shorter(usize),
    /// A body longer than the file by this number of bytes, with a matching Content-Length.
    Longer(usize),
    /// A body that never ends.
    Endless,
    /// A body with a different first byte.
    Flipped,
    /// `Content-Encoding: gzip` on bytes that are not compressed.
    GzipHeaderOnly,
    /// A compressed body without a request for compression.
    Gzipped,
    /// The complete file with status 200 as an answer to a range request.
    NoRanges,
    /// 206 with a range that begins one byte off.
    WrongStart,
    /// 206 with a wrong size of the file.
    WrongTotal,
    /// An empty 206 that ends before it begins: a CDN's answer if the file has no more bytes.
    EmptyRange,
    /// 206 without a Content-Range.
    NoContentRange,
    /// 416 for every range.
    Unsatisfiable,
    /// A new tag with every answer: the file has changed.
    NewTag,
    /// The requested range under another tag: two servers behind one name.
    OtherTag,
    /// A weak tag and a date.
    WeakTag,
    /// A date and no tag.
    DateOnly,
    /// Neither a tag nor a date.
    NoValidators,
}

/// Returns the answer to a request under these faults. `regular` makes the answer without faults.
pub(super) fn apply(faults: &[FileFault], request: &Request, regular: impl Fn(&Request) -> Answer) -> Answer {
    let mut read = request.clone();
    for fault in faults {
        fault.read(&mut read);
    }
    let answer = regular(&read);
    faults.iter().fold(answer, |answer, fault| fault.apply_to(&read, answer))
}

impl FileFault {
    /// Changes a request as a server with this fault interprets it.
    fn read(&self, request: &mut Request) {
        let condition = value_of(&request.headers, "if-range").map(str::to_owned);
        let by_tag = condition.as_ref().is_some_and(|text| text.starts_with('"') || text.starts_with("W/"));
        let ignored = match self {
            Self::NoRanges => true,
            Self::NewTag | Self::NoValidators => condition.is_some(),
            Self::WeakTag | Self::DateOnly => by_tag,
            _ => false,
        };
        if ignored {
            request.headers.retain(|(name, _)| name != "range");
        }
    }

    fn apply_to(&self, request: &Request, answer: Answer) -> Answer {
        /// The counter that makes every tag unique.
        static TAGS: AtomicU64 = AtomicU64::new(0);
        let ranged = request.header("range").is_some();
        let partial = answer.status == 206;
        let total = answer.body.len();
        match self {
            Self::CutAfter(length) => Answer { delivery: Delivery::CutAfter(*length), ..answer },
            Self::ResetAfter(length) => Answer { delivery: Delivery::ResetAfter(*length), ..answer },
            Self::StallAfter(length, hook) => {
                Answer { delivery: Delivery::StallAfter(*length, hook.clone()), ..answer }
            }
            Self::Drip(size, hook) => Answer { delivery: Delivery::Drip(*size, hook.clone()), ..answer },
            Self::Chunked => Answer { framing: Framing::Chunked, ..answer },
            Self::CloseDelimited => Answer { framing: Framing::Close, ..answer },
            Self::Endless => Answer { delivery: Delivery::Endless, framing: Framing::Chunked, ..answer },
            Self::Shorter(less) => {
                let end = answer.part.end.saturating_sub(*less).max(answer.part.start);
                let part = answer.part.start..end;
                let shorter = Answer { part: part.clone(), ..answer };
                if partial && !part.is_empty() {
                    with_content_range(shorter, part.start, part.end - 1, total)
                } else {
                    shorter
                }
            }
            Self::Longer(more) => {
                let start = answer.part.start;
                let bytes = [&answer.body[..answer.part.end], &vec![0; *more]].concat();
                Answer { part: start..bytes.len(), body: bytes.into(), ..answer }
            }
            Self::Flipped => {
                let mut bytes = answer.body.to_vec();
                if let Some(byte) = bytes[answer.part.clone()].first_mut() {
                    *byte ^= 1;
                }
                Answer { body: bytes.into(), ..answer }
            }
            Self::GzipHeaderOnly => answer.with("Content-Encoding", "gzip"),
            Self::Gzipped => {
                let bytes = gzip(&answer.body[answer.part.clone()]);
                Answer { part: 0..bytes.len(), body: bytes.into(), ..answer }.with("Content-Encoding", "gzip")
            }
            Self::WrongStart if partial => {
                let part = answer.part.clone();
                let start = if part.start > 0 { part.start - 1 } else { (part.start + 1).min(part.end - 1) };
                with_content_range(Answer { part: start..part.end, ..answer }, start, part.end - 1, total)
            }
            Self::WrongTotal if partial => {
                let part = answer.part.clone();
                with_content_range(answer, part.start, part.end - 1, total + 1)
            }
            Self::EmptyRange if ranged && answer.status == 416 => {
                // A 416 has no body of the file. Its Content-Range has the length.
                let total =
                    value_of(&answer.headers, "Content-Range").and_then(|text| text.rsplit('/').next());
                let total = total.and_then(|text| text.parse().ok()).unwrap_or(1);
                with_content_range(Answer { status: 206, part: 0..0, ..answer }, total, total - 1, total)
            }
            Self::EmptyRange if partial => {
                let start = answer.part.start;
                with_content_range(
                    Answer { part: start..start, ..answer },
                    start,
                    start.saturating_sub(1),
                    total,
                )
            }
            Self::NoContentRange if partial => without(answer, "Content-Range"),
            Self::Unsatisfiable if partial => {
                Answer::text(416, "").with("Content-Range", &format!("bytes */{total}"))
            }
            Self::NewTag => {
                let tag = format!("\"new-{}\"", TAGS.fetch_add(1, Ordering::SeqCst));
                without(answer, "ETag").with("ETag", &tag)
            }
            Self::OtherTag if partial => without(answer, "ETag").with("ETag", "\"of another server\""),
            Self::WeakTag => {
                let tag = value_of(&answer.headers, "ETag").map(|tag| format!("W/{tag}"));
                without(answer, "ETag").with("ETag", &tag.unwrap_or_default())
            }
            Self::DateOnly => without(answer, "ETag"),
            Self::NoValidators => without(without(answer, "ETag"), "Last-Modified"),
            Self::NoRanges
            | Self::WrongStart
            | Self::WrongTotal
            | Self::EmptyRange
            | Self::NoContentRange
            | Self::Unsatisfiable
            | Self::OtherTag => answer,
        }
    }
}

fn without(mut answer: Answer, name: &str) -> Answer {
    answer.headers.retain(|(key, _)| key != name);
    answer
}

/// Replaces the Content-Range of an answer.
fn with_content_range(answer: Answer, first: usize, last: usize, total: usize) -> Answer {
    without(answer, "Content-Range").with("Content-Range", &format!("bytes {first}-{last}/{total}"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
