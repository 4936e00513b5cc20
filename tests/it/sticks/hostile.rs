//! Hostile sticks, and sticks that change during a run: the program does not write or remove files outside the stick.
#![cfg(unix)]

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::io::{self, Cursor};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kbmirror::cli::{self, Process, Signals};
use kbmirror::clock::Clock;
use kbmirror::net::StopRequest;

use super::super::air_gap::small_medium_of_two_kbs;
use super::super::harness::{SteppingClock, copy_folder};
use super::*;

const FIRST: &str = "KB5041865";
const SECOND: &str = "KB5040435";

fn make_pipe(path: &Utf8Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Returns a mirror with two KBs, and a stick of it with one of them.
fn with_stick() -> (Bench, Utf8PathBuf) {
    let (connected_side, loopback) =
        (Bench::new(), Loopback::start(super::super::air_gap::world_of_two_kbs()));
    fetch_from(&connected_side, &loopback, &[FIRST, SECOND]).exits(0);
    create_keys(&connected_side);
    let stick = connected_side.path("stick");
    export(&connected_side, &[FIRST], &stick).exits(0);
    (connected_side, stick)
}

#[test]
fn pipes_and_sockets_are_refused_without_waiting() {
    let (connected_side, stick) = with_stick();
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let before = file_digests(&stick);
    let mut names: Vec<String> = before.keys().cloned().collect();
    names.extend(["data", "knowledge", "tools", "unfinished"].map(str::to_owned));
    let kb = format!("data/{FIRST}");
    names.extend([format!("{kb}/{ARM}"), kb, "knowledge/.new-a1B2c3".to_owned()]);
    for (number, name) in names.iter().enumerate() {
        let (path, aside) = (stick.join(name), connected_side.path("aside"));
        let exists = path.exists();
        if exists {
            fs::rename(&path, &aside).unwrap();
        }
        // Every second special file is a socket.
        let socket = (number % 2 == 1).then(|| UnixListener::bind(connected_side.path("socket")).unwrap());
        if socket.is_some() {
            // Socket paths must be short at creation.
            fs::rename(connected_side.path("socket"), &path).unwrap();
        }
        if socket.is_none() {
            make_pipe(&path);
        }
        for selection in [&[SECOND][..], &[FIRST], &[SECOND, "--prune", "--yes"], &[SECOND, "--dry-run"]] {
            let ran = export(&connected_side, selection, &stick).exits(2);
            let message = format!("{name} on the medium is a link or a device, which is not followed");
            assert_eq!(ran.error(), failure("usage", message));
        }
        // A special file in place of a file or folder of the set is reported. Entries beside the set are ignored.
        let is_beside = ["tools", "unfinished"].contains(&name.as_str()) || name.contains(".new-");
        if !is_beside {
            for command in ["check-medium", "import"] {
                let (_, message) = isolated_side.json(&[command, stick.as_str()]).exits(11).error();
                assert!(message.contains(name.as_str()), "{command} {name}: {message}");
            }
        }
        fs::remove_file(&path).unwrap();
        if exists {
            fs::rename(&aside, &path).unwrap();
        }
        assert_eq!(file_digests(&stick), before, "{name}");
    }
}

#[test]
fn a_forged_manifest_removes_nothing() {
    let (connected_side, stick) = with_stick();
    let victim = connected_side.path("victim");
    copy_folder(&connected_side.mirror().join("kb"), &victim);
    let outside = file_digests(&victim);
    let zeros = "0".repeat(64);
    // The manifest lists every file of the victim, and its signature belongs to another text.
    let forged: String = read_tree(&victim)
        .into_keys()
        .map(|path| format!("{zeros}  data/{path}\n"))
        .collect::<Vec<_>>()
        .concat();
    for is_link in [true, false] {
        let prepared = connected_side.path(&format!("prepared-{is_link}"));
        copy_folder(&stick, &prepared);
        fs::remove_dir_all(prepared.join("data")).unwrap();
        if is_link {
            symlink("../victim", prepared.join("data")).unwrap();
        } else {
            copy_folder(&victim, &prepared.join("data"));
        }
        fs::write(prepared.join("manifest-sha256.txt"), &forged).unwrap();
        for signed in [true, false] {
            if !signed {
                fs::remove_file(prepared.join("set.json.minisig")).unwrap();
            }
            let before = file_digests(&prepared);
            for selection in [&[FIRST][..], &[SECOND], &[SECOND, "--prune", "--yes"]] {
                let ran = export(&connected_side, selection, &prepared).exits(2);
                let message = if is_link {
                    "data on the medium is a link or a device, which is not followed"
                } else {
                    "data/KB5040435/KB5040435.json on the medium does not belong to this mirror"
                };
                assert_eq!(ran.error(), failure("usage", message));
                assert_eq!(
                    (file_digests(&victim), file_digests(&prepared)),
                    (outside.clone(), before.clone())
                );
            }
        }
    }
}

/// A clock that runs an action at one of the calls to it. Every step of an export or import reads the clock, so the
/// stick changes at that step, independent of the machine's speed.
struct ActionClock {
    clock: Arc<SteppingClock>,
    calls: AtomicUsize,
    at: usize,
    action: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl fmt::Debug for ActionClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Prankster")
    }
}

