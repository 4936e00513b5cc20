//! The commands of the receiving side as complete operations: `check-medium` and `import`. Each command leaves a
//! report in the mirror, also if it fails.
//!
//! A refused medium changes nothing. A mirror that the import created is removed again, and the root key of the
//! medium becomes trusted only after its content is imported.

use camino::Utf8Path;
use jiff::Timestamp;

use super::examine::{ExaminedMedium, examine};
use super::import::{ImportOptions, import, knowledge_or_own};
use super::imported::ImportSummary;
use crate::carrier::report::keep_report;
use crate::carrier::trust::{KeyFolder, PublicKey, SetDates, TrustedRoots, load_memory, refuse_replaced_key};
use crate::disk;
use crate::documents::{CheckMediumDocument, StateDocument};
use crate::error::Result;
use crate::event::{Event, Events};
use crate::mirror::{Layout, Mirror, REPLAY, RunReport};
use crate::servicing::Knowledge;
use crate::update::{count, human_size};

/// A check of a medium.
#[derive(Debug, Clone, Copy)]
pub struct CheckJob<'a> {
    /// The folder of the medium.
    pub medium: &'a Utf8Path,
    /// `true` to trust the medium's root key if no key is trusted yet.
    pub trust_on_first_use: bool,
    /// The current time.
    pub now: Timestamp,
}

/// A medium whose payload was read and matches its signed digests.
#[derive(Debug)]
pub struct MediumCheck {
    /// The checked medium.
    pub examined: ExaminedMedium,
    /// The number of files under `data/` that were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The dates of the set.
    pub dates: SetDates,
}

/// An import of a medium into a mirror.
#[derive(Debug, Clone, Copy)]
pub struct ImportJob<'a> {
    /// The folder of the medium.
    pub medium: &'a Utf8Path,
    /// `true` to import the complete KBs of a medium with missing files.
    pub partial_ok: bool,
    /// `true` to trust the medium's root key if no key is trusted yet.
    pub trust_on_first_use: bool,
    /// `true` to begin a new memory of media if `state.json` is lost.
    pub accept_lineage: bool,
    /// `true` to import a set whose validity has ended.
    pub accept_expired: bool,
    /// The knowledge that the caller specified, or `None` for the mirror's own.
    pub named: Option<&'a Knowledge>,
    /// The current time.
    pub now: Timestamp,
}

/// The outcome of an import.
#[derive(Debug)]
pub struct ImportOutcome {
    /// The work that was done.
    pub imported: ImportSummary,
    /// `true` if the content of the mirror comes from a recording.
    pub is_demo: bool,
    /// The root key that became trusted by this import, if it was not trusted before.
    pub newly_trusted: Option<PublicKey>,
}

impl CheckJob<'_> {
    /// Checks the medium against the keys and the memory of a mirror, and writes the report there.
    pub fn run(&self, layout: &Layout, events: &Events) -> Result<MediumCheck> {
        let outcome = self.check(layout, events);
        let document = outcome.as_ref().map(MediumCheck::document);
        warn_of_missing_report(
            keep_report(layout, RunReport::CheckMedium, self.medium, document, self.now),
            events,
        );
        outcome
    }

    fn check(&self, layout: &Layout, events: &Events) -> Result<MediumCheck> {
        let examined = examine(self.medium, &trusted_roots(layout, self.trust_on_first_use)?)?;
        KeyFolder::new(layout.keys()).refuse_distrusted(&examined.signed)?;
        let mut state = StateDocument::new();
        if disk::exists(layout.index()) {
            state = load_memory(&Mirror::open(layout.clone())?, false)?;
        }
        refuse_replaced_key(&examined.signed, &state)?;
        let dates = SetDates::judge(&examined.signed, &state, self.now, false)?;
        events.send(Event::Phase(format!("reading set {}", examined.signed.set.label())));
        let (files, bytes) = examined.read_all(events)?;
        if let Some(error) = examined.missing_error() {
            return Err(error);
        }
        examined.expect_sets()?;
        Ok(MediumCheck { examined, files, bytes, dates })
    }
}

impl MediumCheck {
    /// Returns one line that states what was checked.
    pub fn evidence(&self) -> String {
        format!(
            "checked {}, {}: all match their signatures, set {}, key {}",
            count(self.files, "file"),
            human_size(self.bytes),
            self.examined.signed.set.label(),
            self.examined.signed.root_key.short()
        )
    }

    /// Returns the document of the check.
    pub fn document(&self) -> CheckMediumDocument<'_> {
        let signed = &self.examined.signed;
        CheckMediumDocument {
            set: &signed.set,
            set_id: signed.set_id,
            root: signed.root_key.to_string(),
            checked: self.files,
            bytes: self.bytes,
            expired: self.dates.is_expired,
            litter: &self.examined.litter,
            evidence: self.evidence(),
        }
    }
}

impl ImportJob<'_> {
    /// Imports the medium into a mirror, which is created if necessary, and writes the report there.
    pub fn run(&self, layout: &Layout, events: &Events) -> Result<ImportOutcome> {
        let outcome = self.import(layout, events);
        let document = outcome.as_ref().map(|outcome| outcome.imported.document());
        warn_of_missing_report(
            keep_report(layout, RunReport::Import, self.medium, document, self.now),
            events,
        );
        outcome
    }

    fn import(&self, layout: &Layout, events: &Events) -> Result<ImportOutcome> {
        let mut examined = examine(self.medium, &trusted_roots(layout, self.trust_on_first_use)?)?;
        KeyFolder::new(layout.keys()).refuse_distrusted(&examined.signed)?;
        let signed = &examined.signed;
        let is_new = !disk::exists(layout.index());
        let knowledge = knowledge_or_own(self.named, layout)?;
        let mut mirror = Mirror::open_for_writing(layout.clone(), &signed.set.origin, &knowledge, self.now)?;
        let state = mirror.load_state()?.known().unwrap_or_default();
        let skipped = examined.exclude_sets(|kb, set| state.is_removed(kb, set.architecture));
        let signed = &examined.signed;
        let options = ImportOptions {
            skipped,
            partial_ok: self.partial_ok,
            accept_lineage: self.accept_lineage,
            accept_expired: self.accept_expired,
        };
        let now = self.now.into();
        let imported = match import(&examined, options, &mut mirror, self.named, now, events) {
            Ok(imported) => imported,
            Err(error) => {
                // A refused medium does not decide the origin of the content of a new mirror.
                if is_new {
                    mirror.remove_if_empty()?;
                }
                return Err(error);
            }
        };
        if signed.first_use {
            let how = format!("trusted on first use, set {}", signed.set.label());
            KeyFolder::new(layout.keys()).trust(&signed.root_key, &how, &self.now.to_string())?;
        }
        Ok(ImportOutcome {
            imported,
            is_demo: mirror.origin()? == REPLAY,
            newly_trusted: signed.first_use.then(|| signed.root_key.clone()),
        })
    }
}

fn trusted_roots(layout: &Layout, on_first_use: bool) -> Result<TrustedRoots> {
    Ok(TrustedRoots { keys: KeyFolder::new(layout.keys()).trusted()?, on_first_use })
}

/// Warns of a report that could not be written. The result of the command does not change.
fn warn_of_missing_report(kept: Result<()>, events: &Events) {
    if let Err(error) = kept {
        events.warn(format!("did not write the report: {}", error.full_message()));
    }
}
