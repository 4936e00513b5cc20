//! The command line in-process: own arguments, streams, and a clock that steps, so that nothing is waited for.
//!
//! ```ignore
//! let bench = Bench::new();
//! let fetched = bench.json(&["--replay", &recording("demo"), "fetch", "KB5086672"]).exits(0);
//! assert_eq!(fetched.json()["sets"][0]["status"], "published");
//! ```
#![expect(clippy::disallowed_methods, reason = "folders of tests are made, read, and spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

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
use kbmirror::net::Stop;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::Digest as _;
use tempfile::TempDir;

/// When every test begins.
const START: &str = "2026-11-23T08:00:00Z";

/// A clock on which time passes only by waiting, and at once.
#[derive(Debug)]
pub(crate) struct SteppingClock {
    start: Timestamp,
    passed: Mutex<Duration>,
    waited: Mutex<Duration>,
}

impl Default for SteppingClock {
    fn default() -> Self {
        Self::starting(START)
    }
}

impl SteppingClock {
    /// A clock that begins at some other time.
    fn starting(start: &str) -> Self {
        Self { start: start.parse().unwrap(), passed: Mutex::default(), waited: Mutex::default() }
    }

    /// Lets time go by without anybody waiting for it.
    pub(crate) fn advance(&self, duration: Duration) {
        *self.passed.lock().unwrap() += duration;
    }

    /// How long the program has waited in all.
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

/// A stream whose bytes the test reads afterwards.
#[derive(Debug, Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What one run of the program gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The same, after a look at the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: u8) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// The `error` of a run that failed as a whole: kind and message.
    #[track_caller]
    pub(crate) fn error(&self) -> (String, String) {
        let document = self.json();
        let error = &document["error"];
        assert_eq!(error["code"], self.code, "{document:#}");
        assert!(error["hints"].is_array(), "{document:#}");
        (text_of(&error["kind"]), text_of(&error["message"]))
    }
}

/// The text of a JSON string.
#[track_caller]
pub(crate) fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The items of a JSON array.
#[track_caller]
pub(crate) fn items(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no array"))
}

