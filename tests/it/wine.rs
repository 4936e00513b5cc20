//! A machine to run scripts on: a Windows of Wine's in a temporary folder, whose `dism.exe` and `wusa.exe` write down how
//! they were called and end with codes of the test's choice (`tests/support/dism.c`).
#![expect(
    clippy::disallowed_methods,
    reason = "folders of tests are made as they lie, and a process is waited for"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::harness::skipped;

pub(crate) const CURRENT_VERSION: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
pub(crate) const CBS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing";
pub(crate) const ENVIRONMENT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

/// A Windows of Wine's in a temporary folder, with a `dism.exe` that tells how it was called.
pub(crate) struct Machine {
    folder: TempDir,
    /// Waits for input and so keeps Wine's server, which forgets parts of the registry when it ends.
    keeper: Option<Child>,
}

impl Machine {
    /// `None`, and a line that says why, where Wine or the compiler is not here.
    pub(crate) fn new() -> Option<Self> {
        let mut machine = Self { folder: tempfile::tempdir().unwrap(), keeper: None };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/dism.c");
        let dism = machine.folder.path().join("dism.exe");
        let compiler =
            Command::new("x86_64-w64-mingw32-gcc").args(["-O1", "-o"]).arg(&dism).arg(source).output();
        match compiler {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => return skipped(&format!("x86_64-w64-mingw32-gcc: {error}")),
        }
        match machine.said(&["wineboot", "-i"]) {
            Some((true, _)) => {}
            Some((false, said)) => return skipped(&format!("wine does not start: {said}")),
            None => return skipped("wine is not here"),
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

    /// Runs to the end and gives what was said. Not through a pipe: Wine's services would hold it open.
    fn said(&self, arguments: &[&str]) -> Option<(bool, String)> {
        /// Far more than any call takes.
        const PATIENCE: Duration = Duration::from_mins(2);
        let path = self.folder.path().join("said.txt");
        let mut command = self.wine(arguments);
        command.stdout(fs::File::create(&path).unwrap()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("{arguments:?} does not end; it said: {}", fs::read_to_string(&path).unwrap());
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let said = String::from_utf8_lossy(&fs::read(&path).unwrap()).replace('\r', "");
        Some((status.success(), said))
    }

    /// A path below `C:\`.
    pub(crate) fn drive(&self, path: &str) -> PathBuf {
        self.folder.path().join("prefix/drive_c").join(path)
    }

    pub(crate) fn registry(&self, arguments: &[&str]) {
        let (done, said) = self.said(&[&["reg"], arguments].concat()).unwrap();
        assert!(done, "{arguments:?}: {said}");
    }

    pub(crate) fn set(&self, key: &str, value: &str, kind: &str, data: &str) {
        self.registry(&["add", key, "/v", value, "/t", kind, "/d", data, "/f"]);
    }

    /// The codes that DISM is to end with, one after the other.
    pub(crate) fn dism_answers(&self, codes: &[&str]) {
        fs::write(self.drive("dism-answers.txt"), codes.join("\n")).unwrap();
    }

    /// How DISM was called since the last look.
    pub(crate) fn dism_calls(&self) -> Vec<String> {
        let path = self.drive("dism-calls.txt");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        drop(fs::remove_file(path));
        calls.lines().map(str::to_owned).collect()
    }

    fn knows_its_build(&self) -> bool {
        self.said(&["reg", "query", CURRENT_VERSION, "/v", "CurrentBuild"]).is_some_and(|(found, _)| found)
    }

    /// Runs a script in a folder of `C:` and gives what it said with the code that `cmd.exe` saw: the host would see its
    /// last byte only. (A `call` would lose it under Wine.)
    pub(crate) fn run(&self, folder: &str, script: &str, arguments: &str) -> (String, String) {
        let folder = folder.replace('/', "\\");
        let caller = format!(
            "@echo off\r\ncd /d \"C:\\{folder}\"\r\ncmd /c {script} {arguments}\r\necho code=%errorlevel%\r\n"
        );
        fs::write(self.drive("caller.cmd"), caller).unwrap();
        let (_, mut said) = self.said(&["cmd", "/c", r"C:\caller.cmd"]).unwrap();
        // Seen in one of ten runs of some hundred readings: Wine's cmd gets nothing from a `reg query` that finds the value
        // when it is asked again. The script stops then, with nothing changed; it is run again when the value is there.
        if said.contains("build unknown") && self.knows_its_build() {
            (_, said) = self.said(&["cmd", "/c", r"C:\caller.cmd"]).unwrap();
        }
        let (said, code) = said.trim_end().rsplit_once("code=").unwrap();
        (said.to_owned(), code.to_owned())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
        // The folder can only be removed once its Windows has ended.
        drop(self.said(&["wineboot", "-k"]));
    }
}
