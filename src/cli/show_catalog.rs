//! `show --catalog`: the present facts of the Catalog, and the differences of the index. Writes nothing.
//!
//! The exit code is that of the query. An update that the Catalog does not list any more is not found, but the facts
//! in the index are printed. A mirror with content from another origin is not compared.

use super::args::Subject;
use super::kb_view::{KbView, UpdateNotes, seen, show_rest, show_update};
use super::output::Output;
use super::plan_sources::Sources;
use super::setup::Setup;
use crate::crawl::{
    CatalogState, Failure, IndexedUpdate, read_kb_state, read_update_state, update_differences,
};
use crate::documents::{FileDocument, IndexDifference, RevisedProperty, ShowDocument, ShowOrigin};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::facts::FileFacts;
use crate::mirror::Index;
use crate::update::human_size;

/// Runs `show --catalog`.
pub(super) fn run(setup: &Setup, what: Subject, output: &mut Output) -> Result<ExitCode> {
    let mut sources = Sources::open(setup)?;
    let origin = setup.origin()?;
    if let Some(mirror) = &sources.mirror
        && mirror.origin()? != origin
    {
        output.note("the mirror has content from another origin: did not compare it with this Catalog");
        sources.mirror = None;
    }
    let of_index = KbView::of_index(what, &sources)?;
    let answer = setup.with_catalog(|catalog| async move {
        let stop = catalog.client().stop().clone();
        let look = match what {
            Subject::Kb(kb) => read_kb_state(&catalog, kb).await,
            Subject::Update(id) => read_update_state(&catalog, id).await?.ok_or_else(|| {
                let message = format!("the Catalog does not list {id} (any more)");
                Error::new(ErrorKind::NotFound, message)
            }),
        }?;
        // Unread updates must not look as if the Catalog had removed them.
        if look.failures.iter().any(|failure| failure.kind.is_stop()) {
            return Err(stop.error());
        }
        Ok(look)
    });
    match answer {
        Ok(look) => show(look, what, &of_index, &sources, setup, output),
        Err(error) if error.kind() == ErrorKind::NotFound && !of_index.is_empty() => {
            let error = error.hint("see the facts of this side above");
            show_local_facts(&error, &of_index, &sources, setup, output)?;
            Ok(error.code())
        }
        Err(error) => Err(error),
    }
}

/// Prints the response of the Catalog.
fn show(
    mut look: CatalogState,
    what: Subject,
    of_index: &KbView,
    sources: &Sources,
    setup: &Setup,
    output: &mut Output,
) -> Result<ExitCode> {
    let index = sources.mirror.as_ref().map(crate::mirror::Mirror::index);
    let mut differences = Vec::new();
    if let Some(index) = index {
        differences = compare(&look, what, of_index, index)?;
        for file in look.files.values_mut() {
            add_pool_facts(file, index)?;
        }
    }
    let kinds: Vec<ErrorKind> = look.failures.iter().map(|failure| failure.kind).collect();
    let code = ExitCode::of_run(look.complete_updates(), &kinds);
    let details = look.updates.iter().map(|one| one.detail.clone()).collect();
    let view = KbView::of(what, details, std::mem::take(&mut look.files), sources)?;
    let document = document(&view, &look, differences, of_index, sources)?;
    if output.is_json() {
        output.document(&document)?;
        output.failures(&look.failures);
        return Ok(code);
    }
    for update in &document.updates {
        let never = || index.map(|_| "never: the index does not have it".to_owned());
        let notes = UpdateNotes { seen: seen(update).or_else(never), no_files: "could not be read" };
        show_update(update, &notes, output);
        for file in update.files.iter().flatten() {
            show_file(file, output);
        }
        output.line("");
    }
    for difference in document.index_differences.iter().flatten() {
        output.sentence("the index differs: ", &difference.to_string());
    }
    show_rest(&document, &view.without_updates(sources, setup.layout().root().as_str()), output);
    for warning in &look.warnings {
        output.warn(warning);
    }
    output.failures(&look.failures);
    Ok(code)
}

