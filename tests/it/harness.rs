//! Runs the command line in this process, with its own arguments and streams, and with a clock that never really waits.
//!
//! ```ignore
//! let bench = Bench::new();
//! let fetched = bench.json(&["--replay", &recording("demo"), "fetch", "KB5086672"]).exits(0);
//! assert_eq!(fetched.json()["sets"][0]["status"], "published");
//! ```
#![expect(clippy::disallowed_methods, reason = "tests create, read, and damage their folders directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::future::Future;
use std::io::{self, Cursor, Write};
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use kbmirror::cli::{self, Process, Signals};
use kbmirror::clock::Clock;
use kbmirror::net::StopRequest;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::Digest as _;
use tempfile::TempDir;

use super::published::{PublishedFolders, options_of};

/// The time at which the clock of a test starts.
const START: &str = "2026-11-23T08:00:00Z";

/// A clock that advances only when the program waits. A wait returns at once.
#[derive(Debug)]
pub(crate) struct SteppingClock {
    start: Timestamp,
    passed: Mutex<Duration>,
    waited: Mutex<Duration>,
}

impl Default for SteppingClock {
    fn default() -> Self {
        Self::starting_at(START)
    }
}

impl SteppingClock {
    /// Creates a clock that starts at `start`.
    fn starting_at(start: &str) -> Self {
        Self { start: start.parse().unwrap(), passed: Mutex::default(), waited: Mutex::default() }
    }

    /// Advances the clock without counting this time as waited.
    pub(crate) fn advance(&self, duration: Duration) {
        *self.passed.lock().unwrap() += duration;
    }

    /// Returns the total time that the program has waited.
    pub(crate) fn waited(&self) -> Duration {
        *self.waited.lock().unwrap()
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        self.start + jiff::SignedDuration::try_from(self.elapsed()).unwrap()
    }

    fn elapsed(&self) -> Duration {
        *self.passed.lock().unwrap()
    }

    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.advance(duration);
        *self.waited.lock().unwrap() += duration;
        Box::pin(std::future::ready(()))
    }
}

/// An output stream that the test reads afterwards.
#[derive(Debug, Clone, Default)]
struct CapturedStream(Arc<Mutex<Vec<u8>>>);

