//! The four install scripts under Wine, each against folders of all four kinds: a mounted `install.wim`, `boot.wim`, and
//! `winre.wim`, and the running machine. A script serves its own kind and refuses the others with exit code 12, before
//! DISM is called.
#![expect(clippy::disallowed_methods, reason = "mock folders of images are made as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::path::Path;

use kbmirror::script::{ScriptJob, ScriptTarget, install_script};
use kbmirror::update::Architecture;

use super::scripts::{stage, windows_11};
use super::wine::Machine;

const FOLDER: &str = "kb/KB5086672";

/// Makes a folder with these files; a name that ends with a slash is a folder.
fn fill(folder: &Path, names: &[&str]) {
    for name in names {
        let path = folder.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
    }
}

/// The mock images: name, kind, and files beside those that every image has.
const IMAGES: [(&str, &str, &[&str]); 6] = [
    ("os", "install.wim", &["Windows/explorer.exe", "Windows/System32/Recovery/Winre.wim"]),
    ("core", "install.wim", &[]),
    ("pe", "boot.wim", &["Windows/System32/winpeshl.exe", "Windows/System32/startnet.cmd"]),
    // The second image of boot.wim contains the tools of recovery, too.
    (
        "setup",
        "boot.wim",
        &[
            "Windows/System32/winpeshl.exe",
            "setup.exe",
            "sources/setup.exe",
            "sources/setuphost.exe",
            "sources/recovery/RecEnv.exe",
            "Windows/servicing/Packages/WinPE-Setup-Package~31bf3856ad364e35~amd64~~10.0.26100.1.mum",
            "Windows/servicing/Packages/WinPE-Rejuv-Package~31bf3856ad364e35~amd64~~10.0.26100.1.mum",
        ],
    ),
    ("re", "winre.wim", &["Windows/System32/winpeshl.exe", "sources/recovery/RecEnv.exe"]),
    ("re by its start", "winre.wim", &["Windows/System32/winpeshl.exe", "Windows/System32/winpeshl.ini"]),
];

fn jobs() -> [(&'static str, &'static str, ScriptJob); 4] {
    let of = |form| windows_11(Architecture::X64, form);
    // An image past the checkpoint: the target alone.
    let mut winpe = of(ScriptTarget::Winpe);
    winpe.stages.remove(0);
    winpe.folder_files = Vec::new();
    winpe.notes = vec![r"media need \EFI\Microsoft\Boot\boot.stl (0xc0430001)".to_owned()];
    let safe_os = r"..\KB5079471\windows-11-24h2-x64\windows11.0-kb5079471-x64_f744d6a7.cab";
    let winre = ScriptJob {
        kb: "KB5079471".parse().unwrap(),
        expected_revision: None,
        stages: vec![stage("KB5079471", "Safe OS update", safe_os)],
        folder_files: Vec::new(),
        notes: vec!["winre.wim takes a servicing stack before: SSU-*.cab".to_owned()],
        ..of(ScriptTarget::Winre)
    };
    [
        ("online.cmd", "the running machine", of(ScriptTarget::Online)),
        ("image.cmd", "install.wim", of(ScriptTarget::Image)),
        ("winpe.cmd", "boot.wim", winpe),
        ("winre.cmd", "winre.wim", winre),
    ]
}

