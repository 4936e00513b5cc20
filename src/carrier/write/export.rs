//! An export in its stages: planned onto its target, made as a tree, written, and read back with the eyes of the receiving side.
//!
//! Everything is checked before the first byte is written. The order in which the folder changes is in `writer`.

use std::collections::BTreeMap;

use super::exported::Exported;
use super::found::Found;
use super::pages::SetFacts;
use super::payload::PoolDamage;
use super::place::Place;
use super::plan::ExportPlan;
use super::planned::Planned;
use super::read_back::{ReadBack, read_back};
use super::tree::{Parts, Program, Tree};
use super::writer::{Writer, Written};
use crate::carrier::read::hash_file;
use crate::carrier::trust::SigningKeys;
use crate::clock::Time;
use crate::documents::Room;
use crate::error::{Error, Result};
use crate::event::Events;
use crate::mirror::{Access, Mirror, NewDamage, REPLAY, Writing};
use crate::servicing::Knowledge;

/// The parts of an export beside its plan.
#[derive(Debug)]
pub struct Context<'a> {
    /// The keys that sign.
    pub keys: &'a SigningKeys,
    /// The knowledge that travels along.
    pub knowledge: &'a Knowledge,
    /// Its tables by their file names.
    pub tables: &'a [(String, String)],
    /// The time of the export.
    pub now: Time,
    /// The receiver of progress.
    pub events: &'a Events,
}

/// Returns the room that an export needs and finds, and the refusal that an export would give without reading payload. Writes
/// nothing.
pub fn rehearse(plan: &ExportPlan, place: &Place, found: &Found) -> Result<(Room, Option<Error>)> {
    let planned = Planned::new(plan, place, found)?;
    let room = planned.room()?;
    Ok((room, planned.expect_room(room).err()))
}

/// Writes the medium. The mirror's lock is held, because sets are numbered.
pub fn export(
    plan: &ExportPlan,
    place: &Place,
    found: &Found,
    mirror: &mut Mirror<Writing>,
    context: &Context<'_>,
) -> Result<Exported> {
    let planned = Planned::new(plan, place, found)?;
    let removes_first = planned.preflight()?;
    let retained = planned.read_retained(mirror, context.events)?;
    let tree = tree(plan, found, mirror, context)?;
    let writer = Writer::new(&planned, &tree, retained, removes_first);
    let written = match writer.write(&context.keys.export, context.events) {
        Ok(written) => written,
        Err(failure) => {
            record_damage(&failure.damaged, mirror, context);
            return Err(failure.error);
        }
    };
    let read_back = read_back(&planned, &context.keys.root, context.events)?;
    Ok(exported(&planned, &tree, written, read_back, place, context))
}

/// Makes the medium as a value, with the next number of the mirror.
fn tree(
    plan: &ExportPlan,
    found: &Found,
    mirror: &mut Mirror<Writing>,
    context: &Context<'_>,
) -> Result<Tree> {
    let programs = programs(plan)?;
    let origin = mirror.origin()?;
    let mirror_id = identity(mirror)?;
    let facts = SetFacts {
        mirror_id: &mirror_id,
        seq: next_number(mirror, found)?,
        created: context.now,
        demo: origin == REPLAY,
        root: &context.keys.root,
        knowledge: context.knowledge,
    };
    let (keys, tables) = (context.keys, context.tables);
    Tree::new(plan, Parts { facts, origin: &origin, keys, tables, programs: &programs })
}

/// Reads the programs that are sent along.
fn programs(plan: &ExportPlan) -> Result<BTreeMap<String, Program>> {
    let read = plan.tools.iter().map(|(name, from)| {
        let found = hash_file(from, &mut |_| Ok(()))?;
        Ok((name.clone(), Program { from: from.clone(), sha256: found.sha256, size: found.size }))
    });
    read.collect()
}

fn exported(
    planned: &Planned<'_>,
    tree: &Tree,
    written: Written,
    read_back: ReadBack,
    place: &Place,
    context: &Context<'_>,
) -> Exported {
    let Written { counts, removed } = written;
    Exported {
        folder: planned.target.root().to_owned(),
        seq: tree.set.seq,
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

/// Records files of the pool that were found damaged: from now on they count as absent. The export fails either way.
fn record_damage(damaged: &[PoolDamage], mirror: &Mirror<impl Access>, context: &Context<'_>) {
    if damaged.is_empty() {
        return;
    }
    let found: Vec<NewDamage> = damaged
        .iter()
        .map(|damage| mirror.damage_in_pool(damage.sha256, damage.kind, damage.message.clone()))
        .collect();
    if let Err(error) = mirror.record_damage(&found, "export", context.now) {
        context.events.warn(format!("the damage could not be recorded: {}", error.full_message()));
    }
}

/// Returns the mirror's own name, which the first export makes.
fn identity(mirror: &mut Mirror<Writing>) -> Result<String> {
    if let Some(known) = mirror.index().meta("mirror_id")? {
        return Ok(known);
    }
    let new = uuid::Uuid::new_v4().to_string();
    mirror.index_mut().in_transaction(|index| index.set_meta("mirror_id", &new))?;
    Ok(new)
}

/// Returns the number of this set; a number that was begun, or that the medium has, is never used again.
fn next_number(mirror: &mut Mirror<Writing>, found: &Found) -> Result<u64> {
    let last: u64 = mirror.index().meta("export_seq")?.and_then(|text| text.parse().ok()).unwrap_or_default();
    let on_medium = found.earlier.as_ref().map_or(0, |earlier| earlier.signed.set.seq);
    let next = last.max(on_medium).saturating_add(1);
    mirror.index_mut().in_transaction(|index| index.replace_meta("export_seq", &next.to_string()))?;
    Ok(next)
}