impl CapturedStream {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for CapturedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The result of one run of the program.
#[derive(Debug)]
pub(crate) struct RunOutput {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl RunOutput {
    /// Checks the exit code and returns the result.
    #[track_caller]
    pub(crate) fn exits(self, code: u8) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Parses stdout as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// Returns the kind and the message of the top-level `error` of a failed run.
    #[track_caller]
    pub(crate) fn error(&self) -> (String, String) {
        let document = self.json();
        let error = &document["error"];
        assert_eq!(error["code"], self.code, "{document:#}");
        assert!(error["hints"].is_array(), "{document:#}");
        (text_of(&error["kind"]), text_of(&error["message"]))
    }
}

/// Returns a kind and a whole message, to compare them with those of a failed run.
pub(crate) fn failure(kind: &str, message: impl Into<String>) -> (String, String) {
    (kind.to_owned(), message.into())
}

/// Returns the text of a JSON string.
#[track_caller]
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string")).to_owned()
}

/// Returns the items of a JSON array.
#[track_caller]
pub(crate) fn items(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is not an array"))
}

/// Returns the text under `key` in every object of a JSON array.
#[track_caller]
pub(crate) fn field_texts(value: &Value, key: &str) -> Vec<String> {
    items(value).iter().map(|item| text_of(&item[key])).collect()
}

/// A temporary folder with a mirror in it, and a clock.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) clock: Arc<SteppingClock>,
    /// The environment of every run.
    pub(crate) env: BTreeMap<String, String>,
    /// The standard input of every run.
    pub(crate) stdin: String,
    /// `true` if standard input is a terminal with a user.
    pub(crate) is_interactive: bool,
    /// The hidden answers of that user, in every run.
    pub(crate) secrets: Vec<String>,
    /// `true` if every published set folder is linted. A test that damages the mirror on purpose clears it.
    pub(crate) is_linted: bool,
    stop: StopRequest,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            env: BTreeMap::new(),
            stdin: String::new(),
            is_interactive: false,
            secrets: Vec::new(),
            is_linted: true,
            stop: StopRequest::never(),
        }
    }

    /// Returns the same in a folder whose path has the same length everywhere. Tables and wrapped lines depend on it.
    pub(crate) fn in_short_folder() -> Self {
        let folder = tempfile::Builder::new().prefix("kb-").rand_bytes(6).tempdir_in("/tmp").unwrap();
        Self { folder, ..Self::new() }
    }

    /// Creates a bench with a clock that starts at `start`.
    pub(crate) fn starting_at(start: &str) -> Self {
        Self { clock: Arc::new(SteppingClock::starting_at(start)), ..Self::new() }
    }

    /// Sets the source of stop requests.
    pub(crate) fn stopped_by(self, stop: StopRequest) -> Self {
        Self { stop, ..self }
    }

    /// Returns a path in the temporary folder.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name)
    }

    /// Returns the path of the mirror, which may not exist yet.
    pub(crate) fn mirror(&self) -> Utf8PathBuf {
        self.path("mirror")
    }

    /// Writes the configuration of the mirror.
    pub(crate) fn configure(&self, text: &str) {
        fs::create_dir_all(self.mirror()).unwrap();
        fs::write(self.mirror().join("kbmirror.toml"), text).unwrap();
    }

    /// Returns the path of a set folder of a KB.
    pub(crate) fn set_folder(&self, kb: &str, folder: &str) -> Utf8PathBuf {
        self.mirror().join("kb").join(kb).join(folder)
    }

    /// Runs a command on the mirror.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> RunOutput {
        self.run_on(&self.mirror(), arguments)
    }

    /// Runs a command on the mirror at `mirror`.
    #[track_caller]
    pub(crate) fn run_on(&self, mirror: &Utf8Path, arguments: &[&str]) -> RunOutput {
        self.run_with(mirror, None, arguments)
    }

    /// Runs a command on the mirror with a terminal of `columns` columns.
    #[track_caller]
    pub(crate) fn run_at_width(&self, columns: u16, arguments: &[&str]) -> RunOutput {
        self.run_with(&self.mirror(), Some(columns), arguments)
    }

    /// Runs a command, and then `lint` on each set folder that the command published.
    #[track_caller]
    fn run_with(&self, mirror: &Utf8Path, columns: Option<u16>, arguments: &[&str]) -> RunOutput {
        let before = PublishedFolders::of(mirror);
        let ran = self.run_once(mirror, columns, arguments);
        if self.is_linted {
            for folder in PublishedFolders::of(mirror).made_since(&before) {
                let options = options_of(arguments);
                let linted =
                    self.run_once(mirror, None, &[&options[..], &["lint", folder.as_str()]].concat());
                assert_eq!(
                    linted.code, 0,
                    "{arguments:?} published a set that lint refuses:\n{}{}",
                    linted.stdout, linted.stderr
                );
            }
        }
        ran
    }

    fn run_once(&self, mirror: &Utf8Path, columns: Option<u16>, arguments: &[&str]) -> RunOutput {
        let (stdout, stderr) = (CapturedStream::default(), CapturedStream::default());
        let process = Process {
            args: ["kbmirror", "--mirror", mirror.as_str()]
                .iter()
                .chain(arguments)
                .map(|&argument| OsString::from(argument))
                .collect(),
            env: {
                // Without colour, unless a test asks for it.
                let mut env = self.env.clone();
                env.entry("NO_COLOR".to_owned()).or_insert_with(|| "1".to_owned());
                env
            },
            stdin: Box::new(Cursor::new(self.stdin.clone())),
            stdin_is_terminal: self.is_interactive,
            read_hidden: {
                let mut secrets = self.secrets.clone().into_iter();
                Box::new(move |_| secrets.next().ok_or_else(|| io::Error::other("no answer")))
            },
            stdout: Box::new(stdout.clone()),
            stderr: Arc::new(Mutex::new(Box::new(stderr.clone()))),
            stdout_width: columns,
            stderr_is_terminal: false,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            signals: Signals::Given(self.stop.clone()),
        };
        let code = cli::run(process).number();
        RunOutput { code, stdout: stdout.text(), stderr: stderr.text() }
    }

    /// Runs a command with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> RunOutput {
        self.run(&[&["--json"], arguments].concat())
    }

    /// Runs a command with `--json` against a recording.
    #[track_caller]
    pub(crate) fn replay(&self, recording: &Utf8Path, arguments: &[&str]) -> RunOutput {
        self.json(&[&["--replay", recording.as_str()], arguments].concat())
    }

    /// Runs the compiled program on the mirror in a process of its own.
    pub(crate) fn run_program(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
        command.arg("--mirror").arg(self.mirror()).args(arguments);
        command.env_remove("KBMIRROR_DIR").output().unwrap()
    }

    /// Runs a query on the index of the mirror and returns its rows as texts.
    #[track_caller]
    pub(crate) fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let index = open_index(&self.mirror());
        let mut statement = index.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns)
                .map(|column| Ok(text_of_value(row.get_ref(column)?)))
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Dumps the index table by table, without the table `runs` and the columns that `skip` selects.
    pub(crate) fn dump_index(&self, skip: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<Vec<String>>> {
        let tables = self.rows(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name <> 'runs' ORDER BY m.name, c.cid",
        );
        let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in tables {
            let [table, column] = <[String; 2]>::try_from(row).unwrap();
            let selected = columns.entry(table).or_default();
            if !skip(&column) {
                selected.push(column);
            }
        }
        assert!(columns.len() > 10, "{columns:?}");
        let dump = columns.into_iter().map(|(table, columns)| {
            let list = columns.join(", ");
            let rows = self.rows(&format!("SELECT {list} FROM {table} ORDER BY {list}"));
            (format!("{table} ({list})"), rows)
        });
        dump.collect()
    }
}

