//! Tests of media with other programs: `sha256sum`, `minisign`, file systems of sticks, and Windows' own `cmd`.
#![expect(clippy::disallowed_methods, reason = "media are spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::carrier::{
    ExportContext, ExportPlan, ExportRequest, KeyFolder, NoPassphrases, PayloadFile, PayloadSource,
    TargetContent, TargetFolder,
};
use kbmirror::event::Events;
use kbmirror::mirror::{Layout, Mirror};
use kbmirror::servicing::Knowledge;
use kbmirror::update::Sha256;

use super::air_gap::{
    KB, connected_mirror, export, file_digests, import, isolated_mirror, root_key_of, small_medium,
};
use super::harness::{Bench, copy_folder, is_root, run_judge, skip_without_root, text_of};
use super::wine::Machine;

#[test]
fn sha256sum_and_minisign_agree() {
    let connected = connected_mirror(&[KB]);
    let medium = connected.path("medium");
    let tool = connected.path("kbmirror.exe");
    fs::write(&tool, b"a program").unwrap();
    export(&connected, &[KB, "--with-tool", tool.as_str()], &medium).exits(0);
    let list: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(medium.join("keys.json")).unwrap()).unwrap();
    let export_key = text_of(&list["export_keys"][0]["key"]);
    let root = root_key_of(&connected);
    let sums =
        |name: &str| run_judge("sha256sum", &["-c", "--strict", "--quiet", name], medium.as_std_path());
    let signed =
        |name: &str, key: &str| run_judge("minisign", &["-Vm", name, "-P", key], medium.as_std_path());
    let files = [("set.json", &export_key), ("manifest-sha256.txt", &export_key), ("keys.json", &root)];
    for name in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let Some(output) = sums(name) else { continue };
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
    for (name, key) in files {
        let Some(output) = signed(name, key) else { continue };
        let output_text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && output_text.contains("Trusted comment: "),
            "{name}: {output_text}"
        );
        let other = if key == &root { &export_key } else { &root };
        assert!(!signed(name, other).unwrap().status.success(), "{name} with another key");
    }
    // The command lines of the README and of both pages are run unchanged.
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let line = regex::Regex::new(r"minisign (-Vm \S+ -p export\.pub)").unwrap();
    let page = |name: &str| fs::read_to_string(medium.join(name)).unwrap();
    for text in [readme, page("START-HERE.txt"), page("index.html")] {
        let lines: Vec<Vec<&str>> = line
            .captures_iter(&text)
            .map(|found| found.get(1).unwrap().as_str().split(' ').collect())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        for arguments in lines {
            let Some(output) = run_judge("minisign", &arguments, medium.as_std_path()) else { continue };
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    assert!(page("export.pub").ends_with(&format!("\n{export_key}\n")));
    // Each tool must detect a changed file.
    for path in file_digests(&medium).into_keys().filter(|path| path.starts_with("data/")) {
        let right = fs::read(medium.join(&path)).unwrap();
        let mut wrong = right.clone();
        wrong[right.len() / 2] ^= 1;
        fs::write(medium.join(&path), wrong).unwrap();
        connected.json(&["check-medium", medium.as_str()]).exits(11);
        if let Some(output) = sums("manifest-sha256.txt") {
            assert!(!output.status.success(), "{path}");
            assert!(String::from_utf8_lossy(&output.stdout).contains(&path));
        }
        fs::write(medium.join(&path), right).unwrap();
    }
    for (name, key) in files {
        let text = fs::read_to_string(medium.join(name)).unwrap();
        fs::write(medium.join(name), format!("{text}\n")).unwrap();
        connected.json(&["check-medium", medium.as_str()]).exits(11);
        if let Some(output) = signed(name, key) {
            assert!(!output.status.success(), "{name}");
        }
        fs::write(medium.join(name), text).unwrap();
    }
    connected.json(&["check-medium", medium.as_str()]).exits(0);
}

/// A stick's file system in an image file, mounted. It is unmounted and removed when the value is dropped.
struct Stick {
    image: Utf8PathBuf,
    folder: Utf8PathBuf,
    device: Option<String>,
}

impl Stick {
    /// Mounts a new stick. Prints a line with the reason and returns `None` if the file system is not available.
    fn new(bench: &Bench, kind: &str) -> Option<Self> {
        if !is_root() {
            // The mount program can succeed without mounting a file system, as observed without root rights.
            return skip_without_root("no file system can be mounted here");
        }
        let (image, folder) = (bench.path(&format!("{kind}.img")), bench.path(kind));
        fs::File::create(&image).unwrap().set_len(300 << 20).unwrap();
        fs::create_dir(&folder).unwrap();
        let root = Path::new("/");
        let mut stick = Self { image: image.clone(), folder, device: None };
        let mounted = if kind == "fat32" {
            run_judge("mkfs.vfat", &["-F", "32", image.as_str()], root)?;
            run_judge("fusefat", &["-o", "rw+", image.as_str(), stick.folder.as_str()], root)?
        } else {
            run_judge("mkfs.exfat", &[image.as_str()], root)?;
            let device = run_judge("losetup", &["-f", "--show", image.as_str()], root)?;
            let device = String::from_utf8(device.stdout).unwrap().trim().to_owned();
            if device.is_empty() {
                return skip_without_root("no loop device is available");
            }
            stick.device = Some(device.clone());
            run_judge("mount.exfat-fuse", &[&device, stick.folder.as_str()], root)?
        };
        if mounted.status.success() {
            Some(stick)
        } else {
            skip_without_root(&format!(
                "{kind} cannot be mounted: {}",
                String::from_utf8_lossy(&mounted.stderr)
            ))
        }
    }
}

impl Stick {
    /// Mounts the file system again with other options.
    fn mount_again(&self, options: &str) {
        assert!(Command::new("umount").arg(&self.folder).status().unwrap().success());
        let (program, what) = match &self.device {
            Some(device) => ("mount.exfat-fuse", device.as_str()),
            None => ("fusefat", self.image.as_str()),
        };
        let ran = Command::new(program).args(["-o", options, what, self.folder.as_str()]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

impl Drop for Stick {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.folder).output());
        if let Some(device) = &self.device {
            drop(Command::new("losetup").args(["-d", device]).output());
        }
        drop(fs::remove_file(&self.image));
    }
}

/// Exports a plan in which one file has five gibibytes.
fn export_too_large(connected: &Bench, to: &Utf8Path) -> kbmirror::error::Result<()> {
    let layout = Layout::new(connected.mirror(), None);
    let keys = KeyFolder::new(layout.keys()).signing_keys(&NoPassphrases)?;
    let place = TargetFolder::new(to, &layout, false)?;
    let knowledge = Knowledge::built_in()?;
    let mut mirror =
        Mirror::open_for_writing(layout, "replay", &knowledge, "2026-11-23T08:00:00Z".parse().unwrap())?;
    let request = ExportRequest { kbs: vec![KB.parse().unwrap()], ..ExportRequest::default() };
    let mut plan = ExportPlan::new(&request, &mirror, &knowledge)?;
    let from = connected.path("large");
    fs::File::create(&from).unwrap().set_len(5 << 30).unwrap();
    let large =
        PayloadFile { from: PayloadSource::Pool(from), sha256: Sha256::from_bytes([7; 32]), size: 5 << 30 };
    plan.payload.insert("data/KB5086672/windows-11-24h2-arm64/large.msu".to_owned(), large);
    let events = Events::ignored();
    let context = ExportContext {
        new_lineage: false,
        keys: &keys,
        knowledge: &knowledge,
        tables: &[],
        expires: None,
        now: "2026-11-23T08:00:00Z".parse().unwrap(),
        events: &events,
    };
    let found = TargetContent::examine(to, Some(&keys), &mirror)?;
    kbmirror::carrier::export(&plan, &place, &found, &mut mirror, &context).map(drop)
}

#[test]
fn export_works_on_file_systems_of_sticks() {
    let connected = connected_mirror(&[KB, "KB5085516"]);
    let root = root_key_of(&connected);
    let plain = connected.path("plain");
    export(&connected, &[KB, "KB5085516"], &plain).exits(0);
    let data = |medium: &Utf8Path| file_digests(&medium.join("data"));
    for kind in ["exfat", "fat32"] {
        let Some(stick) = Stick::new(&connected, kind) else { continue };
        let error = export_too_large(&connected, &stick.folder).unwrap_err();
        let output_text = format!("{error:?}");
        if kind == "fat32" {
            assert!(error.message().contains("large.msu has 5.0 GB"), "{output_text}");
            let hints = error.hints().concat();
            assert!(hints.contains("format the medium as exFAT or NTFS"), "{hints}");
        } else {
            assert!(error.message().contains("are needed"), "{output_text}");
        }
        assert_eq!(stick.folder.read_dir_utf8().unwrap().count(), 0, "{kind}");

        export(&connected, &[KB, "KB5085516"], &stick.folder).exits(0);
        assert_eq!(data(&stick.folder), data(&plain), "{kind}");
        let isolated_side = isolated_mirror(&root);
        isolated_side.json(&["check-medium", stick.folder.as_str()]).exits(0);
        import(&isolated_side, &stick.folder).exits(0);
        assert_eq!(
            file_digests(&isolated_side.mirror().join("kb")),
            file_digests(&connected.mirror().join("kb")),
            "{kind}"
        );
        // A second export to the same stick.
        let again = export(&connected, &[KB], &stick.folder).exits(0).json();
        assert_eq!(again["exported"]["written"], 0, "{kind}");
        isolated_side.json(&["check-medium", stick.folder.as_str()]).exits(0);
        // A mirror on such a file system, which has no links.
        if kind == "exfat" {
            let mirror = stick.folder.join("mirror");
            isolated_side.run_on(&mirror, &["keys", "trust", &root]).exits(0);
            isolated_side.run_on(&mirror, &["import", plain.as_str()]).exits(0);
            assert_eq!(file_digests(&mirror.join("kb")), file_digests(&connected.mirror().join("kb")));
        }
    }
}

#[test]
fn secret_keys_on_a_stick_need_an_owner_only_mount() {
    let connected = Bench::new();
    for (kind, open, private) in
        [("exfat", "umask=0", "umask=077"), ("fat32", "rw+,umask=0", "rw+,umask=077")]
    {
        let Some(stick) = Stick::new(&connected, kind) else { continue };
        let mirror = stick.folder.join("mirror");
        stick.mount_again(open);
        connected.run_on(&mirror, &["keys", "init"]).exits(0);
        let ran = connected.run_on(&mirror, &["keys", "rotate"]).exits(2);
        let path = mirror.join("keys/export.key");
        let words = format!("other users can read the secret key {path}, because its mount");
        assert!(ran.stderr.contains(&words), "{kind}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("umask=077") && ran.stderr.contains("may be a link to it"),
            "{}",
            ran.stderr
        );
        // The mount options of the hint solve the problem.
        stick.mount_again(private);
        connected.run_on(&mirror, &["keys", "rotate"]).exits(0);
    }
}

#[test]
fn the_medium_script_verifies_with_tools_of_windows() {
    let Some(machine) = Machine::new() else { return };
    // The compiled certutil replaces a stub of Wine.
    let certutil = machine.drive("windows/system32/certutil.exe");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/certutil.c");
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
    compiler.args(["-O1", "-o"]).arg(&certutil).arg(source);
    assert!(compiler.status().unwrap().success());
    let at = Utf8PathBuf::try_from(machine.drive("medium")).unwrap();
    copy_folder(&small_medium().medium, &at);
    let package = file_digests(&at).into_keys().find(|path| path.contains("/windows11.0-")).unwrap();
    let shown = package.replace('/', "\\");

    let (output_text, code) = machine.run("medium", r".\verify.cmd", "");
    assert_eq!(code, "0", "{output_text}");
    assert!(
        output_text.contains("All files match the manifest: 2.")
            && output_text.contains(&format!("ok         {shown}")),
        "{output_text}"
    );

    let right = fs::read(at.join(&package)).unwrap();
    fs::write(at.join(&package), b"the wrong file").unwrap();
    let (output_text, code) = machine.run("medium", r".\verify.cmd", "");
    assert_eq!(code, "1", "{output_text}");
    assert!(
        output_text.contains(&format!("DIFFERENT  {shown}")) && output_text.contains("Do not install"),
        "{output_text}"
    );

    fs::remove_file(at.join(&package)).unwrap();
    let (output_text, code) = machine.run("medium", r".\verify.cmd", "");
    assert_eq!(code, "1", "{output_text}");
    assert!(output_text.contains(&format!("MISSING    {shown}")), "{output_text}");

    fs::write(at.join(&package), right).unwrap();
    fs::write(at.join(&package).with_file_name("extra.msu"), b"x").unwrap();
    let (output_text, code) = machine.run("medium", r".\verify.cmd", "");
    assert_eq!(code, "1", "{output_text}");
    assert!(
        output_text.contains("Files under data: 3. Listed files: 2.") && output_text.contains("extra.msu"),
        "{output_text}"
    );

    // An empty list must not result in a verdict.
    fs::write(at.join("manifest-sha256.txt"), "").unwrap();
    let (output_text, code) = machine.run("medium", r".\verify.cmd", "");
    assert_eq!(code, "2", "{output_text}");
    assert!(output_text.contains("does not list any file"), "{output_text}");
}

/// Returns the brackets and quotes of a PowerShell script that are not closed, ignoring comments.
fn unclosed_marks(script: &str) -> Vec<char> {
    let mut open = Vec::new();
    let mut letters = script.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '#' => while letters.next_if(|next| *next != '\n').is_some() {},
            // In single quotes no character is special, and two quotes stand for one. In double quotes a backtick
            // escapes the next character.
            '\'' => loop {
                match letters.next() {
                    Some('\'') if letters.next_if_eq(&'\'').is_none() => break,
                    Some(_) => {}
                    None => return vec!['\''],
                }
            },
            '"' => loop {
                match letters.next() {
                    Some('`') => drop(letters.next()),
                    Some('"') => break,
                    Some(_) => {}
                    None => return vec!['"'],
                }
            },
            '(' | '{' | '[' => open.push(letter),
            ')' | '}' | ']' => {
                let opened = open.pop();
                if !matches!((opened, letter), (Some('('), ')') | (Some('{'), '}') | (Some('['), ']')) {
                    return vec![letter];
                }
            }
            _ => {}
        }
    }
    open
}

