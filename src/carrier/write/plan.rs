//! The plan of an export: package sets, files, bytes, prerequisites, and excluded sets with the reason. Building
//! the plan changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::selection::{self, ExportRequest, published_rows};
use super::sets::{ChangedSet, PayloadFile, PayloadSource, PlannedPackageSet};
use crate::carrier::medium::{DATA, LONGEST_PATH};
use crate::carrier::medium::{Listing, path_of};
use crate::disk;
use crate::documents::{ExportPlanDocument, MediumSelection, MissingItem, SetChange};
use crate::error::{Error, ErrorKind, Result};
use crate::facts::PlainName;
use crate::mirror::index::SetRow;
use crate::mirror::{Access, IndexLibrary, Mirror};
use crate::resolve::{Library as _, Plan, closure, unlisted_kbs};
use crate::servicing::Knowledge;
use crate::update::{Kb, Sha256, count, human_size};
use camino::Utf8PathBuf;

/// The plan of an export.
#[derive(Debug, Clone, Default)]
pub struct ExportPlan {
    /// The package sets, by KB and folder.
    pub sets: Vec<PlannedPackageSet>,
    /// The selected items that are not in the mirror.
    pub missing: Vec<MissingItem>,
    /// The items that were excluded on purpose.
    pub left_out: Vec<MissingItem>,
    /// The number of files to write. A file that several sets share counts in each set.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of distinct files.
    pub different_bytes: u64,
    /// The sets that are new on the medium.
    pub additions: Vec<ChangedSet>,
    /// The sets that replace another generation of the same set.
    pub updates: Vec<ChangedSet>,
    /// The sets that do not change.
    pub kept: Vec<ChangedSet>,
    /// The sets that are removed.
    pub removals: Vec<ChangedSet>,
    /// The names of the programs that are removed.
    pub removed_tools: Vec<String>,
    /// The bytes of the removals.
    pub removed_bytes: u64,
    /// The bytes of the package sets that the medium held before.
    pub earlier_bytes: u64,
    /// Warnings for the operator.
    pub warnings: Vec<String>,
    /// The selection.
    pub selection: MediumSelection,
    /// The payload, by path on the medium.
    pub payload: BTreeMap<String, PayloadFile>,
    /// The install scripts, by path on the medium.
    pub scripts: BTreeMap<String, Vec<u8>>,
    /// The listing.
    pub listing: Listing,
    /// The index rows of the sets.
    pub rows: Vec<SetRow>,
    /// The programs to add, by name.
    pub tools: BTreeMap<String, Utf8PathBuf>,
    /// The digests of the programs that stay on the medium, by name.
    pub kept_tools: BTreeMap<String, Sha256>,
}

impl ExportPlan {
    /// Returns the plan for a request.
    pub fn new(request: &ExportRequest, mirror: &Mirror<impl Access>, knowledge: &Knowledge) -> Result<Self> {
        let selection = MediumSelection {
            all: request.all,
            kbs: request.kbs.clone(),
            architectures: request.architectures.clone(),
        };
        let mut plan = Self { selection, tools: named_tools(&request.tools)?, ..Self::default() };
        let rows = published_rows(mirror)?;
        let wanted = selection::selected_kbs(request, &rows, mirror)?;
        let along = plan.prerequisites(&wanted, &rows, request, mirror, knowledge)?;
        for row in rows {
            let needed_by = along.get(&row.kb).cloned().unwrap_or_default();
            if !wanted.contains(&row.kb) && needed_by.is_empty() {
                continue;
            }
            if !request.selects(row.architecture) {
                plan.left_out.push(MissingItem {
                    kb: row.kb,
                    what: row.folder.to_string(),
                    why: "of an architecture that was not selected".to_owned(),
                });
                continue;
            }
            let needed_by = if wanted.contains(&row.kb) { BTreeSet::new() } else { needed_by };
            if let Some(missing) = plan.add(row, needed_by, mirror, knowledge)? {
                plan.missing.push(missing);
            }
        }
        if plan.sets.is_empty() {
            let reasons: Vec<String> =
                plan.missing.iter().map(|item| format!("{} {}: {}", item.kb, item.what, item.why)).collect();
            let message = format!("no selected package set can be exported: {}", reasons.join("; "));
            let kbs: BTreeSet<String> = plan.missing.iter().map(|item| item.kb.to_string()).collect();
            let kbs: Vec<String> = kbs.into_iter().collect();
            return Err(Error::new(ErrorKind::Incomplete, message)
                .hint(mirror.side()?.advise_repair(kbs.join(" ")))
                .hint("nothing was written"));
        }
        let selected: Vec<&SetRow> = plan.rows.iter().collect();
        let unmatched = selection::unmatched_architectures(request, &selected);
        if !unmatched.is_empty() {
            plan.warnings.push(format!(
                "no selected package set is for {}",
                selection::architecture_names(&unmatched)
            ));
        }
        plan.warn_of_damage(mirror)?;
        plan.add_updates(mirror, knowledge)?;
        plan.sort_and_count();
        Ok(plan)
    }

