//! Sticks that fail: writing or reading is an input/output error from some call on, or the stick says that it is larger than it
//! is. A block device in memory (`tests/support/stick.py`, served by nbdkit) carries a real file system, so that the kernel
//! answers as it does for a stick that is worn out or forged.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "sticks are made, spoiled, and read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use super::carry::{connected_to, content, digests, export, import, isolated, lcu, root_of};
use super::harness::{Bench, Ran, is_root, judge, sha256_hex, skipped_without_root};
use super::support::{FileSpec, Loopback, World};

const KBS: [&str; 2] = ["KB5041865", "KB5040435"];
const MIB: u64 = 1 << 20;
/// The capacity that a stick claims.
const SIZE: u64 = 48 * MIB;

/// A stick, plugged in while it is [`Stick::mount`]ed.
struct Stick {
    kind: &'static str,
    /// The settings of its faults.
    folder: Utf8PathBuf,
    /// The place of its file system.
    at: Utf8PathBuf,
    server: Child,
    device: Option<String>,
}

impl Stick {
    /// Makes a stick with a file system. `None`, and a line that says why, where that cannot be done.
    fn new(bench: &Bench, kind: &'static str, faults: &[&str]) -> Option<Self> {
        let here = Path::new("/");
        if !is_root() {
            return skipped_without_root("no stick can be plugged in");
        }
        judge("nbdkit", &["--version"], here)?;
        let folder = tempfile::tempdir_in(bench.path("")).unwrap().keep();
        let folder = Utf8PathBuf::try_from(folder).unwrap();
        let at = folder.join("mounted");
        fs::create_dir(folder.join("device")).unwrap();
        fs::create_dir(&at).unwrap();
        let plugin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/stick.py");
        let mut server = Command::new("nbdfuse");
        server.arg(folder.join("device/disk")).args(["[", "nbdkit", "--exit-with-parent", "python", plugin]);
        server.args([&format!("folder={folder}"), &format!("size={SIZE}")]).args(faults).arg("]");
        let server = match server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(server) => server,
            Err(error) => return super::harness::skipped(&format!("nbdfuse: {error}")),
        };
        let mut stick = Self { kind, folder, at, server, device: None };
        while !stick.disk().exists() {
            if stick.server.try_wait().unwrap().is_some() {
                return skipped_without_root("nbdfuse cannot serve a stick");
            }
            std::thread::yield_now();
        }
        let disk = stick.disk();
        // A journal lies in the middle, where a stick that is smaller than it says has nothing: such a stick could not be mounted.
        let made = match kind {
            "ext4" => judge("mkfs.ext4", &["-q", "-O", "^has_journal", disk.as_str()], here)?,
            _ => judge("mkfs.exfat", &[disk.as_str()], here)?,
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        stick.mount().then_some(stick)
    }

    fn disk(&self) -> Utf8PathBuf {
        self.folder.join("device/disk")
    }

    /// Plugs it in.
    fn mount(&mut self) -> bool {
        // Between the search for a free device and its use, another test may have taken it.
        let attach = || {
            let attached = Command::new("losetup").args(["-f", "--show"]).arg(self.disk()).output().unwrap();
            Some(String::from_utf8(attached.stdout).unwrap().trim().to_owned())
                .filter(|device| !device.is_empty())
        };
        let Some(device) = (0..50).find_map(|_| attach()) else {
            return skipped_without_root::<()>("there is no free loop device").is_some();
        };
        self.device = Some(device.clone());
        let program = if self.kind == "ext4" { "mount" } else { "mount.exfat-fuse" };
        let mounted = Command::new(program).args([&device, self.at.as_str()]).output().unwrap();
        let said = String::from_utf8_lossy(&mounted.stderr);
        mounted.status.success() || skipped_without_root::<()>(&format!("{program}: {said}")).is_some()
    }

