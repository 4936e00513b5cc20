//! Tests of `script`, `stage`, and `--host`: from a plan to the files for the target machine.
#![expect(clippy::disallowed_methods, reason = "what was made is read as it lies")]

use std::fs;

use kbmirror::script::collect_script;
use serde_json::json;

use crate::air_gap::fetch_from;
use crate::harness::{Bench, failure, field_texts, items, names_in, recording, text_of};
use crate::support::{FileSpec, Loopback, UpdateSpec, World, id};

const TARGET: &str = "windows11.0-kb5086672-arm64_1095dd7b2d5593b955bd7bd0059c8af7e8ba593a.msu";
const CHECKPOINT: &str = "windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu";

const CHECKED: &str = "names, sizes, and container types checked; contents not read (use --deep)";

fn fetched(kbs: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &[&["fetch"], kbs].concat()).exits(0);
    bench
}

#[test]
fn the_script_beside_a_set_folder_names_its_files() {
    let bench = fetched(&["KB5086672", "KB5094122"]);
    let script = fs::read_to_string(bench.set_folder("KB5086672", "windows-11-24h2-arm64.cmd")).unwrap();
    assert!(script.is_ascii() && script.lines().count() > 50);
    for name in [TARGET, CHECKPOINT] {
        assert!(script.contains(&format!("windows-11-24h2-arm64\\{name}")), "{name}");
    }
    assert!(script.contains("DEMO"), "a demo package must never be installed");
    // A servicing stack is stored under its own KB.
    let of_server = fs::read_to_string(bench.set_folder("KB5094122", "windows-10-1607-x64.cmd")).unwrap();
    assert!(
        of_server.contains("..\\KB5094141\\windows-10-1607-x64\\windows10.0-kb5094141-x64_"),
        "{of_server}"
    );
    let readme = fs::read_to_string(bench.mirror().join("kb/KB5094122/README.txt")).unwrap();
    assert!(readme.contains("before  KB5094141 (ssu), in ..\\KB5094141\\windows-10-1607-x64"), "{readme}");
    let printed = bench.run(&["script", "KB5086672", "--arch", "arm64"]).exits(0).stdout;
    // A newly printed script has one more line with the last day covered by its facts.
    let dated =
        "rem Knowledge: 2026-10-05; releases known through 2026-09-29, 2 Patch Tuesdays before 2026-11-23";
    assert_eq!(printed.replace(dated, "rem Knowledge: 2026-10-05"), script);
    assert_eq!(printed.matches(dated).count(), 1);
}

#[test]
fn a_script_without_a_mirror_uses_file_names_of_the_knowledge() {
    let bench = Bench::new();
    let script = bench.run(&["script", "KB5086672", "--arch", "arm64", "--for", "image"]).exits(0).stdout;
    assert!(script.contains("/Image:") && !script.contains("DEMO"), "{script}");
    assert!(script.contains("kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu"));
    assert_eq!(bench.run(&["script", "--collect"]).exits(0).stdout, collect_script());
    // If a script is impossible, the error has a hint with an alternative.
    let withdrawn = bench.json(&["script", "KB5079391", "--arch", "x64"]).exits(10);
    assert!(withdrawn.json()["error"]["hints"].to_string().contains("KB5086672"));
    bench.run(&["script"]).exits(2);
}

#[test]
fn a_stage_has_exactly_the_plan_with_the_script_beside_it() {
    let bench = fetched(&["KB5086672"]);
    let to = bench.path("stick/set");
    let below = &["stage", "KB5086672", "--arch", "arm64", "--baseline", "26100.863", "--to", to.as_str()];
    let document = bench.json(below).exits(0).json();
    assert_eq!(names_in(&to), [CHECKPOINT, TARGET]);
    assert_eq!(field_texts(&document["plan"]["steps"], "role"), ["checkpoint", "target"]);
    let linted = &document["staged"]["linted"];
    assert_eq!(field_texts(linted, "checked"), [CHECKED]);
    assert_eq!(linted[0]["unchecked"].as_array().unwrap().len(), 0, "the index knows every size");
    let script = fs::read_to_string(bench.path("stick/set.cmd")).unwrap();
    assert!(script.contains(&format!("set\\{TARGET}")));
    assert_eq!(names_in(&bench.path("stick")), ["set", "set.cmd"], "no other file may be left");

    // For WinPE past the checkpoint, only the target is staged.
    let to = bench.path("winpe");
    let past = [
        "stage",
        "KB5086672",
        "--arch",
        "arm64",
        "--baseline",
        "26100.8037",
        "--for",
        "winpe",
        "--to",
        to.as_str(),
    ];
    bench.json(&past).exits(0);
    assert_eq!(names_in(&to), [TARGET]);
    bench.run(&["lint", to.as_str(), "--for", "winpe", "--baseline", "26100.8037"]).exits(0);

    // A folder that is not empty is never used.
    let message = format!("{to} exists and is not an empty folder");
    assert_eq!(bench.json(&past).exits(2).error(), failure("usage", message));
}

