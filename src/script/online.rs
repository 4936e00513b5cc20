//! The script for a running machine: checks, installation, restart, final check.

use super::advice;
use super::batch::{fill, words};
use super::model::{InstallTool, ScriptJob, ScriptStage};
use crate::servicing::Installation;
use crate::update::Architecture;

const CODES: &[(&str, &str)] = &[
    ("0", "the KB or all packages of the set are installed; nothing is left to do"),
    ("3010", "a restart is due: restart, then run this script again"),
    ("10", "an unknown argument"),
    ("11", "administrator rights are missing"),
    ("12", "the machine has another Windows than the set requires, or a folder was given"),
    ("13", "the machine has another architecture"),
    ("14", "the set does not apply to the edition of the machine"),
    ("15", "not enough free space on the system drive"),
    ("16", "a file of the set is missing"),
    ("17", "the folder of the set contains a foreign file"),
    ("18", "a demonstration: nothing can be installed"),
    ("19", "the Windows installer tool is missing"),
    ("20", "a package was refused or failed; the code and advice are shown"),
    ("21", "the KB is not installed"),
    ("22", "the script cannot determine whether the KB is installed"),
];

const USAGE: &[&str] = &[
    "Run this script as administrator, beside the folder of the set:",
    "  (none)           checks, and installs if something is missing",
    "  install          the same",
    "  check            reports whether the KB is installed; changes nothing and needs no rights",
    "The script may run again at any time and continues from the state of the machine.",
];

pub(super) fn script(job: &ScriptJob) -> String {
    let values = [
        ("header", job.header("a running machine", USAGE, CODES, &not_checked(job))),
        ("kb", job.kb.to_string()),
        ("subject", job.subject()),
        ("demo", job.demo_refusal()),
        ("rest", job.rest_of_steps().to_owned()),
        ("family", family_check(job)),
        ("architecture", architecture_check(job)),
        ("installed", installed_check(job)),
        ("editions", edition_check(job)),
        ("tool", tool(job.method).to_owned()),
        ("files", job.file_checks()),
        ("foreign", job.foreign_check()),
        ("space", space_check(job)),
        ("steps", steps(job)),
        ("result", result(job)),
        ("installed_label", installed_label(job)),
        ("not_installed", not_installed(job)),
        ("wrong_labels", wrong_labels(job)),
        ("foreign_label", job.foreign_label()),
        ("space_sub", if needed_megabytes(job).is_some() { FREE_SPACE.to_owned() } else { String::new() }),
        ("find_sub", find_routine(job)),
        ("add", add(job)),
        ("not_applicable", advice::not_applicable()),
        ("advice", advice::routine()),
    ];
    fill(include_str!("online.cmd"), &values)
}

/// Returns the facts about the machine that the script cannot check.
fn not_checked(job: &ScriptJob) -> Vec<String> {
    let mut lines = Vec::new();
    if job.builds.is_empty() {
        lines.push("the build: the builds of the set are unknown".to_owned());
    }
    if job.architecture.is_none() {
        lines.push("the architecture: it is unknown".to_owned());
    }
    if job.total_bytes.is_none() {
        lines.push("free space: the size of the set is unknown".to_owned());
    }
    if job.expected_revision.is_none() {
        lines.push("the build after installation: it is unknown, or the set does not change it".to_owned());
    }
    lines
}

fn tool(method: InstallTool) -> &'static str {
    match method {
        InstallTool::Dism => r"%SYSTEM%\dism.exe",
        InstallTool::Wusa => r"%SYSTEM%\wusa.exe",
        InstallTool::Expand => r"%SYSTEM%\expand.exe",
    }
}

fn family_check(job: &ScriptJob) -> String {
    let mut lines = Vec::new();
    if !job.builds.is_empty() {
        let builds: Vec<String> = job.builds.iter().map(ToString::to_string).collect();
        let builds = builds.join(" ");
        lines.push("set \"FITS=\"".to_owned());
        lines.push(format!("for %%B in ({builds}) do if \"%BUILD%\"==\"%%B\" set \"FITS=1\""));
        lines.push("if not defined FITS goto wrong_windows".to_owned());
    }
    // A server reports "Server" or "Server Core".
    match job.installation {
        Some(Installation::Client) => {
            lines.push("if /i not \"%INSTALLATION%\"==\"Client\" goto wrong_windows".to_owned());
        }
        Some(Installation::Server) => {
            lines.push("if /i not \"%INSTALLATION:~0,6%\"==\"Server\" goto wrong_windows".to_owned());
        }
        None => {}
    }
    lines.join("\n")
}

