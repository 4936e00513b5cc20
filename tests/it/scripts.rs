//! The scripts for target machines: their text, compared with snapshots, and their execution under Wine.
#![expect(
    clippy::disallowed_methods,
    reason = "snapshots and folders of tests are read and made as they lie"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;

use kbmirror::resolve::host;
use kbmirror::script::{InstallTool, ScriptJob, ScriptStage, ScriptTarget, collect_script, install_script};
use kbmirror::servicing::Installation;
use kbmirror::update::{Architecture, Build};

use super::wine::{CBS, CURRENT_VERSION, ENVIRONMENT, Machine};

/// Compares a script with its snapshot, which has plain line ends.
#[track_caller]
fn expect_snapshot(name: &str, script: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/scripts");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, script.replace("\r\n", "\n")));
}

pub(super) fn stage(kb: &str, role: &str, path: &str) -> ScriptStage {
    ScriptStage {
        kb: kb.parse().ok(),
        role: role.to_owned(),
        path: path.to_owned(),
        needed_below: None,
        brings: None,
        restart_after: false,
        in_folder_of_target: false,
        may_not_apply: false,
    }
}

/// Returns the job for KB5086672 with its checkpoint beside it.
pub(super) fn windows_11(architecture: Architecture, form: ScriptTarget) -> ScriptJob {
    let (checkpoint, target) = match architecture {
        Architecture::Arm64 => (
            "windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu",
            "windows11.0-kb5086672-arm64_ec8e6985.msu",
        ),
        _ => (
            "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
            "windows11.0-kb5086672-x64_bc2fed63.msu",
        ),
    };
    let folder = format!("windows-11-24h2-{architecture}");
    ScriptJob {
        kb: "KB5086672".parse().unwrap(),
        product: "Windows 11, version 24H2; Windows 11, version 25H2".to_owned(),
        family: "Windows 11 24H2, 25H2, 26H2".to_owned(),
        architecture: Some(architecture),
        builds: vec![26100, 26200, 26300],
        installation: Some(Installation::Client),
        method: InstallTool::Dism,
        form,
        expected_revision: Some(8117),
        editions_excluded: Vec::new(),
        stages: vec![
            ScriptStage {
                needed_below: Some(1742),
                brings: Some(1742),
                in_folder_of_target: true,
                ..stage("KB5043080", "checkpoint", &format!("{folder}\\{checkpoint}"))
            },
            ScriptStage {
                brings: Some(8117),
                ..stage("KB5086672", "target", &format!("{folder}\\{target}"))
            },
        ],
        folder_files: vec![checkpoint.to_owned(), target.to_owned()],
        notes: Vec::new(),
        total_bytes: Some(4_611_000_000),
        knowledge_date: "2026-10-05".to_owned(),
        is_demo: false,
    }
}

fn server_2016() -> ScriptJob {
    ScriptJob {
        kb: "KB5087537".parse().unwrap(),
        product: "Windows Server 2016".to_owned(),
        family: "Windows Server 2016".to_owned(),
        architecture: Some(Architecture::X64),
        builds: vec![14393],
        installation: Some(Installation::Server),
        method: InstallTool::Dism,
        form: ScriptTarget::Online,
        expected_revision: Some(9140),
        editions_excluded: Vec::new(),
        stages: vec![
            ScriptStage {
                may_not_apply: true,
                ..stage(
                    "KB5088064",
                    "servicing stack",
                    "..\\KB5088064\\server-2016-x64\\windows10.0-kb5088064-x64.msu",
                )
            },
            ScriptStage {
                brings: Some(9140),
                ..stage("KB5087537", "target", "server-2016-x64\\windows10.0-kb5087537-x64.msu")
            },
        ],
        folder_files: Vec::new(),
        notes: Vec::new(),
        total_bytes: Some(1_700_000_000),
        knowledge_date: "2026-10-05".to_owned(),
        is_demo: false,
    }
}

