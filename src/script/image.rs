//! The scripts for mounted images: the same files in the same order, without restarts. An image of another kind is
//! refused before anything is changed: `install.wim`, `boot.wim`, and `winre.wim` take different packages.
//!
//! The kind is read from files that only one kind contains. An image with marks of two kinds is refused by all scripts.
//! The identity of an image is in its registry, and loading the registry would change the image. The script therefore
//! reads the folder names of the component store, which contain architecture and build. DISM makes the final decision.

use super::advice;
use super::batch::{fill, path, sentence, words};
use super::model::{ScriptJob, ScriptStage, ScriptTarget};
use super::online::{checkpoint_line, not_applicable};
use crate::update::Architecture;

/// A kind of image, with the texts of its scripts.
pub(super) struct ImagePlace {
    /// The name of the image file, which the script compares with the kind that it finds.
    name: &'static str,
    /// The parts of a script for an image that takes a servicing stack of its own.
    stack: Option<&'static StackParts>,
    /// The lines about the work after the script.
    after: &'static str,
}

/// The parts of a script that takes the cabinet of a servicing stack as an argument.
struct StackParts {
    /// The lines that read the arguments.
    arguments: &'static str,
    /// The line about the argument.
    usage: &'static str,
    /// The lines that check the file.
    check: &'static str,
}

/// The image of the operating system.
pub(super) const INSTALL_WIM: ImagePlace = ImagePlace { name: "install.wim", stack: None, after: "" };

/// The images that Setup and WinPE start from. Both images of `boot.wim` take the same packages.
pub(super) const BOOT_WIM: ImagePlace = ImagePlace {
    name: "boot.wim",
    stack: None,
    after: "echo boot.wim of install media has two images: run this script for both.",
};

/// The image of the recovery environment.
pub(super) const WINRE_WIM: ImagePlace = ImagePlace {
    name: "winre.wim",
    stack: Some(&StackParts {
        arguments: r#"set "CLEANUP=%~2"
set "STACK="
if not defined CLEANUP goto read
if /i not "%CLEANUP%"=="cleanup" set "STACK=%~f2"
if defined STACK set "CLEANUP=%~3"
:read"#,
        usage: "echo   SSU-FILE       SSU-*.cab from inside the cumulative update of the same month; it is installed first",
        check: r#"if not defined STACK goto stack_checked
set "NAME="
for %%F in ("%STACK%") do set "NAME=%%~nxF"
if /i not "%NAME:~0,4%"=="SSU-" goto usage
if /i not "%NAME:~-4%"==".cab" goto usage
if not exist "%STACK%" echo Missing: "%STACK%"
if not exist "%STACK%" goto missing
:stack_checked"#,
    }),
    after: "echo Then put winre.wim back: into \\Windows\\System32\\Recovery of install.wim, or into the recovery partition of a machine.",
};

const CODES: &[(&str, &str)] = &[
    ("0", "every package that applies to the image is installed"),
    ("10", "no mount folder or an unknown argument was given"),
    ("12", "the folder does not contain a mounted image of this kind"),
    ("13", "the image has another architecture"),
    ("16", "a file of the set is missing"),
    ("17", "the folder of the set contains a foreign file"),
    ("18", "a demonstration: nothing can be installed"),
    ("19", "dism.exe is missing"),
    ("20", "a package was refused or failed; the code and advice are shown"),
];

const NOT_CHECKED: &[&str] = &[
    "client or server, edition, and revision: they are in the registry of the image; DISM refuses other packages",
    "free space on the drive of the mounted image",
];

impl ImagePlace {
    /// Returns the arguments of the script after the mount folder.
    fn options(&self) -> &'static str {
        if self.stack.is_some() { "[SSU-FILE] [cleanup]" } else { "[cleanup]" }
    }

    /// Returns the lines of the header about the call.
    fn usage(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "Run this script as administrator, in its own folder, with the folder of a mounted {}:",
                self.name
            ),
            "  MOUNT-FOLDER             adds the packages".to_owned(),
            "  MOUNT-FOLDER cleanup     the same, then StartComponentCleanup".to_owned(),
        ];
        if self.stack.is_some() {
            lines.push(
                "  MOUNT-FOLDER SSU-FILE    adds this servicing stack first, then the packages".to_owned(),
            );
        }
        lines.push(
            "The script does not mount, unmount, or commit. DISM must be as new as the Windows of the image; the"
                .to_owned(),
        );
        lines.push(
            "variable KBMIRROR_DISM may contain the path of another dism.exe, such as that of the ADK."
                .to_owned(),
        );
        lines
    }
}

