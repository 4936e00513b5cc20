//! `export`: the plan, then the medium. `--dry-run` prints the plan alone, for the medium as it is.

use std::sync::Arc;

use camino::Utf8PathBuf;

use super::media_args::ExportArgs;
use super::output::Output;
use super::passphrases::ProcessPassphrases;
use super::setup::Setup;
use crate::carrier::{
    self, ChangedSet, ExportPlan, ExportRequest, ExportSummary, KeyFolder, PlannedPackageSet, TargetContent,
    TargetFolder,
};
use crate::disk;
use crate::documents::{ErrorBody, ExportDocument, ExportRehearsal, ExportSpace, SetChange};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::mirror::{EvidenceEntry, REPLAY, RunReport, is_newer, knowledge_from_texts, read_table_texts};
use crate::report::Column;
use crate::servicing::{Knowledge, Tables};
use crate::update::{count, human_size};

/// `export`: writes a medium and reads it back.
pub(super) fn run(setup: &Setup, arguments: &ExportArgs, output: &mut Output) -> Result<ExitCode> {
    if arguments.kbs.is_empty() && !arguments.all {
        return Err(Error::usage("the KBs to export are missing").hint("name KBs, or use --all"));
    }
    if arguments.dry_run {
        return dry_run(setup, arguments, output);
    }
    let outcome = write(setup, arguments);
    let document = outcome.as_ref().map(FinishedExport::document);
    if let Err(error) =
        carrier::keep_report(&setup.layout(), RunReport::Export, &arguments.to, document, setup.now())
    {
        output.warn(format!("cannot save the report: {}", error.full_message()));
    }
    let done = outcome?;
    if output.is_json() {
        output.document(&done.document())?;
    } else {
        show_plan(&done.plan, done.is_demo, output);
        show_local(done.local_note.as_deref(), output);
        show_exported(&done.exported, output);
    }
    Ok(if done.plan.is_complete() { ExitCode::OK } else { ExitCode::INCOMPLETE })
}

fn request(arguments: &ExportArgs) -> ExportRequest {
    ExportRequest {
        kbs: arguments.kbs.clone(),
        all: arguments.all,
        architectures: arguments.arch.clone(),
        tools: arguments.with_tool.clone(),
    }
}

/// Prints the plan for the present state of the medium. Writes nothing.
fn dry_run(setup: &Setup, arguments: &ExportArgs, output: &mut Output) -> Result<ExitCode> {
    let folder = setup.layout().keys();
    let keys = if disk::exists(&folder.join("keys.json")) {
        let keys = KeyFolder::new(folder).signing_keys(&ProcessPassphrases(setup))?;
        keys.expect_valid(&setup.now().to_string())?;
        Some(keys)
    } else {
        None
    };
    let mirror = setup.mirror()?;
    carrier::lineage_state(&mirror, arguments.new_lineage)?;
    refuse_changed(&mirror.changed_views(&*setup.knowledge()?)?)?;
    let place = TargetFolder::new(&arguments.to, &setup.layout(), arguments.expect_mount)?;
    let request = request(arguments);
    request.expect_match(&mirror)?;
    let found = TargetContent::examine(&arguments.to, keys.as_ref(), &mirror)?;
    let MediumKnowledge { knowledge, warning, .. } = MediumKnowledge::onto(setup, &found)?;
    let plan = ExportPlan::new(&request, &mirror, &knowledge)?;
    let mut plan = plan.joined_with(&found, &mirror, &knowledge, arguments.prune)?;
    plan.warnings.extend(warning);
    let (room, obstacle) = carrier::dry_run(&plan, &place, &found)?;
    let question = plan.confirmation();
    if output.is_json() {
        output.document(&ExportRehearsal {
            plan: plan.document(),
            exported: (),
            room,
            local: place.local,
            needs_yes: question.is_some(),
            obstacle: obstacle.as_ref().map(ErrorBody::from),
        })?;
    } else {
        show_plan(&plan, mirror.origin()? == REPLAY, output);
        show_room(room, output);
        output.line("dry run: nothing was written; files that stay on the medium were not read");
        show_local(place.local_note().as_deref(), output);
        if let Some(question) = &question {
            output.warn(format!("{question}: the export will prompt, or needs --yes"));
        }
        if let Some(obstacle) = &obstacle {
            output.error(obstacle);
        }
    }
    Ok(match obstacle {
        Some(obstacle) => obstacle.code(),
        None if plan.is_complete() => ExitCode::OK,
        None => ExitCode::INCOMPLETE,
    })
}

