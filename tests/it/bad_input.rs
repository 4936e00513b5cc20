//! Invalid input from outside: arguments, pages, names, URLs, digests, bytes, and mirrors that cannot be used.
#![expect(clippy::disallowed_methods, reason = "the tests damage recordings and mirrors")]

mod mirrors;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::mirror::Lock;
use serde_json::{Value, json};

use super::harness::{
    Bench, RunOutput, copy_folder, failure, field_texts, items, names_in, read_tree, recording, sha256_hex,
    text_of,
};
use super::support::{Action, FileSpec, Loopback, Rule, StatedDigest, UpdateSpec, World, id};

const CHECKPOINT_ARM64: &str = "windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu";
const TARGET_ARM64: &str = "windows11.0-kb5086672-arm64_1095dd7b2d5593b955bd7bd0059c8af7e8ba593a.msu";
const FETCH_ARM64: [&str; 4] = ["fetch", "KB5086672", "--arch", "arm64"];

/// Copies the demo recording into the folder of the bench.
fn demo_in(bench: &Bench) -> Utf8PathBuf {
    let copy = bench.path("demo");
    copy_folder(&recording("demo"), &copy);
    copy
}

/// Changes a file of a copied recording.
fn change(path: &Utf8Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    change(&mut bytes);
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// Runs a command with a loopback Catalog and without a retry budget.
fn run_with(bench: &Bench, loopback: &Loopback, arguments: &[&str]) -> RunOutput {
    let (url, host) = (loopback.catalog_url(), loopback.file_host());
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--patience", "0"];
    bench.json(&[&network, arguments].concat())
}

/// Creates a cumulative update of a KB with these files.
fn update(number: u32, kb: &str, files: Vec<FileSpec>) -> UpdateSpec {
    let title = format!("2025-03 Cumulative Update for Windows 10 Version 22H2 for x64-based Systems ({kb})");
    UpdateSpec { files, ..UpdateSpec::new(&id(number), &title) }
}

/// Creates a valid package file of a KB for x64.
fn package(kb: &str) -> FileSpec {
    FileSpec::package(&format!("windows10.0-{}-x64", kb.to_lowercase()), "msu", format!("the bytes of {kb}"))
}

/// Returns subject, kind, and message of the only failure of a run.
#[track_caller]
fn only_failure(document: &Value) -> (String, String, String) {
    let failures = items(&document["failures"]);
    assert_eq!(failures.len(), 1, "{document:#}");
    let field = |name: &str| text_of(&failures[0][name]);
    (field("what"), field("kind"), field("message"))
}

#[test]
fn invalid_arguments_are_named_in_the_error() {
    let bench = Bench::new();
    for (arguments, part) in [
        (&["fetch", "notakb"][..], "notakb"),
        (&["fetch"], "KB"),
        (&["fetch", "KB5086672", "--arch", "vax"], "vax"),
        (&["fetch", "KB5086672", "--kind", "nonsense"], "nonsense"),
        (&["frobnicate"], "frobnicate"),
        (&["search", " "], "empty"),
        (&["list", "--allow-host", "http://x/"], "http://x/"),
        (&["list", "--patience", "soon"], "soon"),
        (&["list", "--record", "a", "--replay", "b"], "--re"),
        (&["search", "KB5086672", "--replay", "/nowhere/at/all"], "is not a recording"),
        (&["search", "KB5086672", "--catalog-url", "ftp://x"], "--catalog-url"),
        (&["search", "KB5086672", "--catalog-rate", "0"], "--catalog-rate"),
    ] {
        let refused = bench.json(arguments).exits(2);
        let (kind, message) = refused.error();
        assert_eq!(kind, "usage", "{arguments:?}");
        assert!(message.contains(part), "{arguments:?}: {message}");
        assert_eq!(refused.stdout.lines().count(), 1, "one document");
        let plain = bench.run(arguments).exits(2);
        assert!(plain.stdout.is_empty() && plain.stderr.contains(part), "{plain:?}");
    }
    assert!(!bench.mirror().exists());
}

#[test]
fn help_and_version_go_to_stdout() {
    let bench = Bench::new();
    for argument in ["--help", "--version"] {
        let output = bench.run(&[argument]).exits(0);
        assert!(output.stdout.contains("kbmirror") && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn a_missing_mirror_exits_3() {
    let bench = Bench::new();
    for command in [&["list"][..], &["show", "KB9999999"], &["resolve", "KB9999999"]] {
        let (kind, message) = bench.json(command).exits(3).error();
        assert_eq!(kind, "not_found");
        assert!(message.contains(bench.mirror().as_str()), "{message}");
    }
    assert!(!bench.mirror().exists(), "a read-only command creates nothing");
}

#[test]
fn an_unknown_kb_writes_nothing() {
    let bench = Bench::new();
    for command in [&["fetch", "KB9999999"][..], &["crawl", "KB9999999"], &["search", "KB9999999"]] {
        let (kind, message) = bench.replay(&recording("demo"), command).exits(3).error();
        assert_eq!(kind, "not_found");
        assert!(message.contains("KB9999999"), "{message}");
        assert!(!bench.mirror().exists(), "{command:?}");
    }
    // The update was removed: the search for its KB is empty.
    bench.replay(&recording("catalog"), &["fetch", "KB5079391"]).exits(3);
    assert!(!bench.mirror().exists());

    // In an existing mirror, nothing is forgotten, and the KBs that were found are fetched.
    let both = bench.replay(&recording("demo"), &["fetch", "KB9999999", "KB5094141"]).exits(4).json();
    assert_eq!(field_texts(&both["sets"], "status"), ["published"]);
    assert_eq!(only_failure(&both).1, "not_found");
    let before = bench.dump_index(|_| false);
    bench.replay(&recording("demo"), &["fetch", "KB9999999"]).exits(3);
    assert_eq!(bench.dump_index(|_| false), before);
}

#[test]
fn a_permanent_error_page_is_reported_as_unreachable() {
    let bench = Bench::new();
    for command in [&["fetch", "KB9999998"][..], &["crawl", "KB9999998"], &["search", "KB9999998"]] {
        let ran = bench.replay(&recording("catalog"), command).exits(6);
        let message = "search for \"KB9999998\", 10 times: \
             the Catalog answered with its error page (error number 8DDD0010)";
        assert_eq!(ran.error(), failure("unreachable", message));
        assert!(!bench.mirror().exists(), "{command:?}");
    }
    assert_eq!(bench.clock.waited().as_secs(), 0, "a recording is not retried");
}

#[test]
fn an_unrecorded_request_is_named() {
    let bench = Bench::new();
    let demo = recording("demo");
    let ran = bench.replay(&demo, &["fetch", "KB1234567"]).exits(6);
    let url = "https://www.catalog.update.microsoft.com/Search.aspx?p=0&q=KB1234567";
    let message = format!("search for \"KB1234567\": GET {url} is not in the recording ({demo})");
    assert_eq!(ran.error(), failure("not_recorded", message));

    // The catalog recording has no bodies of packages.
    let crawled =
        bench.replay(&recording("catalog"), &["fetch", "KB5086672", "--arch", "arm64"]).exits(6).json();
    assert_eq!(field_texts(&crawled["sets"], "status"), ["failed"]);
    assert_eq!(field_texts(&crawled["failures"], "kind"), ["not_recorded", "not_recorded"]);
    assert!(!bench.mirror().join("kb").exists());
}

#[test]
fn an_unknown_page_is_saved_and_named() {
    let page = b"<html><body><h1>Guest network</h1><form>please log in</form></body></html>";
    for (path, command) in [
        ("/Search.aspx", &["fetch", "KB5100001"][..]),
        ("/Search.aspx", &["crawl", "KB5100001"]),
        ("/Search.aspx", &["search", "KB5100001"]),
        ("/DownloadDialog.aspx", &["fetch", "KB5100001"]),
    ] {
        let bench = Bench::new();
        let loopback =
            Loopback::start(World::new().update(update(1, "KB5100001", vec![package("KB5100001")])));
        loopback.rule(Rule::always(path, Action::Body("text/html", page.to_vec())));
        let ran = run_with(&bench, &loopback, command).exits(7);

        let document = ran.json();
        let (kind, _) = ran.error();
        assert_eq!(kind, "page_changed");
        let saved = names_in(&bench.mirror().join("runs"));
        assert_eq!(saved.len(), 1, "{command:?}: {saved:?}");
        let saved = bench.mirror().join("runs").join(&saved[0]);
        assert_eq!(fs::read(&saved).unwrap(), page);
        let hints = document["error"]["hints"].to_string();
        assert!(hints.contains(saved.file_name().unwrap()), "{hints}");
        assert!(!bench.mirror().join("kb").exists());
    }
}

#[test]
fn a_contradictory_page_exits_7() {
    // The page has one row fewer than it states.
    let bench = Bench::new();
    let demo = demo_in(&bench);
    change(&demo.join("pages/search-KB5086672-p0.html"), |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains("1 - 4 of 4"));
        *bytes = text.replace("1 - 4 of 4", "1 - 5 of 5").into_bytes();
    });
    let (kind, _) = bench.replay(&demo, &FETCH_ARM64).exits(7).error();
    assert_eq!(kind, "page_changed");
    assert_eq!(names_in(&bench.mirror()), ["runs"], "the page is saved, and nothing else is written");

    // A page that is too long, and a page that is nested too deeply.
    for body in [vec![b'x'; 3 << 20], b"<div>".repeat(5000)] {
        let bench = Bench::new();
        let loopback = Loopback::start(World::new());
        loopback.rule(Rule::always("/Search.aspx", Action::Body("text/html", body)));
        run_with(&bench, &loopback, &["fetch", "KB5100001"]).exits(7);
    }
}

#[test]
fn hostile_statements_fail_one_set_and_keep_the_others() {
    let named = |name: &str| FileSpec { name: name.to_owned(), ..package("KB5100001") };
    let at = |url: &str| FileSpec { url: Some(url.to_owned()), ..package("KB5100001") };
    let stated = |text: &str| StatedDigest::Text(text.to_owned());
    let cases: Vec<(FileSpec, &str)> = vec![
        (named("../../evil.msu"), "../../evil.msu"),
        (named("a\\b.msu"), r"a\\b.msu"),
        (named("C:evil.msu"), "C:evil.msu"),
        (named(".."), "\"..\""),
        (at("http://elsewhere.invalid/evil.msu"), "elsewhere.invalid"),
        (at("https://download.windowsupdate.com.evil.invalid/a.msu"), "evil.invalid"),
        (at("http://user:secret@{cdn}/evil.msu"), "user name"),
        (at("file:///etc/passwd"), "file:///etc/passwd"),
        (at("not an address"), "not an address"),
        (FileSpec { sha1_stated: stated("AAAA"), ..package("KB5100001") }, "digest"),
        (FileSpec { sha256_stated: stated("AAAA"), ..package("KB5100001") }, "sha256"),
        (FileSpec { sha1_stated: stated("%%%"), ..package("KB5100001") }, "digest"),
    ];
    for (file, part) in cases {
        let bench = Bench::new();
        let (bad, good) =
            (update(1, "KB5100001", vec![file.clone()]), update(2, "KB5100002", vec![package("KB5100002")]));
        let loopback = Loopback::start(World::new().update(bad).update(good));
        let document = run_with(&bench, &loopback, &["fetch", "KB5100001", "KB5100002"]).exits(5).json();

        let (what, kind, message) = only_failure(&document);
        assert!(what.contains("KB5100001"), "{what}");
        let expected = if part.ends_with(".invalid") { "host_not_allowed" } else { "integrity" };
        assert_eq!(kind, expected, "{message}");
        assert!(message.contains(part), "{part:?} in {message:?}");
        assert!(!message.contains("secret"), "{message}");
        let published: Vec<&Value> =
            items(&document["sets"]).iter().filter(|set| set["status"] == "published").collect();
        assert_eq!(published.len(), 1, "{document:#}");
        assert_eq!(published[0]["kb"], "KB5100002");
        assert_eq!(names_in(&bench.mirror().join("kb")), ["KB5100002"]);
        assert_eq!(names_in(&bench.path("")), ["mirror"], "nothing is written outside of the mirror");
        let escaped = read_tree(&bench.mirror()).into_keys().find(|path| path.contains("evil"));
        assert_eq!(escaped, None);
        let requested =
            loopback.requests().iter().filter(|seen| seen.path_and_query.contains("evil")).count();
        assert_eq!(requested, 0, "{file:?}");
    }
}

#[test]
fn contradictory_or_missing_digests_are_refused() {
    // The name states one SHA-1 and the dialog another: no bytes can match both.
    let other = package("KB5100003");
    let contradictory = FileSpec { bytes: other.bytes.clone(), ..package("KB5100001") };
    // A file without any digest: nothing can verify it.
    let undigested = FileSpec {
        name: "plain.msu".to_owned(),
        bytes: b"MSCF and plain".to_vec(),
        sha1_stated: StatedDigest::Empty,
        sha256_stated: StatedDigest::NoLine,
        ..FileSpec::default()
    };
    for file in [contradictory, undigested.clone()] {
        let bench = Bench::new();
        let loopback = Loopback::start(World::new().update(update(1, "KB5100001", vec![file])));
        let document = run_with(&bench, &loopback, &["fetch", "KB5100001"]).exits(5).json();
        assert_eq!(only_failure(&document).1, "integrity");
        assert!(!bench.mirror().join("kb").exists());
        assert_eq!(loopback.bytes_served(), 0, "the file is not requested");
    }

    let bench = Bench::new();
    let loopback = Loopback::start(World::new().update(update(1, "KB5100001", vec![undigested.clone()])));
    let accepted =
        run_with(&bench, &loopback, &["fetch", "KB5100001", "--accept-unverified"]).exits(0).json();
    let file = &accepted["sets"][0]["files"][0];
    assert_eq!((&file["name"], &file["checked"]), (&json!("plain.msu"), &json!(["size"])));

    // A file without a digest must at least have the format that its name states.
    let bench = Bench::new();
    let zip = FileSpec { bytes: b"PK\x03\x04 and plain".to_vec(), ..undigested };
    let loopback = Loopback::start(World::new().update(update(1, "KB5100001", vec![zip])));
    let refused = run_with(&bench, &loopback, &["fetch", "KB5100001", "--accept-unverified"]).exits(5).json();
    assert_eq!(
        only_failure(&refused).2,
        "plain.msu: it is a ZIP archive, but a .msu file is a cabinet or a WIM image"
    );
}

#[test]
fn a_file_with_a_flipped_byte_is_not_published() {
    let bench = Bench::new();
    let demo = demo_in(&bench);
    let package_file = demo.join("files").join(TARGET_ARM64);
    let original = fs::read(&package_file).unwrap();
    change(&package_file, |bytes| bytes[20_000] ^= 1);
    let flipped = fs::read(&package_file).unwrap();

    let document = bench.replay(&demo, &FETCH_ARM64).exits(5).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["failed"]);
    assert!(document["sets"][0]["error"].is_string());
    let (what, kind, message) = only_failure(&document);
    assert_eq!((what.as_str(), kind.as_str()), (TARGET_ARM64, "integrity"));
    assert!(message.contains(&sha256_hex(&flipped)) && message.contains(&sha256_hex(&original)), "{message}");
    assert!(!bench.mirror().join("kb/KB5086672/windows-11-24h2-arm64").exists());
    let kept = read_tree(&bench.mirror().join("quarantine"));
    assert_eq!(kept.values().collect::<Vec<_>>(), [&flipped]);
    assert!(kept.keys().all(|name| name.starts_with(&sha256_hex(&flipped))), "{:?}", kept.keys());
    assert_eq!(names_in(&bench.mirror().join("partial")), Vec::<String>::new());
    let pool: Vec<Vec<u8>> = read_tree(&bench.mirror().join("pool")).into_values().collect();
    assert_eq!(pool, [fs::read(demo.join("files").join(CHECKPOINT_ARM64)).unwrap()], "the valid file stays");
    assert_eq!(items(&bench.json(&["list"]).exits(0).json()["sets"]).len(), 0);

    // A second attempt with the same bytes does not add a second file to the quarantine.
    bench.replay(&demo, &FETCH_ARM64).exits(5);
    assert_eq!(read_tree(&bench.mirror().join("quarantine")).len(), 1);

    fs::write(&package_file, &original).unwrap();
    let repaired = bench.replay(&demo, &FETCH_ARM64).exits(0).json();
    assert_eq!(field_texts(&repaired["sets"], "status"), ["published"]);
    assert_eq!(repaired["bytes_downloaded"], original.len(), "the valid file is not requested again");
    assert_eq!(
        names_in(&bench.set_folder("KB5086672", "windows-11-24h2-arm64")),
        [CHECKPOINT_ARM64, TARGET_ARM64]
    );
}

#[test]
fn a_failing_architecture_does_not_block_the_other() {
    let bench = Bench::new();
    let demo = demo_in(&bench);
    change(&demo.join("files").join(TARGET_ARM64), |bytes| bytes[0] ^= 0x80);
    let document = bench.replay(&demo, &["fetch", "KB5086672"]).exits(5).json();
    assert_eq!(field_texts(&document["sets"], "architecture"), ["arm64", "x64"]);
    assert_eq!(field_texts(&document["sets"], "status"), ["failed", "published"]);
    assert_eq!(document["error"], Value::Null, "one set was published");
    assert_eq!(
        names_in(&bench.mirror().join("kb/KB5086672")),
        ["KB5086672.json", "README.txt", "SHA256SUMS", "windows-11-24h2-x64", "windows-11-24h2-x64.cmd"]
    );
}

#[test]
fn a_damaged_download_does_not_change_the_published_set() {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);
    let before = read_tree(&bench.mirror().join("kb"));
    // A file of the pool is missing, and the recording has a damaged file in its place.
    let demo = demo_in(&bench);
    change(&demo.join("files").join(TARGET_ARM64), |bytes| bytes[1] ^= 1);
    let pooled = sha256_hex(&fs::read(recording("demo").join("files").join(TARGET_ARM64)).unwrap());
    fs::remove_file(bench.mirror().join(format!("pool/sha256/{}/{pooled}", &pooled[..2]))).unwrap();
    bench.replay(&demo, &FETCH_ARM64).exits(5);
    assert_eq!(read_tree(&bench.mirror().join("kb")), before);
    // With the right bytes the pool is complete again.
    bench.replay(&recording("demo"), &FETCH_ARM64).exits(0);
    assert!(bench.mirror().join(format!("pool/sha256/{}/{pooled}", &pooled[..2])).exists());
}