/// PowerShell is not available in package registries, so the test checks the form of the script. The script's logic
/// is short.
#[test]
fn the_powershell_script_of_a_medium_is_well_formed() {
    let text = fs::read_to_string(small_medium().medium.join("verify.ps1")).unwrap();
    assert!(
        text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n', '\t']) && text.is_ascii()
    );
    let script = text.replace('\r', "");
    assert_eq!(unclosed_marks(&script), [] as [char; 0]);
    for broken in ["if ($a) {", "'a", "\"a", "a)", "(]", "'it''s", "\"a`\""] {
        assert!(!unclosed_marks(broken).is_empty(), "{broken}");
    }
    assert_eq!(unclosed_marks("# it's (\n'a''b' \"a`\"(\" { [x] }"), [] as [char; 0]);

    let lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "$ErrorActionPreference = 'Stop'", "no statement may run before it");
    assert_eq!(lines[1], "trap {", "an error must not result in a verdict");
    assert_eq!(lines[lines.len() - 1], "exit 0");
    // Each exit with the condition before it, in this order.
    let expected_exits = [
        ("trap {", "exit 2"),
        ("if (-not (Get-Command -Name 'Get-FileHash' -ErrorAction SilentlyContinue)) {", "exit 2"),
        ("if (-not (Test-Path -LiteralPath 'manifest-sha256.txt' -PathType Leaf)) {", "exit 2"),
        ("if ($line -cnotmatch '^[0-9a-f]{64}  data/.') {", "exit 2"),
        ("if ($listed -eq 0) {", "exit 2"),
        ("if ($wrong -ne 0) {", "exit 1"),
        ("Write-Output \"All files match the manifest: $listed.\"", "exit 0"),
    ];
    let exits: Vec<usize> = (0..lines.len()).filter(|&place| lines[place].starts_with("exit")).collect();
    assert_eq!(exits.len(), expected_exits.len(), "{exits:?}");
    let mut last = 0;
    for (place, (condition, way)) in exits.into_iter().zip(expected_exits) {
        assert_eq!(lines[place], way, "{condition}");
        let condition_line = lines[last..place].iter().position(|line| *line == condition);
        assert!(condition_line.is_some(), "{condition} before line {place}");
        last = place + 1;
    }
    for statement in ["$listed++", "$there = 0", "if ($there -gt $listed) {"] {
        assert!(lines.contains(&statement), "{statement}");
    }
    assert_eq!(lines.iter().filter(|line| **line == "$wrong++").count(), 3);
    // A name with a bracket would be a pattern without -LiteralPath.
    for line in lines.iter().filter(|line| {
        line.contains("-Path ") || line.contains("Get-ChildItem") || line.contains("Test-Path")
    }) {
        assert!(line.contains("-LiteralPath"), "{line}");
    }
}
