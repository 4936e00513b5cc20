//! The main job end to end: from a KB number to a verified folder and a graph, with recordings in place of the
//! Catalog.
#![expect(clippy::disallowed_methods, reason = "recordings are copied and spoiled, mirrors read as they lie")]

mod crawls;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use super::harness::{
    Bench, copy_folder, failure, field_texts, file_stamp, items, names_in, read_tree, recording, run_judge,
    sha1_hex, sha256_hex, text_of,
};
use super::support::Loopback;

const CHECKPOINT_ARM64: &str = "windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu";
const TARGET_ARM64: &str = "windows11.0-kb5086672-arm64_1095dd7b2d5593b955bd7bd0059c8af7e8ba593a.msu";
const FETCH_ARM64: [&str; 4] = ["fetch", "KB5086672", "--arch", "arm64"];

/// Returns a bench whose mirror holds KB5086672 for arm64, fetched from the demo recording.
fn fetched() -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);
    bench
}

/// Copies a recording into the bench's folder and returns the path of the copy.
fn copy_of(bench: &Bench, name: &str) -> Utf8PathBuf {
    let copy = bench.path(name);
    copy_folder(&recording(name), &copy);
    copy
}

#[test]
fn fetch_publishes_a_folder_with_exactly_the_files_of_the_kb() {
    let bench = Bench::new();
    let document = bench.replay(&recording("demo"), &FETCH_ARM64).exits(0).json();

    let set = bench.set_folder("KB5086672", "windows-11-24h2-arm64");
    assert_eq!(names_in(&set), [CHECKPOINT_ARM64, TARGET_ARM64]);
    assert_eq!(
        names_in(&bench.mirror().join("kb/KB5086672")),
        ["KB5086672.json", "README.txt", "SHA256SUMS", "windows-11-24h2-arm64", "windows-11-24h2-arm64.cmd"]
    );
    for name in [CHECKPOINT_ARM64, TARGET_ARM64] {
        let original = fs::read(recording("demo").join("files").join(name)).unwrap();
        assert_eq!(fs::read(set.join(name)).unwrap(), original, "{name}");
        assert!(name.contains(&sha1_hex(&original)), "{name}");
    }

    let sums = fs::read_to_string(bench.mirror().join("kb/KB5086672/SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 2);
    for line in sums.lines() {
        let (digest, path) = line.split_once("  ").unwrap();
        let bytes = fs::read(bench.mirror().join("kb/KB5086672").join(path)).unwrap();
        assert_eq!(sha256_hex(&bytes), digest, "{path}");
    }

    let pool: BTreeSet<String> = read_tree(&bench.mirror().join("pool"))
        .iter()
        .map(|(path, bytes)| {
            let digest = sha256_hex(bytes);
            assert_eq!(*path, format!("sha256/{}/{digest}", &digest[..2]));
            digest
        })
        .collect();
    assert_eq!(pool.len(), 2);
    assert_eq!(names_in(&bench.mirror().join("partial")), Vec::<String>::new());
    assert_eq!(items(&document["sets"]).len(), 1);
}

#[test]
fn json_of_fetch_has_the_documented_fields() {
    let bench = Bench::new();
    let document = bench.replay(&recording("demo"), &FETCH_ARM64).exits(0).json();

    assert_eq!(document["bytes_downloaded"], 15_387 + 46_111);
    assert!(document["requests"].as_u64().unwrap() >= 2 + 5, "{}", document["requests"]);
    assert_eq!(document["failures"], json!([]));
    let set = &document["sets"][0];
    assert_eq!(set["kb"], "KB5086672");
    assert_eq!(set["family"], "windows-11-24h2");
    assert_eq!(set["architecture"], "arm64");
    assert_eq!(set["folder"], "kb/KB5086672/windows-11-24h2-arm64");
    assert_eq!(set["status"], "published");
    assert_eq!(set["error"], Value::Null);
    assert_eq!(set["products"], json!(["Windows 11, version 24H2", "Windows 11, version 25H2"]));
    let expected = [("checkpoint", "KB5043080", CHECKPOINT_ARM64), ("target", "KB5086672", TARGET_ARM64)];
    assert_eq!(items(&set["files"]).len(), expected.len());
    for (place, (file, (role, kb, name))) in items(&set["files"]).iter().zip(expected).enumerate() {
        let path = text_of(&file["path"]);
        assert_eq!(path, format!("kb/KB5086672/windows-11-24h2-arm64/{name}"));
        let bytes = fs::read(bench.mirror().join(path)).unwrap();
        assert_eq!(file["order"], place + 1);
        assert_eq!(file["role"], role);
        assert_eq!(file["kb"], kb);
        assert_eq!(file["name"], name);
        assert_eq!(file["architecture"], "arm64");
        assert_eq!(file["present"], true);
        assert_eq!(file["size"], bytes.len());
        assert_eq!(file["sha1"], sha1_hex(&bytes));
        assert_eq!(file["sha256"], sha256_hex(&bytes));
        assert_eq!(file["checked"], json!(["name", "sha1", "sha256", "size"]));
        assert!(text_of(&file["urls"][0]).starts_with("https://"), "{file:#}");
    }

    let kept = fs::read_to_string(bench.mirror().join("kb/KB5086672/KB5086672.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        (&kept["format"], &kept["kb"], &kept["origin"]),
        (&json!(1), &json!("KB5086672"), &json!("replay"))
    );
    assert_eq!(field_texts(&kept["sets"][0]["files"], "name"), [CHECKPOINT_ARM64, TARGET_ARM64]);
}

#[test]
fn a_second_fetch_changes_nothing() {
    let bench = fetched();
    let set = bench.set_folder("KB5086672", "windows-11-24h2-arm64");
    let stamps =
        || [set.clone(), set.join(TARGET_ARM64), set.join(CHECKPOINT_ARM64)].map(|path| file_stamp(&path));
    let before = (stamps(), read_tree(&bench.mirror().join("kb")));

    bench.clock.advance(Duration::from_hours(24));
    let document = bench.replay(&recording("demo"), &FETCH_ARM64).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["unchanged"]);
    assert_eq!(document["bytes_downloaded"], 0);
    assert_eq!(
        document["sets"][0]["files"][0]["path"],
        format!("kb/KB5086672/windows-11-24h2-arm64/{CHECKPOINT_ARM64}")
    );
    assert_eq!(stamps(), before.0);
    assert_eq!(
        read_tree(&bench.mirror().join("kb")),
        before.1,
        "neither the set nor the files beside it may change"
    );
}

#[test]
fn files_in_the_pool_are_not_downloaded_again() {
    let bench = Bench::new();
    let demo = copy_of(&bench, "demo");
    bench.replay(&demo, &FETCH_ARM64).exits(0);
    fs::remove_dir_all(demo.join("files")).unwrap();

    let again = bench.replay(&demo, &FETCH_ARM64).exits(0).json();
    assert_eq!(field_texts(&again["sets"], "status"), ["unchanged"]);
    assert_eq!((&again["failures"], &again["warnings"]), (&json!([]), &json!([])));

    // Only the set folder is deleted: the next fetch publishes it again from the pool.
    let set = bench.set_folder("KB5086672", "windows-11-24h2-arm64");
    fs::remove_dir_all(&set).unwrap();
    let mended = bench.replay(&demo, &FETCH_ARM64).exits(0).json();
    assert_eq!(field_texts(&mended["sets"], "status"), ["published"]);
    assert_eq!(mended["bytes_downloaded"], 0);
    assert_eq!(names_in(&set), [CHECKPOINT_ARM64, TARGET_ARM64]);
}

#[test]
fn a_complete_set_survives_an_unavailable_catalog() {
    let bench = Bench::new();
    let demo = copy_of(&bench, "demo");
    bench.replay(&demo, &FETCH_ARM64).exits(0);
    fs::remove_dir_all(demo.join("files")).unwrap();
    fs::remove_dir_all(demo.join("pages")).unwrap();

    let again = bench.replay(&demo, &FETCH_ARM64).exits(0).json();
    assert_eq!(field_texts(&again["sets"], "status"), ["unchanged"]);
    assert_eq!(again["bytes_downloaded"], 0);
    let warnings = items(&again["warnings"]);
    assert!(
        warnings.iter().any(|warning| text_of(warning).starts_with("used the complete KB5086672")),
        "{again:#}"
    );

    // The set of the other architecture is incomplete, so the run fails: the warning does not replace the failure.
    let other = bench.replay(&demo, &["fetch", "KB5086672", "--arch", "x64"]).exits(6);
    assert_eq!(other.error().0, "not_recorded");
    let all = bench.replay(&demo, &["fetch", "KB5086672"]).exits(6);
    assert_eq!(all.error().0, "not_recorded");
}

#[test]
fn first_command_of_the_readme_works_as_a_process() {
    let bench = Bench::new();
    let demo = recording("demo");
    let output = bench.run_program(&[&["--replay", demo.as_str()], &FETCH_ARM64[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
    assert!(place(CHECKPOINT_ARM64) < place(TARGET_ARM64), "{text}");
    assert!(place("checkpoint") < place("target"), "{text}");
    assert!(
        text.contains("name sha1 sha256 size") && text.contains("1 published, 0 unchanged, 0 failed"),
        "{text}"
    );

    let kb = bench.mirror().join("kb/KB5086672");
    if let Some(checked) = run_judge("sha256sum", &["-c", "--strict", "SHA256SUMS"], kb.as_std_path()) {
        assert!(checked.status.success(), "{checked:?}");
        assert_eq!(String::from_utf8(checked.stdout).unwrap().matches(": OK").count(), 2);
    }
    let query_rows = |query: &str| {
        let output = run_judge("sqlite3", &["mirror.db", query], bench.mirror().as_std_path())?;
        assert!(output.status.success(), "{output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    };
    if let Some(needs) =
        query_rows("SELECT kb, architecture, name, role, needs_kb, needs_name, source FROM v_needs")
    {
        let edge = format!("KB5086672|arm64|{TARGET_ARM64}|checkpoint|KB5043080|{CHECKPOINT_ARM64}|dialog\n");
        assert_eq!(needs, edge);
    }
    if let Some(edges) = query_rows("SELECT newer_title, older_title, source FROM v_supersedes ORDER BY 1, 2")
    {
        let edge = "2026-03 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5086672) (26100.8117)\
                    |2024-09 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5043080)|details page";
        assert!(edges.lines().any(|line| line == edge), "{edges}");
    }
    if let Some(integrity) = query_rows("PRAGMA integrity_check; PRAGMA foreign_key_check;") {
        assert_eq!(integrity, "ok\n");
    }
}

#[test]
fn resolve_plans_by_the_baseline() {
    let bench = fetched();
    let resolve = |baseline: &[&str], code: u8| {
        bench.json(&[&["resolve", "KB5086672", "--arch", "arm64"], baseline].concat()).exits(code).json()
    };
    let steps = |plan: &Value| -> Vec<(String, String)> {
        items(&plan["steps"]).iter().map(|step| (text_of(&step["role"]), text_of(&step["name"]))).collect()
    };
    let both = [("checkpoint", CHECKPOINT_ARM64), ("target", TARGET_ARM64)];
    let both = both.map(|(role, name)| (role.to_owned(), name.to_owned()));

    let below = resolve(&["--baseline", "26100.863"], 0);
    assert_eq!(below["status"], "install");
    assert_eq!(steps(&below), both);
    assert_eq!((&below["steps"][0]["order"], &below["steps"][1]["order"]), (&json!(1), &json!(2)));
    assert_eq!((&below["missing_bytes"], &below["expected_build"]), (&json!(0), &json!("26100.8117")));
    for step in items(&below["steps"]) {
        assert_eq!((&step["present"], &step["needed_if"]), (&json!(true), &Value::Null));
        assert!(!items(&step["evidence"]).is_empty() && !text_of(&step["because"]).is_empty(), "{step:#}");
    }

    let at = resolve(&["--baseline", "26100.1742"], 0);
    assert_eq!(steps(&at), both[1..]);
    let past = resolve(&["--baseline", "26100.8037"], 0);
    assert_eq!(past["status"], "install");
    assert_eq!(steps(&past), both[1..]);
    // 25H2 belongs to the same family: its builds are compared by revision.
    let later_release = resolve(&["--baseline", "26200.8037"], 0);
    assert_eq!(steps(&later_release), both[1..]);
    assert_eq!(later_release["expected_build"], "26200.8117");

    let done = resolve(&["--baseline", "26100.8117"], 0);
    assert_eq!((&done["status"], &done["steps"]), (&json!("nothing_to_do"), &json!([])));
    let other = resolve(&["--baseline", "28000.1719"], 10);
    assert_eq!((&other["status"], &other["steps"]), (&json!("not_applicable"), &json!([])));
    assert!(text_of(&other["advice"]).contains("26H1"), "{other:#}");
    let unknown = resolve(&["--baseline", "31000.1"], 10);
    assert_eq!(unknown["status"], "unknown");

    let without = resolve(&[], 0);
    assert_eq!(steps(&without), both);
    assert_eq!(without["steps"][0]["needed_if"], "build below 26100.1742, or features on demand");
}

#[test]
fn resolve_refuses_bad_arguments_and_reports_unknown_kbs() {
    let bench = fetched();
    let garbage = bench.json(&["resolve", "KB5086672", "--arch", "arm64", "--baseline", "garbage"]).exits(2);
    assert_eq!(garbage.error().0, "usage");
    let unknown = bench.json(&["resolve", "KB1234567", "--arch", "arm64"]).exits(3);
    let message = "neither the index nor the knowledge has an entry for KB1234567";
    assert_eq!(unknown.error(), failure("not_found", message));
    // x64 was not fetched, so the index has its updates without files. The built-in knowledge answers, and a warning
    // says so.
    let other = bench.json(&["resolve", "KB5086672", "--arch", "x64"]).exits(0).json();
    assert_eq!(field_texts(&other["steps"], "role"), ["checkpoint", "target"]);
    let warning = "the index has no entry of KB5086672: used knowledge of 2026-10-05 only";
    assert_eq!(other["warnings"], json!([warning]));
    let x86 = bench.json(&["resolve", "KB5086672", "--arch", "x86"]).exits(10).json();
    assert_eq!(x86["status"], "not_applicable");
    let plain = bench.run(&["resolve", "KB5086672", "--arch", "arm64", "--baseline", "26100.863"]).exits(0);
    let first = plain.stdout.lines().next();
    assert_eq!(first, Some("KB5086672 (arm64) at build 26100.863: install 2 files, in this order"));
}

#[test]
fn each_architecture_is_a_separate_set() {
    let bench = Bench::new();
    let document = bench.replay(&recording("demo"), &["fetch", "KB5086672"]).exits(0).json();
    assert_eq!(
        field_texts(&document["sets"], "folder"),
        ["kb/KB5086672/windows-11-24h2-arm64", "kb/KB5086672/windows-11-24h2-x64"]
    );
    for set in items(&document["sets"]) {
        assert_eq!(set["status"], "published");
        assert_eq!(field_texts(&set["files"], "role"), ["checkpoint", "target"]);
        assert_eq!(field_texts(&set["files"], "architecture"), vec![text_of(&set["architecture"]); 2]);
    }
    let ambiguous = bench.json(&["resolve", "KB5086672"]).exits(10).json();
    assert_eq!(ambiguous["status"], "ambiguous");
    assert_eq!(field_texts(&ambiguous["choices"], "architecture"), ["arm64", "x64"]);
    let sums = fs::read_to_string(bench.mirror().join("kb/KB5086672/SHA256SUMS")).unwrap();
    assert_eq!(sums.lines().count(), 4);

    // Fetching another architecture does not change the set that exists already.
    let bench = fetched();
    let before = file_stamp(&bench.set_folder("KB5086672", "windows-11-24h2-arm64"));
    let more = bench.replay(&recording("demo"), &["fetch", "KB5086672"]).exits(0).json();
    assert_eq!(field_texts(&more["sets"], "status"), ["unchanged", "published"]);
    assert_eq!(file_stamp(&bench.set_folder("KB5086672", "windows-11-24h2-arm64")), before);
}

#[test]
fn a_dotnet_parent_has_children_of_other_kbs() {
    let bench = Bench::new();
    let document = bench.replay(&recording("demo"), &["fetch", "KB5050182"]).exits(0).json();
    let set = &document["sets"][0];
    assert_eq!(set["folder"], "kb/KB5050182/server-2019-x64");
    assert_eq!(field_texts(&set["files"], "role"), ["dotnet_child", "dotnet_child"]);
    assert_eq!(field_texts(&set["files"], "kb"), ["KB5049608", "KB5049615"]);
    assert_eq!(names_in(&bench.set_folder("KB5050182", "server-2019-x64")).len(), 2);
    let plan = bench.json(&["resolve", "KB5050182"]).exits(0).json();
    assert_eq!(field_texts(&plan["steps"], "role"), ["dotnet_child", "dotnet_child"]);
    assert!(items(&plan["steps"]).iter().all(|step| step["needed_if"].is_string()), "{plan:#}");
}

#[test]
fn dynamic_update_is_left_out_unless_requested() {
    let bench = Bench::new();
    let demo = recording("demo");
    let document = bench.replay(&demo, &["fetch", "KB5030211"]).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "folder"), ["kb/KB5030211/windows-10-22h2-x64"]);
    assert_eq!(
        document["left_out"],
        json!([{
            "kb": "KB5030211",
            "folder": "windows-10-22h2-x64-dynamic",
            "folder_name": "windows-10-22h2-x64-dynamic",
            "reason": "dynamic",
            "left_out_by": "dynamic",
        }])
    );
    assert!(!bench.set_folder("KB5030211", "windows-10-22h2-x64-dynamic").exists());
    let ran = bench.run(&["--replay", demo.as_str(), "fetch", "KB5030211"]).exits(0);
    let left_out = "left out: KB5030211 windows-10-22h2-x64-dynamic \
         (a copy for Windows Setup; --kind dynamic_cu fetches it)";
    assert!(ran.stdout.lines().any(|line| line == left_out), "{}", ran.stdout);

    let requests = bench.replay(&demo, &["fetch", "KB5030211", "--kind", "dynamic_cu"]).exits(0).json();
    assert_eq!(field_texts(&requests["sets"], "folder"), ["kb/KB5030211/windows-10-22h2-x64-dynamic"]);
    assert_eq!(field_texts(&requests["sets"], "status"), ["published"]);
    let names = names_in(&bench.set_folder("KB5030211", "windows-10-22h2-x64-dynamic"));
    assert_eq!(names, ["windows10.0-kb5030211-x64_b5867421e0f15512296b451b17f03b17f3fe1e4b.cab"]);
    assert!(bench.set_folder("KB5030211", "windows-10-22h2-x64").exists());
}

#[test]
fn client_and_server_of_1607_share_a_set() {
    let bench = Bench::new();
    let document = bench.replay(&recording("demo"), &["fetch", "KB5094122"]).exits(0).json();
    // The servicing stack is a separate package. It is fetched too, under its own KB.
    assert_eq!(field_texts(&document["sets"], "kb"), ["KB5094122", "KB5094141"]);
    assert_eq!(field_texts(&document["sets"], "status"), ["published", "published"]);
    assert_eq!(document["sets"][0]["needed_by"], json!([]));
    assert_eq!(document["sets"][1]["needed_by"], json!(["KB5094122"]));
    assert_eq!(names_in(&bench.mirror().join("kb/KB5094141/windows-10-1607-x64")).len(), 1);
    let set = &document["sets"][0];
    assert_eq!(set["products"], json!(["Windows 10, version 1607", "Windows Server 2016"]));
    assert_eq!(field_texts(&set["files"], "role"), ["target"]);
    assert_eq!(names_in(&bench.mirror().join("kb/KB5094122/windows-10-1607-x64")).len(), 1);
}

#[test]
fn no_closure_omits_the_stack_and_missing_floors_are_reported() {
    let bench = Bench::new();
    let alone = bench.replay(&recording("demo"), &["fetch", "KB5094122", "--no-closure"]).exits(0).json();
    assert_eq!(field_texts(&alone["sets"], "kb"), ["KB5094122"]);
    let floor = bench.replay(&recording("demo"), &["fetch", "KB5030211"]).exits(0).json();
    let warnings: Vec<String> = items(&floor["warnings"]).iter().map(text_of).collect();
    assert!(warnings.iter().any(|text| text.contains("KB5005260, which some machines need")), "{warnings:?}");
}

#[test]
fn dry_run_prints_the_plan_and_downloads_nothing() {
    let bench = Bench::new();
    let demo = recording("demo");
    let document = bench.replay(&demo, &["fetch", "KB5086672", "--dry-run"]).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["planned", "planned"]);
    assert_eq!(document["bytes_downloaded"], 0);
    for file in items(&document["sets"]).iter().flat_map(|set| items(&set["files"])) {
        assert_eq!((&file["present"], &file["path"]), (&json!(false), &Value::Null));
    }
    let ran = bench.run(&["--replay", demo.as_str(), "fetch", "KB5086672", "--dry-run"]).exits(0);
    assert!(ran.stdout.contains("2 package sets, 4 files to download"), "{}", ran.stdout);
    assert!(!bench.mirror().exists(), "a dry run must not create files");
    bench.json(&["list"]).exits(3);
}

#[test]
fn list_show_and_search_print_json_documents() {
    let bench = fetched();
    let list = bench.json(&["list"]).exits(0).json();
    assert_eq!(field_texts(&list["sets"], "status"), ["published"]);
    assert_eq!(field_texts(&list["sets"], "folder"), ["kb/KB5086672/windows-11-24h2-arm64"]);
    assert_eq!(field_texts(&list["sets"][0]["files"], "name"), [CHECKPOINT_ARM64, TARGET_ARM64]);

    let show = bench.json(&["show", "KB5086672"]).exits(0).json();
    assert_eq!(show["kb"], "KB5086672");
    assert_eq!(items(&show["updates"]).len(), 4);
    assert_eq!(field_texts(&show["sets"], "status"), ["published"]);
    let arm64 = items(&show["updates"])
        .iter()
        .find(|update| update["release"] == "24H2" && update["architecture"] == "arm64")
        .unwrap();
    assert_eq!(items(&arm64["files"]).len(), 2);
    assert_eq!(items(&arm64["supersedes"]).len(), 5);
    let other = items(&show["updates"]).iter().find(|update| update["architecture"] == "x64").unwrap();
    assert_eq!(other["files"], Value::Null, "files that were never queried are null, not an empty list");

    let id = text_of(&arm64["update_id"]);
    let one = bench.json(&["show", &id]).exits(0).json();
    assert_eq!(field_texts(&one["updates"], "update_id"), [id]);
    bench.json(&["show", "00000000-0000-4000-8000-000000000000"]).exits(3);
    bench.json(&["show", "KB1234567"]).exits(3);
    for command in [&["list"][..], &["show", "KB5086672"]] {
        let plain = bench.run(command).exits(0);
        assert!(plain.stdout.contains("windows-11-24h2-arm64"), "{}", plain.stdout);
    }

    let empty = Bench::new();
    let demo = recording("demo");
    let search = empty.replay(&demo, &["search", "KB5086672", "--arch", "arm64"]).exits(0).json();
    assert_eq!((&search["query"], &search["total"]), (&json!("KB5086672"), &json!(4)));
    assert_eq!(field_texts(&search["updates"], "release"), ["24H2", "25H2"]);
    assert_eq!(field_texts(&search["updates"], "kind"), ["lcu", "lcu"]);
    assert_eq!(field_texts(&search["updates"], "build"), ["26100.8117", "26200.8117"]);
    assert!(!empty.mirror().exists(), "a search must not write to the mirror");
}

#[test]
fn content_of_another_origin_is_refused() {
    let bench = fetched();
    let everything = || {
        let mut files = read_tree(&bench.mirror());
        // The index is compared by its rows, because readers may leave SQLite's side files.
        files.retain(|path, _| !path.starts_with("mirror.db"));
        (files, bench.dump_index(|_| false), bench.rows("SELECT * FROM runs"))
    };
    let before = everything();
    for origin in [&["--catalog-url", "http://127.0.0.1:1"][..], &[]] {
        for command in [&["fetch", "KB5086672"][..], &["crawl", "KB5086672"]] {
            let refused = bench.json(&[&["--verbose"], origin, command].concat()).exits(2);
            let (kind, message) = refused.error();
            assert_eq!(kind, "usage");
            assert!(message.contains("holds content from a recording"), "{message}");
            assert!(!refused.stderr.contains("request"), "a request was sent: {}", refused.stderr);
            assert_eq!(everything(), before);
        }
    }
}

#[test]
fn a_recorded_run_is_replayed_with_the_same_answers() {
    let loopback = Loopback::from_recording(recording("demo").as_std_path());
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host];
    let commands: [(&[&str], u8); 4] = [
        (&["search", "KB5086672"], 0),
        (&["crawl", "KB5086672", "KB5094141"], 0),
        (&["fetch", "KB5086672", "KB5050182"], 0),
        (&["fetch", "KB9999999"], 3),
    ];
    for (command, code) in commands {
        let (live, again) = (Bench::new(), Bench::new());
        let kept = live.path("kept");
        let with = |option: &'static str| [&network[..], &[option, kept.as_str()], command].concat();
        let recorded = live.json(&with("--record")).exits(code);
        let requests = loopback.requests().len();
        let replayed = again.json(&with("--replay")).exits(code);
        assert_eq!(loopback.requests().len(), requests, "a replay must not send requests");
        assert_eq!(replayed.json(), recorded.json(), "{command:?}");
        let published = |bench: &Bench| names_in(&bench.mirror().join("kb"));
        assert_eq!(published(&again), published(&live));

        let twice = live.json(&with("--record")).exits(2);
        assert_eq!(twice.error(), failure("usage", format!("{kept} already contains a recording")));
        assert_eq!(loopback.requests().len(), requests);
    }
}
