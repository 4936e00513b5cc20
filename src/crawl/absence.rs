//! Tracks updates that disappeared from the Catalog, and decides which KBs are fresh enough to skip.
//!
//! A single response without an update does not mark the update as expired, and nothing is ever deleted: see
//! `mirror::index`.

use std::collections::BTreeSet;

use super::session::Session;
use crate::catalog::{DetailsResult, Query};
use crate::error::Result;
use crate::mirror::index::{A_DAY, SeenUpdate};
use crate::update::{Architecture, Kb, UpdateId};

impl Session {
    /// Records the updates of a KB that are missing from a sound and complete result. An update that is missing for the
    /// first time is queried by its id: if the Catalog does not know the id, the update has expired.
    pub(super) async fn record_absences(&mut self, kb: Kb, shown: &BTreeSet<UpdateId>) -> Result<()> {
        let now = self.now();
        let seen = self.mirror()?.index().seen_updates_of(kb)?;
        for absent in seen.into_iter().filter(|one| !shown.contains(&one.id) && one.expired.is_none()) {
            self.check_stop()?;
            let SeenUpdate { id, title, missing_since, .. } = absent;
            let expired = match missing_since {
                Some(since) => (now.since(since) >= A_DAY).then_some(now),
                None => match self.catalog().details(id).await {
                    Ok(DetailsResult::Gone) => Some(now),
                    Ok(DetailsResult::Found(_)) => None,
                    Err(error) if error.kind().is_stop() => return Err(error),
                    Err(error) => {
                        self.warn(format!(
                            "cannot check whether the Catalog still has \"{title}\" ({id}): {}",
                            error.full_message()
                        ));
                        None
                    }
                },
            };
            self.warn(match expired {
                Some(_) => format!("the Catalog no longer has \"{title}\" ({id}); kept its records"),
                None => format!(
                    "the Catalog no longer shows \"{title}\" ({id}); kept its records, and a search after a day decides whether it has expired"
                ),
            });
            let index = self.mirror()?.index_mut();
            index.in_transaction(|index| index.record_absence(id, missing_since.unwrap_or(now), expired))?;
        }
        Ok(())
    }

    /// Warns if Microsoft withdrew a KB. The operator may want it nevertheless.
    pub(super) fn warn_of_withdrawal(&mut self, kb: Kb) {
        if let Some(row) = self.knowledge().withdrawn().of_kb(kb) {
            let message = format!("{kb} is withdrawn ({}): take {} instead", row.why, row.successor);
            self.warn(message);
        }
    }

    /// Returns `true` if the index has files of a KB, even if the Catalog does not show it.
    pub(super) fn has_files_of(&mut self, kb: Kb) -> Result<bool> {
        let Some(mirror) = self.existing_mirror()? else { return Ok(false) };
        let facts = mirror.index().facts_of(&BTreeSet::from([kb]))?;
        Ok(facts.updates.iter().any(|update| update.files.is_some()))
    }

    /// Returns `true` if a KB was searched for today and all its entries for these architectures were read.
    pub(super) fn is_fresh(&mut self, kb: Kb, architectures: &[Architecture]) -> Result<bool> {
        if self.readings.trusts_nothing() {
            return Ok(false);
        }
        let index = self.mirror()?.index();
        let Some(searched) = index.last_search_time(Query::of_kb(kb).words())? else { return Ok(false) };
        let facts = index.facts_of(&BTreeSet::from([kb]))?;
        let mut all_read = true;
        for update in &facts.updates {
            let of_another = facts.architecture_of(update).is_some_and(|own| !architectures.contains(&own));
            all_read &= of_another || index.revision_of(update.id)?.is_some_and(|one| one.read.is_some());
        }
        Ok(all_read && self.is_today(searched))
    }
}
