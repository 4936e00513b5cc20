//! `show --catalog`: what the Catalog says now, beside what the index has. Writes nothing.
//!
//! Exits as the look went; what the Catalog does not know any more is not found, and what the index still has of it is shown
//! all the same. A mirror with content from elsewhere is not compared.

use serde_json::{Value, json};

use super::args::Subject;
use super::asking::Sources;
use super::output::Output;
use super::setup::Setup;
use super::show::{Aside, Told, show_update};
use crate::crawl::{Look, Looked, OfIndex, Revised, RevisedWhat, look_at_kb, look_at_update, revised};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::facts::FileFacts;
use crate::mirror::Index;
use crate::net::Stop;
use crate::update::human_size;

/// `show --catalog`.
pub(super) fn run(setup: &Setup, what: Subject, output: &mut Output) -> Result<ExitCode> {
    let mut sources = Sources::open(setup)?;
    let origin = setup.origin()?;
    if let Some(mirror) = &sources.mirror
        && mirror.origin()? != origin
    {
        output.note("the mirror holds content from elsewhere, with which this Catalog is not compared");
        sources.mirror = None;
    }
    let of_index = Told::of_index(what, &sources)?;
    let answer = setup.with_catalog(|catalog| async move {
        let look = match what {
            Subject::Kb(kb) => look_at_kb(&catalog, kb).await,
            Subject::Update(id) => look_at_update(&catalog, id).await?.ok_or_else(|| {
                let message = format!("the Catalog says that it does not know {id} (any more)");
                Error::new(ErrorKind::NotFound, message)
            }),
        }?;
        // What was not read would look as if the Catalog had it no more.
        if look.failures.iter().any(|failure| failure.kind == ErrorKind::Interrupted) {
            return Err(Stop::error());
        }
        Ok(look)
    });
    match answer {
        Ok(look) => show(look, what, &of_index, &sources, setup, output),
        Err(error) if error.kind() == ErrorKind::NotFound && !of_index.is_empty() => {
            let error = error.hint("what is shown is what this side knows of it");
            show_what_is_left(&error, &of_index, &sources, setup, output)?;
            Ok(error.code())
        }
        Err(error) => Err(error),
    }
}

/// What the Catalog said.
fn show(
    mut look: Look,
    what: Subject,
    of_index: &Told,
    sources: &Sources,
    setup: &Setup,
    output: &mut Output,
) -> Result<ExitCode> {
    let index = sources.mirror.as_ref().map(crate::mirror::Mirror::index);
    let mut differ = Vec::new();
    if let Some(index) = index {
        differ = compare(&look, what, of_index, index)?;
        for file in look.files.values_mut() {
            what_the_pool_has(file, index)?;
        }
    }
    let kinds: Vec<ErrorKind> = look.failures.iter().map(|failure| failure.kind).collect();
    let code = ExitCode::of_run(look.read_whole(), &kinds);
    let details = look.updates.iter().map(|one| one.detail.clone()).collect();
    let told = Told::of(what, details, std::mem::take(&mut look.files), sources)?;
    if output.is_json() {
        let mut document = told.document(sources)?;
        document["from"] = json!("catalog");
        for (shown, one) in document["updates"].as_array_mut().into_iter().flatten().zip(&look.updates) {
            complete(shown, one, of_index);
        }
        document["index_differences"] = json!(differ);
        document["failures"] = json!(look.failures);
        document["warnings"] = json!(look.warnings);
        output.document(&document)?;
        output.failures(&look.failures);
        return Ok(code);
    }
    for one in &look.updates {
        let seen = seen_before(one, of_index).map(|(first, last)| format!("{} to {}", day(first), day(last)));
        let aside = Aside {
            seen: seen.or_else(|| index.map(|_| "never: the index does not have it".to_owned())),
            size_text: one.size_text.clone(),
            no_files: "could not be read",
        };
        show_update(&one.detail, &aside, output);
        for file in told.facts.files_of(&one.detail.facts) {
            show_file(file, output);
        }
        output.line("");
    }
    for difference in &differ {
        output.sentence("the index differs: ", &difference.to_string());
    }
    told.show_rest(sources, setup, output)?;
    for warning in &look.warnings {
        output.note(format!("warning: {warning}"));
    }
    output.failures(&look.failures);
    Ok(code)
}