#[test]
fn each_script_serves_its_own_kind_of_place() {
    let Some(machine) = Machine::new() else { return };
    let folder = machine.drive(FOLDER);
    for (name, _, job) in &jobs() {
        let files = job.stages.iter().map(|stage| stage.path.replace('\\', "/"));
        let files: Vec<String> = files.collect();
        fill(&folder, &files.iter().map(String::as_str).collect::<Vec<_>>());
        fs::write(folder.join(name), install_script(job)).unwrap();
    }
    let stack = "WinSxS/amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.26100.1742_none_x";
    for (name, _, files) in IMAGES {
        let image = machine.drive("mount").join(name);
        fill(&image, &["Windows/System32/", "Windows/servicing/", &format!("Windows/{stack}/")]);
        fill(&image, files);
    }
    let starts = r"[LaunchApp]\r\nAppPath=X:\sources\recovery\RecEnv.exe".replace(r"\r\n", "\r\n");
    fs::write(machine.drive("mount/re by its start/Windows/System32/winpeshl.ini"), starts).unwrap();

    for (script, serves, job) in &jobs() {
        let target = job.stages.last().unwrap().path.rsplit('\\').next().unwrap().to_owned();
        for (image, kind, _) in IMAGES {
            let (output, code) = machine.run(FOLDER, script, &format!(r#""C:\mount\{image}""#));
            let calls = machine.dism_calls();
            if serves == &kind {
                assert_eq!(code, "0", "{script} on {image}: {output}");
                let [call] = calls.as_slice() else { panic!("{script} on {image}: {calls:?}") };
                assert!(call.contains(&format!(r#"/Image:"C:\mount\{image}""#)), "{call}");
                assert!(call.contains(&target) && call.contains("/Add-Package"), "{call}");
                // The checkpoint in the folder of the set is not for WinPE past it.
                assert_eq!(call.contains(r"\windows-11-24h2-x64\"), script != &"winpe.cmd", "{call}");
                assert!(!output.contains("could not be copied"), "{output}");
                for note in &job.notes {
                    assert!(output.contains(note.as_str()), "{note:?} is not in: {output}");
                }
            } else {
                assert_eq!(code, "12", "{script} on {image}: {output}");
                assert!(calls.is_empty(), "{script} on {image}: {calls:?}");
                let found = if serves == &"the running machine" { "running machine" } else { kind };
                assert!(output.contains(found) && output.contains("Nothing was changed"), "{output}");
            }
        }
        // The running machine: without an argument for its own script, as a folder for the others.
        let own = serves == &"the running machine";
        let (output, code) = machine.run(FOLDER, script, if own { "check" } else { r"C:\" });
        assert_eq!(code, if own { "21" } else { "12" }, "{script}: {output}");
        assert!(own || output.contains("running Windows"), "{output}");
    }
    assert_eq!(machine.dism_calls(), Vec::<String>::new());
    run_with_marks_of_two_kinds(&machine);
    run_with_a_servicing_stack(&machine);
    run_in_winpe(&machine);
}

/// Runs scripts on an image that starts the recovery environment and contains Setup.
fn run_with_marks_of_two_kinds(machine: &Machine) {
    let image = machine.drive("mount/re by its start");
    fill(&image, &["setup.exe"]);
    for script in ["image.cmd", "winpe.cmd", "winre.cmd"] {
        let (output, code) = machine.run(FOLDER, script, r#""C:\mount\re by its start""#);
        assert_eq!(code, "12", "{script}: {output}");
        assert!(output.contains("marks of both"), "{output}");
    }
    fs::remove_file(image.join("setup.exe")).unwrap();
}

/// Runs the script for `winre.wim` with the servicing stack from inside a cumulative update.
fn run_with_a_servicing_stack(machine: &Machine) {
    fill(&machine.drive(""), &["stacks/SSU-26100.8117-x64.cab", "stacks/windows11.0-kb5086672-x64.msu"]);
    let run = |arguments: &str, answers: &[&str]| {
        machine.set_dism_codes(answers);
        let (output, code) = machine.run(FOLDER, "winre.cmd", &format!(r"C:\mount\re {arguments}"));
        (output, code, machine.dism_calls())
    };
    // Microsoft's own script ignores the code 0x8007007e of the stack, and only this one.
    for answers in [&["0", "0", "0"][..], &["0x8007007e", "0", "0"]] {
        let (output, code, calls) = run(r"C:\stacks\SSU-26100.8117-x64.cab cleanup", answers);
        assert_eq!(code, "0", "{output}");
        let [stack, safe_os, cleanup] = calls.as_slice() else { panic!("{calls:?}") };
        assert!(stack.contains("SSU-26100.8117-x64.cab") && safe_os.contains("kb5079471"), "{calls:?}");
        assert!(cleanup.contains("/StartComponentCleanup"), "{cleanup}");
        assert!(!output.contains("Also needed"), "{output}");
    }
    let (output, code, calls) = run(r"C:\stacks\SSU-26100.8117-x64.cab", &["0x800f0922"]);
    assert_eq!((code.as_str(), calls.len()), ("20", 1), "{output}");
    let (output, code, calls) = run("", &["0x8007007e"]);
    assert_eq!((code.as_str(), calls.len()), ("20", 1), "the Safe OS update itself failed: {output}");
    for (arguments, expected) in [
        (r"C:\stacks\SSU-none.cab", "16"),
        (r"C:\stacks\windows11.0-kb5086672-x64.msu", "10"),
        (r"C:\stacks\SSU-26100.8117-x64.cab clean", "10"),
    ] {
        let (output, code, calls) = run(arguments, &[]);
        assert_eq!((code.as_str(), calls.len()), (expected, 0), "{arguments}: {output}");
    }
    machine.set_dism_codes(&[]);
}

/// Runs the script for a running machine in WinPE, which has a registry key of its own.
fn run_in_winpe(machine: &Machine) {
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\MiniNT";
    machine.registry(&["add", key, "/f"]);
    for argument in ["", "check"] {
        let (output, code) = machine.run(FOLDER, "online.cmd", argument);
        assert_eq!(code, "12", "{argument}: {output}");
        assert!(output.contains("WinPE"), "{output}");
    }
    machine.registry(&["delete", key, "/f"]);
    assert_eq!(machine.dism_calls(), Vec::<String>::new());
}