/// Returns the document of the response. The index adds the dates of crawls, and the mirror the present files.
fn document(
    view: &KbView,
    look: &CatalogState,
    differences: Vec<IndexDifference>,
    of_index: &KbView,
    sources: &Sources,
) -> Result<ShowDocument> {
    let mut document = view.document(sources)?;
    document.from = ShowOrigin::Catalog;
    for (shown, one) in document.updates.iter_mut().zip(&look.updates) {
        let own = of_index.updates.iter().find(|own| own.facts.id == one.detail.facts.id);
        let seen = own.and_then(|own| own.seen);
        (shown.first_seen, shown.last_seen) = (seen.map(|seen| seen.first), seen.map(|seen| seen.last));
        shown.size_text = Some(one.size_text.clone());
        if !one.has_details {
            (shown.supersedes, shown.superseded_by) = (None, None);
        }
    }
    document.index_differences = Some(differences);
    document.failures = Some(look.failures.iter().map(Failure::item).collect());
    document.warnings = Some(look.warnings.clone());
    Ok(document)
}

/// Prints the facts of this side about a subject that the Catalog does not list.
fn show_local_facts(
    error: &Error,
    of_index: &KbView,
    sources: &Sources,
    setup: &Setup,
    output: &mut Output,
) -> Result<()> {
    let mut document = of_index.document(sources)?;
    if output.is_json() {
        document.error = Some(error.into());
        return output.document(&document);
    }
    for update in &document.updates {
        show_update(update, &UpdateNotes::of_index(update), output);
        output.line("");
    }
    show_rest(&document, &of_index.without_updates(sources, setup.layout().root().as_str()), output);
    output.error(error);
    Ok(())
}

/// Returns the differences between the index and the response.
fn compare(
    look: &CatalogState,
    what: Subject,
    of_index: &KbView,
    index: &Index,
) -> Result<Vec<IndexDifference>> {
    let mut differences = Vec::new();
    for one in &look.updates {
        let id = one.detail.facts.id;
        match of_index.updates.iter().find(|own| own.facts.id == id) {
            Some(detail) => {
                let is_read = index.revision_of(id)?.is_some_and(|revision| revision.read.is_some());
                let own = IndexedUpdate { detail, files: &of_index.facts.files, is_read };
                differences.extend(update_differences(own, one, &look.files));
            }
            // A KB that was never crawled cannot differ.
            None if of_index.updates.is_empty() => {}
            None => differences.push(IndexDifference {
                update_id: id,
                what: RevisedProperty::Update,
                index: Vec::new(),
                catalog: vec![one.detail.facts.title.clone()],
            }),
        }
    }
    // An update that could not be read was not removed.
    let is_listed = |id| look.updates.iter().any(|one| one.detail.facts.id == id);
    if matches!(what, Subject::Kb(_)) && look.complete && look.failures.is_empty() {
        for own in of_index.updates.iter().filter(|own| !is_listed(own.facts.id)) {
            differences.push(IndexDifference {
                update_id: own.facts.id,
                what: RevisedProperty::Update,
                index: vec![own.facts.title.clone()],
                catalog: Vec::new(),
            });
        }
    }
    Ok(differences)
}

/// Adds the facts about a file that only the mirror has.
fn add_pool_facts(file: &mut FileFacts, index: &Index) -> Result<()> {
    let Some(sha1) = file.sha1 else { return Ok(()) };
    if let Some(own) = index.file_of_sha1(&sha1)? {
        file.key = own.key;
        file.present = own.present;
        file.size = own.size.or(file.size);
    }
    Ok(())
}

/// Prints a file with its host and its complete digests.
fn show_file(file: &FileDocument, output: &mut Output) {
    let host = file.host().unwrap_or("-");
    output.line(format!("  {:<14} {}", "file", output.file_name(&file.name)));
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            output.line(format!("    {name:<7} {value}"));
        }
    };
    field("size", file.size.map(human_size));
    field("sha1", file.sha1.map(|sha1| sha1.to_string()));
    field("sha256", file.sha256.map(|sha256| sha256.to_string()));
    field("host", Some(host.to_owned()));
    field("present", Some(if file.present { "yes" } else { "no" }.to_owned()));
}
