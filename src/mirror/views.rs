//! The views beside the set folders of a KB: gathers what they are made of from the index, and writes them where they differ.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::index::Owner;
use super::records::update_line;
use super::scripts::plan_of;
use super::written::WrittenScripts;
use super::{Access, IndexLibrary, Mirror, Writing};
use crate::clock::Time;
use crate::disk;
use crate::documents::{KB_JSON_FORMAT, KbDocument};
use crate::error::Result;
use crate::servicing::Knowledge;
use crate::update::Kb;
use crate::views::{KbFacts, KbViews, PlannedView, kb_views};

impl<S: Access> Mirror<S> {
    /// Returns the views of what is published of a KB, by this knowledge.
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
        let (updates, files) = self.index.details_of(Owner::Kb(kb))?;
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

impl Mirror<Writing> {
    /// Brings what lies beside the set folders up to what was learned since a time: an entry that was read for one KB changes
    /// what is known of others, as of those that it supersedes.
    pub fn refresh_views_since(&mut self, start: Time, knowledge: &Knowledge) -> Result<()> {
        let kbs = self.index.published_and_touched_since(start)?;
        kbs.into_iter().try_for_each(|kb| self.write_views(kb, knowledge).map(drop))
    }

    /// Does the same for every KB, whatever was cut off before. Returns the paths that were changed, relative to the mirror.
    pub fn refresh_views(&mut self, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let kbs: BTreeSet<Kb> = self.index.published_folders(None)?.into_iter().map(|(kb, ..)| kb).collect();
        let mut changed = Vec::new();
        for kb in kbs {
            changed.extend(self.write_views(kb, knowledge)?);
        }
        Ok(changed)
    }

    /// Writes what lies beside a KB's set folders from what is published of it, where it does not say so already. Returns the
    /// paths that were changed, relative to the mirror.
    pub(super) fn write_views(&mut self, kb: Kb, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let views = self.kb_views(kb, knowledge)?;
        let layout = &self.layout;
        let scripts = views.scripts.iter().map(|(folder, text)| (layout.kb_script(kb, folder), text));
        let mut beside: Vec<(Utf8PathBuf, &String)> = scripts.collect();
        beside.push((layout.kb_sums(kb), &views.sums));
        beside.push((layout.kb_json(kb), &views.json));
        beside.push((layout.kb_readme(kb), &views.readme));
        let mut changed = Vec::new();
        for (path, text) in &beside {
            if disk::write_atomic_if_new(path, text.as_bytes())? {
                changed.push(path.clone());
            }
        }
        changed.extend(self.remove_other_scripts(kb, &beside)?);
        let mut written = WrittenScripts::new(knowledge);
        for (folder, text) in &views.scripts {
            written.add(folder, text);
        }
        self.record_written_scripts(kb, &written)?;
        let portable = |path: &Utf8PathBuf| self.layout.portable(path);
        let changed: Vec<Utf8PathBuf> = changed.iter().map(portable).collect();
        let right = beside.iter().map(|(path, _)| portable(path)).chain(changed.iter().cloned()).collect();
        self.clear_damage_beside(&right)?;
        Ok(changed)
    }

    /// Removes the scripts of folders that are gone, or that no script can install. Returns their paths.
    fn remove_other_scripts(&self, kb: Kb, beside: &[(Utf8PathBuf, &String)]) -> Result<Vec<Utf8PathBuf>> {
        let mut removed = Vec::new();
        for name in disk::list(&self.layout.kb(kb))? {
            let path = self.layout.kb(kb).join(name);
            let is_kept = beside.iter().any(|(kept, _)| *kept == path);
            if path.extension() == Some("cmd") && !is_kept {
                disk::remove_file(&path)?;
                removed.push(path);
            }
        }
        Ok(removed)
    }

    /// Takes back what is recorded as damaged of files that are right now, or gone as they should be.
    fn clear_damage_beside(&mut self, right: &BTreeSet<Utf8PathBuf>) -> Result<()> {
        let damage = self.index.damage()?.into_iter().map(|damage| damage.path);
        let healed: Vec<Utf8PathBuf> = damage.filter(|path| right.contains(path)).collect();
        if healed.is_empty() {
            return Ok(());
        }
        self.index.in_transaction(|index| healed.iter().try_for_each(|path| index.clear_damage(path)))
    }
}
