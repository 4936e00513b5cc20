//! `show`: what the index knows of a KB or of one update, what the knowledge has of it, and where the two differ.
//!
//! No page is read; with `--catalog` the Catalog is queried ([`super::show_catalog`]), and its answer is shown by the same means.

use super::args::{Show, Subject};
use super::asking::Sources;
use super::kb_view::{KbView, UpdateNotes, show_rest, show_update};
use super::output::Output;
use super::setup::Setup;
use super::show_catalog;
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::resolve::Side;

/// `show`: all that is known of a KB or of one update.
pub(super) fn run(setup: &Setup, arguments: &Show, output: &mut Output) -> Result<ExitCode> {
    if arguments.catalog {
        return show_catalog::run(setup, arguments.what, output);
    }
    let sources = Sources::open(setup)?;
    let view = KbView::of_index(arguments.what, &sources)?;
    if view.is_empty() {
        // Without a mirror that is what to say.
        setup.mirror().map_err(|error| match sources.side {
            Side::Connected => error.hint(ask_catalog(&view.name)),
            Side::Isolated => error,
        })?;
        let message = match arguments.what {
            Subject::Kb(_) => format!("neither the index nor the knowledge has anything of {}", view.name),
            Subject::Update(_) => format!("the index knows nothing of {}", view.name),
        };
        let error = Error::new(ErrorKind::NotFound, message);
        return Err(match (sources.side, arguments.what) {
            (Side::Isolated, Subject::Kb(kb)) => error.hint(sources.side.to_know(kb)),
            (Side::Isolated, Subject::Update(_)) => error.hint(sources.side.to_know_newer()),
            (Side::Connected, Subject::Kb(kb)) => error
                .hint(ask_catalog(&view.name))
                .hint(format!("kbmirror crawl {kb} records what the Catalog has of it")),
            (Side::Connected, Subject::Update(_)) => {
                error.hint(ask_catalog(&view.name)).hint("kbmirror crawl KB records the updates of its KB")
            }
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

fn ask_catalog(name: &str) -> String {
    format!("kbmirror show {name} --catalog asks the Catalog and writes nothing")
}