/// The texts under one key of every object in a JSON array.
#[track_caller]
pub(crate) fn each(value: &Value, key: &str) -> Vec<String> {
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
    /// The standard input is that of a person at a terminal.
    pub(crate) answers: bool,
    /// The answers of that person that are not shown, in every run.
    pub(crate) secrets: Vec<String>,
    stop: Stop,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            env: BTreeMap::new(),
            stdin: String::new(),
            answers: false,
            secrets: Vec::new(),
            stop: Stop::never(),
        }
    }

    /// The same, with a clock that begins at another time.
    pub(crate) fn starting(start: &str) -> Self {
        Self { clock: Arc::new(SteppingClock::starting(start)), ..Self::new() }
    }

    /// The same, with somebody who may stop its runs.
    pub(crate) fn stopped_by(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// A path in the temporary folder.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join(name)
    }

    /// Where the mirror is, or would be.
    pub(crate) fn mirror(&self) -> Utf8PathBuf {
        self.path("mirror")
    }

    /// Writes the mirror's configuration.
    pub(crate) fn configure(&self, text: &str) {
        fs::create_dir_all(self.mirror()).unwrap();
        fs::write(self.mirror().join("kbmirror.toml"), text).unwrap();
    }

    /// The set folder under a KB.
    pub(crate) fn set(&self, kb: &str, folder: &str) -> Utf8PathBuf {
        self.mirror().join("kb").join(kb).join(folder)
    }

    /// Runs a command on the mirror.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_on(&self.mirror(), arguments)
    }

    /// Runs a command on a mirror somewhere else.
    pub(crate) fn run_on(&self, mirror: &Utf8Path, arguments: &[&str]) -> Ran {
        self.run_at_width(mirror, None, arguments)
    }

    /// Runs a command on the mirror, for a terminal of so many columns.
    pub(crate) fn at_width(&self, columns: u16, arguments: &[&str]) -> Ran {
        self.run_at_width(&self.mirror(), Some(columns), arguments)
    }

    fn run_at_width(&self, mirror: &Utf8Path, columns: Option<u16>, arguments: &[&str]) -> Ran {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let process = Process {
            args: ["kbmirror", "--mirror", mirror.as_str()]
                .iter()
                .chain(arguments)
                .map(|&argument| OsString::from(argument))
                .collect(),
            env: self.env.clone(),
            stdin: Box::new(Cursor::new(self.stdin.clone())),
            stdin_is_terminal: self.answers,
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
        Ran { code, stdout: stdout.text(), stderr: stderr.text() }
    }

    /// Runs a command with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["--json"], arguments].concat())
    }

    /// Runs a command with `--json` against a recording.
    pub(crate) fn replay(&self, recording: &Utf8Path, arguments: &[&str]) -> Ran {
        self.json(&[&["--replay", recording.as_str()], arguments].concat())
    }

    /// Runs the program itself on the mirror.
    pub(crate) fn program(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
        command.arg("--mirror").arg(self.mirror()).args(arguments);
        command.env_remove("KBMIRROR_DIR").output().unwrap()
    }

    /// The rows that a query on the mirror's index gives, each as texts.
    #[track_caller]
    pub(crate) fn rows(&self, query: &str) -> Vec<Vec<String>> {
        let index = open_index(&self.mirror());
        let mut statement = index.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            (0..columns).map(|column| Ok(shown(row.get_ref(column)?))).collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Everything in the index but the runs, table by table, without the columns whose names `skip` picks.
    pub(crate) fn dump(&self, skip: impl Fn(&str) -> bool) -> BTreeMap<String, Vec<Vec<String>>> {
        let tables = self.rows(
            "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name <> 'runs' ORDER BY m.name, c.cid",
        );
        let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in tables {
            let [table, column] = <[String; 2]>::try_from(row).unwrap();
            let kept = columns.entry(table).or_default();
            if !skip(&column) {
                kept.push(column);
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

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Blob(bytes) => HEXLOWER.encode(bytes),
    }
}

/// A recording of the project.
pub(crate) fn recording(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded-responses").join(name)
}

/// A copy of a folder, to spoil it.
pub(crate) fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    for (name, bytes) in tree(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        if path.extension() == Some("key") {
            // Secret keys are for their owner alone.
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
}

/// Every file below a folder with its bytes, by its path with `/`; nothing when there is no such folder.
pub(crate) fn tree(folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
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

/// The names in a folder, sorted; none when there is no such folder.
pub(crate) fn names_in(folder: &Utf8Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    names.sort();
    names
}

/// What tells a file or folder that was left alone from one that was made anew.
pub(crate) fn stamp(path: &Utf8Path) -> String {
    let metadata = fs::metadata(path).unwrap();
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    format!("{number} {:?}", metadata.modified().unwrap())
}

/// The SHA-256 of some bytes as hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&sha2::Sha256::digest(bytes))
}

/// The SHA-1 of some bytes as hexadecimal digits.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&sha1::Sha1::digest(bytes))
}

/// Runs an outside judge, a program of others. `None`, and a line, where it is not here; with `CI` set that is a failure.
pub(crate) fn judge(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == io::ErrorKind::NotFound => skipped(&format!("{program} is not here")),
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Says that something cannot be judged here. With `CI` set that is a failure: there, every judge has to be here.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
pub(crate) fn skipped<T>(why: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{why}, and CI is set: every judge has to be here");
    println!("skipped: {why}");
    None
}

/// Says the same of what root alone may do, such as mounting. Another user skips it everywhere, and `.ci/run` runs it as root:
/// it has to name the test.
#[expect(clippy::print_stdout, reason = "a test says what it skips")]
pub(crate) fn skipped_without_root<T>(why: &str) -> Option<T> {
    if is_root() {
        return skipped(why);
    }
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    // With one thread, tests run in the main one.
    if let Some(name) = std::thread::current().name().filter(|name| *name != "main") {
        assert!(script.contains(name), "{name} needs root, and .ci/run does not name it");
    }
    println!("skipped: {why}; root alone may do that");
    None
}

/// Returns `true` if this process belongs to root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
