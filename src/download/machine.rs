//! The state machine of a transfer: the bytes on the disk, the statements of the server, and the next step. Pure.
//!
//! The driver ([`super::transfer`]) sends [`TransferMachine::request`], reports the response, and writes where
//! [`TransferStep`] says. Bytes of two different files never meet in one partial file:
//!
//! - A 206 is appended only if its `Content-Range` begins where the partial file ends, reaches to the end, and states
//!   the known total. A 200 is written from the beginning.
//! - Every other response that is not an error (416, another validator, a wrong range) empties the partial file, a few
//!   times at most.
//! - Only the digests decide whether the bytes are right. If they differ once, the partial file is emptied and
//!   everything is fetched again: the fault may lie in the bytes of an earlier run. If they differ twice, the file is
//!   bad.

use super::fault::TransferFault;
use crate::net::FilePart;

/// The most restarts of one transfer. A server that changes its file, or its statements, more often cannot deliver it.
const MAX_RESTARTS: u32 = 4;

/// The server's validators for a version of its file, used to request the rest of that version (RFC 9110, section
/// 13.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// The strong entity tag. Weak tags do not promise equal bytes and are not kept.
    pub etag: Option<String>,
    /// The date of the last change, as the server writes it.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Creates the validators from the headers of a response.
    pub fn new(etag: Option<&str>, last_modified: Option<&str>) -> Self {
        let strong = etag.filter(|etag| etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2);
        Self { etag: strong.map(str::to_owned), last_modified: last_modified.map(str::to_owned) }
    }

    /// Returns the value of `If-Range`.
    fn if_range(&self) -> Option<&str> {
        self.etag.as_deref().or(self.last_modified.as_deref())
    }

    /// Returns `true` if a response with the validators `other` is certainly of another version.
    fn contradicts(&self, other: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        if self.etag.is_some() && other.etag.is_some() {
            return self.etag != other.etag;
        }
        differ(&self.last_modified, &other.last_modified)
    }
}

/// `Content-Range: bytes 100-199/200`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first byte.
    pub first: u64,
    /// The last byte.
    pub last: u64,
    /// The length of the complete file; `None` for `*`.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Parses the header; returns `None` if it does not describe a byte range.
    pub fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
        let (first, last) = range.trim().split_once('-')?;
        let number = |text: &str| -> Option<u64> {
            let text = text.trim();
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let total = match total.trim() {
            "*" => None,
            total => Some(number(total)?),
        };
        Some(Self { first: number(first)?, last: number(last)?, total })
    }
}

/// The status and headers of a response. Statuses other than 200, 206, and 416 never reach this type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHead {
    /// The status: 200, 206, or 416.
    pub status: u16,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// `Content-Range`, if it can be parsed.
    pub range: Option<ContentRange>,
    /// The server's validators for this version.
    pub validators: Validators,
    /// `Content-Encoding`, if it is not `identity`.
    pub encoding: Option<String>,
}

/// The step after a response.
#[derive(Debug, PartialEq, Eq)]
pub enum TransferStep {
    /// The body is written to the disk from this byte on; at 0 it replaces the bytes there.
    Take {
        /// The first byte.
        at: u64,
    },
    /// The partial file is unusable: the driver empties it and requests the file again.
    StartOver(&'static str),
    /// The file is complete on the disk.
    Complete,
}

/// The size limit of a package for any statement of a server: three times the largest observed package (5.6 GB).
pub const LARGEST_PACKAGE: u64 = 16 * 1024 * 1024 * 1024;

/// The expected size of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeBounds {
    /// The exact size, if it is stated.
    pub size: Option<u64>,
    /// The maximum size; `None` if it is not stated. Then the length that the server states is the bound, and a file
    /// without a length is refused.
    pub cap: Option<u64>,
}

impl SizeBounds {
    /// Refuses a length that the file cannot have.
    fn check(self, length: u64) -> Result<(), TransferFault> {
        match self.size {
            Some(stated) if length != stated => Err(TransferFault::WrongSize { offered: length, stated }),
            None if length > self.max_size() => {
                Err(TransferFault::WrongSize { offered: length, stated: self.max_size() })
            }
            _ => Ok(()),
        }
    }

    /// Returns the most bytes that are written.
    pub fn max_size(self) -> u64 {
        self.size.or(self.cap).unwrap_or(LARGEST_PACKAGE)
    }

    /// Returns `true` if a size or a maximum is known before the server states a length.
    pub fn is_stated(self) -> bool {
        self.size.is_some() || self.cap.is_some()
    }
}

/// A transfer in progress.
#[derive(Debug, Clone)]
pub struct TransferMachine {
    bounds: SizeBounds,
    /// The number of usable bytes on the disk.
    written: u64,
    /// The length of the complete file, once a server has stated it.
    total: Option<u64>,
    /// The validators of the version on the disk, at the current URL.
    validators: Validators,
    restarts: u32,
    /// `true` if the digests differed once already.
    differed: bool,
}

impl TransferMachine {
    /// Creates a transfer with `written` bytes on the disk and the statements that an earlier run recorded.
    pub fn new(bounds: SizeBounds, written: u64, total: Option<u64>, validators: Validators) -> Self {
        // The recorded statements may be about another file: they must fit the size that the Catalog states.
        let fits = |length: u64| bounds.check(length).is_ok();
        let is_sound =
            written <= bounds.max_size() && total.is_none_or(|total| fits(total) && written <= total);
        if is_sound {
            Self { bounds, written, total, validators, restarts: 0, differed: false }
        } else {
            Self {
                bounds,
                written: 0,
                total: None,
                validators: Validators::default(),
                restarts: 0,
                differed: false,
            }
        }
    }