#[test]
fn a_stage_with_missing_files_fails_and_writes_nothing() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    let to = bench.path("stage");
    let absent = bench
        .json(&["stage", "KB5086672", "--arch", "arm64", "--baseline", "26100.863", "--to", to.as_str()])
        .exits(10);
    let message = format!("not in the mirror: {CHECKPOINT} (not in the pool), {TARGET} (not in the pool)");
    assert_eq!(absent.error(), failure("unresolved", message));
    assert!(!to.exists() && !bench.path("stage.cmd").exists());
    bench
        .json(&["stage", "KB5086672", "--arch", "arm64", "--baseline", "26100.8117", "--to", to.as_str()])
        .exits(10);
}

#[test]
fn a_host_file_sets_the_baseline() {
    let bench = fetched(&["KB5086672"]);
    let host = bench.path("host.txt");
    let text = "kbmirror-host\r\nformat=1\r\ncomputer=WARD-7\r\nbuild=26100.863\r\narchitecture=arm64\r\n\
        installation=Client\r\nedition=Professional\r\ndotnet_release=533320\r\npending_restart=yes\r\nfree_bytes=1000\r\n";
    fs::write(&host, text).unwrap();
    let plan = bench.json(&["resolve", "KB5086672", "--host", host.as_str()]).exits(0).json();
    assert_eq!(plan["baseline"], "26100.863");
    assert_eq!(field_texts(&plan["steps"], "role"), ["checkpoint", "target"]);
    assert_eq!(
        plan["warnings"],
        json!([
            "servicing of Windows 11, version 24H2 ended on 2026-10-13: no further update is expected",
            "WARD-7 has a pending restart: restart it before the installation",
            "WARD-7 has 1000 B free on its system drive; twice the 60.1 KB of the set are recommended",
        ])
    );
    // Options take precedence over the file.
    let past = bench.json(&["resolve", "KB5086672", "--host", host.as_str(), "--baseline", "26100.8037"]);
    assert_eq!(field_texts(&past.exits(0).json()["steps"], "role"), ["target"]);
    fs::write(&host, "MZ\u{0}\u{1}").unwrap();
    bench.json(&["resolve", "KB5086672", "--host", host.as_str()]).exits(2);
}

#[test]
fn a_truncated_pool_file_is_never_staged() {
    let bench = fetched(&["KB5086672"]);
    let digest = &bench.rows(&format!("SELECT lower(hex(sha256)) FROM files WHERE name = '{TARGET}'"))[0][0];
    let pooled = bench.mirror().join(format!("pool/sha256/{}/{digest}", &digest[..2]));
    let bytes = fs::read(&pooled).unwrap();
    fs::remove_file(&pooled).unwrap();
    fs::write(&pooled, &bytes[..bytes.len() / 2]).unwrap();
    let to = bench.path("stage");
    let ran = bench.json(&["stage", "KB5086672", "--arch", "arm64", "--to", to.as_str()]);
    assert!([5, 10].contains(&ran.code), "{}", ran.stdout);
    assert!(ran.error().1.contains(TARGET), "{}", ran.stdout);
    assert!(!to.exists() && !bench.path("stage.cmd").exists());
}

