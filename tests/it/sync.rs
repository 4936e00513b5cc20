//! The complete sequence on the demo: a configuration, a run, its results, and a second run without news.
#![expect(clippy::disallowed_methods, reason = "mirrors are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::air_gap::{create_keys, export, file_digests, import};
use super::harness::{
    Bench, RunOutput, failure, field_texts, file_stamp, items, names_in, read_tree, recording, run_judge,
    text_of,
};

const SYNC: [&str; 3] = ["sync", "--as-of", "2026-03-31"];

fn sync(bench: &Bench) -> RunOutput {
    bench.replay(&recording("demo"), &SYNC)
}

/// Reads a file of the mirror as JSON.
fn document(bench: &Bench, path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(bench.mirror().join(path)).unwrap()).unwrap()
}

/// Returns a mirror with both architectures of 24H2 as of the end of March 2026.
fn synced() -> Bench {
    synced_on(Bench::new())
}

fn synced_on(bench: Bench) -> Bench {
    bench.json(&["init", "--arch", "x64", "--arch", "arm64"]).exits(0);
    sync(&bench).exits(0);
    bench
}

#[test]
fn init_sync_and_a_second_sync_without_news() {
    let bench = Bench::new();
    let made = bench.json(&["init", "--product", "Windows 11 25H2", "--arch", "arm64"]).exits(0).json();
    assert_eq!((&made["family"], &made["architectures"]), (&json!("windows-11-24h2"), &json!(["arm64"])));
    assert_eq!(names_in(&bench.mirror()), ["kbmirror.toml"]);
    let written = fs::read(bench.mirror().join("kbmirror.toml")).unwrap();
    assert_eq!(bench.json(&["init"]).exits(2).error().0, "usage");
    assert_eq!(fs::read(bench.mirror().join("kbmirror.toml")).unwrap(), written);

    let first = sync(&bench).exits(0).json();
    assert_eq!(field_texts(&first["found"], "kb"), ["KB5086672", "KB5085516"]);
    assert_eq!(field_texts(&first["sets"], "status"), ["published"; 2]);
    assert_eq!(
        field_texts(&first["sets"], "folder"),
        ["kb/KB5086672/windows-11-24h2-arm64", "kb/KB5085516/windows-11-24h2-arm64"]
    );
    assert_eq!((&first["expected"], &first["outside"]), (&json!([]), &json!([])));
    assert_eq!(items(&first["searches"]).len(), 9);
    let news = &first["news"];
    assert_eq!(field_texts(&news["new"], "kb"), ["KB5086672", "KB5085516"]);
    assert_eq!(news["new"][1]["replaces"], json!(["KB5043080", "KB5079473"]));
    assert_eq!(document(&bench, "runs/2026-11-23T080000Z-sync.json"), first);
    assert_eq!(document(&bench, "runs/2026-11-23T080000Z-news.json"), *news);

    let state = || (read_tree(&bench.mirror().join("kb")), read_tree(&bench.mirror().join("pool")));
    let (before, set) = (state(), bench.set_folder("KB5086672", "windows-11-24h2-arm64"));
    let beside = |name: &str| file_stamp(&bench.mirror().join("kb/KB5086672").join(name));
    let stamps = || [file_stamp(&set), beside("SHA256SUMS"), beside("KB5086672.json"), beside("README.txt")];
    let stamps_before = stamps();
    bench.clock.advance(Duration::from_hours(24));
    let second = sync(&bench).exits(0).json();
    assert_eq!(field_texts(&second["sets"], "status"), ["unchanged"; 2]);
    assert_eq!((&second["bytes_downloaded"], &second["news"]["new"]), (&json!(0), &json!([])));
    assert_eq!((state(), stamps()), (before, stamps_before));
    let runs = names_in(&bench.mirror().join("runs"));
    assert_eq!(runs.iter().filter(|name| name.ends_with("-news.json")).count(), 1, "{runs:?}");

    let health = document(&bench, "health.json");
    assert_eq!((&health["format"], &health["last_exit_code"]), (&json!(1), &json!(0)));
    assert_eq!(health["last_success"], "2026-11-24T08:00:00Z");
    assert_eq!(health["newest_content"], "2026-03-31");
    assert!(health["bytes_free"].is_u64(), "{health:#}");
}

