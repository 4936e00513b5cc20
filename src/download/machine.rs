//! One transfer as a state machine: the bytes on the disk, the statements of the server, and the next step. Pure.
//!
//! The driver ([`super::transfer`]) does what [`Machine::request`] says, hands in what came of it, and writes where
//! [`Step`] tells it to. Bytes of two different files never meet in one partial file:
//!
//! - Only a 206 whose `Content-Range` begins where the partial ends, reaches to the end, and names the total that is
//!   known is appended. A 200 is taken from its beginning.
//! - Everything else that is no error (416, another validator, a range that is not the one asked for) empties the
//!   partial, a few times at the most.
//! - What the bytes are is decided by their digests alone. Where they differ once, the partial is emptied and all is
//!   fetched anew, because the fault may lie in a partial of an earlier run; where they differ twice, the file is bad.

use super::fault::TransferFault;
use crate::net::Part;

/// A server that changes its file, or what it says of it, more often than this during one transfer has no file.
const RESTARTS: u32 = 4;

/// The server's names for the version of its file, with which the rest of that version can be asked for (RFC 9110, 13.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// A strong entity tag. Weak ones do not promise equal bytes, and are not kept.
    pub etag: Option<String>,
    /// The date of the last change, as the server writes it.
    pub last_modified: Option<String>,
}

impl Validators {
    /// From the headers of an answer.
    pub fn new(etag: Option<&str>, last_modified: Option<&str>) -> Self {
        let strong = etag.filter(|etag| etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2);
        Self { etag: strong.map(str::to_owned), last_modified: last_modified.map(str::to_owned) }
    }

    /// The value of `If-Range`.
    fn if_range(&self) -> Option<&str> {
        self.etag.as_deref().or(self.last_modified.as_deref())
    }

    /// Returns `true` if an answer with these is for sure of another version.
    fn contradict(&self, other: &Self) -> bool {
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
    /// The last one.
    pub last: u64,
    /// The length of the whole; `None` for `*`.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads the header; `None` when it is none of bytes.
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

/// The head of an answer. Other statuses than 200, 206, and 416 never come here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// 200, 206, or 416.
    pub status: u16,
    /// `Content-Length`.
    pub length: Option<u64>,
    /// `Content-Range`, where it can be read.
    pub range: Option<ContentRange>,
    /// The server's names for this version.
    pub validators: Validators,
    /// `Content-Encoding`, where it is not `identity`.
    pub encoding: Option<String>,
}

/// The step after an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Its body belongs on the disk from this byte on; at 0 the bytes there are replaced.
    Take {
        /// The first byte.
        at: u64,
    },
    /// The partial is of no use any more: empty it, and ask again.
    StartOver(&'static str),
    /// All bytes are on the disk.
    Whole,
}

/// No package is larger, whatever a server states: the largest one seen has 5.6 GB, and this is three times as much.
pub const LARGEST_PACKAGE: u64 = 16 * 1024 * 1024 * 1024;

/// The size that is expected of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Its exact size, where that is stated.
    pub size: Option<u64>,
    /// More it cannot have; `None` where nothing is stated. Then the length that the server states is the bound, and a
    /// file without one is refused.
    pub cap: Option<u64>,
}

impl Bounds {
    /// Refuses a file that cannot be the one by its length.
    fn check(self, length: u64) -> Result<(), TransferFault> {
        match self.size {
            Some(stated) if length != stated => Err(TransferFault::WrongSize { offered: length, stated }),
            None if length > self.most() => {
                Err(TransferFault::WrongSize { offered: length, stated: self.most() })
            }
            _ => Ok(()),
        }
    }

    /// More than this is not written.
    pub fn most(self) -> u64 {
        self.size.or(self.cap).unwrap_or(LARGEST_PACKAGE)
    }

    /// Returns `true` if the size, or the most, is stated before the server states it.
    pub fn is_stated(self) -> bool {
        self.size.is_some() || self.cap.is_some()
    }
}

/// A transfer under way.
#[derive(Debug, Clone)]
pub struct Machine {
    bounds: Bounds,
    /// Bytes on the disk that count.
    written: u64,
    /// The length of the whole, once a server has said it.
    total: Option<u64>,
    /// Of the version that the bytes on the disk are of, at the address that is asked.
    validators: Validators,
    restarts: u32,
    /// The digests differed once already.
    differed: bool,
}