fn windows_7() -> ScriptJob {
    ScriptJob {
        kb: "KB4534310".parse().unwrap(),
        product: "Windows 7".to_owned(),
        family: "Windows 7".to_owned(),
        architecture: Some(Architecture::X64),
        builds: vec![7601],
        installation: Some(Installation::Client),
        method: InstallTool::Wusa,
        form: ScriptTarget::Online,
        expected_revision: None,
        editions_excluded: vec!["Starter".to_owned()],
        stages: vec![
            ScriptStage {
                may_not_apply: true,
                ..stage(
                    "KB4536952",
                    "servicing stack",
                    "..\\KB4536952\\windows-7-x64\\windows6.1-kb4536952-x64.msu",
                )
            },
            stage("KB4534310", "target", "windows-7-x64\\windows6.1-kb4534310-x64.msu"),
        ],
        folder_files: Vec::new(),
        notes: Vec::new(),
        total_bytes: None,
        knowledge_date: "2026-10-05".to_owned(),
        is_demo: false,
    }
}

#[test]
fn scripts_match_their_snapshots() {
    expect_snapshot(
        "KB5086672-arm64.cmd",
        &install_script(&windows_11(Architecture::Arm64, ScriptTarget::Online)),
    );
    expect_snapshot(
        "KB5086672-arm64-image.cmd",
        &install_script(&windows_11(Architecture::Arm64, ScriptTarget::Image)),
    );
    expect_snapshot("KB5087537-server-2016.cmd", &install_script(&server_2016()));
    expect_snapshot("KB4534310-windows-7.cmd", &install_script(&windows_7()));
    let expanded = ScriptJob { method: InstallTool::Expand, expected_revision: Some(24545), ..windows_7() };
    expect_snapshot("KB4534310-windows-7-expand.cmd", &install_script(&expanded));
}

/// A folder whose name has characters that break careless scripts. (Wine itself loses a percent sign in the name.)
const FOLDER: &str = "kb's (x86) & more!/KB5086672";