/// Returns the script of a job for a kind of image.
pub(super) fn script(job: &ScriptJob, place: &ImagePlace) -> String {
    let not_checked: Vec<String> = NOT_CHECKED.iter().map(|&line| line.to_owned()).collect();
    let usage = place.usage();
    let usage: Vec<&str> = usage.iter().map(String::as_str).collect();
    let stack = place.stack;
    // A plan for WinPE without a checkpoint may be for an image past it, which must not get the checkpoint again.
    let is_isolated =
        job.form == ScriptTarget::Winpe && !job.stages.iter().any(|stage| stage.in_folder_of_target);
    let values = [
        ("header", job.header(&format!("a mounted {}", place.name), &usage, CODES, &not_checked)),
        ("kb", job.kb.to_string()),
        ("subject", format!("{}, into a mounted {}", job.subject(), place.name)),
        ("place", place.name.to_owned()),
        ("arguments", stack.map_or(r#"set "CLEANUP=%~2""#, |parts| parts.arguments).to_owned()),
        ("usage", format!("echo Usage: \"%~nx0\" MOUNT-FOLDER {}", place.options())),
        ("usage_stack", stack.map_or("", |parts| parts.usage).to_owned()),
        ("stack_check", stack.map_or("", |parts| parts.check).to_owned()),
        ("stack_step", stack.map_or_else(String::new, |_| stack_step())),
        ("notes", notes(job, place)),
        ("after", place.after.to_owned()),
        ("demo", job.demo_refusal()),
        ("rest", job.rest_of_steps().to_owned()),
        ("architecture", architecture_check(job)),
        ("family", family_check(job)),
        ("files", job.file_checks()),
        ("foreign", job.foreign_check()),
        ("isolate", if is_isolated { "call :isolate" } else { "" }.to_owned()),
        ("isolate_end", if is_isolated { ISOLATE_END } else { "" }.to_owned()),
        ("isolate_sub", if is_isolated { isolate_routine(job) } else { String::new() }),
        ("steps", steps(job)),
        ("done", done(job)),
        ("wrong_labels", wrong_labels(job)),
        ("foreign_label", job.foreign_label()),
        ("not_applicable", advice::not_applicable()),
        ("advice", advice::routine()),
    ];
    fill(include_str!("image.cmd"), &values)
}

/// The lines that remove the folder of a single package.
const ISOLATE_END: &str = r#"if defined WORK rd /s /q "%WORK%"
set "WORK=""#;

/// Returns the subroutine that puts a package into a folder of its own if other packages are beside it.
fn isolate_routine(job: &ScriptJob) -> String {
    let lines = [
        "rem Puts FILE into a folder of its own if other packages are beside it: DISM takes a checkpoint from there, and an",
        "rem image past the checkpoint does not start afterwards.",
        ":isolate",
        "set \"WORK=\"",
        "set \"BESIDE=\"",
        "for %%F in (\"%FILE%\") do for /f \"eol=/ delims=\" %%P in ('dir /b /a-d \"%%~dpF*.msu\" \"%%~dpF*.cab\" 2^>nul') do if /i not \"%%P\"==\"%%~nxF\" set \"BESIDE=1\"",
        "if not defined BESIDE exit /b 0",
        &format!("set \"WORK=%TEMP%\\kbmirror-{}-%RANDOM%\"", job.kb),
        "md \"%WORK%\"",
        "for %%F in (\"%FILE%\") do copy /b \"%%~fF\" \"%WORK%\\%%~nxF\" >nul",
        "for %%F in (\"%FILE%\") do set \"FILE=%WORK%\\%%~nxF\"",
        "if not exist \"%FILE%\" echo The package could not be copied to \"%WORK%\": free space on the drive of TEMP.",
        "exit /b 0",
        "",
    ];
    lines.join("\n")
}

/// Returns the step that adds the servicing stack of the argument.
fn stack_step() -> String {
    [
        "if not defined STACK goto packages",
        "echo.",
        "echo Before step 1: servicing stack \"%STACK%\"",
        "set \"FILE=%STACK%\"",
        "call :add",
        "rem Microsoft's own script ignores this code for the servicing stack of a recovery image: a module is missing there.",
        &format!(
            "for %%C in ({}) do if \"%RESULT%\"==\"%%C\" set \"OUTCOME=not_applicable\"",
            advice::module_not_found()
        ),
        "if \"%OUTCOME%\"==\"failed\" goto failed",
        "if \"%OUTCOME%\"==\"not_applicable\" echo   Skipped: the stack does not apply to this image, or a newer one is installed.",
        ":packages",
    ]
    .join("\n")
}

/// Returns the lines about the needs of the place. A servicing stack that was given is not named again.
fn notes(job: &ScriptJob, place: &ImagePlace) -> String {
    let only_if = if place.stack.is_some() { "if not defined STACK " } else { "" };
    let line = |note: &String| format!("{only_if}echo Also needed: {}.", sentence(note));
    job.notes.iter().map(line).collect::<Vec<_>>().join("\n")
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