/// Returns the word of Windows for an architecture.
fn machine_word(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X64 => "AMD64",
        Architecture::X86 => "x86",
        Architecture::Arm64 => "ARM64",
        Architecture::Arm => "ARM",
        Architecture::Ia64 => "IA64",
    }
}

fn architecture_check(job: &ScriptJob) -> String {
    job.architecture.map_or_else(String::new, |architecture| {
        format!("if /i not \"%MACHINE%\"==\"{}\" goto wrong_architecture", machine_word(architecture))
    })
}

fn edition_check(job: &ScriptJob) -> String {
    let check = |edition: &String| format!("if /i \"%EDITION%\"==\"{}\" goto wrong_edition", words(edition));
    job.editions_excluded.iter().map(check).collect::<Vec<_>>().join("\n")
}

fn wrong_labels(job: &ScriptJob) -> String {
    let mut text = String::new();
    if !job.builds.is_empty() || job.installation.is_some() {
        let builds: Vec<String> = job.builds.iter().map(ToString::to_string).collect();
        let mut marks = Vec::new();
        if !builds.is_empty() {
            marks.push(format!("build {}", builds.join(" or ")));
        }
        marks.extend(job.installation.map(|installation| installation.as_str().to_owned()));
        text.push_str(&lines(&[
            ":wrong_windows",
            &format!("echo The set is for {} ({}).", words(&job.family), marks.join(", ")),
            "echo The set does not apply to this machine. Nothing was changed.",
            "exit /b 12",
            "",
        ]));
    }
    if let Some(architecture) = job.architecture {
        text.push_str(&lines(&[
            ":wrong_architecture",
            &format!(
                "echo The set is for {architecture}, but this machine is %MACHINE%. Nothing was changed."
            ),
            "exit /b 13",
            "",
        ]));
    }
    if !job.editions_excluded.is_empty() {
        text.push_str(&lines(&[
            ":wrong_edition",
            "echo The set does not apply to the edition %EDITION%. Nothing was changed.",
            "exit /b 14",
            "",
        ]));
    }
    if let Some(needed) = needed_megabytes(job) {
        text.push_str(&lines(&[
            ":no_space",
            &format!(
                "echo %SystemDrive% needs {needed} MB free, twice the size of the set, but has %FREE_MB% MB."
            ),
            "echo Nothing was changed. Free some space, then run this script again.",
            "exit /b 15",
            "",
        ]));
    }
    text
}

fn installed_check(job: &ScriptJob) -> String {
    job.expected_revision.map_or_else(
        || "call :find\nif defined FOUND goto installed".to_owned(),
        |revision| format!("if %UBR% GEQ {revision} goto installed"),
    )
}

fn installed_label(job: &ScriptJob) -> String {
    let sentence = match job.expected_revision {
        Some(revision) => {
            format!(
                "echo {} is installed: build %BUILD%.%UBR% is not below %BUILD%.{revision}. Nothing to do.",
                job.kb
            )
        }
        None => format!("echo {} is installed: this machine lists it. Nothing to do.", job.kb),
    };
    lines(&[":installed", &sentence, "exit /b 0", ""])
}

fn not_installed(job: &ScriptJob) -> String {
    match job.expected_revision {
        Some(revision) => lines(&[
            &format!(
                "echo {} is not installed: this machine is at build %BUILD%.%UBR%, below %BUILD%.{revision}.",
                job.kb
            ),
            "exit /b 21",
        ]),
        None => lines(&[
            &format!(
                "echo This machine does not list {}. Some packages are listed without their KB,",
                job.kb
            ),
            "echo such as .NET packages and Windows 7 rollups: see the update history.",
            "exit /b 22",
        ]),
    }
}

/// Returns the required free space in millions of bytes: twice the size of the set. Numbers in a batch file end at
/// 2147483647, which a byte count exceeds.
fn needed_megabytes(job: &ScriptJob) -> Option<u64> {
    /// The minimum, because a small set has a size of only a few bytes.
    const LEAST: u64 = 100;
    let needed = job.total_bytes?.saturating_mul(2).div_ceil(1_000_000);
    Some(needed.clamp(LEAST, i32::MAX.unsigned_abs().into()))
}

