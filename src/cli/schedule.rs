//! `schedule`: prints the files that let a scheduler run `sync`. Installs nothing. All paths are absolute.

use camino::{Utf8Path, Utf8PathBuf};

use super::args::ScheduleArgs;
use super::output::Output;
use super::setup::Setup;
use crate::disk;
use crate::documents::{ScheduleDocument, TextFile};
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::sync::{ScheduledCommand, cron_line, systemd_units, windows_task};

/// Runs `schedule`: prints or writes units, lines, or a task.
pub(super) fn run(setup: &Setup, arguments: &ScheduleArgs, output: &mut Output) -> Result<ExitCode> {
    let layout = setup.layout();
    let config = match &setup.settings().config {
        Some(config) => disk::absolute(config.path())?,
        None => {
            return Err(Error::usage(format!("{} does not exist", layout.config()))
                .hint("run kbmirror init, or name a configuration with --config FILE"));
        }
    };
    let job = ScheduledCommand {
        program: program(setup)?,
        mirror: disk::absolute(layout.root())?,
        config,
        index: setup.settings().index().map(|index| disk::absolute(index)).transpose()?,
    };
    let (kind, files): (&str, Vec<(&str, String)>) = if arguments.cron {
        ("cron", vec![("crontab", cron_line(&job)?)])
    } else if arguments.windows_task {
        ("windows_task", vec![("kbmirror.xml", windows_task(&job)?)])
    } else {
        ("systemd", systemd_units(&job)?.into())
    };
    let written = write(arguments.to.as_deref(), &files)?;
    if output.is_json() {
        let files = files.iter().map(|(name, text)| TextFile { name, text }).collect();
        output.document(&ScheduleDocument { kind, files, written })?;
        return Ok(ExitCode::OK);
    }
    for path in &written {
        output.line(format!("wrote {path}"));
    }
    if !written.is_empty() {
        output.note(match kind {
            "cron" => format!("install it: crontab {}", written[0]),
            "windows_task" => format!("install it: schtasks /Create /TN kbmirror /XML {}", written[0]),
            _ => "copy both files into /etc/systemd/system, then: systemctl enable --now kbmirror.timer"
                .to_owned(),
        });
        return Ok(ExitCode::OK);
    }
    for (place, (_, text)) in files.iter().enumerate() {
        if place > 0 {
            output.line("");
        }
        output.text(text);
    }
    output.note(match kind {
        "cron" => "put these lines into a crontab: crontab -e",
        "windows_task" => "save this as kbmirror.xml, then: schtasks /Create /TN kbmirror /XML kbmirror.xml",
        _ => "save each part under the name in its first line, then: systemctl enable --now kbmirror.timer",
    });
    Ok(ExitCode::OK)
}

/// Writes one text into the file, or several texts into the folder under their own names. Returns the paths.
fn write(to: Option<&Utf8Path>, files: &[(&str, String)]) -> Result<Vec<Utf8PathBuf>> {
    let Some(to) = to else { return Ok(Vec::new()) };
    if let [(_, text)] = files {
        disk::write_named(to, text.as_bytes())?;
        return Ok(vec![to.to_owned()]);
    }
    let mut written = Vec::new();
    for (name, text) in files {
        let path = to.join(name);
        disk::write_named(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

/// Returns the path of this program: the path of the call, or the one that the shell found.
fn program(setup: &Setup) -> Result<Utf8PathBuf> {
    let (name, path) = setup.program();
    let name = Utf8PathBuf::from(name);
    if name.components().count() > 1 {
        return disk::absolute(&name);
    }
    let separator = if cfg!(windows) { ';' } else { ':' };
    let folders = path.unwrap_or_default();
    let mut found = folders.split(separator).filter(|folder| !folder.is_empty()).flat_map(|folder| {
        let place = Utf8Path::new(folder).join(&name);
        [place.clone(), place.with_extension("exe")]
    });
    match found.find(|place| disk::exists(place)) {
        Some(place) => disk::absolute(&place),
        // The path is unknown. The operator checks the schedule before the installation.
        None => Ok(name),
    }
}
