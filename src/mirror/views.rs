//! The views beside the set folders of a KB. Collects their facts from the index and writes the views that differ.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::evidence::{EvidenceEntry, EvidenceReason};
use super::index::UpdateSelector;
use super::records::update_line;
use super::scripts::plan_of;
use super::view_record::ViewRecord;
use super::view_state::{ViewState, view_state};
use super::{Access, IndexLibrary, Mirror, WriteAccess};
use crate::clock::Time;
use crate::disk;
use crate::documents::{KB_JSON_FORMAT, KbDocument};
use crate::error::Result;
use crate::servicing::Knowledge;
use crate::update::Kb;
use crate::views::{KbFacts, KbViews, PlannedView, kb_views};

impl<S: Access> Mirror<S> {
    /// Returns the KBs with published sets.
    pub(super) fn published_kbs(&self) -> Result<BTreeSet<Kb>> {
        Ok(self.index.published_folders(None)?.into_iter().map(|(kb, ..)| kb).collect())
    }

    /// Returns the views of the published sets of a KB, by this knowledge.
    pub(super) fn kb_views(&self, kb: Kb, knowledge: &Knowledge) -> Result<KbViews> {
        let sets = self.index.published_sets(kb)?;
        let library = IndexLibrary::new(&self.index, knowledge);
        let mut planned = Vec::new();
        for set in &sets {
            let plan = plan_of(set, &library, knowledge)?;
            let script = match &plan {
                Some(plan) => self.script_of(set, plan, knowledge)?,
                None => None,
            };
            planned.push(PlannedView { plan, script });
        }
        let (updates, files) = self.index.details_of(UpdateSelector::Kb(kb))?;
        let builds = updates.iter().map(|update| &update.facts);
        kb_views(KbFacts {
            builds: builds.filter_map(|facts| Some((facts.architecture, facts.build?))).collect(),
            document: KbDocument {
                format: KB_JSON_FORMAT,
                kb,
                origin: self.origin()?,
                sets: sets.iter().map(|set| self.set_record(set)).collect::<Result<_>>()?,
                updates: updates.iter().map(|update| update_line(update, &files)).collect(),
            },
            planned,
        })
    }
}

impl Mirror<WriteAccess> {
    /// Rewrites the views that depend on facts learned since a time. An entry that was read for one KB also
    /// changes the facts of others, for example of those that it supersedes.
    pub fn refresh_views_since(&mut self, start: Time, knowledge: &Knowledge) -> Result<()> {
        let kbs = self.index.published_kbs_changed_since(start)?;
        kbs.into_iter().try_for_each(|kb| self.write_views(kb, knowledge).map(drop))
    }

    /// Rewrites the outdated views of every KB, including those left by an interrupted run. Returns the changed
    /// paths, relative to the mirror.
    pub fn refresh_views(&mut self, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let mut changed = Vec::new();
        for kb in self.published_kbs()? {
            changed.extend(self.write_views(kb, knowledge)?);
        }
        if !self.index.has_current_views()? {
            self.index.mark_views_current()?;
        }
        Ok(changed)
    }

    /// Writes the views of a KB that differ from the index. Returns the changed paths, relative to the mirror.
    pub(super) fn write_views(&mut self, kb: Kb, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let views = self.kb_views(kb, knowledge)?;
        let record = self.view_record(kb)?;
        let mut written = ViewRecord::new(knowledge);
        let mut differing = Vec::new();
        for (name, text) in views.by_name() {
            written.add(&name, text.as_bytes());
            let path = self.layout.kb(kb).join(name);
            let state = view_state(&path, Some(text), record.as_ref())?;
            if state != ViewState::Right {
                differing.push((path, text, state));
            }
        }
        let others = self.other_scripts(kb, &views)?;
        let mut changed = Vec::new();
        if !differing.is_empty() || !others.is_empty() {
            self.save_view_record(kb, &written.merged_with_earlier(record.as_ref()))?;
        }
        for (path, text, state) in differing {
            self.keep_as_evidence(&path, state)?;
            disk::write_atomic(&path, text.as_bytes())?;
            changed.push(self.layout.portable(&path));
        }
        for path in others {
            // The script of a removed folder, or of a set that no script can install.
            let state = view_state(&path, None, record.as_ref())?;
            self.keep_as_evidence(&path, state)?;
            disk::remove_file(&path)?;
            changed.push(self.layout.portable(&path));
        }
        self.save_view_record(kb, &written)?;
        let names = views.by_name().map(|(name, _)| self.layout.portable(&self.layout.kb(kb).join(name)));
        let right = names.chain(changed.iter().cloned()).collect();
        self.clear_damage_beside(&right)?;
        Ok(changed)
    }

    /// Keeps a view that the program did not write, before it is replaced. Anything but a regular file is moved.
    fn keep_as_evidence(&mut self, path: &Utf8Path, state: ViewState) -> Result<()> {
        let reason = match state {
            ViewState::Right | ViewState::Missing | ViewState::Outdated => return Ok(()),
            ViewState::Unrecorded => EvidenceReason::Unrecorded,
            ViewState::Changed | ViewState::NotAFile | ViewState::Unreadable => EvidenceReason::Changed,
        };
        let kept = self.copy_evidence(&self.layout.portable(path))?;
        self.state.evidence.push(EvidenceEntry { path: self.layout.portable(path), kept, reason });
        Ok(())
    }

    /// Clears the recorded damage of files that are right now, or were removed as intended.
    fn clear_damage_beside(&mut self, right: &BTreeSet<Utf8PathBuf>) -> Result<()> {
        let damage = self.index.damage()?.into_iter().map(|damage| damage.path);
        let healed: Vec<Utf8PathBuf> = damage.filter(|path| right.contains(path)).collect();
        if healed.is_empty() {
            return Ok(());
        }
        self.index.in_transaction(|index| healed.iter().try_for_each(|path| index.clear_damage(path)))
    }
}
