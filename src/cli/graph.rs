//! `graph`: the requirements between files and the supersedence of updates, for Graphviz or as JSON. Does not query the
//! Catalog.

use super::args::{GraphArgs, GraphFormat};
use super::output::Output;
use super::plan_sources::Sources;
use super::setup::Setup;
use crate::documents::GraphDocument;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::resolve::Graph;

/// Runs `graph`, on the index layered over the knowledge, or on the knowledge alone.
pub(super) fn run(setup: &Setup, arguments: &GraphArgs, output: &mut Output) -> Result<ExitCode> {
    if output.is_json() && arguments.format == Some(GraphFormat::Dot) {
        return Err(Error::usage("--json and --format dot contradict each other"));
    }
    let sources = Sources::open(setup)?;
    let mut graph = sources.with_library(|library| Graph::of(&arguments.kbs, library, &sources.knowledge))?;
    if let Some(mirror) = &sources.mirror {
        graph.add_needs(&mirror.index().needs_of_files(graph.file_keys())?);
        for &kb in &arguments.kbs {
            graph.add_supersedes(&mirror.index().supersedence_of(kb)?);
        }
    }
    let known = graph.kbs();
    if let Some(kb) = arguments.kbs.iter().find(|kb| !known.contains(kb)) {
        return Err(sources.unknown_kb_error(*kb));
    }
    graph.check()?;
    if output.is_json() || arguments.format == Some(GraphFormat::Json) {
        output.document(&GraphDocument {
            nodes: graph.nodes().collect(),
            edges: graph.edges().collect(),
            knowledge_date: sources.knowledge.date(),
            knowledge_version: sources.knowledge.version(),
        })?;
    } else {
        output.text(graph.to_string());
    }
    Ok(ExitCode::OK)
}