    /// Warns of selected sets whose folders are damaged or missing. The medium still gets the correct bytes from
    /// the pool.
    fn warn_of_damage(&mut self, mirror: &Mirror<impl Access>) -> Result<()> {
        for damaged in mirror.damaged_sets()? {
            let is_selected =
                self.rows.iter().any(|row| row.kb == damaged.kb && row.folder == damaged.folder);
            if is_selected {
                let path = format!("kb/{}/{}", damaged.kb, damaged.folder);
                let heal = mirror.side()?.advise_repair(damaged.kb);
                let state = if damaged.folder_missing { "folder missing" } else { "damaged" };
                self.warnings.push(format!("{path}: {state}; took the files from the pool instead; {heal}"));
            }
        }
        Ok(())
    }

    /// Sorts the plan and updates its totals.
    pub(super) fn sort_and_count(&mut self) {
        self.listing.sort();
        self.sets.sort_by(|a, b| (a.kb, &a.folder).cmp(&(b.kb, &b.folder)));
        self.files = self.payload.len();
        self.bytes = self.payload.values().map(|file| file.size).sum();
        let different: BTreeMap<Sha256, u64> =
            self.payload.values().map(|file| (file.sha256, file.size)).collect();
        self.different_bytes = different.values().sum();
        for (change, list) in [
            (SetChange::Add, &mut self.additions),
            (SetChange::Update, &mut self.updates),
            (SetChange::Keep, &mut self.kept),
        ] {
            *list =
                self.sets.iter().filter(|set| set.change == change).map(PlannedPackageSet::changed).collect();
        }
        self.removed_bytes = self.removals.iter().map(|set| set.bytes).sum();
    }

    /// Returns the KBs that the selected KBs require, with the KBs that require them. Records those that are not in
    /// the mirror.
    fn prerequisites(
        &mut self,
        wanted: &BTreeSet<Kb>,
        rows: &[SetRow],
        request: &ExportRequest,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
    ) -> Result<BTreeMap<Kb, BTreeSet<Kb>>> {
        let library = IndexLibrary::new(mirror.index(), knowledge);
        let mut found: BTreeMap<Kb, BTreeSet<Kb>> = BTreeMap::new();
        let mut absent: BTreeMap<Kb, (bool, BTreeSet<Kb>)> = BTreeMap::new();
        for kb in wanted {
            for set in library.sets(*kb)?.iter().filter(|set| set.is_main()) {
                let exported = rows.iter().any(|row| row.kb == *kb && row.folder == set.folder);
                if !exported || !request.selects(set.architecture) {
                    continue;
                }
                for along in closure(set, &library, knowledge)? {
                    if rows.iter().any(|row| row.kb == along.kb) {
                        found.entry(along.kb).or_default().insert(*kb);
                    } else {
                        let entry = absent.entry(along.kb).or_default();
                        entry.0 |= along.always;
                        entry.1.insert(*kb);
                    }
                }
            }
        }
        for (kb, (always, needed_by)) in absent {
            let needed_by: Vec<String> = needed_by.iter().map(ToString::to_string).collect();
            let item = MissingItem {
                kb,
                what: "its package sets".to_owned(),
                why: format!("not in the mirror, but {} requires it first", needed_by.join(", ")),
            };
            if always {
                self.missing.push(item);
            } else {
                self.left_out.push(MissingItem {
                    why: format!(
                        "not in the mirror, but some machines need it before {}",
                        needed_by.join(", ")
                    ),
                    ..item
                });
            }
        }
        Ok(found)
    }

    /// Adds a set of the mirror. Returns the set as missing if the pool does not have all its files.
    pub(super) fn add(
        &mut self,
        row: SetRow,
        needed_by: BTreeSet<Kb>,
        mirror: &Mirror<impl Access>,
        knowledge: &Knowledge,
    ) -> Result<Option<MissingItem>> {
        let mut payload = BTreeMap::new();
        let record = mirror.set_record(&row)?;
        for (member, line) in row.members.iter().zip(&record.files) {
            let pooled = match member.file.key {
                Some(key) => mirror.pooled_file(key)?,
                None => None,
            };
            let Some(pooled) = pooled else {
                return Ok(Some(MissingItem {
                    kb: row.kb,
                    what: row.folder.to_string(),
                    why: format!("{} is not in the pool, or is damaged there", line.name),
                }));
            };
            let path = path_of(row.kb, line);
            if path.len() > LONGEST_PATH {
                return Err(Error::usage(format!("the path {path} is too long for media")));
            }
            payload.insert(
                path,
                PayloadFile {
                    from: PayloadSource::Pool(pooled.path),
                    sha256: pooled.sha256,
                    size: pooled.size,
                },
            );
        }
        let (mut reasons, mut before) = (BTreeMap::new(), Vec::new());
        if let Some(plan) = mirror.plan_of(&row, knowledge)? {
            if let Some(script) = mirror.script_of(&row, &plan, knowledge)? {
                self.scripts.insert(format!("{DATA}/{}/{}.cmd", row.kb, row.folder), script.into_bytes());
            }
            (reasons, before) = reasons_of(row.kb, plan);
        }
        let bytes: u64 = payload.values().map(|file| file.size).sum();
        self.sets.push(PlannedPackageSet {
            kb: row.kb,
            folder: row.folder.clone(),
            products: row.products.clone(),
            needed_by,
            files: payload.len(),
            bytes,
            change: SetChange::Add,
            replaced_bytes: 0,
            in_mirror: true,
            is_selected: true,
            reasons,
            before,
        });
        self.payload.extend(payload);
        self.listing.sets.push((row.kb, record));
        self.rows.push(row);
        Ok(None)
    }

