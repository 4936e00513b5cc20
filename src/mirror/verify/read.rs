//! Reads files again and compares their content: the slow half of a verification, on two threads.
//!
//! Two threads, because the machines that host mirrors have at least two cores and one disk. Two hashes keep up
//! with most disks, and more readers make a spinning disk seek. Each thread takes the next file, largest first, so
//! that both end at about the same time.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use sha2::Digest as _;

use super::lanes::read_two_at_a_time;
use super::verdict::{ExpectedFile, ReadVerdict, judge};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::update::{DualHasher, Sha256};

/// Reads all files on two threads. Returns the verdicts in the order of the files.
pub(super) fn read_all(readings: &[ExpectedFile], deep: bool, events: &Events) -> Result<Vec<ReadVerdict>> {
    /// The number of threads. More would not be faster on the disks of mirrors.
    const THREADS: usize = 2;
    /// The number of bytes between two events.
    const STEP: u64 = 16 * 1024 * 1024;
    let mut order: Vec<usize> = (0..readings.len()).collect();
    order.sort_by_key(|&place| readings.get(place).map(|reading| std::cmp::Reverse(reading.size)));
    let of = readings.iter().map(|reading| reading.size).sum();
    let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
    let report = |piece: &[u8]| {
        let length = piece.len() as u64;
        let bytes = done.fetch_add(length, Ordering::Relaxed) + length;
        if bytes / STEP != (bytes - length) / STEP {
            events.send(Event::Checked { bytes, of });
        }
    };
    let read = |reading: &ExpectedFile, take: &mut dyn FnMut(&[u8])| {
        disk::read_in_pieces(&reading.path, |piece| {
            report(piece);
            take(piece);
        })
    };
    let take_next = || {
        let place = *order.get(next.fetch_add(1, Ordering::Relaxed))?;
        Some((place, readings.get(place)?))
    };
    let work = || {
        let mut verdicts = Vec::new();
        if deep {
            while let Some((place, reading)) = take_next() {
                verdicts.push((place, verdict(reading, deep, &mut |take| read(reading, take))));
            }
        } else {
            read_two_at_a_time(&take_next, &report, &mut |place, reading, first| {
                let verdict =
                    confirm_by_second_reading(first, reading, deep, &mut |take| read(reading, take));
                verdicts.push((place, verdict));
            });
        }
        verdicts
    };
    let mut all = std::thread::scope(|scope| -> Result<Vec<(usize, ReadVerdict)>> {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            let verdicts = thread.join().map_err(|_| {
                Error::new(ErrorKind::Internal, "a thread that reads files ended unexpectedly")
            })?;
            all.extend(verdicts);
        }
        Ok(all)
    })?;
    all.sort_by_key(|&(place, _)| place);
    Ok(all.into_iter().map(|(_, verdict)| verdict).collect())
}

/// A function that passes a file in pieces to a callback.
type ReadPieces<'r> = &'r mut dyn FnMut(&mut dyn FnMut(&[u8])) -> Result<()>;

/// Reads a file, and reads it again if the first verdict is not good.
fn verdict(reading: &ExpectedFile, deep: bool, read: ReadPieces<'_>) -> ReadVerdict {
    let first = read_once(reading, deep, read);
    confirm_by_second_reading(first, reading, deep, read)
}

/// Returns the first verdict if it is good, and otherwise the verdict after a second reading.
fn confirm_by_second_reading(
    first: ReadVerdict,
    reading: &ExpectedFile,
    deep: bool,
    read: ReadPieces<'_>,
) -> ReadVerdict {
    if first == ReadVerdict::Good {
        return first;
    }
    match (read_once(reading, deep, read), first) {
        (ReadVerdict::Good, ReadVerdict::Unreadable(message)) => ReadVerdict::GoodOnSecondRead(message),
        (ReadVerdict::Good, ReadVerdict::Digest { what, .. }) => {
            ReadVerdict::GoodOnSecondRead(format!("{what} differed on the first reading"))
        }
        (ReadVerdict::Good, _) => {
            ReadVerdict::GoodOnSecondRead("size differed on the first reading".to_owned())
        }
        (second, _) => second,
    }
}

fn read_once(reading: &ExpectedFile, deep: bool, read: ReadPieces<'_>) -> ReadVerdict {
    let mut size = 0;
    let (sha256, sha1) = if deep {
        let mut hasher = DualHasher::new();
        let outcome = read(&mut |piece| hasher.update(piece));
        if let Err(error) = outcome {
            return ReadVerdict::Unreadable(error.full_message());
        }
        let digests = hasher.finish();
        size = digests.size;
        (digests.sha256, Some(digests.sha1))
    } else {
        let mut hasher = sha2::Sha256::new();
        let outcome = read(&mut |piece| {
            size += piece.len() as u64;
            hasher.update(piece);
        });
        if let Err(error) = outcome {
            return ReadVerdict::Unreadable(error.full_message());
        }
        (Sha256::from_bytes(hasher.finalize().into()), None)
    };
    judge(reading, size, sha256, sha1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::fault::PathOwner;
    use super::*;

    fn reading(bytes: &[u8]) -> ExpectedFile {
        let mut hasher = DualHasher::new();
        hasher.update(bytes);
        let digests = hasher.finish();
        ExpectedFile {
            path: "pool/file".into(),
            size: digests.size,
            sha256: digests.sha256,
            sha1: Some(digests.sha1),
            kbs: BTreeSet::new(),
            place: PathOwner::Pool(None),
            stamp: None,
        }
    }

    /// Returns the verdict on a disk that returns the next of these answers for each reading.
    fn verdict_for_answers(deep: bool, answers: &[Result<&[u8], &str>]) -> ReadVerdict {
        let mut answers = answers.iter();
        verdict(&reading(b"package"), deep, &mut |take| match answers.next().unwrap() {
            Ok(bytes) => {
                take(bytes);
                Ok(())
            }
            Err(message) => Err(Error::new(ErrorKind::Internal, *message)),
        })
    }

    #[test]
    fn good_files_are_read_once_and_others_twice() {
        for deep in [false, true] {
            assert_eq!(verdict_for_answers(deep, &[Ok(b"package")]), ReadVerdict::Good);
            let second = verdict_for_answers(deep, &[Err("input/output error"), Ok(b"package")]);
            assert_eq!(second, ReadVerdict::GoodOnSecondRead("input/output error".to_owned()));
            let second = verdict_for_answers(deep, &[Ok(b"pakcage"), Ok(b"package")]);
            assert!(matches!(second, ReadVerdict::GoodOnSecondRead(_)), "{second:?}");
            assert_eq!(
                verdict_for_answers(deep, &[Err("once"), Err("twice")]),
                ReadVerdict::Unreadable("twice".to_owned())
            );
            assert_eq!(verdict_for_answers(deep, &[Ok(b"packag"), Ok(b"packag")]), ReadVerdict::Size(6));
            let differs = verdict_for_answers(deep, &[Ok(b"Package"), Ok(b"Package")]);
            assert!(matches!(differs, ReadVerdict::Digest { what: "SHA-256", .. }), "{differs:?}");
        }
    }

    #[test]
    fn deep_mode_compares_sha1() {
        let mut stated = reading(b"package");
        stated.sha1 = reading(b"other").sha1;
        let mut read = |take: &mut dyn FnMut(&[u8])| {
            take(b"package");
            Ok(())
        };
        assert_eq!(verdict(&stated, false, &mut read), ReadVerdict::Good);
        assert!(matches!(verdict(&stated, true, &mut read), ReadVerdict::Digest { what: "SHA-1", .. }));
    }
}