/// What this side still has of something that the Catalog does not know.
fn show_what_is_left(
    error: &Error,
    of_index: &Told,
    sources: &Sources,
    setup: &Setup,
    output: &mut Output,
) -> Result<()> {
    if output.is_json() {
        let mut document = of_index.document(sources)?;
        document["error"] = json!(error);
        return output.document(&document);
    }
    for update in &of_index.updates {
        show_update(update, &Aside::of_index(update), output);
        output.line("");
    }
    of_index.show_rest(sources, setup, output)?;
    output.error(error);
    Ok(())
}

/// Where the index has it otherwise.
fn compare(look: &Look, what: Subject, of_index: &Told, index: &Index) -> Result<Vec<Revised>> {
    let mut differ = Vec::new();
    for one in &look.updates {
        let id = one.detail.facts.id;
        match of_index.updates.iter().find(|own| own.facts.id == id) {
            Some(detail) => {
                let is_read = index.revision_of(id)?.is_some_and(|revision| revision.read.is_some());
                let own = OfIndex { detail, files: &of_index.facts.files, is_read };
                differ.extend(revised(own, one, &look.files));
            }
            // Of a KB that was never crawled there is nothing to differ from.
            None if of_index.updates.is_empty() => {}
            None => differ.push(Revised {
                update_id: id,
                what: RevisedWhat::Update,
                index: Vec::new(),
                catalog: vec![one.detail.facts.title.clone()],
            }),
        }
    }
    // An update that could not be read is not gone.
    let is_listed = |id| look.updates.iter().any(|one| one.detail.facts.id == id);
    if matches!(what, Subject::Kb(_)) && look.complete && look.failures.is_empty() {
        for own in of_index.updates.iter().filter(|own| !is_listed(own.facts.id)) {
            differ.push(Revised {
                update_id: own.facts.id,
                what: RevisedWhat::Update,
                index: vec![own.facts.title.clone()],
                catalog: Vec::new(),
            });
        }
    }
    Ok(differ)
}

/// Fills in what only the mirror can tell of a file.
fn what_the_pool_has(file: &mut FileFacts, index: &Index) -> Result<()> {
    let Some(sha1) = file.sha1 else { return Ok(()) };
    if let Some(own) = index.file_of_sha1(&sha1)? {
        file.key = own.key;
        file.present = own.present;
        file.size = own.size.or(file.size);
    }
    Ok(())
}

/// When the index saw an update first and last.
fn seen_before<'t>(one: &Looked, of_index: &'t Told) -> Option<(&'t str, &'t str)> {
    let own = of_index.updates.iter().find(|own| own.facts.id == one.detail.facts.id)?;
    Some((&own.first_seen, &own.last_seen))
}

/// Puts into an update's document what the Catalog does not say in the same way as the index.
fn complete(shown: &mut Value, one: &Looked, of_index: &Told) {
    let seen = seen_before(one, of_index);
    shown["first_seen"] = json!(seen.map(|(first, _)| first));
    shown["last_seen"] = json!(seen.map(|(_, last)| last));
    shown["size_text"] = json!(one.size_text);
    if !one.has_details {
        shown["supersedes"] = Value::Null;
        shown["superseded_by"] = Value::Null;
    }
}

/// A file for people: an address by its host, digests in full.
fn show_file(file: &FileFacts, output: &mut Output) {
    let host = file.urls.first().and_then(|url| url.split('/').nth(2)).unwrap_or("-");
    output.line(format!("  {:<14} {}", "file", output.file_name(&file.name)));
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            output.line(format!("    {name:<6} {value}"));
        }
    };
    field("size", file.size.map(human_size));
    field("sha1", file.sha1.map(|sha1| sha1.to_string()));
    field("sha256", file.sha256.map(|sha256| sha256.to_string()));
    field("host", Some(host.to_owned()));
    field("here", Some(if file.present { "yes" } else { "no" }.to_owned()));
}

fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}
