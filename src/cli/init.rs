//! `init`: creates the folder of a mirror and a `kbmirror.toml` with comments. Overwrites nothing.

use super::args::InitArgs;
use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::documents::InitDocument;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::mirror::unwritable_folder;
use crate::sync::template;
use crate::update::Architecture;

/// Runs `init`: writes a configuration for a new mirror.
pub(super) fn run(setup: &Setup, arguments: &InitArgs, output: &mut Output) -> Result<ExitCode> {
    let knowledge = setup.knowledge()?;
    let layout = setup.layout();
    let path = layout.config();
    let family = knowledge.families().mirrored(&arguments.product)?;
    let mut architectures = arguments.arch.clone();
    if architectures.is_empty() {
        let common = family.architectures.iter().find(|&&own| own == Architecture::X64);
        architectures.extend(common.or(family.architectures.first()));
    }
    if let Some(other) = architectures.iter().find(|own| !family.architectures.contains(own)) {
        let all: Vec<&str> = family.architectures.iter().map(|own| own.as_str()).collect();
        return Err(Error::usage(format!("{} does not exist for {other}", family.name))
            .hint(format!("choose from {}", all.join(", "))));
    }
    if disk::exists(&path) {
        return Err(Error::usage(format!("{path} already exists"))
            .hint("edit the file, or remove it first; nothing was overwritten"));
    }
    let written = disk::write_atomic(&path, template(&family, &architectures).as_bytes());
    written.map_err(|error| unwritable_folder(&layout, error))?;
    let warning = family.provisional_warning();
    if let Some(warning) = &warning {
        output.warn(warning);
    }
    if output.is_json() {
        output.document(&InitDocument {
            mirror: layout.root().to_owned(),
            config: path,
            family: &family.folder,
            architectures,
            warnings: warning.into_iter().collect(),
        })?;
        return Ok(ExitCode::OK);
    }
    output.line(format!("wrote {path}: {}", family.name));
    output.line("Next:");
    output.line(format!("  edit {path}: choose families, architectures, and months"));
    output.line(format!(
        "  kbmirror --mirror {} sync --dry-run    prints what it would download",
        layout.root()
    ));
    output.line(format!("  kbmirror --mirror {} sync              downloads it", layout.root()));
    output.line(format!("  kbmirror --mirror {} schedule          prints a daily schedule", layout.root()));
    Ok(ExitCode::OK)
}
