//! `list`: the published sets and their recorded damage, from the index. Names and sizes are compared with the disk.
//! Package files are not read.

use super::damage;
use super::output::Output;
use super::setup::Setup;
use crate::documents::{DamagedSet, ListDocument, StoredSet};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::mirror::index::PublishState;
use crate::mirror::{Access, Mirror};
use crate::report::Column;
use crate::resolve::Side;
use crate::update::{Architecture, human_size};

/// Runs `list`: shows the published package sets.
pub(super) fn run(setup: &Setup, output: &mut Output) -> Result<ExitCode> {
    let mirror = setup.mirror_unless_empty()?;
    let document = match &mirror {
        Some(mirror) => document(mirror)?,
        None => ListDocument::default(),
    };
    if output.is_json() {
        output.document(&document)?;
        return Ok(ExitCode::OK);
    }
    let (layout, side) = (setup.layout(), setup.side(mirror.as_ref())?);
    if document.sets.is_empty() {
        let what = if mirror.is_some() { "nothing is published in" } else { "the mirror at" };
        let is_empty = if mirror.is_some() { "" } else { " is empty" };
        output.line(format!("{what} {}{is_empty}: {}", layout.root(), side.advise_first_updates()));
        return Ok(ExitCode::OK);
    }
    show(&document, side, output);
    Ok(ExitCode::OK)
}

/// Returns the published package sets.
fn document(mirror: &Mirror<impl Access>) -> Result<ListDocument> {
    let mut sets = mirror.index().sets(None)?;
    sets.retain(|set| set.state == Some(PublishState::Published));
    Ok(ListDocument { sets: sets.iter().map(|set| mirror.stored_set(set)).collect::<Result<_>>()? })
}

fn show(document: &ListDocument, side: Side, output: &mut Output) {
    let mut columns = vec![
        Column::new("kb"),
        Column::new("arch"),
        Column::number("files").importance(2),
        Column::number("size").importance(3),
        Column::new("folder"),
        Column::sentence("products").importance(1),
    ];
    let has_damage = document.sets.iter().any(|set| set.damaged);
    if has_damage {
        columns.insert(4, Column::new("state").status());
    }
    let mut table = output.table(columns);
    for StoredSet { set, folder_missing, faults, .. } in &document.sets {
        let mut row = vec![
            set.kb.to_string(),
            set.architecture.map_or("any", Architecture::as_str).to_owned(),
            set.files.len().to_string(),
            set.bytes().map_or_else(|| "?".to_owned(), human_size),
            set.folder.to_string(),
            set.product_list.join("; "),
        ];
        if has_damage {
            row.insert(4, damage::state(*folder_missing, faults));
        }
        table.row(row);
    }
    output.text(table.render());
    let damaged: Vec<DamagedSet> = document.sets.iter().filter_map(StoredSet::damage).collect();
    damage::show(&damaged, side, output);
}