    /// Returns the number of usable bytes on the disk.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns the length of the file, if it is known.
    pub fn total(&self) -> Option<u64> {
        self.bounds.size.or(self.total)
    }

    /// Returns the most bytes that the file can have.
    pub fn max_size(&self) -> u64 {
        self.total().unwrap_or(self.bounds.max_size())
    }

    /// Returns the server's validators for the version.
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// Returns `true` if the file is complete on the disk.
    pub fn is_complete(&self) -> bool {
        self.written > 0 && self.total() == Some(self.written)
    }

    /// Returns `true` if the size of the file is bounded already.
    pub fn is_bounded(&self) -> bool {
        self.bounds.is_stated() || self.total.is_some()
    }

    /// Bounds the file by the length that the server states before the bytes are requested.
    pub fn limit_size(&mut self, length: u64) {
        if !self.bounds.is_stated() {
            self.bounds.cap = Some(length.min(LARGEST_PACKAGE));
        }
    }

    /// Returns the part to request from the server.
    pub fn request(&self) -> FilePart {
        let if_range = self.validators.if_range().filter(|_| self.written > 0).map(str::to_owned);
        FilePart { from: self.written, if_range }
    }

    /// Discards the validators before another URL is requested: each server has its own validators for the same bytes.
    pub fn switch_url(&mut self) {
        self.validators = Validators::default();
    }

    /// Returns the step after the head of a response.
    pub fn handle_head(&mut self, head: &ResponseHead) -> Result<TransferStep, TransferFault> {
        if let Some(coding) = &head.encoding {
            return Err(TransferFault::Encoded { coding: coding.clone() });
        }
        match head.status {
            206 if self.written == 0 => self.accept_full_range(head),
            206 => self.accept_rest(head),
            416 => self.handle_empty_range(),
            _ => self.accept_full_file(head, head.length),
        }
    }

    fn accept_full_file(
        &mut self,
        head: &ResponseHead,
        length: Option<u64>,
    ) -> Result<TransferStep, TransferFault> {
        if length == Some(0) {
            return Err(TransferFault::EmptyFile);
        }
        match length {
            Some(length) => self.bounds.check(length)?,
            // Without any bound, a body without a length could grow without end.
            None if !self.bounds.is_stated() => return Err(TransferFault::NoSize),
            None => {}
        }
        self.written = 0;
        self.total = length;
        self.validators = head.validators.clone();
        Ok(TransferStep::Take { at: 0 })
    }

    /// Accepts a range that covers the complete file, in response to a request for the complete file.
    fn accept_full_range(&mut self, head: &ResponseHead) -> Result<TransferStep, TransferFault> {
        match head.range {
            Some(ContentRange { first: 0, last, total: Some(total) })
                if last.checked_add(1) == Some(total) =>
            {
                self.accept_full_file(head, Some(total))
            }
            _ => Err(TransferFault::UnexpectedPart),
        }
    }

    fn accept_rest(&mut self, head: &ResponseHead) -> Result<TransferStep, TransferFault> {
        let Some(range) = head.range else {
            return self.start_over("the server sent a part of the file without its range");
        };
        if range.first != self.written || range.last < range.first {
            return self.start_over("the server sent a part that was not requested");
        }
        let is_the_rest = range.total.is_some_and(|total| range.last.checked_add(1) == Some(total));
        if !is_the_rest || self.total().is_some_and(|total| range.total != Some(total)) {
            return self.start_over("the length of the file on the server has changed");
        }
        if head.length.is_some_and(|length| length != range.last - range.first + 1) {
            return self.start_over("the server sent a part with a wrong length");
        }
        if let Some(total) = range.total {
            self.bounds.check(total)?;
        }
        if self.validators.contradicts(&head.validators) {
            return self.start_over("the file on the server has changed");
        }
        self.total = range.total;
        if self.validators == Validators::default() {
            self.validators = head.validators.clone();
        }
        Ok(TransferStep::Take { at: self.written })
    }

    fn handle_empty_range(&mut self) -> Result<TransferStep, TransferFault> {
        if self.is_complete() {
            return Ok(TransferStep::Complete);
        }
        self.start_over("the server does not have the requested part of the file")
    }

    fn start_over(&mut self, why: &'static str) -> Result<TransferStep, TransferFault> {
        self.restarts += 1;
        if self.restarts > MAX_RESTARTS {
            return Err(TransferFault::Unstable { why, times: self.restarts });
        }
        self.reset();
        Ok(TransferStep::StartOver(why))
    }

    fn reset(&mut self) {
        self.written = 0;
        self.total = None;
        self.validators = Validators::default();
    }

    /// Counts bytes of a body that were written to the disk.
    pub fn count_bytes(&mut self, bytes: u64) {
        self.written += bytes;
    }

    /// Returns the step after a body ended without an error.
    pub fn body_ended(&mut self) -> Result<TransferStep, TransferFault> {
        match self.total() {
            Some(total) if self.written < total => {
                Err(TransferFault::Truncated { written: self.written, total })
            }
            _ if self.written == 0 => Err(TransferFault::EmptyAnswer),
            // Without a length, only the digests distinguish a complete body from a truncated one.
            _ => {
                self.total = Some(self.written);
                Ok(TransferStep::Complete)
            }
        }
    }

    /// Discards the transfer after more bytes arrived than the file can have, and returns the fault.
    pub fn reject_excess(&mut self) -> TransferFault {
        let max_size = self.max_size();
        self.reset();
        TransferFault::TooLong { max_size }
    }

    /// Discards the transfer after its digests differed. Returns `true` the first time, when a retry is worthwhile.
    pub fn reject_digests(&mut self) -> bool {
        self.reset();
        !std::mem::replace(&mut self.differed, true)
    }
}

#[cfg(test)]
mod tests;
