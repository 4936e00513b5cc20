//! `show`: the facts about a KB or an update in the index and in the knowledge, and their differences.
//!
//! Only `--catalog` queries the Catalog ([`super::show_catalog`]). Its response is printed in the same form.

use super::args::{ShowArgs, Subject};
use super::kb_view::{KbView, UpdateNotes, show_rest, show_update};
use super::output::Output;
use super::plan_sources::Sources;
use super::setup::Setup;
use super::show_catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::resolve::Side;

/// Runs `show`: prints all known facts about a KB or an update.
pub(super) fn run(setup: &Setup, arguments: &ShowArgs, output: &mut Output) -> Result<ExitCode> {
    if arguments.catalog {
        return show_catalog::run(setup, arguments.what, output);
    }
    let sources = Sources::open(setup)?;
    let view = KbView::of_index(arguments.what, &sources)?;
    if view.is_empty() {
        // A missing mirror is the more useful error.
        setup.mirror().map_err(|error| match sources.side {
            Side::Connected => error.hint(catalog_hint(&view.name)),
            Side::Isolated => error,
        })?;
        let message = match arguments.what {
            Subject::Kb(_) => format!("neither the index nor the knowledge has an entry for {}", view.name),
            Subject::Update(_) => format!("the index has no entry for {}", view.name),
        };
        let error = Error::new(ErrorKind::NotFound, message);
        return Err(match (sources.side, arguments.what) {
            (Side::Isolated, Subject::Kb(kb)) => error.hint(sources.side.advise_unknown_kb(kb)),
            (Side::Isolated, Subject::Update(_)) => error.hint(sources.side.advise_newer()),
            (Side::Connected, Subject::Kb(kb)) => error
                .hint(catalog_hint(&view.name))
                .hint(format!("run kbmirror crawl {kb} to record its updates in the index")),
            (Side::Connected, Subject::Update(_)) => error
                .hint(catalog_hint(&view.name))
                .hint("run kbmirror crawl KB to record the updates of its KB"),
        });
    }
    let document = view.document(&sources)?;
    if output.is_json() {
        output.document(&document)?;
        return Ok(ExitCode::OK);
    }
    for update in &document.updates {
        show_update(update, &UpdateNotes::of_index(update), output);
        output.line("");
    }
    show_rest(&document, &view.without_updates(&sources, setup.layout().root().as_str()), output);
    Ok(ExitCode::OK)
}

fn catalog_hint(name: &str) -> String {
    format!("run kbmirror show {name} --catalog to query the Catalog without recording")
}