impl Clock for ActionClock {
    fn now(&self) -> Timestamp {
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.at
            && let Some(action) = self.action.lock().unwrap().take()
        {
            action();
        }
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn wait(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.clock.wait(duration)
    }
}

/// Runs a command with an action at one of its calls to the clock. Returns the exit code and the number of calls.
fn run_with(
    bench: &Bench,
    arguments: &[&str],
    at: usize,
    action: impl FnOnce() + Send + 'static,
) -> (u8, usize) {
    let clock = Arc::new(ActionClock {
        clock: Arc::clone(&bench.clock),
        calls: AtomicUsize::new(0),
        at,
        action: Mutex::new(Some(Box::new(action))),
    });
    let mirror = bench.mirror();
    let arguments = [&["kbmirror", "--mirror", mirror.as_str()], arguments].concat();
    let process = Process {
        args: arguments.iter().map(OsString::from).collect(),
        env: BTreeMap::new(),
        stdin: Box::new(Cursor::new(String::new())),
        stdin_is_terminal: false,
        read_hidden: Box::new(|_| Ok(String::new())),
        stdout: Box::new(io::sink()),
        stderr: Arc::new(Mutex::new(Box::new(io::sink()))),
        stdout_width: None,
        stderr_is_terminal: false,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        signals: Signals::Given(StopRequest::never()),
    };
    let code = cli::run(process).number();
    (code, clock.calls.load(Ordering::SeqCst))
}

#[test]
fn a_folder_replaced_by_a_link_during_export_is_not_followed() {
    let (connected_side, original) = with_stick();
    let stick = connected_side.path("other");
    let arguments = ["export", SECOND, "--prune", "--yes", "--to", stick.as_str()];
    copy_folder(&original, &stick);
    let (code, calls) = run_with(&connected_side, &arguments, usize::MAX, || {});
    assert!(code == 0 && calls > 8, "{code}, {calls} calls");
    let mut actions = 0;
    let places = [
        "data".to_owned(),
        format!("data/{FIRST}"),
        format!("data/{SECOND}"),
        format!("data/{FIRST}/{ARM}"),
        format!("data/{SECOND}/{ARM}"),
        "knowledge".to_owned(),
        "unfinished".to_owned(),
    ];
    for (number, place) in places.into_iter().enumerate() {
        // Each place uses a third of the calls, starting at a different call: all calls would take minutes.
        for at in (number % 3..calls).step_by(3) {
            fs::remove_dir_all(&stick).unwrap();
            copy_folder(&original, &stick);
            // The victim has the same structure as the folder that it replaces.
            let (victim, from) = (connected_side.path("victim"), stick.join(&place));
            let _gone = fs::remove_dir_all(&victim);
            copy_folder(&original.join("data"), &victim);
            if original.join(&place).exists() {
                copy_folder(&original.join(&place), &victim);
            }
            fs::create_dir_all(victim.join(SECOND).join(ARM)).unwrap();
            fs::write(victim.join("set.json"), b"precious").unwrap();
            let (outside, target, aside) =
                (file_digests(&victim), victim.clone(), connected_side.path("aside"));
            let _gone = fs::remove_dir_all(&aside);
            let performed = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&performed);
            let (code, _) = run_with(&connected_side, &arguments, at, move || {
                if fs::rename(&from, &aside).is_ok() {
                    symlink(&target, &from).unwrap();
                    counted.store(1, Ordering::SeqCst);
                }
            });
            assert_eq!(file_digests(&victim), outside, "{place} at {at}, exit {code}");
            actions += performed.load(Ordering::SeqCst);
        }
    }
    assert!(actions > 15, "{actions}");
}

#[test]
fn a_folder_replaced_by_a_link_during_import_adds_nothing() {
    let small = small_medium_of_two_kbs();
    let package = small.payload().into_iter().find(|path| path.contains("/windows11.0-kb5041865-")).unwrap();
    let set = Utf8Path::new(&package).parent().unwrap().to_owned();
    let run = |at: usize| {
        let isolated_side = isolated_mirror(&small.root);
        let (stick, evil) = (isolated_side.path("stick"), isolated_side.path("evil"));
        small.copy_to(&stick);
        // The wrong file has the same length as the right file.
        copy_folder(&stick.join(&set), &evil);
        let name = Utf8Path::new(&package).file_name().unwrap();
        let bytes = fs::read(evil.join(name)).unwrap();
        fs::write(evil.join(name), bytes.iter().map(|byte| byte ^ 1).collect::<Vec<u8>>()).unwrap();
        let (from, aside) = (stick.join(&set), isolated_side.path("aside"));
        let ran = run_with(&isolated_side, &["import", stick.as_str()], at, move || {
            fs::rename(&from, &aside).unwrap();
            symlink(&evil, &from).unwrap();
        });
        (isolated_side, ran)
    };
    let (right, (code, calls)) = run(usize::MAX);
    assert!(code == 0 && calls > 4, "{code}, {calls} calls");
    let pool = file_digests(&right.mirror().join("pool"));
    for at in 0..calls {
        let (isolated_side, (code, _)) = run(at);
        let taken = file_digests(&isolated_side.mirror().join("pool"));
        let is_whole = code == 0 && taken == pool;
        assert!(is_whole || [11, 12].contains(&code) && taken.is_empty(), "at {at}: exit {code}, {taken:?}");
    }
}
