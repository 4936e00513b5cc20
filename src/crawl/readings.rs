//! The readings of a run: which KBs it queried, which entries it took from the index, and how far it trusts earlier readings.
//!
//! An entry whose title, date, and size are those of its last reading is as it was, and is read again only where the run does not
//! trust that reading. Nothing here can fail.

use std::collections::BTreeSet;

use crate::clock::Time;
use crate::mirror::index::A_DAY;
use crate::update::{Kb, UpdateId};

/// The time for which details and files stand for an entry that is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Everything is read again.
    Never,
    /// For a day: what replaces an entry is stated by its page, which is renewed without a change of the entry.
    ForADay,
    /// Until the entry is revised. What replaces it is stated by the newer ones, which a scheduled run reads.
    Always,
}

/// The readings of a run.
#[derive(Debug)]
pub(super) struct Readings {
    trust: Trust,
    /// KBs that were queried in this run.
    queried: BTreeSet<Kb>,
    /// KBs that were read again in this run, because files of them are to be downloaded.
    anew: BTreeSet<Kb>,
    /// Updates whose details and files were taken from the index, where they were read before today.
    taken: BTreeSet<UpdateId>,
}

impl Readings {
    /// Returns the readings of a run that has read nothing.
    pub(super) fn new() -> Self {
        Self {
            trust: Trust::ForADay,
            queried: BTreeSet::new(),
            anew: BTreeSet::new(),
            taken: BTreeSet::new(),
        }
    }

    /// Trusts no earlier reading.
    pub(super) fn trust_nothing(&mut self) {
        self.trust = Trust::Never;
    }

    /// Trusts every reading of an entry that is as it was, unless everything is to be read again.
    pub(super) fn trust_unrevised(&mut self) {
        if self.trust != Trust::Never {
            self.trust = Trust::Always;
        }
    }

    /// Returns `true` if no earlier reading is trusted.
    pub(super) fn trusts_nothing(&self) -> bool {
        self.trust == Trust::Never
    }

    /// Returns `true` if what was read of an entry at a time stands for it.
    pub(super) fn trusts(&self, read: Time, now: Time) -> bool {
        match self.trust {
            Trust::Never => false,
            Trust::ForADay => now.since(read) < A_DAY,
            Trust::Always => true,
        }
    }

    /// Begins to read a KB and everything around it again; gives the trust for [`Self::end_anew`].
    pub(super) fn begin_anew(&mut self, kb: Kb) -> Trust {
        self.anew.insert(kb);
        self.queried.clear();
        std::mem::replace(&mut self.trust, Trust::Never)
    }

    /// Ends it.
    pub(super) fn end_anew(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// Notes a query for a KB. Returns `true` if it is the first one.
    pub(super) fn note_query(&mut self, kb: Kb) -> bool {
        self.queried.insert(kb)
    }

    /// Notes that an update was taken from the index.
    pub(super) fn note_taken(&mut self, update: UpdateId) {
        self.taken.insert(update);
    }

    /// Notes that an update was read from the Catalog.
    pub(super) fn note_read(&mut self, update: UpdateId) {
        self.taken.remove(&update);
    }

    /// Returns `true` if one of these updates was taken from the index, and the KB was not read again.
    pub(super) fn took_from_index(&self, kb: Kb, updates: &[UpdateId]) -> bool {
        !self.anew.contains(&kb) && updates.iter().any(|update| self.taken.contains(update))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        "2026-09-21T13:33:20Z".parse().unwrap()
    }

    #[test]
    fn trust_lasts_as_long_as_the_run_says() {
        let mut readings = Readings::new();
        let day_ago = now().shifted_by(-86_400);
        assert!(readings.trusts(day_ago.shifted_by(1), now()) && !readings.trusts(day_ago, now()));
        readings.trust_unrevised();
        assert!(readings.trusts(Time::UNIX_EPOCH, now()));
        readings.trust_nothing();
        readings.trust_unrevised();
        assert!(!readings.trusts(now(), now()), "a run that reads everything again goes on to do so");
    }

    #[test]
    fn a_kb_that_is_read_anew_takes_nothing_from_the_index() {
        let kb = "KB5086672".parse().unwrap();
        let update: UpdateId = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let mut readings = Readings::new();
        assert!(readings.note_query(kb) && !readings.note_query(kb));
        readings.note_taken(update);
        assert!(readings.took_from_index(kb, &[update]));
        let trust = readings.begin_anew(kb);
        assert!(!readings.trusts(now(), now()) && !readings.took_from_index(kb, &[update]));
        assert!(readings.note_query(kb), "everything is queried again");
        readings.end_anew(trust);
        assert!(readings.trusts(now(), now()));
    }
}
