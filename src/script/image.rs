//! The script for a mounted image: the same files in the same order, without restarts.
//!
//! The identity of an image is in its registry, and loading the registry would change the image. The script therefore
//! reads the folder names of the component store, which contain architecture and build. DISM makes the final decision.

use super::advice;
use super::batch::{fill, path, words};
use super::model::{ScriptJob, ScriptStage};
use super::online::{checkpoint_line, not_applicable};
use crate::update::Architecture;

const CODES: &[(&str, &str)] = &[
    ("0", "every package that applies to the image is installed"),
    ("10", "no mount folder or an unknown argument was given"),
    ("12", "the folder does not contain a mounted Windows image, or contains WinPE"),
    ("13", "the image has another architecture"),
    ("16", "a file of the set is missing"),
    ("17", "the folder of the set contains a foreign file"),
    ("18", "a demonstration: nothing can be installed"),
    ("19", "dism.exe is missing"),
    ("20", "a package was refused or failed; the code and advice are shown"),
];

const USAGE: &[&str] = &[
    "Run this script as administrator, in its own folder, with the folder of a mounted install.wim:",
    "  MOUNT-FOLDER             adds the packages",
    "  MOUNT-FOLDER cleanup     the same, then StartComponentCleanup",
    "The script does not mount, unmount, or commit. DISM must be as new as the Windows of the image; the",
    "variable KBMIRROR_DISM may contain the path of another dism.exe, such as that of the ADK.",
];

const NOT_CHECKED: &[&str] = &[
    "client or server, edition, and revision: they are in the registry of the image; DISM refuses other packages",
    "free space on the drive of the mounted image",
];

pub(super) fn script(job: &ScriptJob) -> String {
    let not_checked: Vec<String> = NOT_CHECKED.iter().map(|&line| line.to_owned()).collect();
    let values = [
        ("header", job.header("a mounted image", USAGE, CODES, &not_checked)),
        ("kb", job.kb.to_string()),
        ("subject", format!("{}, into a mounted image", job.subject())),
        ("demo", job.demo_refusal()),
        ("rest", job.rest_of_steps().to_owned()),
        ("architecture", architecture_check(job)),
        ("family", family_check(job)),
        ("files", job.file_checks()),
        ("foreign", job.foreign_check()),
        ("steps", steps(job)),
        ("done", done(job)),
        ("wrong_labels", wrong_labels(job)),
        ("foreign_label", job.foreign_label()),
        ("not_applicable", advice::not_applicable()),
        ("advice", advice::routine()),
    ];
    fill(include_str!("image.cmd"), &values)
}

/// Returns the word of the component store for an architecture.
fn store_word(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X64 => "amd64",
        other => other.as_str(),
    }
}

/// Returns the folder pattern of the servicing stack in the image.
fn stack_folders(architecture: Architecture, version: &str) -> String {
    let word = store_word(architecture);
    format!(r"%MOUNT%\Windows\WinSxS\{word}_microsoft-windows-servicingstack_31bf3856ad364e35_{version}")
}

fn architecture_check(job: &ScriptJob) -> String {
    job.architecture.map_or_else(String::new, |architecture| {
        format!("if not exist \"{}\" goto wrong_architecture", stack_folders(architecture, "*"))
    })
}

/// Returns the family check, which only warns: the stack version was observed to match the family, but this is not
/// documented.
fn family_check(job: &ScriptJob) -> String {
    let Some(architecture) = job.architecture.filter(|_| !job.builds.is_empty()) else {
        return String::new();
    };
    let mut lines = vec!["set \"FITS=\"".to_owned()];
    for build in &job.builds {
        let folders = stack_folders(architecture, &format!("*.{build}.*"));
        lines.push(format!("if exist \"{folders}\" set \"FITS=1\""));
    }
    lines.push(format!(
        "if not defined FITS echo Warning: the image does not look like {}. DISM refuses packages that do not apply.",
        words(&job.family)
    ));
    lines.join("\n")
}

fn wrong_labels(job: &ScriptJob) -> String {
    job.architecture.map_or_else(String::new, |architecture| {
        format!(
            ":wrong_architecture\n\
             echo The set is for {architecture}, but the image in \"%MOUNT%\" is not. Nothing was changed.\n\
             exit /b 13\n"
        )
    })
}

fn steps(job: &ScriptJob) -> String {
    let calls: Vec<&ScriptStage> = job.calls().collect();
    let of = calls.len();
    let mut text = Vec::new();
    for (number, stage) in (1_usize..).zip(&calls) {
        text.push("echo.".to_owned());
        text.push(format!(
            "echo Step {number} of {of}: {}. This may take from minutes to an hour.",
            stage.title()
        ));
        if number == of {
            text.extend(job.stages.iter().filter(|other| other.in_folder_of_target).map(checkpoint_line));
        }
        text.push(format!("set \"FILE=%HERE%{}\"", path(&stage.path)));
        text.push("call :add".to_owned());
        text.push("if \"%OUTCOME%\"==\"failed\" goto failed".to_owned());
        text.push(not_applicable(stage, "this image"));
    }
    text.join("\n")
}

fn done(job: &ScriptJob) -> String {
    match job.expected_revision {
        Some(revision) => format!(
            "echo {}: done. The image should now be at revision {revision}; to check: dism.exe %IMAGE% /Get-Packages",
            job.kb
        ),
        None => format!("echo {}: done.", job.kb),
    }
}
