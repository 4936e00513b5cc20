//! Folders that somebody brings: the collected cases, every dated list of family 26100 as it was published, what holds for
//! any folder, and the command line.
#![expect(clippy::print_stdout, reason = "the counts are for people to judge")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "the facts are read in place; folders of tests are made as they lie"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use camino::Utf8Path;
use kbmirror::facts::Facts;
use kbmirror::lint::{LintFolder, LintReport, LintRequest, LintStatus, lint};
use kbmirror::resolve::{Machine, Place};
use kbmirror::servicing::{Installation, Knowledge};
use kbmirror::update::{Architecture, Kb, PackageName};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::harness::{Bench, Ran, each, items, names_in, recording, text_of};

const CHECKPOINT: &str = "KB5043080";

const CHECKED: &str = "names, sizes, and container types checked; contents not read (use --deep)";

/// Sound sets of family 26100: checkpoint and target. Client and server, from before and after they parted.
const SOUND: [[&str; 2]; 6] = [
    [
        "windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu",
        "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu",
    ],
    [
        "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
        "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu",
    ],
    [
        "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
        "windows11.0-kb5121003-x64_dc58f03fef04b4c611e0db0ab3fadfb301194113.msu",
    ],
    [
        "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
        "windows11.0-kb5094125-x64_8e89fa4917df313fe118b9fe150611975ab92565.msu",
    ],
    [
        "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
        "windows11.0-kb5087539-x64_f796cb25e32212f8115f26ee8ff22397f09d0036.msu",
    ],
    [
        "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu",
        "windows11.0-kb5062553-x64_6fe34113fd31b773e8ecb31682dd95b1934be4c1.msu",
    ],
];

/// The rows of a facts file; says so when it is not there.
fn facts(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts").join(name);
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: ../shared/facts/{name} is not there");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn judged(names: &[String], ask: &LintRequest, knowledge: &Knowledge) -> LintReport {
    lint(&LintFolder::of_names(names.iter().cloned()), ask, knowledge, &Facts::default())
}

/// The findings as pairs of code and KB.
fn pairs(report: &LintReport) -> BTreeSet<(String, String)> {
    let pair = |finding: &kbmirror::lint::LintFinding| {
        (finding.code.to_string(), finding.kb.map(|kb| kb.to_string()).unwrap_or_default())
    };
    report.findings.iter().map(pair).collect()
}

fn pair(code: &str, kb: &str) -> (String, String) {
    (code.to_owned(), kb.to_owned())
}

fn ask(baseline: &Value) -> LintRequest {
    LintRequest::from(Machine {
        architecture: baseline["architecture"].as_str().map(|word| word.parse().unwrap()),
        baseline: baseline["build"].as_str().map(|word| word.parse().unwrap()),
        installation: match baseline["installation"].as_str() {
            Some("client") => Some(Installation::Client),
            Some("server") => Some(Installation::Server),
            _ => None,
        },
        place: match baseline["for"].as_str() {
            Some("image") => Place::Image,
            _ => Place::Online,
        },
        ..Machine::default()
    })
}

#[test]
fn the_collected_folders_are_judged_as_expected() {
    let Some(cases) = facts("lint-cases.jsonl") else { return };
    let knowledge = Knowledge::built_in().unwrap();
    for case in &cases {
        let id = text_of(&case["id"]);
        let names: Vec<String> = items(&case["folder"]).iter().map(text_of).collect();
        let asked =
            LintRequest { target: case["target"].as_str().unwrap().parse().ok(), ..ask(&case["baseline"]) };
        let expected: BTreeSet<_> = items(&case["expect"]["findings"])
            .iter()
            .map(|finding| (text_of(&finding["code"]), text_of(&finding["kb"])))
            .collect();
        let status = if expected.is_empty() { LintStatus::Ok } else { LintStatus::RefuseSet };
        // Told the target, and left to find it, the answer is the same.
        for asked in [asked.clone(), LintRequest { target: None, ..asked }] {
            let report = judged(&names, &asked, &knowledge);
            assert_eq!((report.status, pairs(&report)), (status, expected.clone()), "{id}: {report:#?}");
        }
    }
    println!("lint cases: {} of {} agree", cases.len(), cases.len());
    assert_eq!(cases.len(), 7);
}

