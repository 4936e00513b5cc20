//! An export in its stages: planned for its target, built as a tree, written, and read back as the receiving side
//! reads it.
//!
//! Everything is checked before the first byte is written. `writer` describes the order in which the folder
//! changes.

use std::collections::BTreeMap;

use super::exported::ExportSummary;
use super::found::TargetContent;
use super::pages::SetFacts;
use super::payload::PoolDamage;
use super::place::TargetFolder;
use super::plan::ExportPlan;
use super::planned::TargetPlan;
use super::read_back::{ReadBack, read_back};
use super::tree::{MediumTree, Program, TreeParts};
use super::writer::{MediumWriter, WriteSummary};
use crate::carrier::read::hash_local;
use crate::carrier::trust::{SigningKeys, time_ahead_of_clock};
use crate::clock::Time;
use crate::documents::{ExportSpace, MediumSet, StateDocument};
use crate::error::{Error, Result};
use crate::event::Events;
use crate::mirror::{Access, Mirror, MirrorState, NewDamage, REPLAY, WriteAccess};
use crate::servicing::Knowledge;

/// The parts of an export that are not in its plan.
#[derive(Debug)]
pub struct ExportContext<'a> {
    /// The keys that sign.
    pub keys: &'a SigningKeys,
    /// The knowledge that is exported with the set.
    pub knowledge: &'a Knowledge,
    /// The knowledge tables, by file name.
    pub tables: &'a [(String, String)],
    /// `true` to begin a new lineage if `state.json` is lost.
    pub new_lineage: bool,
    /// The end of the set's validity, or `None` for a set that does not expire.
    pub expires: Option<Time>,
    /// The time of the export.
    pub now: Time,
    /// The sender of events.
    pub events: &'a Events,
}

/// Returns the needed and the available space of an export. Also returns the error that the export would report
/// before it reads any payload. Writes nothing.
pub fn dry_run(
    plan: &ExportPlan,
    place: &TargetFolder,
    found: &TargetContent,
) -> Result<(ExportSpace, Option<Error>)> {
    let planned = TargetPlan::new(plan, place, found)?;
    let space = planned.space()?;
    Ok((space, planned.expect_space(space).err()))
}

/// Writes the medium. The mirror must be locked, because the export takes the next set number.
pub fn export(
    plan: &ExportPlan,
    place: &TargetFolder,
    found: &TargetContent,
    mirror: &mut Mirror<WriteAccess>,
    context: &ExportContext<'_>,
) -> Result<ExportSummary> {
    let planned = TargetPlan::new(plan, place, found)?;
    let removes_first = planned.preflight()?;
    let retained = planned.read_retained(mirror, context.events)?;
    let tree = build_tree(plan, found, mirror, context)?;
    let writer = MediumWriter::new(&planned, &tree, retained, removes_first);
    let written = match writer.write(&context.keys.export, context.events) {
        Ok(written) => written,
        Err(failure) => {
            record_damage(&failure.damaged, mirror, context);
            return Err(failure.error);
        }
    };
    let read_back = read_back(&planned, &context.keys.root, context.events)?;
    Ok(summary(&planned, &tree, written, read_back, place, context))
}

/// Builds the medium as a value, with the next number of the mirror.
fn build_tree(
    plan: &ExportPlan,
    found: &TargetContent,
    mirror: &mut Mirror<WriteAccess>,
    context: &ExportContext<'_>,
) -> Result<MediumTree> {
    let programs = read_programs(plan)?;
    let origin = mirror.origin()?;
    let SetNumbers { mirror_id, seq, number } = take_number(mirror, found, context)?;
    let facts = SetFacts {
        mirror_id: &mirror_id,
        seq,
        number,
        created: context.now,
        expires: context.expires,
        demo: origin == REPLAY,
        root: &context.keys.root,
        knowledge: context.knowledge,
    };
    let (keys, tables) = (context.keys, context.tables);
    MediumTree::new(plan, TreeParts { facts, origin: &origin, keys, tables, programs: &programs })
}

/// Reads the programs that the operator added.
fn read_programs(plan: &ExportPlan) -> Result<BTreeMap<String, Program>> {
    let read = plan.tools.iter().map(|(name, from)| {
        let found = hash_local(from, &mut |_| Ok(()))?;
        Ok((name.clone(), Program { from: from.clone(), sha256: found.sha256, size: found.size }))
    });
    read.collect()
}