#[test]
fn a_dry_run_of_sync_prints_the_plan_and_downloads_nothing() {
    let bench = Bench::new();
    bench.json(&["init"]).exits(0);
    let dry_run = bench.replay(&recording("demo"), &[&SYNC[..], &["--dry-run"]].concat()).exits(0).json();
    assert_eq!(field_texts(&dry_run["sets"], "status"), ["planned"; 2]);
    assert_eq!(dry_run["planned"]["files"], 3);
    for name in ["kb", "pool", "runs", "health.json"] {
        assert!(!bench.mirror().join(name).exists(), "{name}");
    }
    let real = sync(&bench).exits(0).json();
    assert_eq!(field_texts(&real["sets"], "folder"), field_texts(&dry_run["sets"], "folder"));
    // The checkpoint is in both sets, and its own size is unknown before the download.
    assert!(real["bytes_downloaded"].as_u64() < dry_run["planned"]["bytes_at_most"].as_u64(), "{dry_run:#}");
}

#[test]
fn a_budget_stops_before_a_set_and_the_next_run_continues() {
    let bench = Bench::new();
    bench.json(&["init"]).exits(0);
    let with_budget =
        |budget: &str| bench.replay(&recording("demo"), &[&SYNC[..], &["--max-bytes", budget]].concat());
    let none = with_budget("1000").exits(13).json();
    assert_eq!((&none["sets"], &none["bytes_downloaded"]), (&json!([]), &json!(0)));
    assert_eq!(
        none["failures"]["budget"][0]["message"],
        "KB5086672 windows-11-24h2-x64 takes 63.1 KB, but only 1000 B of the budget are left"
    );
    let first = with_budget("70K").exits(13).json();
    assert_eq!(field_texts(&first["sets"], "kb"), ["KB5086672"]);
    assert!(first["bytes_downloaded"].as_u64().unwrap() <= 70 * 1024);
    bench.clock.advance(Duration::from_hours(1));
    let complaint = bench.json(&["status"]).exits(10).json();
    assert_eq!(complaint["complaints"][0], "the last sync stopped at its budget (exit code 13)");
    assert_eq!((&complaint["health"]["items_failed"], &first["news"]["failed"]), (&json!(0), &json!([])));
    let rest = with_budget("70K").exits(0).json();
    assert_eq!(field_texts(&rest["sets"], "status"), ["unchanged", "published"]);
    // `fetch` supports budgets too.
    let other = Bench::new();
    let fetched =
        other.replay(&recording("demo"), &["fetch", "KB5086672", "--max-bytes", "70K"]).exits(13).json();
    assert_eq!(
        (field_texts(&fetched["sets"], "status"), items(&fetched["failures"]).len()),
        (vec!["published".to_owned()], 1)
    );
}