/// What the collected facts say of the cumulative updates of 26100, with none of the program's own tables.
struct Updates {
    /// Revision in the family, where one is told.
    revisions: BTreeMap<String, u64>,
    /// KBs whose files are cumulative updates.
    cumulative: BTreeSet<String>,
    servers_only: BTreeSet<String>,
    needs_checkpoint: BTreeSet<String>,
}

impl Updates {
    fn of_facts() -> Option<Self> {
        let (builds, files) = (facts("kb-builds.jsonl")?, facts("checkpoint-facts.jsonl")?);
        let rows = facts("knowledge-rows.jsonl")?;
        let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
        let mut cumulative = BTreeSet::new();
        for row in &builds {
            let kb = text_of(&row["kb"]);
            for build in items(&row["builds"]).iter().map(text_of) {
                let (number, revision) = build.split_once('.').unwrap();
                if ["26100", "26200", "26300"].contains(&number) {
                    let known = revisions.entry(kb.clone()).or_default();
                    *known = revision.parse::<u64>().unwrap().max(*known);
                    cumulative.insert(kb.clone());
                }
            }
        }
        let mut needs_checkpoint = BTreeSet::new();
        for row in files.iter().filter(|row| row["role"].as_str().is_some_and(|role| role.starts_with("lcu")))
        {
            let kb = text_of(&row["kb"]);
            if row["needs_checkpoint"] == CHECKPOINT {
                needs_checkpoint.insert(kb.clone());
            }
            cumulative.insert(kb);
        }
        let servers_only = revisions
            .iter()
            .filter(|(_, revision)| **revision >= 32230)
            .map(|(kb, _)| kb.clone())
            .chain(rows.iter().filter(|row| row["row"] == "server_only").map(|row| text_of(&row["kb"])))
            .collect();
        Some(Self { revisions, cumulative, servers_only, needs_checkpoint })
    }

    /// What has to be found in a folder of these KBs.
    fn expected(&self, kbs: &[String], is_server: bool) -> BTreeSet<(String, String)> {
        let mut expected = BTreeSet::new();
        for (place, kb) in kbs.iter().enumerate() {
            if kbs[..place].contains(kb) {
                expected.insert(pair("duplicate", kb));
            }
        }
        let own: BTreeSet<&String> = kbs.iter().filter(|kb| *kb != CHECKPOINT).collect();
        let (foreign, own): (BTreeSet<&String>, BTreeSet<&String>) =
            own.into_iter().partition(|kb| !is_server && self.servers_only.contains(*kb));
        expected.extend(foreign.iter().map(|kb| pair("server_in_client_set", kb)));
        if own.is_empty() {
            expected.insert(pair("missing_target", ""));
        } else if own.len() > 1 && own.iter().any(|kb| !self.revisions.contains_key(*kb)) {
            // All of those in the lists are of one month with what is beside them.
            expected.extend(own.iter().map(|kb| pair("two_targets", kb)));
        } else {
            let target = own.iter().max_by_key(|kb| self.revisions.get(**kb)).unwrap();
            let others = own.iter().filter(|kb| *kb != target);
            expected.extend(others.map(|kb| pair("foreign_update", kb)));
        }
        let needed = own.iter().any(|kb| self.needs_checkpoint.contains(*kb));
        if needed && !kbs.iter().any(|kb| kb == CHECKPOINT) {
            expected.insert(pair("missing_checkpoint", CHECKPOINT));
        }
        expected
    }
}