#[test]
fn files_of_another_size_are_refused() {
    type Change = fn(&mut Vec<u8>);
    let stack = "windows10.0-kb5094141-x64_fc0da6843c20a9b5ad35d91f7182f3b1d7268061.msu";
    let longer: Change = |bytes| bytes.push(0);
    let much_longer: Change = |bytes| bytes.resize(200_000, 0);
    let shorter: Change = |bytes| bytes.truncate(bytes.len() - 1);
    let empty: Change = Vec::clear;
    for (change_bytes, file, kb) in [
        // The only file of an entry. The search page states its size.
        (longer, stack, "KB5094141"),
        (shorter, stack, "KB5094141"),
        (empty, stack, "KB5094141"),
        // The first of two files. The sum of the sizes is an upper bound, and the digests do the rest.
        (longer, TARGET_ARM64, "KB5086672"),
        (much_longer, TARGET_ARM64, "KB5086672"),
        (shorter, TARGET_ARM64, "KB5086672"),
        (empty, TARGET_ARM64, "KB5086672"),
    ] {
        let bench = Bench::new();
        let demo = demo_in(&bench);
        change(&demo.join("files").join(file), change_bytes);
        let document =
            bench.replay(&demo, &["fetch", kb, "--arch", "arm64", "--arch", "x64"]).exits(5).json();
        let (what, kind, _) = only_failure(&document);
        assert_eq!((what.as_str(), kind.as_str()), (file, "integrity"));
        let failed = items(&document["sets"]).iter().filter(|set| set["status"] == "failed").count();
        assert_eq!(failed, 1, "{document:#}");
        assert_eq!(names_in(&bench.mirror().join("partial")), Vec::<String>::new());
        let published_files = read_tree(&bench.mirror())
            .into_keys()
            .filter(|path| path.starts_with("kb/") && path.ends_with(file));
        assert_eq!(published_files.count(), 0);
    }
}

