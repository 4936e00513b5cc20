//! A machine for running scripts: Windows emulated by Wine in a temporary folder. Its `dism.exe` and `wusa.exe`
//! record their calls and exit with codes chosen by the test (`tests/support/dism.c`).
#![expect(
    clippy::disallowed_methods,
    reason = "folders of tests are made as they lie, and a process is waited for"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::harness::skip;

pub(crate) const CURRENT_VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
pub(crate) const CBS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing";
pub(crate) const ENVIRONMENT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

/// A Wine installation in a temporary folder, with a `dism.exe` that records its calls.
pub(crate) struct Machine {
    /// The turn of this machine. Several at a time make Wine's cmd miss programs that exist.
    _turn: MutexGuard<'static, ()>,
    folder: TempDir,
    /// A process that waits for input and so keeps Wine's server alive. The server loses parts of the registry when
    /// it exits.
    keeper: Option<Child>,
}

impl Machine {
    /// Starts the machine. Prints a line with the reason and returns `None` if Wine or the compiler is not available.
    pub(crate) fn new() -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut machine = Self { _turn: turn, folder: tempfile::tempdir().unwrap(), keeper: None };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/dism.c");
        let dism = machine.folder.path().join("dism.exe");
        let compiler =
            Command::new("x86_64-w64-mingw32-gcc").args(["-O1", "-o"]).arg(&dism).arg(source).output();
        match compiler {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => return skip(&format!("x86_64-w64-mingw32-gcc: {error}")),
        }
        match machine.output_of(&["wineboot", "-i"]) {
            Some((true, _)) => {}
            Some((false, output)) => return skip(&format!("wine does not start: {output}")),
            None => return skip("wine is not here"),
        }
        machine.keeper = machine
            .wine(&["cmd"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok();
        for name in ["dism.exe", "wusa.exe"] {
            fs::copy(&dism, machine.drive("windows/system32").join(name)).unwrap();
        }
        machine.set(CURRENT_VERSION, "CurrentBuild", "REG_SZ", "26100");
        machine.set(CURRENT_VERSION, "InstallationType", "REG_SZ", "Client");
        machine.set(CURRENT_VERSION, "EditionID", "REG_SZ", "Professional");
        machine.set(CURRENT_VERSION, "UBR", "REG_DWORD", "863");
        machine.set(r"HKU\S-1-5-19\Environment", "TEMP", "REG_SZ", "x");
        Some(machine)
    }

    fn wine(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("wine");
        command.env("WINEPREFIX", self.folder.path().join("prefix")).env("WINEARCH", "win64");
        command
            .args(arguments)
            .env("WINEDEBUG", "-all")
            .env("WINEDLLOVERRIDES", "certutil.exe,dism.exe,wusa.exe=n;mscoree,mshtml=")
            .env_remove("DISPLAY");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end and returns its output through a file. Wine's services would hold a pipe open.
    fn output_of(&self, arguments: &[&str]) -> Option<(bool, String)> {
        /// The timeout, much longer than any call takes.
        const TIMEOUT: Duration = Duration::from_mins(2);
        let path = self.folder.path().join("output.txt");
        let mut command = self.wine(arguments);
        command.stdout(fs::File::create(&path).unwrap()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > TIMEOUT {
                child.kill().unwrap();
                panic!("{arguments:?} does not end; its output: {}", fs::read_to_string(&path).unwrap());
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let output = String::from_utf8_lossy(&fs::read(&path).unwrap()).replace('\r', "");
        Some((status.success(), output))
    }

    /// Returns the path of a file below `C:\`.
    pub(crate) fn drive(&self, path: &str) -> PathBuf {
        self.folder.path().join("prefix/drive_c").join(path)
    }

    pub(crate) fn registry(&self, arguments: &[&str]) {
        let (done, output) = self.output_of(&[&["reg"], arguments].concat()).unwrap();
        assert!(done, "{arguments:?}: {output}");
    }

    pub(crate) fn set(&self, key: &str, value: &str, kind: &str, data: &str) {
        self.registry(&["add", key, "/v", value, "/t", kind, "/d", data, "/f"]);
    }

    /// Sets the exit codes of the next calls to DISM, in order.
    pub(crate) fn set_dism_codes(&self, codes: &[&str]) {
        fs::write(self.drive("dism-answers.txt"), codes.join("\n")).unwrap();
    }

    /// Returns the calls to DISM since the last check.
    pub(crate) fn dism_calls(&self) -> Vec<String> {
        let path = self.drive("dism-calls.txt");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        drop(fs::remove_file(path));
        calls.lines().map(str::to_owned).collect()
    }

    fn knows_its_build(&self) -> bool {
        self.output_of(&["reg", "query", CURRENT_VERSION, "/v", "CurrentBuild"])
            .is_some_and(|(found, _)| found)
    }

    /// Runs a script in a folder of `C:` and returns its output with the exit code that `cmd.exe` saw, because the
    /// host sees only the last byte of the code. (A `call` would lose the code under Wine.)
    pub(crate) fn run(&self, folder: &str, script: &str, arguments: &str) -> (String, String) {
        let folder = folder.replace('/', "\\");
        let caller = format!(
            "@echo off\r\ncd /d \"C:\\{folder}\"\r\ncmd /c {script} {arguments}\r\necho code=%errorlevel%\r\n"
        );
        fs::write(self.drive("caller.cmd"), caller).unwrap();
        let (_, mut output) = self.output_of(&["cmd", "/c", r"C:\caller.cmd"]).unwrap();
        // Observed in two of some fifty runs: Wine's cmd does not find `cmd`, so that nothing runs and nothing is printed.
        if output.trim() == "code=9009" {
            (_, output) = self.output_of(&["cmd", "/c", r"C:\caller.cmd"]).unwrap();
        }
        // Observed in one of ten runs with some hundred queries: a `reg query` of an existing value sometimes prints
        // nothing under Wine's cmd. The script then stops without changes, and is run again if the value exists.
        if output.contains("build unknown") && self.knows_its_build() {
            (_, output) = self.output_of(&["cmd", "/c", r"C:\caller.cmd"]).unwrap();
        }
        let (output, code) = output.trim_end().rsplit_once("code=").unwrap();
        (output.to_owned(), code.to_owned())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
        // The folder can be removed only after its Windows has ended.
        drop(self.output_of(&["wineboot", "-k"]));
    }
}
