//! The union of a medium's content and an export. An export adds and updates sets. It removes sets only with
//! `--prune`, or if a newer generation replaces the same set.
//!
//! A set that the mirror publishes comes from the mirror, whose records are newer. A set that the mirror does not
//! know comes from the medium's verified listing. Such a set is kept and reported, and its files are read again
//! before they are signed again.

use std::collections::BTreeSet;

use super::found::TargetContent;
use super::plan::{ExportPlan, planned_script};
use super::selection::published_rows;
use super::sets::{ChangedSet, PayloadFile, PayloadSource, PlannedPackageSet};
use crate::carrier::medium::{DATA, TOOLS, caps, path_of, refused};
use crate::carrier::read::{SetDescription, digest, read_small};
use crate::documents::{MissingItem, SetChange, SetRecord, UpdateLine};
use crate::error::{Error, Result};
use crate::facts::SetFolder;
use crate::mirror::index::SetRow;
use crate::mirror::{Access, Mirror};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256, human_size};

impl ExportPlan {
    /// Joins the plan with the content of its target.
    pub fn joined_with(
        mut self,
        found: &TargetContent,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
        prune: bool,
    ) -> Result<Self> {
        self.warnings.extend(found.warnings.iter().cloned());
        let rows = published_rows(mirror)?;
        if let Some(earlier) = &found.earlier {
            self.join_described(earlier, found, &rows, mirror, knowledge, prune)?;
        } else {
            self.join_undescribed(found, &rows, mirror, knowledge, prune)?;
        }
        self.listing.updates.clear();
        self.add_updates(mirror, knowledge)?;
        if let Some(earlier) = &found.earlier {
            self.keep_updates(earlier, prune);
        }
        let sets = &self.sets;
        let is_kept =
            |item: &MissingItem| sets.iter().any(|set| set.kb == item.kb && set.folder == item.what);
        self.left_out.retain(|item| !is_kept(item));
        self.sort_and_count();
        Ok(self)
    }

    fn join_described(
        &mut self,
        earlier: &SetDescription,
        found: &TargetContent,
        rows: &[SetRow],
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
        prune: bool,
    ) -> Result<()> {
        let origin = mirror.origin()?;
        if earlier.signed.set.origin != origin && !prune {
            return Err(Error::usage(format!(
                "{} has content from {}, but this mirror has content from {origin}",
                found.root, earlier.signed.set.origin
            ))
            .hint("name another folder, or replace everything with --prune; nothing was changed"));
        }
        if let Some(own) = mirror
            .load_state()?
            .known()
            .and_then(|state| state.mirror_id)
            .filter(|own| *own != earlier.signed.set.mirror_id)
        {
            self.warnings.push(format!(
                "set {} on {} was exported by the mirror {} with the same keys; the id of this mirror is {own}",
                earlier.signed.set.label(),
                found.root,
                earlier.signed.set.mirror_id
            ));
        }
        self.earlier_bytes = earlier.sizes.values().sum();
        for (kb, set) in &earlier.listing.sets {
            let replaced = set_bytes(set);
            let is_selected = self.set_index(*kb, &set.folder).is_some();
            // The copy on the medium may be the last copy of a selected set that is missing in the pool.
            if !is_selected && prune && !self.is_missing_in_pool(*kb, &set.folder) {
                let is_here = rows.iter().any(|row| row.kb == *kb && row.folder == set.folder);
                self.removals.push(removal_of(*kb, set, is_here));
                continue;
            }
            if !prune && is_newer_there(earlier, *kb, set, mirror)? {
                self.warnings.push(format!(
                    "kept {kb} {}: the medium has a newer generation than this mirror",
                    set.folder
                ));
                self.drop_set(*kb, &set.folder);
                self.keep_set(*kb, set, signed_script(earlier, found, *kb, set)?, false);
                continue;
            }
            if !is_selected {
                let row = rows.iter().find(|row| row.kb == *kb && row.folder.is_same_folder(&set.folder));
                let missing = match row {
                    Some(row) => self.add_unselected(row, mirror, knowledge)?,
                    None => None,
                };
                if let Some(missing) = &missing {
                    self.warn_of_kept(missing);
                }
                if row.is_none() || missing.is_some() {
                    self.keep_set(*kb, set, signed_script(earlier, found, *kb, set)?, false);
                    continue;
                }
            }
            let Some(place) = self.set_index(*kb, &set.folder) else { continue };
            let is_same = self.listing.sets.iter().any(|(own_kb, own)| {
                own_kb == kb && own.folder.is_same_folder(&set.folder) && digests(own) == digests(set)
            });
            if let Some(planned) = self.sets.get_mut(place) {
                planned.change = if is_same { SetChange::Keep } else { SetChange::Update };
                planned.replaced_bytes = if is_same { 0 } else { replaced };
            }
        }
        self.join_tools(earlier, prune)?;
        if prune {
            return Ok(());
        }
        for item in &earlier.signed.set.missing {
            let is_here = self.sets.iter().any(|set| set.kb == item.kb);
            if !is_here && !self.missing.contains(item) {
                self.missing.push(item.clone());
            }
        }
        Ok(())
    }

