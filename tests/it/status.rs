//! Exit codes of `status` and the check that explains each of them, in situations made with a stepped clock.
#![expect(clippy::disallowed_methods, reason = "mirrors are changed as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::time::Duration;

use kbmirror::mirror::Lock;
use serde_json::Value;

use super::air_gap::{create_keys, export, import};
use super::harness::{Bench, RunOutput, copy_folder, failure, items, recording, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const CONFIG: &str = "format = 1\n[[profile]]\nname = 'arm'\nfamily = 'windows-11-24h2'\narchitectures = ['arm64']\nmonths = 1\n";
/// A time four days after the second Tuesday of November.
const NOVEMBER: &str = "2026-11-14T08:00:00Z";

fn days(count: u64) -> Duration {
    Duration::from_hours(count * 24)
}

fn package(kb: &str, content: &str) -> FileSpec {
    FileSpec::package(&format!("windows11.0-{}-arm64", kb.to_lowercase()), "msu", content)
}

/// Returns a Catalog with the checkpoint and one cumulative update.
fn world(kb: &str, month: &str, released: &str, build: &str) -> World {
    let checkpoint = package("KB5043080", "checkpoint");
    let first = "2024-09 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5043080)";
    let title = format!(
        "{month} Cumulative Update for Windows 11, version 24H2 for arm64-based Systems ({kb}) ({build})"
    );
    let update = UpdateSpec {
        last_updated: released.to_owned(),
        files: vec![package(kb, month), checkpoint.clone()],
        ..UpdateSpec::new(&id(2), &title)
    };
    World::new()
        .update(UpdateSpec { files: vec![checkpoint], ..UpdateSpec::new(&id(1), first) })
        .update(update)
}

fn catalog(kb: &str, month: &str, released: &str, build: &str) -> Loopback {
    Loopback::start(world(kb, month, released, build))
}

fn november_catalog() -> Loopback {
    catalog("KB5990011", "2026-11", "11/10/2026", "26100.20011")
}

fn sync_with(bench: &Bench, loopback: &Loopback, more: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network =
        ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--patience", "0", "sync"];
    bench.json(&[&network, more].concat())
}

/// Returns a bench with a complete mirror that was synced in November.
fn synced() -> Bench {
    let bench = Bench::starting_at(NOVEMBER);
    bench.configure(CONFIG);
    sync_with(&bench, &november_catalog(), &[]).exits(0);
    bench
}

/// Returns the names of the checks that report that the mirror is not current.
fn failed_checks(status: &Value) -> Vec<String> {
    let checks = status["checks"].as_object().unwrap();
    let is_failed = |check: &Value| check["verdict"] == "alarm" || check["verdict"] == "unknown";
    let names = checks.iter().filter(|(_, check)| is_failed(check)).map(|(name, check)| {
        assert!(!text_of(&check["reason"]).is_empty() && !text_of(&check["next"]).is_empty(), "{check:#}");
        name.clone()
    });
    names.collect()
}

#[track_caller]
fn expect_status(bench: &Bench, arguments: &[&str], expected: &[&str]) -> Value {
    let code = if expected.is_empty() { 0 } else { 10 };
    let status = bench.json(&[&["status"], arguments].concat()).exits(code).json();
    assert_eq!(failed_checks(&status), expected, "{:#}", status["checks"]);
    assert_eq!(status["current"], expected.is_empty());
    assert_eq!(items(&status["complaints"]).len(), expected.len());
    // The text output has the same verdict, with the reason and the next step.
    let text = bench.run(&[&["status"], arguments].concat()).exits(code).stdout;
    assert_eq!(text.matches("not current: ").count(), expected.len().min(1), "{text}");
    assert_eq!(text.matches("next:").count(), expected.len(), "{text}");
    status
}

#[test]
fn a_mirror_is_current_until_its_last_sync_is_too_old() {
    let bench = synced();
    expect_status(&bench, &[], &[]);
    bench.clock.advance(days(8));
    expect_status(&bench, &[], &[]);
    bench.clock.advance(Duration::from_mins(1));
    expect_status(&bench, &[], &["update_age"]);
    expect_status(&bench, &["--max-age", "9d"], &[]);
    // The precedence is: option, environment variable, configuration, default.
    bench.configure(&format!("{CONFIG}[monitor]\nmax_age = '20d'\n"));
    expect_status(&bench, &[], &[]);
    expect_status(&bench, &["--max-age", "190h"], &["update_age"]);
    let mut bench = bench;
    bench.env.insert("KBMIRROR_MAX_AGE".to_owned(), "2h".to_owned());
    expect_status(&bench, &[], &["update_age"]);
    expect_status(&bench, &["--max-age", "20d"], &[]);
}

#[test]
fn an_invalid_max_age_is_refused() {
    let bench = synced();
    for age in ["30", "0", "0d", "-1d", "1.5d", "d", "", "8 d", "9999999d", "99999999999999999999d", "1y"] {
        for command in [
            &["status", "--max-age"][..],
            &["resolve", "--latest", "--fail-if-older-than"],
            &["why", "--latest", "--fail-if-older-than"],
            &["script", "--latest", "--fail-if-older-than"],
            &["stage", "--latest", "--to", "x", "--fail-if-older-than"],
            &["lint", ".", "--fail-if-older-than"],
        ] {
            let stderr = bench.run(&[command, &[age]].concat()).exits(2).stderr;
            assert!(!age.is_empty() || stderr.contains("age"), "{stderr}");
        }
        bench.configure(&format!("{CONFIG}[monitor]\nmax_age = '{age}'\n"));
        let (kind, message) = bench.json(&["status"]).exits(2).error();
        assert!(kind == "usage" && message.contains("kbmirror.toml line"), "{message}");
        bench.configure(CONFIG);
    }
    let stderr = bench.run(&["status", "--max-age", "30"]).exits(2).stderr;
    let error = "error: invalid value '30' for '--max-age <AGE>': \"30\" is not an age such as 36h or 8d: \
         a unit is required (s, m, h, or d)";
    assert_eq!(stderr.lines().next(), Some(error));
    // Only the clock may decide the date here.
    for command in
        [&["status"][..], &["check-medium", "x"], &["import", "x"], &["export", "--all", "--to", "x"]]
    {
        bench.run(&[command, &["--as-of", "2026-01-01"]].concat()).exits(2);
    }
}

#[test]
fn a_failed_sync_is_reported_until_a_sync_is_complete() {
    let bench = synced();
    let loopback = november_catalog();
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    drop(loopback);
    let network = ["--catalog-url", &url, "--allow-host", &host, "--patience", "0", "sync"];
    bench.json(&network).exits(6);
    let status = expect_status(&bench, &[], &["last_run"]);
    assert_eq!(status["checks"]["last_run"]["exit_code"], 6);
    assert_eq!(
        status["checks"]["update_age"]["verdict"], "ok",
        "the sync before the failed one was complete"
    );
    // The index records the failure too.
    fs::remove_file(bench.mirror().join("health.json")).unwrap();
    let status = expect_status(&bench, &[], &["last_run"]);
    assert_eq!(status["checks"]["last_run"]["exit_code"], 6);
    bench.clock.advance(days(9));
    expect_status(&bench, &[], &["last_run", "update_age"]);
}

#[test]
fn a_mirror_without_content_is_not_current() {
    // A missing mirror is a different error.
    let bench = Bench::starting_at(NOVEMBER);
    bench.json(&["status"]).exits(3);
    bench.configure(CONFIG);
    let status = expect_status(&bench, &[], &["update_age", "content"]);
    assert_eq!(status["checks"]["last_run"]["verdict"], "not_applicable");
    // A mirror filled by hand is as old as the last complete fetch.
    let by_hand = Bench::starting_at("2026-10-02T08:00:00Z");
    by_hand.replay(&recording("demo"), &["fetch", "KB5086672", "--arch", "arm64"]).exits(0);
    let status = expect_status(&by_hand, &[], &[]);
    assert_eq!(
        (&status["filled"], &status["checks"]["profiles"]["verdict"]),
        (&"by_hand".into(), &"not_applicable".into())
    );
    by_hand.clock.advance(days(9));
    expect_status(&by_hand, &[], &["update_age"]);
    // A crawl does not download files.
    let crawled = Bench::starting_at(NOVEMBER);
    crawled.replay(&recording("demo"), &["crawl", "KB5086672"]).exits(0);
    expect_status(&crawled, &[], &["update_age", "content"]);
}

#[test]
fn a_clock_that_is_behind_makes_the_status_unknown() {
    let bench = synced();
    for (now, expected) in [
        ("2026-11-14T00:00:00Z", &[][..]),
        ("2026-11-12T08:00:00Z", &["update_age", "clock"]),
        ("1970-01-01T00:00:10Z", &["update_age", "clock"]),
    ] {
        let behind = Bench::starting_at(now);
        copy_folder(&bench.mirror(), &behind.mirror());
        let status = expect_status(&behind, &["--max-age", "300d"], expected);
        if !expected.is_empty() {
            assert_eq!(status["checks"]["update_age"]["verdict"], "unknown");
            let last = "the clock is behind: the last sync has the time 2026-11-14T08:00:00Z";
            let reason = format!("{last}, but the clock shows {now}");
            assert_eq!(status["checks"]["clock"]["reason"], reason);
        }
    }
}

#[test]
fn lost_or_damaged_records_do_not_count_as_current() {
    let bench = synced();
    let health = bench.mirror().join("health.json");
    let text = fs::read_to_string(&health).unwrap();
    // If the file is missing, the index still has the run.
    fs::remove_file(&health).unwrap();
    let status = expect_status(&bench, &[], &[]);
    assert!(text_of(&status["checks"]["update_age"]["last_sync"]).starts_with("2026-11-14"), "{status:#}");
    bench.clock.advance(days(9));
    expect_status(&bench, &[], &["update_age"]);
    for (damaged, expected) in [
        (text.replace("\"last_success\": \"2026", "\"last_success\": \"soon 2026"), &["update_age"][..]),
        (text.replace("\"last_exit_code\": 0", "\"last_exit_code\": 5"), &["last_run", "update_age"]),
    ] {
        fs::write(&health, damaged).unwrap();
        expect_status(&bench, &[], expected);
    }
    fs::write(&health, "{").unwrap();
    let message = format!("{health} is damaged: EOF while parsing an object at line 1 column 1");
    assert_eq!(bench.json(&["status"]).exits(5).error(), failure("integrity", message));
    fs::write(&health, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    let message = format!("{health} has format 2; this program reads formats up to 1");
    assert_eq!(bench.json(&["status"]).exits(2).error(), failure("usage", message));
}

#[test]
fn status_works_while_another_process_holds_the_lock() {
    let bench = synced();
    let _held = Lock::acquire(&bench.mirror().join("lock"), "test").unwrap();
    expect_status(&bench, &[], &[]);
    // A run in progress is reported, and it does not change the verdict.
    let index = rusqlite::Connection::open(bench.mirror().join("mirror.db")).unwrap();
    index.execute("INSERT INTO runs (command, started) VALUES ('sync', 1794643200)", []).unwrap();
    let status = expect_status(&bench, &[], &[]);
    let check = &status["checks"]["last_run"];
    assert_eq!(check["unfinished_since"], "2026-11-14T08:00:00Z");
    assert_eq!(
        check["reason"],
        "the last sync was complete; a run that started at 2026-11-14T08:00:00Z has not ended or was killed"
    );
}

#[test]
fn damage_is_an_alarm_until_it_is_repaired() {
    let bench = synced();
    let file = super::harness::read_tree(&bench.mirror().join("kb/KB5990011"))
        .into_keys()
        .find(|path| path.contains("kb5990011-"))
        .unwrap();
    let path = bench.mirror().join("kb/KB5990011").join(&file);
    let original = fs::read(&path).unwrap();
    bench.json(&["verify"]).exits(0);
    expect_status(&bench, &[], &[]);
    // A truncated file is detected by its size, without reading its bytes.
    let cut = |length: usize| {
        fs::remove_file(&path).unwrap();
        fs::write(&path, &original[..length]).unwrap();
    };
    cut(original.len() - 1);
    expect_status(&bench, &[], &["damage"]);
    bench.json(&["verify"]).exits(5);
    let status = expect_status(&bench, &[], &["damage"]);
    assert!(text_of(&status["checks"]["damage"]["first"]).contains("kb5990011-"), "{status:#}");
    cut(original.len());
    bench.json(&["verify"]).exits(0);
    expect_status(&bench, &[], &[]);
    // A flipped bit is detected only by `verify`, and stays reported.
    let mut flipped = original.clone();
    flipped[0] ^= 1;
    fs::remove_file(&path).unwrap();
    fs::write(&path, flipped).unwrap();
    bench.json(&["verify"]).exits(5);
    expect_status(&bench, &[], &["damage"]);
}

#[test]
fn a_profile_without_matches_is_an_alarm_once_it_is_due() {
    // The Catalog has only October's update on the day after the second Tuesday of November.
    let october = || catalog("KB5990010", "2026-10", "10/13/2026", "26100.20010");
    let bench = Bench::starting_at("2026-11-11T08:00:00Z");
    bench.configure(CONFIG);
    sync_with(&bench, &october(), &[]).exits(0);
    let status = expect_status(&bench, &[], &[]);
    assert_eq!(status["checks"]["profiles"]["profiles"][0]["newest_month"], "2026-10");
    bench.clock.advance(days(2));
    let status = expect_status(&bench, &[], &["profiles"]);
    assert_eq!(
        status["checks"]["profiles"]["reason"],
        "profile arm matched no cumulative update of 2026-11 for Windows 11 24H2, 25H2, 26H2, which was due; \
         its newest month is 2026-10"
    );
    // The next run finds the update of November.
    sync_with(&bench, &november_catalog(), &[]).exits(0);
    expect_status(&bench, &[], &[]);
    // The family never has updates of this kind, so the profile never matches.
    bench.configure(&CONFIG.replace("months", "kinds = ['monthly_rollup']\nmonths"));
    sync_with(&bench, &november_catalog(), &[]).exits(0);
    expect_status(&bench, &[], &["profiles"]);
}

#[test]
fn a_stale_family_is_an_alarm_and_an_ended_family_is_reported() {
    let bench = synced();
    // Two Patch Tuesdays later, the mirror was synced and found no newer update.
    bench.clock.advance(days(63));
    let status = expect_status(&bench, &["--max-age", "90d"], &["releases"]);
    let family = &status["checks"]["releases"]["families"][0];
    assert_eq!((&family["family"], &family["patch_tuesdays_since"]), (&"windows-11-24h2".into(), &2.into()));
    assert_eq!(
        (&family["known_through"], &family["known_cumulative"]),
        (&"2026-11-10".into(), &"2026-11-10".into())
    );
    // Windows 11 22H2 and 23H2 ended for every edition on 2026-11-10.
    let title = "2026-08 Cumulative Update for Windows 11 Version 23H2 for arm64-based Systems (KB5120240)";
    let files = vec![FileSpec::package("windows11.0-kb5120240-arm64", "msu", "a package of an ended family")];
    let world = World::new().update(UpdateSpec {
        last_updated: "8/11/2026".to_owned(),
        files,
        ..UpdateSpec::new(&id(7), title)
    });
    let ended = Bench::starting_at("2026-12-30T08:00:00Z");
    super::air_gap::fetch_from(&ended, &Loopback::start(world), &["KB5120240"]).exits(0);
    let status = expect_status(&ended, &[], &[]);
    let check = &status["checks"]["releases"];
    assert_eq!(check["verdict"], "not_applicable");
    assert_eq!(check["reason"], "servicing of Windows 11 22H2, 23H2 ended on 2026-11-10");
    let text = ended.run(&["status"]).exits(0).stdout;
    assert_eq!(text.matches("2026-11-10").count(), 1, "the date must occur once:\n{text}");
}

#[test]
fn a_quarterly_courier_keeps_an_isolated_mirror_current() {
    let (connected, isolated) = (Bench::starting_at(NOVEMBER), Bench::starting_at(NOVEMBER));
    connected.configure(CONFIG);
    isolated.json(&["keys", "trust", &create_keys(&connected)]).exits(0);
    isolated.configure("format = 1\n[monitor]\nmax_age = '100d'\n");
    let loopback = november_catalog();
    let pass = |count: u64| {
        connected.clock.advance(days(count));
        isolated.clock.advance(days(count));
    };
    let deliver = |name: &str| {
        sync_with(&connected, &loopback, &[]).exits(0);
        let stick = connected.path(name);
        export(&connected, &["--all"], &stick).exits(0);
        import(&isolated, &stick).exits(0);
        let status = expect_status(&isolated, &[], &[]);
        assert_eq!(status["filled"], "by_import");
        assert_eq!(status["checks"]["last_run"]["verdict"], "not_applicable");
    };
    deliver("first");
    // Both checks stay good between deliveries, although Patch Tuesdays pass.
    pass(90);
    expect_status(&isolated, &[], &[]);
    expect_status(&isolated, &["--max-age", "30d"], &["update_age", "medium_age"]);
    loopback.replace(world("KB5990012", "2027-02", "2/9/2027", "26100.20012"));
    deliver("second");
    pass(90);
    expect_status(&isolated, &[], &[]);
    loopback.replace(world("KB5990013", "2027-05", "5/11/2027", "26100.20013"));
    deliver("third");
    // The courier is late. The advice must fit a side without a network.
    pass(101);
    let late = expect_status(&isolated, &[], &["update_age", "medium_age"]);
    for check in ["update_age", "medium_age"] {
        let text = late["checks"][check].to_string();
        assert!(!text.contains("kbmirror sync") && !text.contains("kbmirror fetch"), "{text}");
    }
    // The courier delivers updates that the connected side had long before.
    let stick = connected.path("late");
    export(&connected, &["--all"], &stick).exits(0);
    import(&isolated, &stick).exits(0);
    let behind = expect_status(&isolated, &[], &["releases"]);
    assert_eq!(behind["checks"]["releases"]["next"], "update the connected side before its next export");
}

#[test]
fn an_old_medium_stays_stale_after_its_import() {
    let connected = synced();
    let root = create_keys(&connected);
    let stick = connected.path("stick");
    export(&connected, &["--all"], &stick).exits(0);
    let isolated = Bench::starting_at("2026-12-01T08:00:00Z");
    isolated.json(&["keys", "trust", &root]).exits(0);
    import(&isolated, &stick).exits(0);
    let status = expect_status(&isolated, &[], &["medium_age"]);
    let check = &status["checks"]["medium_age"];
    assert_eq!((&check["number"], &check["age_seconds"]), (&1.into(), &(17 * 86_400).into()));
    assert_eq!(status["imports"][0]["imported"], "2026-12-01T08:00:00Z");
    expect_status(&isolated, &["--max-age", "18d"], &[]);
    // The clock of the isolated side is earlier than the time at which the medium was written.
    let behind = Bench::starting_at("2026-11-01T08:00:00Z");
    behind.json(&["keys", "trust", &root]).exits(0);
    import(&behind, &stick).exits(0);
    expect_status(&behind, &["--max-age", "90d"], &["medium_age", "clock"]);
}

#[test]
fn status_reads_the_records_of_mirrors_of_0_1() {
    let fixture = |name: &str, now: &str| {
        let bench = Bench::starting_at(now);
        let from = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0.1").join(name);
        copy_folder(&from, &bench.mirror());
        bench
    };
    // Both mirrors were written on 2026-11-30, with updates up to March and knowledge of 2026-10.
    for (name, now, expected) in [
        ("connected", "2026-11-30T02:00:00Z", &["releases"][..]),
        ("connected", "2026-12-09T02:00:00Z", &["update_age", "releases"]),
        ("isolated", "2026-11-30T02:00:00Z", &["releases"]),
        ("isolated", "2026-12-09T02:00:00Z", &["update_age", "medium_age", "releases"]),
        ("isolated", "2026-11-01T02:00:00Z", &["update_age", "medium_age", "clock"]),
    ] {
        let bench = fixture(name, now);
        let status = bench.json(&["status"]).exits(10).json();
        assert_eq!(failed_checks(&status), expected, "{name} {now}: {:#}", status["checks"]);
    }
}
