//! `list`: what is published, from the index alone.

use serde_json::json;

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
    let mut table = output.table(&["kb", "arch", "files", "size", "folder", "products"]).right(2).right(3);
    for set in &sets {
        let size: Option<u64> = set.members.iter().map(|member| member.file.size).sum();
        let folder = mirror.layout().set(set.kb, &set.folder);
        table.row([
            set.kb.to_string(),
            set.architecture.map_or("any", Architecture::as_str).to_owned(),
            set.members.len().to_string(),
            size.map_or_else(|| "?".to_owned(), human_size),
            mirror.layout().relative(&folder).to_string(),
            set.products.clone(),
        ]);
    }
    output.text(table.render());
    Ok(ExitCode::OK)
}