#[test]
fn scripts_run_under_wine() {
    let Some(machine) = Machine::new() else { return };
    let job = windows_11(Architecture::X64, ScriptTarget::Online);
    let folder = machine.drive(FOLDER);
    fs::create_dir_all(folder.join("windows-11-24h2-x64")).unwrap();
    fs::write(folder.join("windows-11-24h2-x64.cmd"), install_script(&job)).unwrap();
    let files: Vec<std::path::PathBuf> =
        job.folder_files.iter().map(|name| folder.join("windows-11-24h2-x64").join(name)).collect();
    fs::write(&files[1], "target").unwrap();
    let check = |arguments: &str, code: &str, words: &[&str]| {
        let (output, exit_code) = machine.run(FOLDER, "windows-11-24h2-x64.cmd", arguments);
        assert_eq!(exit_code, code, "{arguments}: {output}");
        for word in words {
            assert!(output.contains(word), "{arguments}: {word:?} is not in: {output}");
        }
    };

    // These checks end before anything is changed.
    check("help", "10", &["Usage"]);
    check("", "16", &["kb5043080-x64_", "Missing", "incomplete"]);
    fs::write(&files[0], "checkpoint").unwrap();
    let foreign_file = folder.join("windows-11-24h2-x64/windows11.0-kb5050000-x64.msu");
    fs::write(&foreign_file, "another").unwrap();
    check("", "17", &["windows11.0-kb5050000-x64.msu"]);
    fs::remove_file(foreign_file).unwrap();
    // Names that NTFS accepts from other systems: none may become a command, and none may be overlooked.
    for (name, shown) in [
        (";begins-like-a-comment.msu", ";begins-like-a-comment.msu"),
        ("a & echo b >pwned.txt & %PATH% ^.cab", "a & echo b"),
        ("quote\" & echo b >pwned.txt & rem \".msu", ""),
    ] {
        let foreign_file = folder.join("windows-11-24h2-x64").join(name);
        fs::write(&foreign_file, "another").unwrap();
        check("", "17", &[shown, "contains foreign files"]);
        for place in [&folder, &machine.drive("")] {
            assert!(!place.join("pwned.txt").exists(), "{name}");
        }
        fs::remove_file(foreign_file).unwrap();
    }
    let foreign_file = folder.join("windows-11-24h2-x64/sub\" & echo b >pwned.txt & rem \"");
    fs::create_dir(&foreign_file).unwrap();
    check("", "17", &["contains foreign files"]);
    assert!(!folder.join("pwned.txt").exists());
    fs::remove_dir(foreign_file).unwrap();
    machine.set(CURRENT_VERSION, "InstallationType", "REG_SZ", "Server Core");
    check("", "12", &["Windows 11 24H2, 25H2, 26H2", "client", "26100.863"]);
    machine.set(CURRENT_VERSION, "InstallationType", "REG_SZ", "Client");
    machine.set(ENVIRONMENT, "PROCESSOR_ARCHITECTURE", "REG_SZ", "ARM64");
    check("", "13", &["x64", "ARM64"]);
    machine.set(ENVIRONMENT, "PROCESSOR_ARCHITECTURE", "REG_SZ", "AMD64");
    machine.registry(&["delete", r"HKU\S-1-5-19", "/f"]);
    check("", "11", &["Run as administrator"]);
    check("check", "21", &["KB5086672 is not installed", "26100.863", "26100.8117"]);
    machine.set(r"HKU\S-1-5-19\Environment", "TEMP", "REG_SZ", "x");
    assert_eq!(machine.dism_calls(), Vec::<String>::new());

    // Failures are explained, in the forms in which cmd and DISM print the codes.
    machine.set_dism_codes(&["0x800f0838", "14098", "0x80073712", "0x800f081e", "12345", "0"]);
    check("", "20", &["code -2146498504", "0x800f0838", "checkpoint", "kbmirror-KB5086672.log"]);
    check("install", "20", &["code 14098", "0x80073712", "component store"]);
    check("", "20", &["code -2147010798", "0x80073712"]);
    check("", "20", &["0x800f081e", "not applicable"]);
    check("", "20", &["code 12345", "no explanation"]);
    check("", "21", &["reports success", "still at build 26100.863"]);
    let call = r#"/Online /Add-Package /PackagePath:"C:\kb's (x86) & more!\KB5086672\windows-11-24h2-x64\windows11.0-kb5086672-x64_bc2fed63.msu" /NoRestart"#;
    let calls = machine.dism_calls();
    assert_eq!(calls.len(), 6);
    for line in &calls {
        assert!(line.contains(call), "{line}");
        assert!(!line.contains("kb5043080"), "{line}");
    }

    // Install, restart, check.
    machine.set_dism_codes(&["3010"]);
    check(
        "",
        "3010",
        &["Step 1 of 1", "checkpoint KB5043080 is beside the target", "restart this machine", "26100.8117"],
    );
    machine.registry(&["add", &format!(r"{CBS}\RebootPending"), "/f"]);
    check("", "3010", &["waits for a restart (servicing)"]);
    check("check", "3010", &["waits for a restart (servicing)"]);
    assert_eq!(machine.dism_calls().len(), 1);
    machine.registry(&["delete", &format!(r"{CBS}\RebootPending"), "/f"]);
    machine.set(CURRENT_VERSION, "UBR", "REG_DWORD", "8117");
    machine.set(CURRENT_VERSION, "CurrentBuild", "REG_SZ", "26200");
    check("check", "0", &["KB5086672 is installed", "26200.8117"]);
    check("", "0", &["Nothing to do"]);
    assert_eq!(machine.dism_calls(), Vec::<String>::new());
    run_several_steps(&machine);
    run_on_windows_7(&machine);
    run_on_an_image(&machine);
    run_collect_script(&machine);
}

