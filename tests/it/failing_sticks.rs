//! Failing sticks: writes or reads fail with an input/output error after some number of calls, or the stick claims more
//! capacity than it has. A block device in memory (`tests/support/stick.py`, served by nbdkit) has a real file system,
//! so the kernel behaves as with a worn-out or forged stick.
#![cfg(target_os = "linux")]
#![expect(clippy::disallowed_methods, reason = "tests create, damage, and read sticks directly")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use super::air_gap::{
    connected_mirror_to, export, file_digests, import, isolated_mirror, lcu, mirror_digests, root_key_of,
};
use super::harness::{Bench, RunOutput, is_root, run_judge, sha256_hex, skip_without_root};
use super::support::{FileSpec, Loopback, World};

const KBS: [&str; 2] = ["KB5041865", "KB5040435"];
const MIB: u64 = 1 << 20;
/// The capacity that a stick claims.
const SIZE: u64 = 48 * MIB;

/// A stick. It is plugged in while it is mounted with [`Stick::mount`].
struct Stick {
    kind: &'static str,
    /// The folder with the settings of its faults.
    folder: Utf8PathBuf,
    /// The mount point of its file system.
    mount_point: Utf8PathBuf,
    server: Child,
    device: Option<String>,
}

impl Stick {
    /// Creates a stick with a file system. Prints the reason and returns `None` if this is not possible.
    fn new(bench: &Bench, kind: &'static str, faults: &[&str]) -> Option<Self> {
        let root = Path::new("/");
        if !is_root() {
            return skip_without_root("no stick can be plugged in");
        }
        run_judge("nbdkit", &["--version"], root)?;
        let folder = tempfile::tempdir_in(bench.path("")).unwrap().keep();
        let folder = Utf8PathBuf::try_from(folder).unwrap();
        let mount_point = folder.join("mounted");
        fs::create_dir(folder.join("device")).unwrap();
        fs::create_dir(&mount_point).unwrap();
        let plugin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/stick.py");
        let mut server = Command::new("nbdfuse");
        server.arg(folder.join("device/disk")).args(["[", "nbdkit", "--exit-with-parent", "python", plugin]);
        server.args([&format!("folder={folder}"), &format!("size={SIZE}")]).args(faults).arg("]");
        let server = match server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(server) => server,
            Err(error) => return super::harness::skip(&format!("nbdfuse: {error}")),
        };
        let mut stick = Self { kind, folder, mount_point, server, device: None };
        while !stick.disk().exists() {
            if stick.server.try_wait().unwrap().is_some() {
                return skip_without_root("nbdfuse cannot serve a stick");
            }
            std::thread::yield_now();
        }
        let disk = stick.disk();
        // The journal of ext4 is in the middle of the device. A forged stick has no storage there and could not be
        // mounted.
        let made = match kind {
            "ext4" => run_judge("mkfs.ext4", &["-q", "-O", "^has_journal", disk.as_str()], root)?,
            _ => run_judge("mkfs.exfat", &[disk.as_str()], root)?,
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        stick.mount().then_some(stick)
    }

    fn disk(&self) -> Utf8PathBuf {
        self.folder.join("device/disk")
    }

    /// Plugs the stick in.
    fn mount(&mut self) -> bool {
        // Between the search for a free device and its use, another test may have taken it.
        let attach = || {
            let attached = Command::new("losetup").args(["-f", "--show"]).arg(self.disk()).output().unwrap();
            Some(String::from_utf8(attached.stdout).unwrap().trim().to_owned())
                .filter(|device| !device.is_empty())
        };
        let Some(device) = (0..50).find_map(|_| attach()) else {
            return skip_without_root::<()>("no loop device is free").is_some();
        };
        self.device = Some(device.clone());
        let program = if self.kind == "ext4" { "mount" } else { "mount.exfat-fuse" };
        let mounted = Command::new(program).args([&device, self.mount_point.as_str()]).output().unwrap();
        let document = String::from_utf8_lossy(&mounted.stderr);
        mounted.status.success() || skip_without_root::<()>(&format!("{program}: {document}")).is_some()
    }

    /// Unplugs the stick, so that its content leaves all caches.
    fn unmount(&mut self) {
        drop(Command::new("umount").arg(&self.mount_point).output());
        if let Some(device) = self.device.take() {
            drop(Command::new("losetup").args(["-d", &device]).output());
        }
    }

    fn plug_in_again(&mut self) {
        self.unmount();
        assert!(self.mount());
    }

