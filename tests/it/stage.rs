//! Tests of `script`, `stage`, and `--host`: from a plan to the files for the target machine.
#![expect(clippy::disallowed_methods, reason = "what was made is read as it lies")]

use std::fs;

use kbmirror::script::collect_script;
use serde_json::json;

use crate::harness::{Bench, failure, field_texts, names_in, recording};

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