fn open_index(mirror: &Utf8Path) -> Connection {
    Connection::open_with_flags(mirror.join("mirror.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn text_of_value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Blob(bytes) => HEXLOWER.encode(bytes),
    }
}

/// Returns the path of a recording of this project.
pub(crate) fn recording(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded-responses").join(name)
}

/// Copies a folder, so that a test can damage the copy.
pub(crate) fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    for (name, bytes) in read_tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        if path.extension() == Some("key") {
            // The program refuses a secret key that other users can read.
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
}

/// Returns the bytes of every file below a folder, by its path with `/`. The map is empty if the folder does not exist.
pub(crate) fn read_tree(folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Utf8Path, below: &Utf8Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in below.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                walk(folder, &path, found);
            } else {
                let name = path.strip_prefix(folder).unwrap().as_str().replace('\\', "/");
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    if folder.exists() {
        walk(folder, folder, &mut found);
    }
    found
}

/// Returns the sorted names in a folder. Returns an empty list if the folder does not exist.
pub(crate) fn names_in(folder: &Utf8Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    names
}

/// Returns a stamp of a file or folder. The stamp changes when the file or folder is created again.
pub(crate) fn file_stamp(path: &Utf8Path) -> String {
    let metadata = fs::metadata(path).unwrap();
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    format!("{number} {:?}", metadata.modified().unwrap())
}

/// Returns the SHA-256 of some bytes in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}

/// Returns the SHA-1 of some bytes in hexadecimal.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&sha1::Sha1::digest(bytes))
}

/// Runs an external judge: a program that is not part of this project. Prints a line and returns `None` if the program
/// is not installed. With `CI` set, a missing program fails the test.
pub(crate) fn run_judge(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => skip(&format!("{program} is not installed")),
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Reports that a check is skipped on this machine. With `CI` set this fails the test: CI must have every judge.
#[expect(clippy::print_stdout, reason = "a test reports the check that it skips")]
pub(crate) fn skip<T>(why: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{why}, and CI is set: CI must have every judge");
    println!("skipped: {why}");
    None
}

/// Reports that a check is skipped because only root can do it, for example mounting. Other users skip it on every
/// machine. `.ci/run` runs the test as root, so its list must contain the name of the test.
#[expect(clippy::print_stdout, reason = "a test reports the check that it skips")]
pub(crate) fn skip_without_root<T>(why: &str) -> Option<T> {
    if is_root() {
        return skip(why);
    }
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    // With one test thread, tests run in the main thread, whose name is not that of the test.
    if let Some(name) = std::thread::current().name().filter(|name| *name != "main") {
        assert!(script.contains(name), "{name} needs root, and .ci/run does not name it");
    }
    println!("skipped: {why}; only root can do this");
    None
}

/// Returns `true` if this process belongs to root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