    /// Joins sets that the mirror identifies by its own digests, if the target has no verified listing. Repairs
    /// incomplete or damaged sets from the pool.
    fn join_undescribed(
        &mut self,
        found: &TargetContent,
        rows: &[SetRow],
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
        prune: bool,
    ) -> Result<()> {
        let whole = found.complete_sets.iter().map(|set| (set, SetChange::Keep));
        let partly = found.partial_sets.iter().map(|set| (set, SetChange::Update));
        for ((kb, folder), change) in whole.chain(partly) {
            let Some(row) = rows.iter().find(|row| row.kb == *kb && row.folder == *folder) else { continue };
            let within = format!("{DATA}/{kb}/{folder}/");
            let there = found.present.iter().filter(|(path, _)| path.starts_with(&within));
            let there: Vec<u64> = there.map(|(_, size)| *size).collect();
            let bytes = there.iter().sum();
            self.earlier_bytes += bytes;
            if self.set_index(*kb, folder).is_none() {
                if prune && !self.is_missing_in_pool(*kb, folder) {
                    self.removals.push(ChangedSet {
                        kb: *kb,
                        folder: folder.clone(),
                        files: there.len(),
                        bytes,
                        replaced_bytes: 0,
                        in_mirror: true,
                    });
                    continue;
                }
                if let Some(missing) = self.add_unselected(row, mirror, knowledge)? {
                    self.warn_of_kept(&missing);
                    let script = planned_script(row, mirror, knowledge)?;
                    self.keep_set(*kb, &mirror.set_record(row)?, script, true);
                }
            }
            if let Some(place) = self.set_index(*kb, folder)
                && let Some(planned) = self.sets.get_mut(place)
            {
                planned.change = change;
                planned.replaced_bytes = if change == SetChange::Update { bytes } else { 0 };
            }
        }
        for path in &found.unknown_sets {
            let files: Vec<u64> = (found.present.iter())
                .filter(|(file, _)| file.starts_with(&format!("{path}/")) || **file == format!("{path}.cmd"))
                .map(|(_, size)| *size)
                .collect();
            if !prune {
                return Err(refused(format!(
                    "{path} on {} is unknown to this mirror, and its listing is not verified",
                    found.root
                ))
                .hint("remove it with --prune, or name another folder; nothing was changed"));
            }
            let mut parts = path.split('/').skip(1);
            let kb = parts.next().and_then(|kb| kb.parse().ok());
            let folder = parts.next().and_then(|folder| SetFolder::new(folder).ok());
            if let (Some(kb), Some(folder)) = (kb, folder) {
                let bytes = files.iter().sum();
                self.earlier_bytes += bytes;
                self.removals.push(ChangedSet {
                    kb,
                    folder,
                    files: files.len(),
                    bytes,
                    replaced_bytes: 0,
                    in_mirror: false,
                });
            }
        }
        Ok(())
    }