    /// Adds the updates of the exported KBs, and the updates by which their files are judged.
    pub(super) fn add_updates(&mut self, mirror: &Mirror<impl Access>, knowledge: &Knowledge) -> Result<()> {
        let mut kbs: BTreeSet<Kb> = self.sets.iter().map(|set| set.kb).collect();
        for kb in kbs.clone() {
            let facts = mirror.index().facts_of(&BTreeSet::from([kb]))?;
            kbs.extend(unlisted_kbs(kb, &facts, knowledge));
        }
        for kb in kbs {
            self.listing.updates.extend(mirror.update_lines(kb)?.into_iter().map(|update| (kb, update)));
        }
        Ok(())
    }

    /// Returns the document of the plan.
    pub fn document(&self) -> ExportPlanDocument<'_> {
        ExportPlanDocument {
            sets: self.sets.iter().map(PlannedPackageSet::document).collect(),
            missing: &self.missing,
            left_out: &self.left_out,
            files: self.files,
            file_count: self.files,
            bytes: self.bytes,
            different_bytes: self.different_bytes,
            additions: self.additions.iter().map(ChangedSet::document).collect(),
            updates: self.updates.iter().map(ChangedSet::document).collect(),
            kept: self.kept.iter().map(ChangedSet::document).collect(),
            removals: self.removals.iter().map(ChangedSet::document).collect(),
            removed_tools: &self.removed_tools,
            removed_bytes: self.removed_bytes,
            earlier_bytes: self.earlier_bytes,
            warnings: &self.warnings,
        }
    }

    /// Returns `true` if the mirror has everything that was selected.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Generates the install script of a set from its plan. Never copies the file beside the set folder, which may be
/// damaged or generated from other knowledge.
pub(super) fn planned_script(
    row: &SetRow,
    mirror: &Mirror<impl Access>,
    knowledge: &Knowledge,
) -> Result<Option<Vec<u8>>> {
    let Some(plan) = mirror.plan_of(row, knowledge)? else { return Ok(None) };
    Ok(mirror.script_of(row, &plan, knowledge)?.map(String::into_bytes))
}

/// Returns the reasons for the files of a set, by file name, and the packages of other KBs that must be installed
/// before.
#[expect(clippy::type_complexity, reason = "the only caller separates the two lists")]
fn reasons_of(own: Kb, plan: Plan) -> (BTreeMap<String, String>, Vec<(Kb, String, String)>) {
    let (mut reasons, mut before) = (BTreeMap::new(), Vec::new());
    for step in plan.steps {
        let because = match &step.needed_if {
            Some(when) => format!("{}; needed if: {when}", step.because),
            None => step.because.clone(),
        };
        match (step.set, step.name) {
            (Some((kb, folder)), _) if kb != own => before.push((kb, folder.to_string(), because)),
            (_, Some(name)) => {
                reasons.insert(name, because);
            }
            (_, None) => {}
        }
    }
    (reasons, before)
}

/// Returns the programs to add, by their names on the medium.
fn named_tools(paths: &[Utf8PathBuf]) -> Result<BTreeMap<String, Utf8PathBuf>> {
    let mut tools = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if disk::file_size(path)?.is_none() {
            return Err(Error::usage(format!(
                "{path} is not a regular file and cannot be added to the medium"
            )));
        }
        let plain = PlainName::of(name)
            .map_err(|fault| Error::usage(format!("the name of {path} is refused: {fault}")))?;
        if tools.insert(plain.to_string(), path.clone()).is_some() {
            return Err(Error::usage(format!("cannot add two programs with the name {name}")));
        }
    }
    Ok(tools)
}

impl fmt::Display for ExportPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sets = self.sets.len();
        write!(formatter, "{}, ", count(sets, "package set"))?;
        write!(formatter, "{}, {}", count(self.files, "file"), human_size(self.bytes))?;
        if self.different_bytes < self.bytes {
            write!(formatter, " ({} of distinct files)", human_size(self.different_bytes))?;
        }
        Ok(())
    }
}