#[test]
fn an_entry_of_unknown_order_has_no_script() {
    let kbs = ["KB2975719", "KB2979582", "KB2990532", "KB2993100"];
    let files = kbs.map(|kb| FileSpec::package(&format!("windows8.1-{}-x64", kb.to_lowercase()), "msu", kb));
    let world = World::new().update(UpdateSpec {
        products: "Windows Server 2012 R2".to_owned(),
        classification: "Updates".to_owned(),
        last_updated: "9/2/2014".to_owned(),
        files: files.to_vec(),
        ..UpdateSpec::new(&id(1), "August 2014 Update Rollup for Windows Server 2012 R2 (KB2975719)")
    });
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    fetch_from(&bench, &loopback, &[kbs[0]]);
    let machine = [kbs[0], "--arch", "x64", "--baseline", "9600.17031", "--installation", "server"];
    let plan = bench.json(&[&["resolve"], &machine[..]].concat()).exits(0).json();
    let unknown = items(&plan["steps"]).iter().filter(|step| step["order"].is_null()).count();
    assert_eq!(unknown, 3, "{plan:#}");

    for place in ["online", "image"] {
        let refused = bench.json(&[&["script", "--for", place], &machine[..]].concat()).exits(10);
        let (_, message) = refused.error();
        assert!(message.contains("order") && message.contains("unknown"), "{message}");
        for kb in kbs {
            assert!(message.contains(&kb.to_lowercase()), "{kb}: {message}");
        }
    }
    // The published folder has no script either.
    let beside = names_in(&bench.mirror().join("kb").join(kbs[0]));
    assert!(beside.iter().all(|name| name.rsplit('.').next() != Some("cmd")), "{beside:?}");
}

#[test]
fn an_answer_without_steps_has_neither_script_nor_stage() {
    let bench = fetched(&["KB5086672"]);
    let to = bench.path("none");
    for (status, arguments) in [
        ("nothing_to_do", &["KB5086672", "--arch", "arm64", "--baseline", "26100.8117"][..]),
        ("not_applicable", &["KB5086672", "--arch", "arm64", "--baseline", "22631.1"]),
        ("not_applicable", &["KB5086672", "--arch", "arm64", "--for", "winre"]),
        ("not_applicable", &["KB5122887", "--arch", "x64", "--for", "winpe"]),
        ("needs_prerequisite", &["KB5073724", "--arch", "x64", "--baseline", "19045.6456", "--no-esu"]),
        ("withdrawn", &["KB5079391", "--arch", "x64"]),
        ("unavailable_offline", &["KB5120994", "--arch", "x64"]),
        ("ambiguous", &["KB5094122"]),
        ("unknown", &["KB5086672", "--arch", "arm64", "--baseline", "31000.1"]),
    ] {
        let plan = bench.json(&[&["resolve"], arguments].concat()).json();
        assert_eq!(plan["status"], status, "{arguments:?}: {plan:#}");
        for command in [&["script"][..], &["stage", "--to", to.as_str()]] {
            let refused = bench.json(&[command, arguments].concat()).exits(10);
            let error = &refused.json()["error"];
            // The reason is the advice. An installed update has none, and its build is the reason.
            let hints: Vec<String> = items(&error["hints"]).iter().map(text_of).collect();
            let is_stated = match plan["advice"].as_str() {
                Some(advice) => hints.iter().any(|hint| hint == advice),
                None => text_of(&error["message"]).contains("brings 26100.8117"),
            };
            assert!(is_stated, "{command:?} {arguments:?}: {error:#}");
            assert!(!to.exists() && !bench.path("none.cmd").exists());
        }
    }
}

#[test]
fn media_and_mirrors_have_no_script() {
    let bench = Bench::new();
    for (kb, baseline) in [("KB5126056", "26100.1742"), ("KB5126029", "19041.1")] {
        let media = bench.json(&["script", kb, "--arch", "x64", "--baseline", baseline, "--for", "media"]);
        let hints = media.exits(10).json()["error"]["hints"].to_string();
        assert!(hints.contains("expand.exe") && hints.contains("setup.exe"), "{hints}");
    }
    let mirror = bench.json(&["script", "KB5122887", "--arch", "x64", "--for", "mirror"]).exits(10);
    assert!(mirror.json()["error"]["hints"].to_string().contains("winre"));
    let winre = ["script", "KB5079391", "--accept-withdrawn", "--arch", "x64", "--for", "winpe"];
    let script = bench.run(&winre).exits(0).stdout;
    assert!(script.contains("for a mounted boot.wim"), "{script}");
}