/// The lists also have .NET updates, dynamic updates, and enablement packages: those go elsewhere and in an order of
/// their own. What DISM is pointed at is the cumulative updates with the checkpoint, so that is the folder.
#[test]
fn the_dated_lists_are_sound_or_faulty_as_an_independent_count_says() {
    let (Some(sets), Some(updates)) = (facts("patch-sets.jsonl"), Updates::of_facts()) else { return };
    let knowledge = Knowledge::built_in().unwrap();
    let bench = Bench::new();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let (mut all, mut sound, mut through_files, mut whole) = (0, 0, 0, 0);
    for set in
        sets.iter().filter(|set| set["build"] == "26100" && text_of(&set["date"]).as_str() >= "2024-10")
    {
        let files = items(&set["files"]);
        let (folder, beside): (Vec<&Value>, Vec<&Value>) =
            files.iter().partition(|file| updates.cumulative.contains(file["kb"].as_str().unwrap()));
        let names: Vec<String> = folder.iter().map(|file| text_of(&file["name"])).collect();
        let kbs: Vec<String> = folder.iter().map(|file| text_of(&file["kb"])).collect();
        let is_server = set["server"].as_bool().unwrap();
        let expected = updates.expected(&kbs, is_server);
        let asked = LintRequest::from(Machine {
            architecture: set["architecture"].as_str().unwrap().parse().ok(),
            baseline: "26100.1".parse().ok(),
            installation: Some(if is_server { Installation::Server } else { Installation::Client }),
            place: Place::Image,
            ..Machine::default()
        });
        let report = judged(&names, &asked, &knowledge);
        let what = format!("{} {} server={is_server}", set["date"], set["architecture"]);
        assert_eq!(pairs(&report), expected, "{what}: {report:#?}");
        all += 1;
        sound += usize::from(expected.is_empty());
        for (code, _) in &expected {
            *count.entry(code.clone()).or_default() += 1;
        }
        // With everything else of the list in the folder it is never sound, and nothing that was found is lost.
        if !beside.is_empty() && report.target.is_some() {
            let all: Vec<String> = files.iter().map(|file| text_of(&file["name"])).collect();
            let found = pairs(&judged(&all, &asked, &knowledge));
            assert!(found.is_superset(&expected), "{what}: {found:?}");
            for file in &beside {
                assert!(
                    found.contains(&pair("foreign_update", file["kb"].as_str().unwrap())),
                    "{what}: {found:?}"
                );
            }
            whole += 1;
        }
        // Some of them as folders of empty files, through the command line: all faulty ones and a few sound ones.
        let distinct = names.iter().collect::<BTreeSet<_>>().len() == names.len();
        if distinct && (!expected.is_empty() || all % 25 == 0) {
            let ran = run_on_files(&bench, &format!("set-{all}"), &names, &asked);
            assert_eq!(ran.code, if expected.is_empty() { 0 } else { 10 }, "{what}: {}", ran.stdout);
            let document = ran.json();
            let codes: BTreeSet<String> = each(&document["findings"], "code").into_iter().collect();
            assert_eq!(codes, expected.iter().map(|(code, _)| code.clone()).collect(), "{what}");
            through_files += 1;
        }
    }
    println!(
        "lists of 26100 from 2024-10 on: {all}, sound {sound}, as real folders {through_files}, with all files {whole}"
    );
    println!("findings: {count:?}");
    assert!(all > 100);
    assert_eq!(count["missing_checkpoint"], 14);
    assert!(count["server_in_client_set"] > 0);
}

/// The beginning of a WIM image that ends with its tables at a length.
fn wim(length: u64) -> Vec<u8> {
    let mut header = [&b"MSWIM\0\0\0"[..], &208_u32.to_le_bytes(), &[0; 196]].concat();
    for (at, offset) in [(48, length - 200), (72, length - 100)] {
        header[at..at + 8].copy_from_slice(&100_u64.to_le_bytes());
        header[at + 8..at + 16].copy_from_slice(&offset.to_le_bytes());
    }
    header
}