#[test]
fn a_wrong_sum_of_sizes_on_the_search_page_is_refused() {
    for wrong in ["61497", "61499"] {
        let bench = Bench::new();
        let demo = demo_in(&bench);
        change(&demo.join("pages/search-KB5086672-p0.html"), |bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert_eq!(text.matches(">61498<").count(), 2);
            *bytes = text.replace(">61498<", &format!(">{wrong}<")).into_bytes();
        });
        let document = bench.replay(&demo, &FETCH_ARM64).exits(5).json();
        let (_, kind, message) = only_failure(&document);
        assert_eq!(kind, "integrity");
        let title = "2026-03 Cumulative Update for Windows 11, version 25H2 for arm64-based Systems \
             (KB5086672) (26200.8117)";
        let sizes = format!("61498 bytes together, but the search page states {wrong}");
        assert_eq!(message, format!("the files of \"{title}\" have {sizes}"));
        assert!(!bench.set_folder("KB5086672", "windows-11-24h2-arm64").exists());
    }
}

#[test]
fn a_failed_run_prints_one_error_document() {
    let bench = Bench::new();
    let failures: [(&[&str], u8); 5] = [
        (&["fetch", "notakb"], 2),
        (&["list"], 3),
        (&["fetch", "KB9999999"], 3),
        (&["fetch", "KB1234567"], 6),
        (&["resolve", "KB9999999"], 3),
    ];
    for (command, code) in failures {
        let ran = bench.replay(&recording("demo"), command).exits(code);
        let document = ran.json();
        let error = document["error"].as_object().unwrap();
        let keys: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(keys, ["kind", "code", "message", "hints"], "{document:#}");
        // Without --json the error goes to stderr, and stdout stays empty.
        let demo = recording("demo");
        let plain = bench.run(&[&["--replay", demo.as_str()], command].concat()).exits(code);
        assert!(plain.stdout.is_empty(), "{plain:?}");
        assert!(plain.stderr.contains("error: "), "{plain:?}");
    }
}
