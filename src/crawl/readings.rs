//! The readings of a run: the KBs it queried, the entries it took from the index, and its trust in earlier readings.
//!
//! An entry whose title, date, and size equal those of its last reading is unchanged. It is read again only if the run
//! does not trust that reading. The functions of this module cannot fail.

use std::collections::BTreeSet;

use crate::clock::Time;
use crate::mirror::index::A_DAY;
use crate::update::{Kb, UpdateId};

/// The time for which an earlier reading of an unchanged entry is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadingTrust {
    /// No time: everything is read again.
    Never,
    /// A day: the page of an entry states what replaces it, and the page changes without a revision of the entry.
    ForADay,
    /// Until the entry is revised. The pages of newer entries state what they replace, and a scheduled run reads those.
    Always,
}

/// The readings of a run.
#[derive(Debug)]
pub(super) struct Readings {
    trust: ReadingTrust,
    /// The KBs that were queried in this run.
    queried: BTreeSet<Kb>,
    /// The KBs that were read again in this run, because files of them are to be downloaded.
    reread: BTreeSet<Kb>,
    /// The updates whose details and files were taken from the index, although they were read before today.
    taken: BTreeSet<UpdateId>,
}

impl Readings {
    /// Returns the readings of a run that has not read anything.
    pub(super) fn new() -> Self {
        Self {
            trust: ReadingTrust::ForADay,
            queried: BTreeSet::new(),
            reread: BTreeSet::new(),
            taken: BTreeSet::new(),
        }
    }

    /// Trusts no earlier reading.
    pub(super) fn trust_nothing(&mut self) {
        self.trust = ReadingTrust::Never;
    }

    /// Trusts every reading of an unchanged entry, unless the run reads everything again.
    pub(super) fn trust_unrevised(&mut self) {
        if self.trust != ReadingTrust::Never {
            self.trust = ReadingTrust::Always;
        }
    }

    /// Returns `true` if no earlier reading is trusted.
    pub(super) fn trusts_nothing(&self) -> bool {
        self.trust == ReadingTrust::Never
    }

    /// Returns `true` if a reading at the time `read` is still valid at `now`.
    pub(super) fn trusts(&self, read: Time, now: Time) -> bool {
        match self.trust {
            ReadingTrust::Never => false,
            ReadingTrust::ForADay => now.since(read) < A_DAY,
            ReadingTrust::Always => true,
        }
    }

    /// Begins to read a KB and its related KBs again. Returns the earlier trust, for [`Self::end_rereading`].
    pub(super) fn begin_rereading(&mut self, kb: Kb) -> ReadingTrust {
        self.reread.insert(kb);
        self.queried.clear();
        std::mem::replace(&mut self.trust, ReadingTrust::Never)
    }

    /// Ends the second reading and restores the earlier trust.
    pub(super) fn end_rereading(&mut self, trust: ReadingTrust) {
        self.trust = trust;
    }

    /// Records a query for a KB. Returns `true` if it is the first one.
    pub(super) fn record_query(&mut self, kb: Kb) -> bool {
        self.queried.insert(kb)
    }

    /// Records that an update was taken from the index.
    pub(super) fn record_taken(&mut self, update: UpdateId) {
        self.taken.insert(update);
    }

    /// Records that an update was read from the Catalog.
    pub(super) fn record_read(&mut self, update: UpdateId) {
        self.taken.remove(&update);
    }

    /// Returns `true` if one of these updates was taken from the index and the KB was not read again.
    pub(super) fn took_from_index(&self, kb: Kb, updates: &[UpdateId]) -> bool {
        !self.reread.contains(&kb) && updates.iter().any(|update| self.taken.contains(update))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        "2026-09-21T13:33:20Z".parse().unwrap()
    }

    #[test]
    fn trust_lasts_as_long_as_the_run_specifies() {
        let mut readings = Readings::new();
        let day_ago = now().shifted_by(-86_400);
        assert!(readings.trusts(day_ago.shifted_by(1), now()) && !readings.trusts(day_ago, now()));
        readings.trust_unrevised();
        assert!(readings.trusts(Time::UNIX_EPOCH, now()));
        readings.trust_nothing();
        readings.trust_unrevised();
        assert!(!readings.trusts(now(), now()), "a run that reads everything again continues to do so");
    }

    #[test]
    fn a_second_reading_takes_nothing_from_the_index() {
        let kb = "KB5086672".parse().unwrap();
        let update: UpdateId = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let mut readings = Readings::new();
        assert!(readings.record_query(kb) && !readings.record_query(kb));
        readings.record_taken(update);
        assert!(readings.took_from_index(kb, &[update]));
        let trust = readings.begin_rereading(kb);
        assert!(!readings.trusts(now(), now()) && !readings.took_from_index(kb, &[update]));
        assert!(readings.record_query(kb), "everything is queried again");
        readings.end_rereading(trust);
        assert!(readings.trusts(now(), now()));
    }
}