#[test]
fn status_reports_age_and_failures_by_its_exit_code() {
    let bench = Bench::new();
    assert_eq!(bench.json(&["status"]).exits(3).error().0, "not_found");
    bench.json(&["init"]).exits(0);
    let never = bench.json(&["status"]).exits(10).json();
    assert_eq!((&never["health"], &never["sets"]), (&Value::Null, &json!(0)));

    // On this day the knowledge has the newest release, so no family is stale.
    let bench = synced_on(Bench::starting_at("2026-10-06T08:00:00Z"));
    let fine = bench.json(&["status"]).exits(0).json();
    assert_eq!((&fine["current"], &fine["sets"], &fine["kbs"]), (&json!(true), &json!(4), &json!(2)));
    bench.clock.advance(Duration::from_hours(9 * 24));
    let old = bench.json(&["status"]).exits(10).json();
    let complaint = "the last complete sync is 9 days old, but the maximum is 8 days; \
         the sync used 2026-03-31 as today";
    assert_eq!(old["complaints"], json!([complaint]));
    bench.json(&["status", "--max-age", "10d"]).exits(0);
    let text = bench.run(&["status", "--max-age", "10d"]).exits(0).stdout;
    assert!(text.contains("4 package sets of 2 KBs") && text.contains("2026-10-06T08:00:00Z"), "{text}");
    let news = bench.run(&["status", "--news"]).exits(0).stdout;
    insta::assert_snapshot!(news, @r"
    news of 2026-10-06T08:00:00Z
    Windows 11, version 24H2
      KB5085516 of 2026-03 (arm64, 49.1 KB): new
        replaces KB5043080, KB5079473
      KB5085516 of 2026-03 (x64, 50.1 KB): new
        replaces KB5043080, KB5079473
    Windows 11, version 24H2; Windows 11, version 25H2
      KB5086672 of 2026-03 (arm64, 60.1 KB): new
        replaces KB5043080, KB5046617, KB5051987, KB5066835, KB5079473, KB5085516
      KB5086672 of 2026-03 (x64, 63.1 KB): new
        replaces KB5043080, KB5046617, KB5051987, KB5066835, KB5079473, KB5085516
    ");

    // A run in which the Catalog does not answer.
    let silent = bench.path("silent");
    fs::create_dir_all(&silent).unwrap();
    fs::write(
        silent.join("index.jsonl"),
        "{\"format\":1,\"recording\":\"nothing\",\"provenance\":\"reconstructed\"}\n",
    )
    .unwrap();
    bench.replay(&silent, &SYNC).exits(6);
    let failed = bench.json(&["status"]).exits(10).json();
    assert_eq!(failed["complaints"], json!(["the last sync ended with exit code 6", complaint]));
    assert_eq!(
        failed["health"]["last_success"], "2026-10-06T08:00:00Z",
        "a failed run must not count as success"
    );
    // A damaged file is reported, and the next run replaces it.
    let health = bench.mirror().join("health.json");
    fs::write(&health, "{").unwrap();
    let damaged = format!("{health} is damaged: EOF while parsing an object at line 1 column 1");
    assert_eq!(bench.json(&["status"]).exits(5).error(), failure("integrity", damaged));
    sync(&bench).exits(0);
    bench.json(&["status"]).exits(0);
    fs::write(&health, "{\"format\": 9}").unwrap();
    let newer = format!("{health} has format 9; this program reads formats up to 1");
    assert_eq!(bench.json(&["status"]).exits(2).error(), failure("usage", newer));
    // A mirror filled by hand has no schedule.
    let other = Bench::starting_at("2026-10-06T08:00:00Z");
    other.replay(&recording("demo"), &["fetch", "KB5086672", "--arch", "arm64"]).exits(0);
    other.json(&["status"]).exits(0);
}

#[test]
fn configured_kbs_and_sets_outside_the_window_are_kept() {
    let bench = synced();
    let config = "format = 1\nkbs = ['KB5094122', 'KB5030211']\narchitectures = ['x64']\n\
        [[profile]]\nname = 'a'\nfamily = 'windows-11-24h2'\narchitectures = ['arm64']\nmonths = 0\n";
    bench.configure(config);
    bench.clock.advance(Duration::from_hours(1));
    // March is outside the window of April. The recording has nothing of April, and each version reports a failure.
    let later = bench.replay(&recording("demo"), &["sync", "--as-of", "2026-04-20"]).exits(4).json();
    let kbs = field_texts(&later["sets"], "kb");
    for kb in ["KB5094122", "KB5030211", "KB5094141"] {
        assert!(kbs.contains(&kb.to_owned()), "{kb} in {kbs:?}");
    }
    // The servicing stack is fetched under its own KB, with the KB that needs it.
    let stack = items(&later["sets"]).iter().find(|set| set["kb"] == "KB5094141").unwrap();
    assert_eq!(stack["needed_by"], json!(["KB5094122"]));
    assert_eq!(items(&later["failures"]["not_recorded"]).len(), 3, "{later:#}");
    assert_eq!(
        field_texts(&later["outside"], "folder"),
        ["kb/KB5085516/windows-11-24h2-arm64", "kb/KB5086672/windows-11-24h2-arm64"]
    );
    assert!(bench.set_folder("KB5086672", "windows-11-24h2-arm64").exists(), "kept");
    assert_eq!(later["expected"], json!([]), "after a failed query no update counts as overdue");
}

#[test]
fn configuration_errors_are_reported_with_their_line() {
    let bench = Bench::new();
    assert_eq!(sync(&bench).exits(2).error().0, "usage");
    let profile = "[[profile]]\nname = 'a'\nfamily = 'windows-11-24h2'\n";
    for (text, words) in [
        ("format = 1\n".to_owned(), &["has no profile and no KB"][..]),
        (format!("format = 1\n{profile}polciy = 'oob'\n"), &["line 5", "polciy", "policy"]),
        (format!("format = 1\n{profile}policy = 'all'\n"), &["line 5", "all", "security, oob, preview"]),
        ("format = 9\n".to_owned(), &["line 1", "format 1"]),
        ("format = 1\nkbs = [5086672]\n".to_owned(), &["line 2", "kbs"]),
    ] {
        bench.configure(&text);
        let (kind, message) = sync(&bench).exits(2).error();
        assert_eq!(kind, "usage");
        for word in words.iter().chain(&["kbmirror.toml"]) {
            assert!(message.contains(word), "{word} in {message}");
        }
    }
    // The options apply to every command, so an invalid file stops every command.
    bench.configure("format = 1\nmirorr = 'x'\n");
    assert!(bench.json(&["list"]).exits(2).error().1.contains("mirorr"));
    let missing = bench.json(&["--config", "/nowhere/kbmirror.toml", "list"]).exits(2);
    assert!(missing.error().1.contains("/nowhere/kbmirror.toml"));
    assert_eq!(names_in(&bench.mirror()), ["kbmirror.toml"], "no file may be created");
}

#[test]
fn a_schedule_is_printed_with_absolute_paths() {
    let bench = Bench::new();
    assert_eq!(bench.json(&["schedule"]).exits(2).error().0, "usage");
    bench.json(&["init"]).exits(0);
    let before = read_tree(&bench.mirror());
    let units = bench.run_program(&["schedule", "--json"]);
    let units: Value = serde_json::from_slice(&units.stdout).unwrap();
    let folder = bench.path("units");
    fs::create_dir_all(&folder).unwrap();
    for file in items(&units["files"]) {
        fs::write(folder.join(text_of(&file["name"])), text_of(&file["text"])).unwrap();
    }
    assert_eq!(names_in(&folder), ["kbmirror.service", "kbmirror.timer"]);
    let names = ["./kbmirror.service", "./kbmirror.timer"];
    if let Some(verdict) =
        run_judge("systemd-analyze", &[&["verify"], &names[..]].concat(), folder.as_std_path())
    {
        assert!(verdict.status.success() && verdict.stderr.is_empty(), "{verdict:?}");
    }
    if let Some(days) = run_judge(
        "systemd-analyze",
        &["calendar", "--iterations=2", "--base-time=2026-11-23 00:00:00", "Wed *-*-09..15 06:00"],
        folder.as_std_path(),
    ) && days.status.success()
    {
        let days = String::from_utf8(days.stdout).unwrap();
        assert!(days.contains("2026-12-09") && days.contains("2027-01-13"), "{days}");
    }
    let mirror = bench.mirror();
    for (flag, words) in [("--cron", "17 3 * * *"), ("--windows-task", "<Command>")] {
        let text = String::from_utf8(bench.run_program(&["schedule", flag]).stdout).unwrap();
        assert!(text.contains(words) && text.contains(mirror.as_str()), "{text}");
        assert!(text.contains(env!("CARGO_BIN_EXE_kbmirror")), "{text}");
    }
    assert_eq!(read_tree(&bench.mirror()), before, "the mirror must not change");
}

#[test]
fn facts_learned_later_reach_the_isolated_side() {
    // The run for x64 mentions updates before their own entries are read. The fetch for arm64 changes the facts about
    // KBs that were published earlier.
    let connected_side = Bench::starting_at("2026-10-02T08:00:00Z");
    connected_side.json(&["init"]).exits(0);
    sync(&connected_side).exits(0);
    connected_side.clock.advance(Duration::from_hours(24));
    connected_side.replay(&recording("demo"), &["fetch", "KB5086672", "--arch", "arm64"]).exits(0);
    let root = create_keys(&connected_side);
    let medium = connected_side.path("stick");
    let documents = file_digests(&connected_side.mirror().join("kb"));
    export(&connected_side, &["--all"], &medium).exits(0);
    assert_eq!(
        file_digests(&connected_side.mirror().join("kb")),
        documents,
        "each run must update the documents of other KBs"
    );
    let isolated_side = Bench::starting_at("2026-10-09T08:00:00Z");
    isolated_side.json(&["keys", "trust", &root]).exits(0);
    import(&isolated_side, &medium).exits(0);
    assert_eq!(
        file_digests(&isolated_side.mirror().join("kb")),
        file_digests(&connected_side.mirror().join("kb"))
    );
    let status = isolated_side.json(&["status"]).exits(0).json();
    assert_eq!(
        (&status["imports"][0]["number"], &status["newest_content"]),
        (&json!(1), &json!("2026-03-31"))
    );
    isolated_side.run(&["verify"]).exits(0);
}

#[test]
fn a_clock_that_went_backwards_is_reported() {
    let bench = synced();
    let earlier = Bench::starting_at("2020-01-01T00:00:00Z");
    let demo = recording("demo");
    let words = [&["--json", "--replay", demo.as_str()][..], &SYNC].concat();
    let ran = earlier.run_on(&bench.mirror(), &words);
    let warning = "the clock went backwards: the time is 2020-01-01T00:00:00Z, but the last sync ended at \
         2026-11-23T08:00:00Z; ages and months are wrong";
    assert_eq!(ran.json()["warnings"], json!([warning]));
    bench.clock.advance(Duration::from_hours(24 * 365 * 8));
    assert_eq!(sync(&bench).json()["warnings"], json!([]));
}