    /// Lets calls fail after the next `after` calls. `None` repairs the stick.
    fn fail(&self, calls: &str, after: Option<u64>) {
        let path = self.folder.join(format!("fail-{calls}"));
        match after {
            Some(after) => fs::write(path, after.to_string()).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }

    /// Returns the number of writes or reads.
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

/// Creates a mirror with two KBs of three files with 1.5 MiB each, and a mirror that trusts its keys.
fn both_sides() -> (Bench, Bench) {
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
    let connected = connected_mirror_to(&Loopback::start(world), &KBS);
    let isolated = isolated_mirror(&root_key_of(&connected));
    (connected, isolated)
}

/// Checks that a run failed with a fault of the medium, names a path on it, and claims no success.
#[track_caller]
fn assert_medium_fault(ran: &RunOutput, medium: &Utf8Path, what: &str) {
    assert_eq!(ran.code, 12, "{what}: {} {}", ran.stdout, ran.stderr);
    let (kind, message) = ran.error();
    let has_path = message.contains(medium.as_str()) || message.contains(" data/KB");
    assert!(kind == "medium" && has_path, "{what}: {message}");
    for word in ["complete", "safe to remove", "synced"] {
        assert!(!ran.stdout.contains(word) && !ran.stderr.contains(word), "{what}: {}", ran.stdout);
    }
}

#[test]
fn an_export_to_a_stick_with_write_errors_fails() {
    let (connected, isolated) = both_sides();
    let plain = connected.path("plain");
    export(&connected, &["--all"], &plain).exits(0);
    let data = file_digests(&plain.join("data"));
    for kind in ["ext4", "exfat"] {
        // Count the writes of an undisturbed export.
        let Some(stick) = Stick::new(&connected, kind, &[]) else { return };
        let before = stick.count("writes");
        export(&connected, &["--all"], &stick.mount_point).exits(0);
        let writes = stick.count("writes") - before;
        drop(stick);
        assert!(writes > 20, "{kind}: {writes}");
        let mut refused = 0;
        for part in 0..5 {
            let after = writes * part / 5;
            let what = format!("{kind} after {after} of {writes} writes");
            let mut stick = Stick::new(&connected, kind, &[]).unwrap();
            stick.fail("writes", Some(after));
            let ran = export(&connected, &["--all"], &stick.mount_point);
            if ran.code != 0 {
                refused += 1;
                assert_medium_fault(&ran, &stick.mount_point, &what);
            }
            stick.fail("writes", None);
            stick.plug_in_again();
            let checked = isolated.json(&["check-medium", stick.mount_point.as_str()]);
            let is_complete = file_digests(&stick.mount_point.join("data")) == data;
            // The export succeeds only if every file is on the stick.
            assert!(checked.code == 0 || ran.code != 0, "{what}: {}", checked.stdout);
            assert!(is_complete || [11, 12].contains(&checked.code), "{what}: {}", checked.stdout);
        }
        // The number of writes differs between runs, so the last fault may not occur.
        assert!(refused >= 3, "{kind}: {refused}");
    }
}

#[test]
fn a_stick_with_read_errors_changes_nothing() {
    let (connected, isolated) = both_sides();
    let before = mirror_digests(&isolated.mirror());
    for kind in ["ext4", "exfat"] {
        let Some(mut stick) = Stick::new(&connected, kind, &[]) else { return };
        export(&connected, &["--all"], &stick.mount_point).exits(0);
        stick.plug_in_again();
        let reads_before = stick.count("reads");
        isolated.json(&["check-medium", stick.mount_point.as_str()]).exits(0);
        let reads = stick.count("reads") - reads_before;
        assert!(reads > 20, "{kind}: {reads}");
        let mut refused = 0;
        for command in ["check-medium", "import"] {
            for part in 0..6 {
                let after = reads * part / 6;
                let what = format!("{kind}, {command} after {after} of {reads} reads");
                stick.plug_in_again();
                stick.fail("reads", Some(after));
                let ran = isolated.json(&[command, stick.mount_point.as_str()]);
                assert_medium_fault(&ran, &stick.mount_point, &what);
                refused += 1;
                stick.fail("reads", None);
                assert_eq!(mirror_digests(&isolated.mirror()), before, "{what}");
            }
        }
        assert_eq!(refused, 12);
        // The medium was good.
        stick.plug_in_again();
        isolated.json(&["check-medium", stick.mount_point.as_str()]).exits(0);
    }
}

#[test]
fn a_stick_with_a_forged_capacity_is_found() {
    let (connected, isolated) = both_sides();
    let plain = connected.path("plain");
    export(&connected, &["--all"], &plain).exits(0);
    let (files, data) = (file_digests(&plain), file_digests(&plain.join("data")));
    let before = mirror_digests(&isolated.mirror());
    for kind in ["ext4", "exfat"] {
        for past in ["past=drop", "past=wrap"] {
            let what = format!("{kind}, {past}");
            // The packages need 9 MiB, and the stick has space for about half of them.
            let Some(mut stick) = Stick::new(&connected, kind, &[&format!("real={}", 6 * MIB), past]) else {
                return;
            };
            let ran = export(&connected, &["--all"], &stick.mount_point);
            if ran.code == 0 {
                // The cache of the system still has the data, so a comparison right after the copy finds no fault.
                assert_eq!(file_digests(&stick.mount_point.join("data")), data, "{what}");
                let document = ran.json();
                assert_eq!(document["exported"]["read_back_cold"], false, "{what}");
                assert!(
                    document["claim"].to_string().contains("not proven until the medium is re-plugged"),
                    "{document:#}"
                );
            } else {
                assert_medium_fault(&ran, &stick.mount_point, &what);
            }
            stick.plug_in_again();
            // Folders may be missing as well as files.
            let is_right = |(path, digest): (&String, &String)| {
                let found = fs::read(stick.mount_point.join("data").join(path));
                found.is_ok_and(|bytes| sha256_hex(&bytes) == *digest)
            };
            assert!(!data.iter().all(is_right), "{what}");
            for command in ["check-medium", "import"] {
                let ran = isolated.json(&[command, stick.mount_point.as_str()]);
                assert!([11, 12].contains(&ran.code), "{what}: {command}: {}", ran.stdout);
                let (_, message) = ran.error();
                // The message names a file or a folder of the medium.
                let is_named = message.contains(stick.mount_point.as_str())
                    || files.keys().any(|path| message.contains(Utf8Path::new(path).file_name().unwrap()));
                assert!(is_named, "{what}: {command}: {message}");
                assert_eq!(mirror_digests(&isolated.mirror()), before, "{what}");
            }
        }
    }
    import(&isolated, &plain).exits(0);
}