impl Machine {
    /// A transfer that begins with so many bytes on the disk, of a file of which an earlier run learned this.
    pub fn new(bounds: Bounds, written: u64, total: Option<u64>, validators: Validators) -> Self {
        // The statements that an earlier run had may be about another file: it cannot be more than the Catalog says.
        let fits = |length: u64| bounds.check(length).is_ok();
        let is_sound = written <= bounds.most() && total.is_none_or(|total| fits(total) && written <= total);
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

    /// The number of bytes on the disk that count.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The length of the file, as far as it is known.
    pub fn total(&self) -> Option<u64> {
        self.bounds.size.or(self.total)
    }

    /// The most bytes that the file can have, as far as it is known.
    pub fn most(&self) -> u64 {
        self.total().unwrap_or(self.bounds.most())
    }

    /// The server's names for the version.
    pub fn validators(&self) -> &Validators {
        &self.validators
    }

    /// Returns `true` if all bytes are here.
    pub fn is_whole(&self) -> bool {
        self.written > 0 && self.total() == Some(self.written)
    }

    /// Returns `true` if something bounds the file already.
    pub fn is_bounded(&self) -> bool {
        self.bounds.is_stated() || self.total.is_some()
    }

    /// The server states a length before it is asked for the bytes: more than that is not taken.
    pub fn bound_by(&mut self, length: u64) {
        if !self.bounds.is_stated() {
            self.bounds.cap = Some(length.min(LARGEST_PACKAGE));
        }
    }

    /// The part to ask the server for.
    pub fn request(&self) -> Part {
        let if_range = self.validators.if_range().filter(|_| self.written > 0).map(str::to_owned);
        Part { from: self.written, if_range }
    }

    /// Another address is asked from now on: its server has names of its own for the same bytes.
    pub fn turn_to_another_address(&mut self) {
        self.validators = Validators::default();
    }

    /// The head of an answer came.
    pub fn answered(&mut self, head: &Head) -> Result<Step, TransferFault> {
        if let Some(coding) = &head.encoding {
            return Err(TransferFault::Encoded { coding: coding.clone() });
        }
        match head.status {
            206 if self.written == 0 => self.whole_as_a_range(head),
            206 => self.rest(head),
            416 => self.nothing_left(),
            _ => self.take_all(head, head.length),
        }
    }

    fn take_all(&mut self, head: &Head, length: Option<u64>) -> Result<Step, TransferFault> {
        if length == Some(0) {
            return Err(TransferFault::EmptyFile);
        }
        match length {
            Some(length) => self.bounds.check(length)?,
            // Without any bound, a body without a length would be taken for as long as it comes.
            None if !self.bounds.is_stated() => return Err(TransferFault::NoSize),
            None => {}
        }
        self.written = 0;
        self.total = length;
        self.validators = head.validators.clone();
        Ok(Step::Take { at: 0 })
    }

    /// The whole was asked for, and comes as a range of itself.
    fn whole_as_a_range(&mut self, head: &Head) -> Result<Step, TransferFault> {
        match head.range {
            Some(ContentRange { first: 0, last, total: Some(total) })
                if last.checked_add(1) == Some(total) =>
            {
                self.take_all(head, Some(total))
            }
            _ => Err(TransferFault::PartOfWhole),
        }
    }

    fn rest(&mut self, head: &Head) -> Result<Step, TransferFault> {
        let Some(range) = head.range else {
            return self.start_over("a part of the file came that says not which");
        };
        if range.first != self.written || range.last < range.first {
            return self.start_over("another part of the file came than was asked for");
        }
        let is_the_rest = range.total.is_some_and(|total| range.last.checked_add(1) == Some(total));
        if !is_the_rest || self.total().is_some_and(|total| range.total != Some(total)) {
            return self.start_over("the file has another length than before");
        }
        if head.length.is_some_and(|length| length != range.last - range.first + 1) {
            return self.start_over("a part of the file came that is not as long as it says");
        }
        if let Some(total) = range.total {
            self.bounds.check(total)?;
        }
        if self.validators.contradict(&head.validators) {
            return self.start_over("the file on the server has changed");
        }
        self.total = range.total;
        if self.validators == Validators::default() {
            self.validators = head.validators.clone();
        }
        Ok(Step::Take { at: self.written })
    }

    fn nothing_left(&mut self) -> Result<Step, TransferFault> {
        if self.is_whole() {
            return Ok(Step::Whole);
        }
        self.start_over("the server has no such part of the file")
    }

    fn start_over(&mut self, why: &'static str) -> Result<Step, TransferFault> {
        self.restarts += 1;
        if self.restarts > RESTARTS {
            return Err(TransferFault::Unsteady { why, times: self.restarts });
        }
        self.forget();
        Ok(Step::StartOver(why))
    }

    fn forget(&mut self) {
        self.written = 0;
        self.total = None;
        self.validators = Validators::default();
    }

    /// More bytes of a body are on the disk.
    pub fn took(&mut self, bytes: u64) {
        self.written += bytes;
    }

    /// A body came to its end without an error.
    pub fn body_ended(&mut self) -> Result<Step, TransferFault> {
        match self.total() {
            Some(total) if self.written < total => Err(TransferFault::Short { written: self.written, total }),
            _ if self.written == 0 => Err(TransferFault::EmptyAnswer),
            // Without a length, the digests alone distinguish a whole body from one that was cut.
            _ => {
                self.total = Some(self.written);
                Ok(Step::Whole)
            }
        }
    }

    /// More arrived than there can be.
    pub fn too_much(&mut self) -> TransferFault {
        let most = self.most();
        self.forget();
        TransferFault::TooMuch { most }
    }

    /// The digests of the whole differ from what is stated. The first time it is worth another try.
    pub fn differs(&mut self) -> bool {
        self.forget();
        !std::mem::replace(&mut self.differed, true)
    }
}

#[cfg(test)]
mod tests;