/// Runs a script whose steps before the target are left out, not applicable, or need a restart in between.
fn run_several_steps(machine: &Machine) {
    let mut job = server_2016();
    job.stages.insert(
        1,
        ScriptStage {
            needed_below: Some(4000),
            brings: Some(4000),
            restart_after: true,
            ..stage("KB5005573", "prerequisite", "server-2016-x64\\windows10.0-kb5005573-x64.msu")
        },
    );
    fs::create_dir_all(machine.drive("kb/KB5087537/server-2016-x64")).unwrap();
    fs::create_dir_all(machine.drive("kb/KB5088064/server-2016-x64")).unwrap();
    fs::write(machine.drive("kb/KB5087537/server-2016-x64.cmd"), install_script(&job)).unwrap();
    for name in [
        "KB5087537/server-2016-x64/windows10.0-kb5087537-x64.msu",
        "KB5087537/server-2016-x64/windows10.0-kb5005573-x64.msu",
        "KB5088064/server-2016-x64/windows10.0-kb5088064-x64.msu",
    ] {
        fs::write(machine.drive("kb").join(name), "package").unwrap();
    }
    machine.set(CURRENT_VERSION, "CurrentBuild", "REG_SZ", "14393");
    machine.set(CURRENT_VERSION, "InstallationType", "REG_SZ", "Server Core");
    machine.set(CURRENT_VERSION, "UBR", "REG_DWORD", "2000");
    let run = |answers: &[&str]| {
        machine.set_dism_codes(answers);
        let (output, code) = machine.run("kb/KB5087537", "server-2016-x64.cmd", "");
        let kbs: Vec<String> = machine
            .dism_calls()
            .iter()
            .map(|call| {
                assert!(!call.contains(".."), "{call}");
                call.split("windows10.0-").nth(1).unwrap()[..9].to_owned()
            })
            .collect();
        (output, code, kbs)
    };
    let (output, code, kbs) = run(&["0", "3010"]);
    assert_eq!(
        (code.as_str(), kbs.as_slice()),
        ("3010", ["kb5088064", "kb5005573"].map(str::to_owned).as_slice()),
        "{output}"
    );
    assert!(output.contains("The next step needs a restart"), "{output}");
    machine.set(CURRENT_VERSION, "UBR", "REG_DWORD", "4000");
    let (output, code, kbs) = run(&["0x800f081e", "3010"]);
    assert_eq!(
        (code.as_str(), kbs.as_slice()),
        ("3010", ["kb5088064", "kb5087537"].map(str::to_owned).as_slice()),
        "{output}"
    );
    assert!(
        output.contains("a newer one is installed") && output.contains("not needed at build 14393.4000"),
        "{output}"
    );
    assert!(output.contains("The script then checks for build 14393.9140"), "{output}");
}

/// Runs a script for Windows 7: it uses wusa and cannot compare a revision.
fn run_on_windows_7(machine: &Machine) {
    for kb in ["KB4536952", "KB4534310"] {
        let folder = machine.drive("kb").join(kb).join("windows-7-x64");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("windows6.1-{}-x64.msu", kb.to_lowercase())), "package").unwrap();
    }
    fs::write(machine.drive("kb/KB4534310/w7.cmd"), install_script(&windows_7())).unwrap();
    machine.set(CURRENT_VERSION, "CurrentBuild", "REG_SZ", "7601");
    machine.set(CURRENT_VERSION, "InstallationType", "REG_SZ", "Client");
    machine.set_dism_codes(&["2359302", "3010"]);
    let (output, code) = machine.run("kb/KB4534310", "w7.cmd", "");
    assert_eq!(code, "3010", "{output}");
    assert!(output.contains("already installed") && output.contains("waits for a restart"), "{output}");
    let calls = machine.dism_calls();
    let [stack, target] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(stack.contains("wusa.exe") && stack.contains("kb4536952"), "{stack}");
    assert!(target.contains("kb4534310-x64.msu") && target.ends_with("/quiet /norestart"), "{target}");
    let (output, code) = machine.run("kb/KB4534310", "w7.cmd", "check");
    assert_eq!(code, "22", "{output}");
    machine.set(CURRENT_VERSION, "CurrentBuild", "REG_SZ", "14393");
    machine.set(CURRENT_VERSION, "InstallationType", "REG_SZ", "Server Core");
}