/// Writes a sparse file that looks sound from outside: an image of the known length, or a small one.
fn stand_in(path: &Utf8Path) {
    static SIZES: LazyLock<BTreeMap<String, u64>> = LazyLock::new(|| {
        let knowledge = Knowledge::built_in().unwrap();
        let kbs: BTreeSet<Kb> = [CHECKPOINT.parse().unwrap()].into();
        let files = kbs.iter().flat_map(|&kb| knowledge.files_in_rows(kb));
        files.filter_map(|(_, file)| Some((file.name.clone(), file.size?))).collect()
    });
    let length = SIZES.get(path.file_name().unwrap()).copied().unwrap_or(4096);
    fs::write(path, wim(length)).unwrap();
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn run_on_files(bench: &Bench, folder: &str, names: &[String], asked: &LintRequest) -> Ran {
    let path = bench.path(folder);
    fs::create_dir_all(&path).unwrap();
    for name in names {
        stand_in(&path.join(name));
    }
    let baseline = asked.machine.baseline.unwrap().to_string();
    bench.json(&[
        "lint",
        path.as_str(),
        "--arch",
        asked.machine.architecture.unwrap().as_str(),
        "--baseline",
        &baseline,
        "--installation",
        asked.machine.installation.unwrap().as_str(),
        "--for",
        "image",
    ])
}

fn sound_set() -> impl Strategy<Value = Vec<String>> {
    (0..SOUND.len()).prop_map(|place| SOUND[place].iter().map(|&name| name.to_owned()).collect())
}

/// Names of known packages, of cumulative updates, and of what nobody knows.
fn any_name() -> impl Strategy<Value = String> {
    let knowledge = Knowledge::built_in().unwrap();
    let packages = knowledge.packages().all().iter().filter_map(|package| package.name.clone());
    let cumulative =
        ["KB5046617", "KB5086672", "KB5094125", "KB5121003", "KB5094122", "KB5129236", "KB5062553"];
    let cumulative = cumulative.iter().flat_map(|kb| knowledge.releases().files_of(kb.parse().unwrap()));
    let known: Vec<String> = packages.chain(cumulative.map(|(_, name)| name)).collect();
    prop_oneof![
        6 => proptest::sample::select(known),
        1 => "[a-z]{1,8}\\.(msu|cab|txt|psf)",
        1 => "windows11\\.0-kb50[0-9]{5}-(x64|arm64)_[0-9a-f]{40}\\.msu",
        1 => "\\PC{1,40}",
    ]
}

proptest! {
    #[test]
    fn the_order_of_the_names_does_not_matter(
        (names, shuffled) in (sound_set(), proptest::collection::vec(any_name(), 0..5))
            .prop_map(|(set, others)| [set, others].concat())
            .prop_flat_map(|names| (Just(names.clone()), Just(names).prop_shuffle())),
        architecture in proptest::option::of(Just(Architecture::X64)),
    ) {
        let knowledge = Knowledge::built_in().unwrap();
        let asked = LintRequest::from(Machine { architecture, ..Machine::default() });
        prop_assert_eq!(judged(&names, &asked, &knowledge), judged(&shuffled, &asked, &knowledge));
    }

    #[test]
    fn a_sound_set_with_anything_else_is_never_ok(set in sound_set(), other in any_name(), told in any::<bool>()) {
        let knowledge = Knowledge::built_in().unwrap();
        let target: Option<Kb> = PackageName::parse(&set[1]).kb;
        let asked = LintRequest { target: target.filter(|_| told), ..LintRequest::default() };
        prop_assert_eq!(judged(&set, &asked, &knowledge).status, LintStatus::Ok);
        let more = [set, vec![other]].concat();
        prop_assert_eq!(judged(&more, &asked, &knowledge).status, LintStatus::RefuseSet);
    }

    #[test]
    fn a_lost_checkpoint_is_always_found(
        set in sound_set(),
        others in proptest::collection::vec(any_name(), 0..4),
    ) {
        let knowledge = Knowledge::built_in().unwrap();
        let parsed = PackageName::parse(&set[1]);
        let others = others.into_iter().filter(|name| PackageName::parse(name).kb != CHECKPOINT.parse().ok());
        let names: Vec<String> = others.chain([set[1].clone()]).collect();
        let asked = LintRequest { target: parsed.kb, machine: Machine { architecture: parsed.architecture, ..Machine::default() } };
        let found = pairs(&judged(&names, &asked, &knowledge));
        prop_assert!(found.contains(&pair("missing_checkpoint", CHECKPOINT)), "{:?}: {:?}", names, found);
    }

    #[test]
    fn no_folder_is_too_strange(names in proptest::collection::vec("\\PC{0,60}", 0..6)) {
        let knowledge = Knowledge::built_in().unwrap();
        let report = judged(&names, &LintRequest::default(), &knowledge);
        prop_assert_eq!(report.status, LintStatus::RefuseSet);
    }
}

fn folder_of(bench: &Bench, names: &[&str]) -> String {
    let path = bench.path("folder");
    fs::create_dir_all(&path).unwrap();
    for name in names {
        stand_in(&path.join(name));
    }
    path.into_string()
}

#[test]
fn the_command_needs_no_mirror_and_speaks_to_people() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &SOUND[0]);
    let ran = bench.run(&["lint", &folder, "--baseline", "26100.863"]).exits(0);
    let first = ran.stdout.lines().next().unwrap();
    assert_eq!(first, format!("{folder} (for KB5086672): ok; {CHECKED}"));
    assert!(ran.stdout.contains("own header alone"), "the size of the target is not known: {}", ran.stdout);
    let document = bench.json(&["lint", &folder]).exits(0).json();
    assert_eq!(document["status"], "ok");
    assert_eq!(items(&document["findings"]).len(), 0);
    assert_eq!((&document["checked"], &document["contents_read"]), (&json!(CHECKED), &json!(false)));
    assert_eq!(each(&document["files"], "name"), SOUND[0]);
    assert_eq!(document["target"], "KB5086672");
    assert!(!bench.mirror().exists(), "nothing is made");

    fs::write(bench.path("folder/desktop.ini"), b"").unwrap();
    fs::create_dir(bench.path("folder/old")).unwrap();
    let ran = bench.run(&["lint", &folder]).exits(10);
    assert!(ran.stdout.contains("2 findings") && ran.stdout.contains("not_a_package"), "{}", ran.stdout);
    assert!(ran.stdout.contains(CHECKED), "{}", ran.stdout);
    let document = bench.json(&["lint", &folder]).exits(10).json();
    assert_eq!(document["status"], "refuse_set");
    assert_eq!(each(&document["findings"], "code"), ["not_a_package", "sub_folder"]);
    assert!(document["findings"][0]["kb"].is_null());
    assert_eq!(document["findings"][0]["name"], "desktop.ini");
    assert!(!text_of(&document["findings"][0]["message"]).is_empty());
}

