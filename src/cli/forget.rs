//! `forget`: moves published sets that are not needed any more to `trash/`.

use super::args::ForgetArgs;
use super::output::Output;
use super::setup::Setup;
use crate::documents::{ForgetDocument, ForgottenFile};
use crate::error::{Error, ErrorKind, Result};
use crate::exit_code::ExitCode;
use crate::report::Column;
use crate::update::{Kb, count, human_size};

/// Runs `forget`.
pub(super) fn run(setup: &Setup, arguments: &ForgetArgs, output: &mut Output) -> Result<ExitCode> {
    if arguments.undo {
        return undo(setup, arguments, output);
    }
    let knowledge = setup.knowledge()?;
    let (kbs, architectures) = (&arguments.kbs, &arguments.arch);
    let (plan, trash) = if arguments.dry_run {
        (setup.mirror()?.plan_forget(kbs, architectures, &knowledge)?, None)
    } else {
        let mut mirror = setup.mirror_to_write()?;
        let plan = mirror.plan_forget(kbs, architectures, &knowledge)?;
        let trash = mirror.forget(&plan, &knowledge, setup.now().into())?;
        (plan, Some(trash))
    };
    let document = ForgetDocument {
        dry_run: arguments.dry_run,
        sets: plan.sets(),
        removed_files: plan.removed_files(),
        kept_files: plan.kept_files(),
        trash,
        undone: Vec::new(),
    };
    if output.is_json() {
        output.document(&document)?;
    } else {
        show(&document, output);
    }
    Ok(ExitCode::OK)
}

fn undo(setup: &Setup, arguments: &ForgetArgs, output: &mut Output) -> Result<ExitCode> {
    let mut mirror = setup.mirror_to_write()?;
    let mut undone: Vec<Kb> = Vec::new();
    for &kb in &arguments.kbs {
        let mut was_removed = false;
        if arguments.arch.is_empty() {
            was_removed |= mirror.revoke_removal(kb, None)?;
        }
        for &architecture in &arguments.arch {
            was_removed |= mirror.revoke_removal(kb, Some(architecture))?;
        }
        if !was_removed {
            return Err(Error::new(ErrorKind::NotFound, format!("no removal of {kb} is recorded"))
                .hint("see state.json for the KBs that were removed on purpose"));
        }
        undone.push(kb);
    }
    let document = ForgetDocument {
        dry_run: false,
        sets: Vec::new(),
        removed_files: Vec::new(),
        kept_files: Vec::new(),
        trash: None,
        undone,
    };
    if output.is_json() {
        output.document(&document)?;
    } else {
        for kb in &document.undone {
            output.line(format!("{kb} is not excluded any more: the next sync or import can add it again"));
        }
    }
    Ok(ExitCode::OK)
}

fn bytes(files: &[ForgottenFile]) -> u64 {
    files.iter().map(|file| file.size).sum()
}

fn show(document: &ForgetDocument, output: &mut Output) {
    let mut table = output.table([Column::new("kb"), Column::new("folder"), Column::number("files")]);
    for set in &document.sets {
        table.row([set.kb.to_string(), set.folder_name.clone(), set.file_count.to_string()]);
    }
    output.text(table.render());
    for file in &document.kept_files {
        let kbs: Vec<String> = file.kbs.iter().map(ToString::to_string).collect();
        let name = output.file_name(&file.name);
        output.line(format!("kept in the pool: {name}, used by {}", kbs.join(", ")));
    }
    let removed = &document.removed_files;
    let files = format!("{}, {}", count(removed.len(), "file"), human_size(bytes(removed)));
    match &document.trash {
        Some(trash) => {
            output.line(format!(
                "removed {} and {files} of the pool; moved to {trash}",
                count(document.sets.len(), "package set")
            ));
            output.line(
                "sync and import skip these KBs from now on; kbmirror fetch KB or kbmirror forget --undo KB reverses it",
            );
        }
        None => output.line(format!(
            "dry run: {} and {files} of the pool would be removed; nothing was changed",
            count(document.sets.len(), "package set")
        )),
    }
}