/// Runs a script for a mounted image.
fn run_on_an_image(machine: &Machine) {
    let job = windows_11(Architecture::X64, ScriptTarget::Image);
    fs::write(machine.drive(FOLDER).join("image.cmd"), install_script(&job)).unwrap();
    let run = |arguments: &str| machine.run(FOLDER, "image.cmd", arguments);
    let (output, code) = run("");
    assert_eq!(code, "10", "{output}");
    let (output, code) = run(r#""C:\a mount""#);
    assert_eq!(code, "12", "{output}");
    for folder in [
        "System32",
        "servicing",
        "WinSxS/arm64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.26100.1_none_0",
    ] {
        fs::create_dir_all(machine.drive("a mount/Windows").join(folder)).unwrap();
    }
    let (output, code) = run(r#""C:\a mount\""#);
    assert_eq!(code, "13", "{output}");
    let stack = "WinSxS/amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.26100.1_none_0";
    fs::create_dir_all(machine.drive("a mount/Windows").join(stack)).unwrap();
    assert_eq!(machine.dism_calls(), Vec::<String>::new());
    let (output, code) = run(r#""C:\a mount\" cleanup"#);
    assert_eq!(code, "0", "{output}");
    assert!(output.contains("/Unmount-Image") && !output.contains("does not look like"), "{output}");
    let calls = machine.dism_calls();
    let [add, cleanup] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(
        add.contains(r#"/Image:"C:\a mount" /Add-Package /PackagePath:"#) && add.contains("kb5086672"),
        "{add}"
    );
    assert!(cleanup.contains("/Cleanup-Image /StartComponentCleanup"), "{cleanup}");
}

/// Runs `collect.cmd` and parses its output.
fn run_collect_script(machine: &Machine) {
    let script = machine.drive(FOLDER).join("collect.cmd");
    fs::write(script, collect_script()).unwrap();
    let key = format!(r"{CBS}\Packages\Package_for_KB5088064~31bf3856ad364e35~amd64~~14393.9140.1.0");
    machine.set(&key, "CurrentState", "REG_DWORD", "112");
    machine.set(&key.replace("5088064", "5075902"), "CurrentState", "REG_DWORD", "80");
    machine.set(r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full", "Release", "REG_DWORD", "533320");
    let (output, code) = machine.run(FOLDER, "collect.cmd", r"C:\host.txt");
    assert_eq!(code, "0", "{output}");
    assert!(output.contains(r"C:\host.txt"), "{output}");
    let text = fs::read_to_string(machine.drive("host.txt")).unwrap();
    let host = host::parse(&text).unwrap();
    assert_eq!(host.build, Some(Build::new(14393, 4000)), "{text}");
    assert_eq!((host.architecture, host.installation), (Some(Architecture::X64), Some(Installation::Server)));
    assert_eq!(host.edition.as_deref(), Some("Professional"));
    assert_eq!(host.dotnet_release.and_then(host::dotnet_version), Some("4.8.1"));
    let kbs: Vec<String> = host.installed.iter().map(ToString::to_string).collect();
    assert_eq!(kbs, ["KB5039239", "KB5088064"], "{text}");
    assert_eq!(host.pending_restart, Some(false));
    assert_eq!(host.dism_version.as_deref(), Some("10.0.26100.1150"));
    assert!(host.free_bytes.is_some() && host.computer.is_some(), "{text}");

    machine.registry(&["delete", r"HKU\S-1-5-19", "/f"]);
    let (output, code) = machine.run(FOLDER, "collect.cmd", "");
    assert_eq!(code, "0", "{output}");
    assert!(output.contains("administrator rights"), "{output}");
    let written = fs::read_dir(machine.drive(FOLDER)).unwrap().filter_map(Result::ok);
    let written =
        written.map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with("-kbmirror.txt"));
    let host = host::parse(&fs::read_to_string(written.unwrap()).unwrap()).unwrap();
    assert_eq!((host.dism_version, host.installed.len()), (None, 1));
}
