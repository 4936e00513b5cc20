//! `list`: what is published, from the index, with the damage that is recorded. Names and sizes are compared with the disk; no package
//! file is read.

use serde_json::json;

use super::damage;
use super::documents::of_set;
use super::output::Output;
use super::setup::Setup;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::mirror::index::PublishState;
use crate::update::{Architecture, human_size};

/// `list`: the published package sets.
pub(super) fn run(setup: &Setup, output: &mut Output) -> Result<ExitCode> {
    let Some(mirror) = setup.mirror_unless_empty()? else {
        if output.is_json() {
            output.document(&json!({ "sets": [] }))?;
        } else {
            let (layout, side) = (setup.layout(), setup.side(None)?);
            output.line(format!("the mirror at {} is empty: {}", layout.root(), side.to_fill()));
        }
        return Ok(ExitCode::OK);
    };
    let mut sets = mirror.index().sets(None)?;
    sets.retain(|set| set.state == Some(PublishState::Published));
    if output.is_json() {
        let sets = sets.iter().map(|set| of_set(set, &mirror)).collect::<Result<Vec<_>>>()?;
        output.document(&json!({ "sets": sets }))?;
        return Ok(ExitCode::OK);
    }
    if sets.is_empty() {
        let root = mirror.layout().root();
        output.line(format!("nothing is published in {root}: {}", setup.side(Some(&mirror))?.to_fill()));
        return Ok(ExitCode::OK);
    }
    let damaged = mirror.damaged_sets()?;
    let mut headings = vec!["kb", "arch", "files", "size", "folder", "products"];
    if !damaged.is_empty() {
        headings.insert(4, "state");
    }
    let mut table = output.table(&headings).right(2).right(3);
    for set in &sets {
        let size: Option<u64> = set.members.iter().map(|member| member.file.size).sum();
        let folder = mirror.layout().set(set.kb, &set.folder);
        let mut row = vec![
            set.kb.to_string(),
            set.architecture.map_or("any", Architecture::as_str).to_owned(),
            set.members.len().to_string(),
            size.map_or_else(|| "?".to_owned(), human_size),
            mirror.layout().relative(&folder).to_string(),
            set.products.clone(),
        ];
        if !damaged.is_empty() {
            let own = damaged.iter().find(|own| own.kb == set.kb && own.folder == set.folder);
            row.insert(4, own.map_or_else(|| "-".to_owned(), damage::state));
        }
        table.row(row);
    }
    output.text(table.render());
    damage::show(&damaged, &mirror, output)?;
    Ok(ExitCode::OK)
}