/// Refuses changed views as the export would, but moves no evidence: a dry run leaves no trace.
fn refuse_changed(changed: &[Utf8PathBuf]) -> Result<()> {
    let Some(first) = changed.first() else { return Ok(()) };
    let message = format!("{first} was changed after kbmirror wrote it; an export would refuse it");
    Err(Error::new(ErrorKind::Integrity, message).hint("run kbmirror verify for the list"))
}

struct FinishedExport {
    plan: ExportPlan,
    exported: ExportSummary,
    local_note: Option<String>,
    is_demo: bool,
}

impl FinishedExport {
    fn document(&self) -> ExportDocument<'_> {
        self.exported.document(&self.plan)
    }
}

fn write(setup: &Setup, arguments: &ExportArgs) -> Result<FinishedExport> {
    let keys = KeyFolder::new(setup.layout().keys()).signing_keys(&ProcessPassphrases(setup))?;
    keys.expect_valid(&setup.now().to_string())?;
    let mut mirror = setup.mirror_to_write()?;
    carrier::lineage_state(&mirror, arguments.new_lineage)?;
    let place = TargetFolder::new(&arguments.to, &setup.layout(), arguments.expect_mount)?;
    // The views of this side and of the receiving side have the same content.
    let own = setup.knowledge()?;
    mirror.expect_unchanged_views(&own)?;
    mirror.refresh_views(&own)?;
    let replaced: Vec<String> = mirror.evidence().iter().map(EvidenceEntry::warning).collect();
    let request = request(arguments);
    request.expect_match(&mirror)?;
    let found = TargetContent::examine(&arguments.to, Some(&keys), &mirror)?;
    let MediumKnowledge { knowledge, tables, warning } = MediumKnowledge::onto(setup, &found)?;
    let plan = ExportPlan::new(&request, &mirror, &knowledge)?;
    let mut plan = plan.joined_with(&found, &mirror, &knowledge, arguments.prune)?;
    plan.warnings.extend(warning);
    plan.warnings.extend(replaced);
    confirm(setup, &plan, arguments)?;
    let now = setup.now().into();
    let expires = setup.settings().options.expires.map(|time| setup.now().saturating_add(time)).transpose();
    let expires =
        expires.map_err(|error| Error::usage("--expires is too long").caused_by(error))?.map(Into::into);
    let exported = setup.with_progress(|events| {
        let context = carrier::ExportContext {
            keys: &keys,
            knowledge: &knowledge,
            tables: &tables,
            new_lineage: arguments.new_lineage,
            expires,
            now,
            events,
        };
        carrier::export(&plan, &place, &found, &mut mirror, &context)
    })?;
    Ok(FinishedExport { is_demo: mirror.origin()? == REPLAY, plan, exported, local_note: place.local_note() })
}

/// The texts of knowledge tables by their file names.
type TableTexts = Vec<(String, String)>;

/// The knowledge on a medium. Every script, page, and reason on the medium uses it.
struct MediumKnowledge {
    knowledge: Arc<Knowledge>,
    tables: TableTexts,
    /// The note that the medium keeps its own tables.
    warning: Option<String>,
}

impl MediumKnowledge {
    /// Returns the knowledge of the run, or that of the medium if it is newer: an export never replaces newer tables.
    fn onto(setup: &Setup, found: &TargetContent) -> Result<Self> {
        let (own, texts) = (setup.knowledge()?, found.knowledge()?);
        Ok(match knowledge_from_texts(&texts) {
            Ok(theirs) if !texts.is_empty() && is_newer(&theirs, &own) => Self {
                warning: Some(format!(
                    "kept the knowledge tables of {} on the medium: they are newer than this mirror's",
                    theirs.date()
                )),
                knowledge: Arc::new(theirs),
                tables: texts,
            },
            _ => Self { knowledge: own, tables: medium_tables(setup)?, warning: None },
        })
    }
}

/// Prompts before a removal that may be a mistake.
fn confirm(setup: &Setup, plan: &ExportPlan, arguments: &ExportArgs) -> Result<()> {
    let Some(question) = plan.confirmation().filter(|_| !arguments.yes) else { return Ok(()) };
    let sets: Vec<String> = plan.removals.iter().map(|set| format!("{} {}", set.kb, set.folder)).collect();
    let question = format!("{question} ({})", sets.join(", "));
    match setup.confirm(&format!("{question}. Continue?"))? {
        Some(true) => Ok(()),
        Some(false) => Err(Error::usage("the removal was not confirmed").hint("nothing was changed")),
        None => Err(Error::usage(format!("{question}, which is more than a fifth"))
            .hint("run the command again with --yes, or without --prune to add only; nothing was changed")),
    }
}