#[test]
fn what_is_no_folder_is_a_mistake_in_the_arguments() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &["file.msu"]);
    for path in [bench.path("missing").into_string(), format!("{folder}/file.msu")] {
        let (kind, message) = bench.json(&["lint", &path]).exits(2).error();
        assert_eq!(kind, "usage");
        assert!(message.contains(&path), "{message}");
    }
    bench.json(&["lint", &folder, "--baseline", "none"]).exits(2);
}

#[test]
fn deep_mode_reads_the_bytes() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &SOUND[0][1..]);
    let document = bench.json(&["lint", &folder, "--deep"]).exits(10).json();
    assert_eq!(each(&document["findings"], "code"), ["missing_checkpoint", "digest_mismatch"]);
    assert_eq!(
        document["checked"],
        "names, sizes, and container types checked; contents read and compared with their digests"
    );
}

#[test]
fn with_a_mirror_its_index_tells_who_a_file_is() {
    let bench = Bench::new();
    let demo = recording("demo");
    bench.replay(&demo, &["fetch", "KB5086672", "KB5050182"]).exits(0);
    // Published sets are sound, with the bytes read; the stand-ins of the demo have digests that the index alone has.
    for architecture in ["arm64", "x64"] {
        let set = bench.set("KB5086672", &format!("windows-11-24h2-{architecture}"));
        let document = bench.json(&["lint", set.as_str(), "--deep"]).exits(0).json();
        assert_eq!(document["target"], "KB5086672");
    }
    let set = bench.set("KB5050182", "server-2019-x64");
    bench.json(&["lint", set.as_str(), "--target", "KB5050182", "--deep"]).exits(0);
    let without =
        bench.run_on(&bench.path("elsewhere"), &["--json", "lint", set.as_str(), "--target", "KB5050182"]);
    assert!(each(&without.exits(10).json()["findings"], "code").contains(&"missing_target".to_owned()));
    // A file that was spoiled in its middle is found by its bytes alone.
    let copy = bench.path("copy");
    let set_of_kb = bench.set("KB5086672", "windows-11-24h2-x64");
    super::harness::copy_folder(&set_of_kb, &copy);
    let name = names_in(&copy).pop().unwrap();
    let mut bytes = fs::read(copy.join(&name)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(copy.join(&name)).unwrap();
    fs::write(copy.join(&name), &bytes).unwrap();
    let document = bench.json(&["lint", copy.as_str()]).exits(0).json();
    assert_eq!((&document["checked"], &document["unchecked"]), (&json!(CHECKED), &json!([])));
    let document = bench.json(&["lint", copy.as_str(), "--deep"]).exits(10).json();
    assert_eq!(each(&document["findings"], "code"), ["digest_mismatch"]);
    assert_eq!(document["findings"][0]["name"], name);
    // A byte less is found without reading.
    fs::write(copy.join(&name), &bytes[..bytes.len() - 1]).unwrap();
    let document = bench.json(&["lint", copy.as_str()]).exits(10).json();
    assert_eq!(each(&document["findings"], "code"), ["size_mismatch"]);
    // With its bytes, a file is known under any name.
    let sound = bench.path("sound");
    super::harness::copy_folder(&set_of_kb, &sound);
    fs::rename(sound.join(&name), sound.join("update of today.msu")).unwrap();
    let document = bench.json(&["lint", sound.as_str()]).exits(10).json();
    assert!(each(&document["findings"], "code").contains(&"unknown_package".to_owned()));
    let document = bench.json(&["lint", sound.as_str(), "--deep"]).exits(10).json();
    assert_eq!(each(&document["findings"], "code"), ["misnamed"]);
    assert_eq!(document["findings"][0]["right_name"], name);
}

#[test]
fn empty_cut_replaced_and_renamed_files_are_named() {
    let bench = Bench::new();
    let [checkpoint, target] = SOUND[1];
    let judged = |spoil: &dyn Fn(&Utf8Path), code: u8| {
        let folder = folder_of(&bench, &SOUND[1]);
        spoil(Utf8Path::new(&folder));
        let found =
            bench.json(&["lint", &folder, "--baseline", "26100.1", "--for", "image"]).exits(code).json();
        assert_eq!(found["checked"], CHECKED);
        fs::remove_dir_all(&folder).unwrap();
        let pairs = items(&found["findings"]).iter();
        pairs.map(|finding| pair(&text_of(&finding["code"]), &text_of(&finding["kb"]))).collect::<Vec<_>>()
    };
    let write = |name: &'static str, bytes: &'static [u8]| {
        move |folder: &Utf8Path| fs::write(folder.join(name), bytes).unwrap()
    };
    assert_eq!(judged(&|_| {}, 0), []);
    assert_eq!(judged(&write(target, b""), 10), [pair("empty", "KB5086672")]);
    assert_eq!(judged(&write(target, b"<html>sign in</html>"), 10), [pair("not_a_package", "KB5086672")]);
    assert_eq!(judged(&write(target, b"MSWIM\0\0\0"), 10), [pair("size_mismatch", "KB5086672")]);
    let cut = |name: &'static str, by: u64| {
        move |folder: &Utf8Path| {
            let file = fs::File::options().write(true).open(folder.join(name)).unwrap();
            let length = file.metadata().unwrap().len();
            file.set_len(length - by).unwrap();
        }
    };
    assert_eq!(judged(&cut(target, 1), 10), [pair("size_mismatch", "KB5086672")], "by its own header");
    assert_eq!(judged(&cut(checkpoint, 1), 10), [pair("size_mismatch", CHECKPOINT)]);
    let renamed = |folder: &Utf8Path| {
        fs::rename(folder.join(checkpoint), folder.join("1 - KB5043080 - Checkpoint [26100.1742].msu"))
            .unwrap();
        fs::rename(folder.join(target), folder.join("2 - KB5086672 (1).msu")).unwrap();
    };
    assert_eq!(judged(&renamed, 10), [pair("misnamed", CHECKPOINT), pair("misnamed", "KB5086672")]);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_neither_followed_nor_read() {
    let bench = Bench::new();
    let folder = folder_of(&bench, &SOUND[0][1..]);
    let outside = bench.path("outside");
    fs::create_dir(&outside).unwrap();
    stand_in(&outside.join("KB5086672.msu"));
    std::os::unix::fs::symlink(outside.join("KB5086672.msu"), bench.path("folder/link.msu")).unwrap();
    std::os::unix::fs::symlink(&outside, bench.path("folder/old")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", bench.path("folder/zero.msu")).unwrap();
    let Some(made) = super::harness::judge("mkfifo", &["pipe.msu"], bench.path("folder").as_std_path())
    else {
        return;
    };
    assert!(made.status.success(), "{made:?}");
    for deep in [&[][..], &["--deep"]] {
        let document = bench.json(&[&["lint", &folder], deep].concat()).exits(10).json();
        let found: Vec<&Value> =
            items(&document["findings"]).iter().filter(|it| it["code"] == "not_a_package").collect();
        let names: Vec<String> = found.iter().map(|finding| text_of(&finding["name"])).collect();
        assert_eq!(names, ["link.msu", "old", "pipe.msu", "zero.msu"]);
        assert_eq!(each(&document["files"], "name"), SOUND[0][1..], "nothing else was opened");
    }
}

#[test]
fn bytes_of_another_architecture_or_container_are_named() {
    let bench = super::carry::connected(&["KB5086672"]);
    let set = |architecture: &str| bench.set("KB5086672", &format!("windows-11-24h2-{architecture}"));
    let folder = bench.path("swapped");
    let lint = |more: &[&str]| {
        let arguments = ["lint", folder.as_str(), "--baseline", "26100.1", "--for", "image"];
        bench.json(&[&arguments[..], more].concat())
    };
    let copy = |from: &Utf8Path, rename: &dyn Fn(&str) -> String| {
        let _absent = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        for name in names_in(from) {
            fs::copy(from.join(&name), folder.join(rename(&name))).unwrap();
        }
    };
    // The files of arm64 under names for x64, as a browser or a person may have saved them.
    copy(&set("arm64"), &|name| format!("{}-x64.msu", name.split_once("-arm64").unwrap().0));
    for more in [&[][..], &["--deep"]] {
        let report = lint(more).exits(10).json();
        assert_eq!(report["status"], "refuse_set", "{report:#}");
    }
    let codes = each(&lint(&["--deep"]).json()["findings"], "code");
    assert!(codes.iter().any(|code| code == "misnamed"), "{codes:?}");
    // A WIM image or cabinet under the extension of the other.
    copy(&set("x64"), &|name| name.replace(".msu", ".cab"));
    for more in [&[][..], &["--deep"]] {
        lint(more).exits(10);
    }
    copy(&set("x64"), &|name| name.to_owned());
    for more in [&[][..], &["--deep"]] {
        lint(more).exits(0);
    }
}