    /// Pulls it out: nothing of it stays in a cache.
    fn unmount(&mut self) {
        drop(Command::new("umount").arg(&self.at).output());
        if let Some(device) = self.device.take() {
            drop(Command::new("losetup").args(["-d", &device]).output());
        }
    }

    fn plug_in_again(&mut self) {
        self.unmount();
        assert!(self.mount());
    }

    /// Lets calls fail from some number on; `None` repairs it.
    fn fail(&self, calls: &str, after: Option<u64>) {
        let path = self.folder.join(format!("fail-{calls}"));
        match after {
            Some(after) => fs::write(path, after.to_string()).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }

    /// Returns how often it was written to or read.
    fn count(&self, calls: &str) -> u64 {
        fs::read_to_string(self.folder.join(calls)).unwrap().parse().unwrap()
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        self.unmount();
        let is_ended = Command::new("umount").arg(self.folder.join("device")).status();
        if !is_ended.is_ok_and(|status| status.success()) {
            drop(self.server.kill());
        }
        drop(self.server.wait());
    }
}

/// A mirror with two KBs of three files of a mebibyte and a half each, and one beside it that trusts it.
fn two_sides() -> (Bench, Bench) {
    let files = |seed: u64| -> Vec<FileSpec> {
        let noise = |number: u64| {
            let mut state = 6 * seed + number + 1;
            std::iter::repeat_with(move || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()
            })
        };
        let kb = KBS[usize::try_from(seed).unwrap()].to_lowercase();
        let bytes = |number| -> Vec<u8> { noise(number).flatten().take(3 << 19).collect() };
        (0..3)
            .map(|number| {
                FileSpec::package(&format!("windows11.0-{kb}-arm64-{number}"), "msu", bytes(number))
            })
            .collect()
    };
    let world = World::new().update(lcu(1, "2024-08", KBS[0], "26100.1457", files(0))).update(lcu(
        2,
        "2024-07",
        KBS[1],
        "26100.1150",
        files(1),
    ));
    let here = connected_to(&Loopback::start(world), &KBS);
    let there = isolated(&root_of(&here));
    (here, there)
}

/// Expects a refusal that claims nothing: a fault of the medium, with a path on it.
#[track_caller]
fn names_a_fault(ran: &Ran, medium: &Utf8Path, what: &str) {
    assert_eq!(ran.code, 12, "{what}: {} {}", ran.stdout, ran.stderr);
    let (kind, message) = ran.error();
    let has_path = message.contains(medium.as_str()) || message.contains(" data/KB");
    assert!(kind == "medium" && has_path, "{what}: {message}");
    for word in ["complete", "safe to remove", "synced"] {
        assert!(!ran.stdout.contains(word) && !ran.stderr.contains(word), "{what}: {}", ran.stdout);
    }
}

#[test]
fn a_stick_that_cannot_be_written_is_never_done() {
    let (here, there) = two_sides();
    let plain = here.path("plain");
    export(&here, &["--all"], &plain).exits(0);
    let data = digests(&plain.join("data"));
    for kind in ["ext4", "exfat"] {
        // How many writes there are.
        let Some(stick) = Stick::new(&here, kind, &[]) else { return };
        let before = stick.count("writes");
        export(&here, &["--all"], &stick.at).exits(0);
        let writes = stick.count("writes") - before;
        drop(stick);
        assert!(writes > 20, "{kind}: {writes}");
        let mut refused = 0;
        for part in 0..5 {
            let after = writes * part / 5;
            let what = format!("{kind} after {after} of {writes} writes");
            let mut stick = Stick::new(&here, kind, &[]).unwrap();
            stick.fail("writes", Some(after));
            let ran = export(&here, &["--all"], &stick.at);
            if ran.code != 0 {
                refused += 1;
                names_a_fault(&ran, &stick.at, &what);
            }
            stick.fail("writes", None);
            stick.plug_in_again();
            let checked = there.json(&["check-medium", stick.at.as_str()]);
            let is_whole = digests(&stick.at.join("data")) == data;
            // What was said to be there is there, and nothing else is said to be.
            assert!(checked.code == 0 || ran.code != 0, "{what}: {}", checked.stdout);
            assert!(is_whole || [11, 12].contains(&checked.code), "{what}: {}", checked.stdout);
        }
        // The last writes of a file system may be fewer than those of another run.
        assert!(refused >= 3, "{kind}: {refused}");
    }
}