    /// Adds a set of the mirror that is on the medium already and was not selected.
    fn add_unselected(
        &mut self,
        row: &SetRow,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
    ) -> Result<Option<MissingItem>> {
        let missing = self.add(row.clone(), BTreeSet::new(), mirror, knowledge)?;
        if let Some(place) = self.set_index(row.kb, &row.folder)
            && let Some(planned) = self.sets.get_mut(place)
        {
            planned.is_selected = false;
        }
        Ok(missing)
    }

    /// Returns `true` if a set was selected and the pool does not have all its files.
    fn is_missing_in_pool(&self, kb: Kb, folder: &SetFolder) -> bool {
        self.missing.iter().any(|item| item.kb == kb && item.what.eq_ignore_ascii_case(folder.as_str()))
    }

    fn warn_of_kept(&mut self, missing: &MissingItem) {
        self.warnings.push(format!("kept {} {} of the medium: {}", missing.kb, missing.what, missing.why));
    }

    /// Keeps a set of the medium as a listing describes it.
    fn keep_set(&mut self, kb: Kb, set: &SetRecord, script: Option<Vec<u8>>, in_mirror: bool) {
        for file in &set.files {
            // The set was read with a digest and a size for each file.
            if let (Some(sha256), Some(size)) = (file.sha256, file.size) {
                self.payload
                    .insert(path_of(kb, file), PayloadFile { from: PayloadSource::Medium, sha256, size });
            }
        }
        if let Some(script) = script {
            self.scripts.insert(format!("{DATA}/{kb}/{}.cmd", set.folder), script);
        }
        self.sets.push(PlannedPackageSet {
            kb,
            folder: set.folder.clone(),
            products: set.products.join("; "),
            needed_by: BTreeSet::new(),
            files: set.files.len(),
            bytes: set_bytes(set),
            change: SetChange::Keep,
            replaced_bytes: 0,
            in_mirror,
            is_selected: false,
            reasons: std::collections::BTreeMap::new(),
            before: Vec::new(),
        });
        self.listing.sets.push((kb, set.clone()));
    }

    /// Keeps the updates of the medium's listing that the mirror does not describe itself. With `prune`, keeps only
    /// those of kept sets.
    fn keep_updates(&mut self, earlier: &SetDescription, prune: bool) {
        let kept: BTreeSet<Kb> = self.sets.iter().filter(|set| !set.is_selected).map(|set| set.kb).collect();
        let known: BTreeSet<_> =
            self.listing.updates.iter().map(|(kb, update)| (*kb, update.update_id)).collect();
        let added = earlier.listing.updates.iter().filter(|(kb, update)| {
            !known.contains(&(*kb, update.update_id)) && (!prune || kept.contains(kb))
        });
        let added: Vec<(Kb, UpdateLine)> = added.cloned().collect();
        self.listing.updates.extend(added);
    }

    fn join_tools(&mut self, earlier: &SetDescription, prune: bool) -> Result<()> {
        let tools = earlier.signed.set.tag_files.iter().filter_map(|(name, sha256)| {
            Some((name.strip_prefix(TOOLS)?.strip_prefix('/')?.to_owned(), *sha256))
        });
        for (name, sha256) in tools {
            if self.tools.contains_key(&name) {
                continue;
            }
            // Both names are one file on media that ignore the case of letters, and two files elsewhere.
            if let Some(own) = self.tools.keys().find(|own| own.eq_ignore_ascii_case(&name)) {
                return Err(Error::usage(format!(
                    "tools/{name} on the medium and the program {own} differ only in the case of letters"
                ))
                .hint(format!("add the program as {name}; nothing was changed")));
            }
            if prune {
                self.removed_tools.push(name);
            } else {
                self.kept_tools.insert(name, sha256);
            }
        }
        Ok(())
    }

    fn set_index(&self, kb: Kb, folder: &SetFolder) -> Option<usize> {
        self.sets.iter().position(|set| set.kb == kb && set.folder.is_same_folder(folder))
    }

