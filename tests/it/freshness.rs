//! Answers state how fresh they are. This depends on the clock, on `--as-of`, and on the releases in index and
//! knowledge.
#![expect(clippy::disallowed_methods, reason = "tests write request files directly")]

use std::fs;

use serde_json::{Value, json};

use super::air_gap::fetch_from;
use super::harness::{Bench, items, recording, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const X64: [&str; 4] = ["--arch", "x64", "--product", "windows-11-24h2"];

fn latest(bench: &Bench, more: &[&str]) -> super::harness::RunOutput {
    bench.json(&[&["resolve", "--latest"], &X64[..], more].concat())
}

/// Returns the warnings of an answer about Patch Tuesdays.
fn stale(answer: &Value) -> Vec<String> {
    let warnings = items(&answer["warnings"]).iter().map(text_of);
    warnings.filter(|text| text.contains("Patch Tuesday")).collect()
}

#[test]
fn latest_reports_how_many_patch_tuesdays_have_passed() {
    for (now, since) in [("2026-10-10", 0), ("2026-10-16", 1), ("2026-11-30", 2), ("2027-06-01", 8)] {
        let bench = Bench::starting_at(&format!("{now}T08:00:00Z"));
        let answer = latest(&bench, &[]).exits(0).json();
        assert_eq!((&answer["kb"], &answer["known_through"]), (&json!("KB5129195"), &json!("2026-09-29")));
        assert_eq!(answer["patch_tuesdays_since"], since, "{now}");
        assert_eq!(stale(&answer).len(), usize::from(since > 0), "{answer:#}");
        let plain = bench.run(&[&["resolve", "--latest"], &X64[..]].concat()).exits(0);
        let output = format!("{}{}", plain.stdout, plain.stderr);
        assert_eq!(output.matches("Patch Tuesday").count(), usize::from(since > 0), "{now}: {output}");
        // With `--as-of`, the clock does not matter.
        let other = Bench::starting_at("2026-10-06T00:00:00Z");
        let as_of = latest(&other, &["--as-of", now]).exits(0).json();
        assert_eq!(as_of["patch_tuesdays_since"], since, "{now}");
    }
}

#[test]
fn an_answer_older_than_the_limit_exits_10_in_every_command() {
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let folder = bench.path("set");
    fs::create_dir(&folder).unwrap();
    for name in [
        "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
        "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu",
    ] {
        fs::write(folder.join(name), name).unwrap();
    }
    let lint = ["lint", folder.as_str(), "--target", "KB5086672"];
    let resolve = [&["resolve", "KB5086672"], &X64[..]].concat();
    let why = [&["why", "--latest"], &X64[..]].concat();
    let script = [&["script", "KB5086672"], &X64[..]].concat();
    // The releases are known through 2026-09-29, which is 62 days ago.
    for command in [&resolve[..], &why, &script, &lint] {
        let plain = bench.json(command);
        let answer = plain.json();
        assert_eq!(answer["known_through"], "2026-09-29", "{answer:#}");
        assert_eq!(answer["patch_tuesdays_since"], 2, "{answer:#}");
        let with = |age: &str| bench.run(&[command, &["--fail-if-older-than", age]].concat());
        assert_eq!(with("62d").code, plain.code, "{command:?}");
        let old = with("61d").exits(10);
        assert!(old.stderr.contains("known through 2026-09-29, which is 62 days ago"), "{}", old.stderr);
    }
    // A refused `script` writes nothing.
    let to = bench.path("old.cmd");
    bench.run(&[&script[..], &["--to", to.as_str(), "--fail-if-older-than", "30d"]].concat()).exits(10);
    assert!(!to.exists());
    let printed = bench.run(&script).exits(0).stdout;
    assert!(printed.contains("rem Knowledge: 2026-10-05; releases known through 2026-09-29"), "{printed}");
    // With an earlier `--as-of`, the same facts are fresh.
    latest(&bench, &["--as-of", "2026-10-01", "--fail-if-older-than", "7d"]).exits(0);
    bench.run(&[&lint[..], &["--as-of", "2026-10-01", "--fail-if-older-than", "7d"]].concat());
}

#[test]
fn the_product_decides_if_client_and_server_share_a_set() {
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let resolve = |command: &str, product: &str, more: &[&str]| {
        let arguments = [command, "KB5046617", "--arch", "x64", "--product", product];
        bench.json(&[&arguments[..], more].concat())
    };
    // The client's newest release is of 2026-09-29, the server's of 2026-09-14.
    for (product, through, replaced_by) in
        [("server-2025", "2026-09-14", "KB5129235"), ("windows-11-24h2", "2026-09-29", "KB5129195")]
    {
        for command in ["resolve", "why", "script"] {
            let code = if product == "server-2025" { 10 } else { 0 };
            resolve(command, product, &["--fail-if-older-than", "70d"]).exits(code);
        }
        let answer = resolve("resolve", product, &[]).json();
        assert_eq!(answer["known_cumulative"], through, "{answer:#}");
        assert_eq!(answer["replaced_by"]["kb"], replaced_by, "{answer:#}");
        // The servicing dates are those of the product, too.
        let latest = ["resolve", "--latest", "--arch", "x64", "--product", product];
        assert_eq!(answer["servicing"], bench.json(&latest).json()["servicing"], "{answer:#}");
        let line = json!({"id": 1, "request": {"kb": "KB5046617", "product": product}, "baseline": {"architecture": "x64"}});
        let file = bench.path("line.jsonl");
        fs::write(&file, format!("{line}\n")).unwrap();
        let answer = bench.run(&["resolve", "--batch", file.as_str()]).exits(0).stdout;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let known = (&answer["known_cumulative"], &answer["replaced_by"]["kb"]);
        assert_eq!(known, (&json!(through), &json!(replaced_by)));
    }
}

#[test]
fn answers_of_a_batch_state_their_age() {
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let lines = [
        json!({"id": 1, "request": {"kb": "KB5086672"}, "baseline": {"architecture": "x64"}}),
        json!({"id": 2, "request": {"latest": true, "as_of": "2026-10-01", "product": "windows-11-24h2"}, "baseline": {"architecture": "x64"}}),
        json!({"id": 3, "request": {"kb": "KB5086672"}, "baseline": {"build": "99999.1"}}),
    ];
    let file = bench.path("lines.jsonl");
    fs::write(&file, lines.clone().map(|line| format!("{line}\n")).concat()).unwrap();
    let batch = |age: &[&str]| bench.run(&[&["resolve", "--batch", file.as_str()], age].concat());
    let answers: Vec<Value> =
        batch(&[]).exits(0).stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |key: &str| answers.iter().map(|answer| answer[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("known_through"), [json!("2026-09-29"), json!("2026-09-29"), Value::Null]);
    assert_eq!(of("patch_tuesdays_since"), [json!(2), json!(0), Value::Null]);
    // An unknown age counts as too old.
    let old = batch(&["--fail-if-older-than", "30d"]).exits(10);
    assert_eq!(old.stderr, "--fail-if-older-than: facts are older, or of unknown age, in 2 answers\n");
    batch(&["--fail-if-older-than", "100d"]).exits(10);
    // `--as-of` of the command line applies to lines without a day.
    let as_of = batch(&["--as-of", "2026-10-20"]).exits(0).stdout;
    let since = as_of
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["patch_tuesdays_since"].clone());
    assert_eq!(since.collect::<Vec<_>>(), [json!(1), json!(0), Value::Null]);
    fs::write(&file, format!("{}\n", lines[1])).unwrap();
    batch(&["--fail-if-older-than", "30d"]).exits(0);
}

#[test]
fn releases_in_the_index_count_only_for_their_kind() {
    let update = |number: u32, title: &str, kb: &str, day: &str| {
        let files = vec![FileSpec::package(&format!("windows11.0-{}-x64", kb.to_lowercase()), "msu", title)];
        UpdateSpec { last_updated: day.to_owned(), files, ..UpdateSpec::new(&id(number), title) }
    };
    let dotnet = "2026-11 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5990005)";
    let preview = "2026-10 Cumulative Update Preview for Windows 11, version 24H2 for x64-based Systems (KB5990006) (26100.9700)";
    let old = "2026-03 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5990007) (26100.8000)";
    let world = World::new()
        .update(update(1, dotnet, "KB5990005", "11/10/2026"))
        .update(update(2, preview, "KB5990006", "10/27/2026"))
        // Revised today, but released in March.
        .update(update(3, old, "KB5990007", "11/29/2026"));
    let loopback = Loopback::start(world);
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let crawl = |kb: &str| {
        let (url, host) = (loopback.catalog_url(), loopback.file_host());
        bench
            .json(&["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "crawl", kb])
            .exits(0);
        let answer = latest(&bench, &["--kind", "lcu"]).json();
        (answer["known_through"].clone(), answer["patch_tuesdays_since"].clone())
    };
    assert_eq!(crawl("KB5990007"), (json!("2026-09-29"), json!(2)));
    assert_eq!(crawl("KB5990006"), (json!("2026-10-27"), json!(1)));
    assert_eq!(crawl("KB5990005"), (json!("2026-11-10"), json!(1)));
    // The .NET update is of this month, and the newest cumulative update is of the last month.
    latest(&bench, &["--fail-if-older-than", "40d"]).exits(0);
    latest(&bench, &["--fail-if-older-than", "30d"]).exits(10);
}

#[test]
fn a_nothing_to_do_answer_reports_ended_servicing() {
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let resolve = |build: &str, edition: &[&str]| {
        let arguments = ["resolve", "KB5120240", "--arch", "x64", "--baseline", build];
        let answer = bench.json(&[&arguments[..], edition].concat()).exits(0).json();
        assert_eq!(answer["status"], "nothing_to_do");
        (answer["servicing"]["state"].clone(), answer["warnings"][2].clone())
    };
    let ended = |day: &str| {
        let warning = "the newest known cumulative update of Windows 11 22H2, 23H2 is of 2026-09-14: \
             2 Patch Tuesdays have passed since, and its servicing ended on";
        (json!("ended"), json!(format!("{warning} {day}")))
    };
    assert_eq!(resolve("22631.9999", &["--edition", "Enterprise"]), ended("2026-11-10"));
    assert_eq!(resolve("22631.9999", &[]), ended("2026-11-10"));
    assert_eq!(resolve("22621.9999", &["--edition", "Professional"]), ended("2024-10-08"));
    let later = Bench::starting_at("2026-11-01T08:00:00Z");
    let arguments = ["resolve", "KB5120240", "--arch", "x64", "--baseline", "22631.9999"];
    let partly = later.json(&arguments).exits(0).json();
    assert_eq!(partly["servicing"]["state"], "partly_ended");
    assert_eq!(
        partly["warnings"][3],
        "servicing of Windows 11 22H2, 23H2 has ended for 23H2 Home and Pro (2025-11-11)"
    );
}

#[test]
fn a_superseded_target_names_its_newest_replacement() {
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let resolve = |more: &[&str]| {
        let arguments = ["resolve", "KB5085516", "--arch", "arm64", "--baseline", "26100.863"];
        bench.json(&[&arguments[..], more].concat()).json()["replaced_by"].clone()
    };
    let by_knowledge = resolve(&[]);
    assert_eq!((&by_knowledge["kb"], &by_knowledge["present"]), (&json!("KB5129195"), &json!(false)));
    // At the end of March, the replacement is the out-of-band update of that day. The mirror fetches it.
    let march = ["--as-of", "2026-03-31"];
    assert_eq!((&resolve(&march)["kb"], &resolve(&march)["present"]), (&json!("KB5086672"), &json!(false)));
    bench.replay(&recording("demo"), &["fetch", "KB5086672", "--arch", "arm64"]).exits(0);
    assert_eq!((&resolve(&march)["kb"], &resolve(&march)["present"]), (&json!("KB5086672"), &json!(true)));
    let plain = bench.run(&["resolve", "KB5085516", "--arch", "arm64", "--as-of", "2026-03-31"]).stdout;
    assert!(plain.contains("replaced by: KB5086672 (in this mirror)"), "{plain}");
    // The newest one has no replacement.
    let newest = bench.json(&["resolve", "KB5129195", "--arch", "arm64"]).json();
    assert_eq!(newest["replaced_by"], Value::Null);
}

#[test]
fn replacements_stated_by_the_catalog_are_used() {
    let title = |month: &str, kb: &str| {
        format!("{month} Servicing Stack Update for Windows 10 Version 1607 for x64-based Systems ({kb})")
    };
    let stack = |number: u32, month: &str, kb: &str, day: &str| UpdateSpec {
        last_updated: day.to_owned(),
        files: vec![FileSpec::package(&format!("windows10.0-{}-x64", kb.to_lowercase()), "msu", kb)],
        ..UpdateSpec::new(&id(number), &title(month, kb))
    };
    let (first, second, third) = (
        stack(1, "2026-03", "KB5990021", "3/10/2026"),
        stack(2, "2026-05", "KB5990022", "5/12/2026"),
        stack(3, "2026-06", "KB5990023", "6/9/2026"),
    );
    let by = |number: u32, month: &str, kb: &str| vec![(id(number), title(month, kb))];
    let world = World::new()
        .update(UpdateSpec { superseded_by: by(2, "2026-05", "KB5990022"), ..first })
        .update(UpdateSpec { superseded_by: by(3, "2026-06", "KB5990023"), ..second })
        .update(third);
    let loopback = Loopback::start(world);
    let bench = Bench::starting_at("2026-11-30T08:00:00Z");
    let resolve =
        || bench.json(&["resolve", "KB5990021", "--arch", "x64"]).exits(0).json()["replaced_by"].clone();
    fetch_from(&bench, &loopback, &["KB5990021"]).exits(0);
    assert_eq!((&resolve()["kb"], &resolve()["present"]), (&json!("KB5990022"), &json!(false)));
    fetch_from(&bench, &loopback, &["KB5990022"]).exits(0);
    assert_eq!((&resolve()["kb"], &resolve()["present"]), (&json!("KB5990023"), &json!(false)));
    fetch_from(&bench, &loopback, &["KB5990023"]).exits(0);
    assert_eq!((&resolve()["kb"], &resolve()["present"]), (&json!("KB5990023"), &json!(true)));
}

#[test]
fn a_clock_before_the_newest_release_is_reported() {
    let bench = Bench::starting_at("2026-06-01T08:00:00Z");
    let answer = latest(&bench, &[]).exits(0).json();
    assert_eq!(
        answer["warnings"][1],
        "the newest known release of Windows 11 24H2, 25H2, 26H2 is of 2026-09-29, which is in the future: \
         check the clock of this machine"
    );
    latest(&bench, &["--fail-if-older-than", "3000d"]).exits(10);
    latest(&bench, &["--fail-if-older-than", "3000d", "--as-of", "2026-06-01"]).exits(0);
}