fn space_check(job: &ScriptJob) -> String {
    needed_megabytes(job).map_or_else(String::new, |needed| {
        lines(&[
            "call :free",
            "if not defined FREE_MB echo The free space of %SystemDrive% could not be read and is not checked.",
            // An empty variable in a comparison would end the script.
            "if not defined FREE_MB set \"FREE_MB=2147483647\"",
            &format!("if %FREE_MB% LSS {needed} goto no_space"),
        ])
    })
}

const FREE_SPACE: &str = r#"rem Writes the free space of the system drive to FREE_MB, in millions of bytes. The last line of dir has the bytes as third
rem word, in every language. The last six digits are cut off, because batch numbers end at 2147483647.
:free
set "FREE_MB="
set "FREE="
for /f "tokens=3" %%A in ('dir /-c /a "%SystemDrive%\" 2^>nul') do set "FREE=%%A"
if not defined FREE exit /b 0
for /f "delims=0123456789" %%A in ("%FREE%") do set "FREE="
if not defined FREE exit /b 0
set "FREE_MB=%FREE:~0,-6%"
if not defined FREE_MB set "FREE_MB=0"
if not "%FREE:~15%"=="" set "FREE_MB=2147483647"
exit /b 0
"#;

fn steps(job: &ScriptJob) -> String {
    let calls: Vec<&ScriptStage> = job.calls().collect();
    let of = calls.len();
    let mut text = Vec::new();
    for (number, stage) in (1_usize..).zip(&calls) {
        let step = format!("Step {number} of {of}: {}", stage.title());
        let is_last = number == of;
        let next = if is_last { "finished".to_owned() } else { format!("step{}", number + 1) };
        if number > 1 {
            text.push(format!(":step{number}"));
        }
        text.push("echo.".to_owned());
        if let Some(revision) = stage.unneeded_from() {
            text.push(format!("if %UBR% GEQ {revision} echo {step}: not needed at build %BUILD%.%UBR%"));
            text.push(format!("if %UBR% GEQ {revision} goto {next}"));
        }
        text.push(format!("echo {step}. This may take from minutes to an hour."));
        if is_last {
            text.extend(job.stages.iter().filter(|other| other.in_folder_of_target).map(checkpoint_line));
        }
        text.push(format!("set \"FILE=%HERE%{}\"", super::batch::path(&stage.path)));
        text.push("call :add".to_owned());
        text.push("if \"%OUTCOME%\"==\"failed\" goto failed".to_owned());
        text.push(not_applicable(stage, "this machine"));
        if stage.restart_after && !is_last {
            text.push("if \"%OUTCOME%\"==\"restart\" goto restart_now".to_owned());
            text.push("call :pending".to_owned());
            text.push("if defined PENDING goto restart_now".to_owned());
        }
    }
    text.join("\n")
}

/// Returns the line that explains that DISM installs a file by itself.
pub(super) fn checkpoint_line(stage: &ScriptStage) -> String {
    format!("echo   The {} is beside the target; DISM installs it if needed.", stage.title())
}

/// Returns the reaction to a package that does not apply.
pub(super) fn not_applicable(stage: &ScriptStage, to: &str) -> String {
    if stage.may_not_apply {
        let going_on =
            format!("echo   Skipped: the package does not apply to {to}, or a newer one is installed.");
        format!("if \"%OUTCOME%\"==\"not_applicable\" {going_on}")
    } else {
        "if \"%OUTCOME%\"==\"not_applicable\" goto failed".to_owned()
    }
}