fn show_local(note: Option<&str>, output: &mut Output) {
    if let Some(sentence) = note {
        output.note(sentence);
    }
}

fn show_room(room: ExportSpace, output: &mut Output) {
    let obsolete = if room.obsolete == 0 {
        String::new()
    } else {
        format!(", {} on the medium become obsolete", human_size(room.obsolete))
    };
    output.line(format!(
        "space: {} needed, {} free{obsolete}",
        human_size(room.needed),
        human_size(room.free)
    ));
}

/// Returns all tables of the medium: the built-in tables, replaced by those of the mirror or of the named folder.
fn medium_tables(setup: &Setup) -> Result<TableTexts> {
    let other = match setup.knowledge_folder() {
        Some(folder) => read_table_texts(&folder)?,
        None => Vec::new(),
    };
    let built_in = Tables::built_in();
    let mut tables = Vec::new();
    for (name, text) in built_in.iter() {
        let own = other.iter().find(|(other, _)| other == name).map(|(_, text)| text.clone());
        tables.push((name.to_owned(), own.unwrap_or_else(|| text.to_owned())));
    }
    Ok(tables)
}

fn show_plan(plan: &ExportPlan, is_demo: bool, output: &mut Output) {
    if is_demo {
        output.line("DEMO: the files are stand-ins; every page of the medium is marked");
    }
    let mut table = output.table([
        Column::new("kb"),
        Column::new("folder"),
        Column::number("files").importance(1),
        Column::number("size").importance(2),
        Column::sentence("change"),
        Column::sentence("needed by").importance(3),
    ]);
    for set in &plan.sets {
        let along: Vec<String> = set.needed_by.iter().map(ToString::to_string).collect();
        table.row([
            set.kb.to_string(),
            set.folder.to_string(),
            set.files.to_string(),
            human_size(set.bytes),
            change_word(set).to_owned(),
            along.join(", "),
        ]);
    }
    for set in &plan.removals {
        table.row([
            set.kb.to_string(),
            set.folder.to_string(),
            set.files.to_string(),
            human_size(set.bytes),
            "removed".to_owned(),
            String::new(),
        ]);
    }
    output.text(table.render());
    output.line(format!("the medium: {plan}"));
    output.line(format!("changes: {}", changes_line(plan)));
    for name in &plan.removed_tools {
        output.line(format!("removed: tools/{name}"));
    }
    for item in &plan.left_out {
        output.line(format!("left out: {} {} ({})", item.kb, item.what, item.why));
    }
    for item in &plan.missing {
        output.note(format!("missing: {} {} ({})", item.kb, item.what, item.why));
    }
    for warning in &plan.warnings {
        output.warn(warning);
    }
}

/// Returns the change of a set for the table.
fn change_word(set: &PlannedPackageSet) -> &'static str {
    match (set.change, set.in_mirror) {
        (SetChange::Add, _) => "new",
        (SetChange::Update, _) => "replaced",
        (SetChange::Keep, true) => "kept",
        (SetChange::Keep, false) => "kept, not in this mirror",
    }
}

/// Returns all changes in one line.
fn changes_line(plan: &ExportPlan) -> String {
    let part = |verb: &str, sets: &[ChangedSet]| {
        let bytes: u64 = sets.iter().map(|set| set.bytes).sum();
        (!sets.is_empty()).then(|| format!("{verb} {}, {}", count(sets.len(), "set"), human_size(bytes)))
    };
    let parts = [
        part("adds", &plan.additions),
        part("replaces", &plan.updates),
        part("keeps", &plan.kept),
        part("removes", &plan.removals),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn show_exported(exported: &ExportSummary, output: &mut Output) {
    output.line(exported.evidence());
    if exported.removed > 0 {
        output.line(format!(
            "removed {} of an earlier set, {}",
            count(exported.removed, "file"),
            human_size(exported.removed_bytes)
        ));
    }
    if !exported.complete {
        output.warn("the set is incomplete; set.json lists the missing files");
    }
    output.line(if exported.cache_dropped {
        "the system was asked to drop its cached copies before the read-back; lower caches may have served it"
    } else {
        "a cache may have served the read-back"
    });
    if exported.local.is_none() {
        output.line(format!("unmount {} before you unplug it", exported.folder));
    }
    output.line(exported.claim());
}