fn summary(
    planned: &TargetPlan<'_>,
    tree: &MediumTree,
    written: WriteSummary,
    read_back: ReadBack,
    place: &TargetFolder,
    context: &ExportContext<'_>,
) -> ExportSummary {
    let WriteSummary { counts, removed } = written;
    ExportSummary {
        folder: planned.target.root().to_owned(),
        seq: tree.set.seq,
        number: tree.set.number(),
        set_id: tree.set_id,
        written: counts.written,
        written_bytes: counts.written_bytes,
        scripts: tree.scripts().count() as u64,
        written_scripts: counts.scripts,
        kept: counts.kept,
        removed: removed.files,
        removed_bytes: removed.bytes,
        read_back: read_back.files,
        read_back_bytes: read_back.bytes,
        read_back_cold: false,
        cache_dropped: read_back.is_dropped,
        local: place.local,
        key: context.keys.root.clone(),
        complete: tree.set.complete,
    }
}

/// Records damaged pool files, which count as missing from now on. The export fails in any case.
fn record_damage(damaged: &[PoolDamage], mirror: &Mirror<impl Access>, context: &ExportContext<'_>) {
    if damaged.is_empty() {
        return;
    }
    let found: Vec<NewDamage> = damaged
        .iter()
        .map(|damage| mirror.damage_in_pool(damage.sha256, damage.kind, damage.message.clone()))
        .collect();
    if let Err(error) = mirror.record_damage(&found, "export", context.now) {
        context.events.warn(format!("did not record the damage: {}", error.full_message()));
    }
}

/// The identity of a new set: its mirror, sequence number, and number.
struct SetNumbers {
    /// The id of the mirror.
    mirror_id: String,
    /// The sequence number: higher than that of every earlier set.
    seq: u64,
    /// The number of the set, for people.
    number: u64,
}

/// Takes the next sequence number and the next number of the mirror for this set, and records both. A number that
/// was used by an interrupted export or by a set on the medium is never used again.
fn take_number(
    mirror: &mut Mirror<WriteAccess>,
    found: &TargetContent,
    context: &ExportContext<'_>,
) -> Result<SetNumbers> {
    let mut state = lineage_state(mirror, context.new_lineage)?;
    if let Some(time) = time_ahead_of_clock(state.last_export.as_deref().into_iter(), context.now.into()) {
        context.events.warn(format!(
            "the clock of this machine went backwards: its last export was at {time}; the dates of this set may be wrong"
        ));
    }
    let earlier = found.earlier.as_ref().map(|earlier| &earlier.signed.set);
    // The clock is larger than every number that counted sets, also larger than those that a restored backup does
    // not know.
    let clock = u64::try_from(context.now.as_second()).unwrap_or_default();
    let seq = state.export_seq.max(earlier.map_or(0, |set| set.seq)).saturating_add(1).max(clock);
    let counted = state.export_number.unwrap_or(state.export_seq);
    let number = counted.max(earlier.map_or(0, MediumSet::number)).saturating_add(1);
    let mirror_id = state.mirror_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    state.mirror_id = Some(mirror_id.clone());
    state.export_seq = seq;
    state.export_number = Some(number);
    state.last_export = Some(context.now.to_string());
    mirror.save_state(&state)?;
    Ok(SetNumbers { mirror_id, seq, number })
}

/// Returns the state with the lineage of an exporting mirror. If the state is lost, refuses the export unless the
/// caller begins a new lineage: the numbers would begin again, and the receiving side would treat every set as
/// older.
pub fn lineage_state(mirror: &Mirror<impl Access>, new_lineage: bool) -> Result<StateDocument> {
    match mirror.load_state()? {
        MirrorState::Known(state) => Ok(state),
        MirrorState::Lost if new_lineage => Ok(StateDocument::new()),
        MirrorState::Lost => Err(Error::usage(format!(
            "{} is missing, so the numbers of earlier sets are not known; nothing was written",
            mirror.layout().state()
        ))
        .hint("put state.json back from a backup")
        .hint("or begin a new lineage with --new-lineage, and give the new id of the mirror to the isolated side")),
    }
}