    fn drop_set(&mut self, kb: Kb, folder: &SetFolder) {
        let is_it = |own_kb: Kb, own: &SetFolder| own_kb == kb && own.is_same_folder(folder);
        self.sets.retain(|set| !is_it(set.kb, &set.folder));
        self.rows.retain(|row| !is_it(row.kb, &row.folder));
        let dropped: Vec<(Kb, SetRecord)> =
            self.listing.sets.extract_if(.., |(own_kb, set)| is_it(*own_kb, &set.folder)).collect();
        for (kb, set) in dropped {
            for file in &set.files {
                self.payload.remove(&path_of(kb, file));
            }
            self.scripts.remove(&format!("{DATA}/{kb}/{}.cmd", set.folder));
        }
    }

    /// Returns the confirmation text for a removal of more than a fifth of the bytes, or `None` for a smaller
    /// removal.
    pub fn confirmation(&self) -> Option<String> {
        /// The share that makes a shrinking medium look like a mistake: more than 20 %.
        const FIFTH: u64 = 5;
        (self.removed_bytes.saturating_mul(FIFTH) > self.earlier_bytes).then(|| {
            format!(
                "--prune removes {} of {} from the medium",
                human_size(self.removed_bytes),
                human_size(self.earlier_bytes)
            )
        })
    }
}

/// Returns `true` if the medium has a generation of a set that this mirror does not know and that has a later date.
fn is_newer_there(
    earlier: &SetDescription,
    kb: Kb,
    set: &SetRecord,
    mirror: &Mirror<impl Access>,
) -> Result<bool> {
    let theirs = digests(set);
    let generations = mirror.index().sets(Some(kb))?;
    let is_known = generations.iter().any(|row| {
        row.folder.is_same_folder(&set.folder)
            && row.members.iter().filter_map(|member| member.file.sha256).collect::<BTreeSet<_>>() == theirs
    });
    if is_known || generations.is_empty() {
        return Ok(false);
    }
    let on_medium = earlier.listing.updates.iter().filter(|(own, _)| *own == kb);
    let there = on_medium.filter_map(|(_, update)| update.last_updated).max();
    let here = mirror.update_lines(kb)?.iter().filter_map(|update| update.last_updated).max();
    Ok(matches!((there, here), (Some(there), Some(here)) if there > here))
}

/// Reads the install script of a set from the medium. Refuses a script that does not match its signed digest.
fn signed_script(
    earlier: &SetDescription,
    found: &TargetContent,
    kb: Kb,
    set: &SetRecord,
) -> Result<Option<Vec<u8>>> {
    let script = format!("{DATA}/{kb}/{}.cmd", set.folder);
    let Some(signed) = earlier.manifest.get(&script) else { return Ok(None) };
    let bytes = read_small(found.open()?, &script, caps::SCRIPT)?;
    if digest(&bytes) == *signed { Ok(Some(bytes)) } else { Err(damaged_files_error(&[script])) }
}

fn removal_of(kb: Kb, set: &SetRecord, in_mirror: bool) -> ChangedSet {
    ChangedSet {
        kb,
        folder: set.folder.clone(),
        files: set.files.len(),
        bytes: set_bytes(set),
        replaced_bytes: 0,
        in_mirror,
    }
}

fn set_bytes(set: &SetRecord) -> u64 {
    set.files.iter().filter_map(|file| file.size).sum()
}

fn digests(set: &SetRecord) -> BTreeSet<Sha256> {
    set.files.iter().filter_map(|file| file.sha256).collect()
}

/// Returns the error for files on the medium that do not match their signed digests and that the mirror cannot
/// replace.
pub(super) fn damaged_files_error(paths: &[String]) -> Error {
    refused(format!("the medium has damaged files that this mirror cannot replace: {}", paths.join(", ")))
        .hint(
            "export from a mirror that has the files, or remove their sets with --prune; nothing was changed",
        )
}