#[test]
fn a_stick_that_cannot_be_read_changes_nothing() {
    let (here, there) = two_sides();
    let before = content(&there.mirror());
    for kind in ["ext4", "exfat"] {
        let Some(mut stick) = Stick::new(&here, kind, &[]) else { return };
        export(&here, &["--all"], &stick.at).exits(0);
        stick.plug_in_again();
        let begun = stick.count("reads");
        there.json(&["check-medium", stick.at.as_str()]).exits(0);
        let reads = stick.count("reads") - begun;
        assert!(reads > 20, "{kind}: {reads}");
        let mut refused = 0;
        for command in ["check-medium", "import"] {
            for part in 0..6 {
                let after = reads * part / 6;
                let what = format!("{kind}, {command} after {after} of {reads} reads");
                stick.plug_in_again();
                stick.fail("reads", Some(after));
                let ran = there.json(&[command, stick.at.as_str()]);
                names_a_fault(&ran, &stick.at, &what);
                refused += 1;
                stick.fail("reads", None);
                assert_eq!(content(&there.mirror()), before, "{what}");
            }
        }
        assert_eq!(refused, 12);
        // The medium was good.
        stick.plug_in_again();
        there.json(&["check-medium", stick.at.as_str()]).exits(0);
    }
}

#[test]
fn a_stick_that_is_smaller_than_it_says_is_found() {
    let (here, there) = two_sides();
    let plain = here.path("plain");
    export(&here, &["--all"], &plain).exits(0);
    let (files, data) = (digests(&plain), digests(&plain.join("data")));
    let before = content(&there.mirror());
    for kind in ["ext4", "exfat"] {
        for past in ["past=drop", "past=wrap"] {
            let what = format!("{kind}, {past}");
            // Nine mebibytes of packages, and room for about half of them.
            let Some(mut stick) = Stick::new(&here, kind, &[&format!("real={}", 6 * MIB), past]) else {
                return;
            };
            let ran = export(&here, &["--all"], &stick.at);
            if ran.code == 0 {
                // Caches of the system answer: what compares right after a copy finds nothing.
                assert_eq!(digests(&stick.at.join("data")), data, "{what}");
                let said = ran.json();
                assert_eq!(said["exported"]["read_back_cold"], false, "{what}");
                assert!(
                    said["claim"].to_string().contains("not proven until the medium is re-plugged"),
                    "{said:#}"
                );
            } else {
                names_a_fault(&ran, &stick.at, &what);
            }
            stick.plug_in_again();
            // A folder may be lost as well as a file.
            let is_right = |(path, digest): (&String, &String)| {
                let found = fs::read(stick.at.join("data").join(path));
                found.is_ok_and(|bytes| sha256_hex(&bytes) == *digest)
            };
            assert!(!data.iter().all(is_right), "{what}");
            for command in ["check-medium", "import"] {
                let ran = there.json(&[command, stick.at.as_str()]);
                assert!([11, 12].contains(&ran.code), "{what}: {command}: {}", ran.stdout);
                let (_, message) = ran.error();
                // A file of the medium, or a folder.
                let is_named = message.contains(stick.at.as_str())
                    || files.keys().any(|path| message.contains(Utf8Path::new(path).file_name().unwrap()));
                assert!(is_named, "{what}: {command}: {message}");
                assert_eq!(content(&there.mirror()), before, "{what}");
            }
        }
    }
    import(&there, &plain).exits(0);
}