fn result(job: &ScriptJob) -> String {
    let kb = job.kb;
    match job.expected_revision {
        Some(revision) => lines(&[
            "call :state",
            &format!("if %UBR% GEQ {revision} goto installed"),
            "if defined RESTART goto restart_last",
            &format!(
                "echo %INSTALLER% reports success, but this machine is still at build %BUILD%.%UBR%, below %BUILD%.{revision},"
            ),
            "echo with no restart pending: nothing was installed. See the log for the reason: \"%LOG%\"",
            "exit /b 21",
            ":restart_last",
            &format!(
                "echo {kb} is installed and waits for a restart: restart this machine, then run this script again."
            ),
            &format!(
                "echo The script then checks for build %BUILD%.{revision}. To restart now: shutdown /r /t 0"
            ),
            "exit /b 3010",
        ]),
        None => lines(&[
            "if defined RESTART goto restart_last",
            &format!("echo {kb}: done. No restart is needed."),
            "exit /b 0",
            ":restart_last",
            &format!("echo {kb} is installed and waits for a restart. To restart now: shutdown /r /t 0"),
            "exit /b 3010",
        ]),
    }
}

/// Returns the subroutine that looks for the KB in the machine's package lists, if no revision can be compared.
fn find_routine(job: &ScriptJob) -> String {
    if job.expected_revision.is_some() {
        return String::new();
    }
    let kb = job.kb;
    lines(&[
        &format!(
            "rem Sets FOUND if this machine lists {kb}. State 0x70 is installed; newer versions of Windows have no wmic."
        ),
        ":find",
        "set \"FOUND=\"",
        &format!(
            "for /f \"delims=\" %%K in ('%SYSTEM%\\reg.exe query \"%CBS%\\Packages\" 2^>nul ^| %SYSTEM%\\find.exe \"Package_for_{kb}~\"') do for /f \"tokens=1,3\" %%S in ('%SYSTEM%\\reg.exe query \"%%K\" /v CurrentState 2^>nul') do if \"%%S%%T\"==\"CurrentState0x70\" set \"FOUND=1\""
        ),
        "if defined FOUND exit /b 0",
        "if not exist \"%SYSTEM%\\wbem\\wmic.exe\" exit /b 0",
        &format!(
            "for /f %%H in ('%SYSTEM%\\wbem\\wmic.exe qfe get HotFixID 2^>nul ^| %SYSTEM%\\find.exe \"{kb}\"') do if \"%%H\"==\"{kb}\" set \"FOUND=1\""
        ),
        "exit /b 0",
        "",
    ])
}

const DISM: &str = r#"set "INSTALLER=DISM"
"%SYSTEM%\dism.exe" /Online /Add-Package /PackagePath:"%FILE%" /NoRestart /LogPath:"%LOG%"
set "RESULT=%errorlevel%""#;

const WUSA: &str = r#"set "INSTALLER=wusa"
start "" /wait "%SYSTEM%\wusa.exe" "%FILE%" /quiet /norestart
set "RESULT=%errorlevel%""#;

/// The package is the only cabinet inside the file that is not the scan data.
const EXPAND: &str = r#"set "INSTALLER=expand"
md "%WORK%"
"%SYSTEM%\expand.exe" "%FILE%" -F:*.cab "%WORK%" >nul
set "RESULT=%errorlevel%"
set "CAB="
for /f "delims=" %%C in ('dir /b /a-d "%WORK%\*.cab" 2^>nul') do if /i not "%%C"=="WSUSSCAN.cab" set "CAB=%WORK%\%%C"
if not defined CAB if "%RESULT%"=="0" set "RESULT=13"
if not defined CAB goto added
set "INSTALLER=DISM"
"%SYSTEM%\dism.exe" /Online /Add-Package /PackagePath:"%CAB%" /NoRestart /LogPath:"%LOG%"
set "RESULT=%errorlevel%""#;

/// Returns the lines that pass `FILE` to the installer. A bare cabinet always goes to DISM.
fn add(job: &ScriptJob) -> String {
    let cabinet_first = "for %%F in (\"%FILE%\") do if /i \"%%~xF\"==\".cab\" goto add_cabinet";
    match job.method {
        InstallTool::Dism => DISM.to_owned(),
        InstallTool::Wusa => lines(&[cabinet_first, WUSA, "goto added", ":add_cabinet", DISM, ":added"]),
        InstallTool::Expand => lines(&[
            cabinet_first,
            &format!("set \"WORK=%TEMP%\\kbmirror-{}-%RANDOM%\"", job.kb),
            EXPAND,
            "goto added",
            ":add_cabinet",
            DISM,
            ":added",
            "if defined WORK rd /s /q \"%WORK%\"",
            "set \"WORK=\"",
        ]),
    }
}

fn lines(lines: &[&str]) -> String {
    lines.join("\n")
}
