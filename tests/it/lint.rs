//! `lint` of folders: the collected cases, every published dated list of family 26100, properties of any folder, and
//! the command line.
#![expect(clippy::print_stdout, reason = "the test prints its counts")]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests read the facts and create folders directly")]

mod command;
mod published_sets;

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

use super::harness::{Bench, RunOutput, failure, field_texts, items, names_in, recording, text_of};

const CHECKPOINT: &str = "KB5043080";

const CHECKED: &str = "names, sizes, and container types checked; contents not read (use --deep)";

/// Valid sets of family 26100, each with checkpoint and target: for client and server, from before and after their
/// releases diverged.
const VALID_SETS: [[&str; 2]; 6] = [
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

/// Reads the rows of a facts file. Prints a line and returns `None` if the file is missing.
fn facts(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts").join(name);
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: ../shared/facts/{name} is missing");
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn findings_of(names: &[String], request_for: &LintRequest, knowledge: &Knowledge) -> LintReport {
    lint(&LintFolder::of_names(names.iter().cloned()), request_for, knowledge, &Facts::default())
}

/// Returns the findings as pairs of code and KB.
fn pairs(report: &LintReport) -> BTreeSet<(String, String)> {
    let pair = |finding: &kbmirror::lint::LintFinding| {
        (finding.code.to_string(), finding.kb.map(|kb| kb.to_string()).unwrap_or_default())
    };
    report.findings.iter().map(pair).collect()
}

fn pair(code: &str, kb: &str) -> (String, String) {
    (code.to_owned(), kb.to_owned())
}

fn request_for(baseline: &Value) -> LintRequest {
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
fn the_collected_folders_have_the_expected_findings() {
    let Some(cases) = facts("lint-cases.jsonl") else { return };
    let knowledge = Knowledge::built_in().unwrap();
    for case in &cases {
        let id = text_of(&case["id"]);
        let names: Vec<String> = items(&case["folder"]).iter().map(text_of).collect();
        let request = LintRequest {
            target: case["target"].as_str().unwrap().parse().ok(),
            ..request_for(&case["baseline"])
        };
        let expected: BTreeSet<_> = items(&case["expect"]["findings"])
            .iter()
            .map(|finding| (text_of(&finding["code"]), text_of(&finding["kb"])))
            .collect();
        let status = if expected.is_empty() { LintStatus::Ok } else { LintStatus::RefuseSet };
        // The answer is the same with the target and without it.
        for request in [request.clone(), LintRequest { target: None, ..request }] {
            let report = findings_of(&names, &request, &knowledge);
            assert_eq!((report.status, pairs(&report)), (status, expected.clone()), "{id}: {report:#?}");
        }
    }
    println!("lint cases: {} of {} match", cases.len(), cases.len());
    assert_eq!(cases.len(), 7);
}

/// The cumulative updates of 26100 according to the collected facts, independent of the tables of the program.
struct Updates {
    /// The revision in the family, if the facts state one.
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

    /// Returns the findings that a folder of these KBs must have.
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
            // In the lists, all updates without a revision are of the same month as the updates beside them.
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

/// Compares the findings for the dated lists with an independent count. DISM reads one folder with the cumulative
/// updates and the checkpoint, so the folder contains only these. The lists also have .NET updates, dynamic updates,
/// and enablement packages, which are applied separately.
#[test]
fn the_dated_lists_match_an_independent_count() {
    let (Some(sets), Some(updates)) = (facts("patch-sets.jsonl"), Updates::of_facts()) else { return };
    let knowledge = Knowledge::built_in().unwrap();
    let bench = Bench::new();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let (mut all, mut valid, mut as_folders, mut with_all_files) = (0, 0, 0, 0);
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
        let request = LintRequest::from(Machine {
            architecture: set["architecture"].as_str().unwrap().parse().ok(),
            baseline: "26100.1".parse().ok(),
            installation: Some(if is_server { Installation::Server } else { Installation::Client }),
            place: Place::Image,
            ..Machine::default()
        });
        let report = findings_of(&names, &request, &knowledge);
        let what = format!("{} {} server={is_server}", set["date"], set["architecture"]);
        assert_eq!(pairs(&report), expected, "{what}: {report:#?}");
        all += 1;
        valid += usize::from(expected.is_empty());
        for (code, _) in &expected {
            *count.entry(code.clone()).or_default() += 1;
        }
        // With the other files of the list, the folder is never valid, and all earlier findings remain.
        if !beside.is_empty() && report.target.is_some() {
            let all: Vec<String> = files.iter().map(|file| text_of(&file["name"])).collect();
            let found = pairs(&findings_of(&all, &request, &knowledge));
            assert!(found.is_superset(&expected), "{what}: {found:?}");
            for file in &beside {
                assert!(
                    found.contains(&pair("foreign_update", file["kb"].as_str().unwrap())),
                    "{what}: {found:?}"
                );
            }
            with_all_files += 1;
        }
        // All faulty lists and some valid lists also go through the command line, as folders of sparse files.
        let distinct = names.iter().collect::<BTreeSet<_>>().len() == names.len();
        if distinct && (!expected.is_empty() || all % 25 == 0) {
            let ran = run_on_files(&bench, &format!("set-{all}"), &names, &request);
            assert_eq!(ran.code, if expected.is_empty() { 0 } else { 10 }, "{what}: {}", ran.stdout);
            let document = ran.json();
            let codes: BTreeSet<String> = field_texts(&document["findings"], "code").into_iter().collect();
            assert_eq!(codes, expected.iter().map(|(code, _)| code.clone()).collect(), "{what}");
            as_folders += 1;
        }
    }
    println!(
        "lists of 26100 since 2024-10: {all}, valid {valid}, as real folders {as_folders}, with all files {with_all_files}"
    );
    println!("findings: {count:?}");
    assert!(all > 100);
    assert_eq!(count["missing_checkpoint"], 14);
    assert!(count["server_in_client_set"] > 0);
}

/// Returns the header of a WIM image of `length` bytes.
fn wim(length: u64) -> Vec<u8> {
    let mut header = [&b"MSWIM\0\0\0"[..], &208_u32.to_le_bytes(), &[0; 196]].concat();
    for (at, offset) in [(48, length - 200), (72, length - 100)] {
        header[at..at + 8].copy_from_slice(&100_u64.to_le_bytes());
        header[at + 8..at + 16].copy_from_slice(&offset.to_le_bytes());
    }
    header
}

/// Writes a sparse file with a valid header and the known length, or a small length.
fn write_sparse_file(path: &Utf8Path) {
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

fn run_on_files(bench: &Bench, folder: &str, names: &[String], request: &LintRequest) -> RunOutput {
    let path = bench.path(folder);
    fs::create_dir_all(&path).unwrap();
    for name in names {
        write_sparse_file(&path.join(name));
    }
    let baseline = request.machine.baseline.unwrap().to_string();
    bench.json(&[
        "lint",
        path.as_str(),
        "--arch",
        request.machine.architecture.unwrap().as_str(),
        "--baseline",
        &baseline,
        "--installation",
        request.machine.installation.unwrap().as_str(),
        "--for",
        "image",
    ])
}

fn valid_set() -> impl Strategy<Value = Vec<String>> {
    (0..VALID_SETS.len()).prop_map(|place| VALID_SETS[place].iter().map(|&name| name.to_owned()).collect())
}

/// Returns names of known packages, of cumulative updates, and of unknown files.
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
        (names, shuffled) in (valid_set(), proptest::collection::vec(any_name(), 0..5))
            .prop_map(|(set, others)| [set, others].concat())
            .prop_flat_map(|names| (Just(names.clone()), Just(names).prop_shuffle())),
        architecture in proptest::option::of(Just(Architecture::X64)),
    ) {
        let knowledge = Knowledge::built_in().unwrap();
        let request = LintRequest::from(Machine { architecture, ..Machine::default() });
        prop_assert_eq!(findings_of(&names, &request, &knowledge), findings_of(&shuffled, &request, &knowledge));
    }

    #[test]
    fn a_valid_set_with_another_file_is_refused(set in valid_set(), other in any_name(), with_target in any::<bool>()) {
        let knowledge = Knowledge::built_in().unwrap();
        let target: Option<Kb> = PackageName::parse(&set[1]).kb;
        let request = LintRequest { target: target.filter(|_| with_target), ..LintRequest::default() };
        prop_assert_eq!(findings_of(&set, &request, &knowledge).status, LintStatus::Ok);
        let more = [set, vec![other]].concat();
        prop_assert_eq!(findings_of(&more, &request, &knowledge).status, LintStatus::RefuseSet);
    }

    #[test]
    fn a_missing_checkpoint_is_always_found(
        set in valid_set(),
        others in proptest::collection::vec(any_name(), 0..4),
    ) {
        let knowledge = Knowledge::built_in().unwrap();
        let parsed = PackageName::parse(&set[1]);
        let others = others.into_iter().filter(|name| PackageName::parse(name).kb != CHECKPOINT.parse().ok());
        let names: Vec<String> = others.chain([set[1].clone()]).collect();
        let request = LintRequest { target: parsed.kb, ..LintRequest::from(Machine { architecture: parsed.architecture, ..Machine::default() }) };
        let found = pairs(&findings_of(&names, &request, &knowledge));
        prop_assert!(found.contains(&pair("missing_checkpoint", CHECKPOINT)), "{:?}: {:?}", names, found);
    }

    #[test]
    fn any_names_are_accepted_and_refused_as_a_set(names in proptest::collection::vec("\\PC{0,60}", 0..6)) {
        let knowledge = Knowledge::built_in().unwrap();
        let report = findings_of(&names, &LintRequest::default(), &knowledge);
        prop_assert_eq!(report.status, LintStatus::RefuseSet);
    }
}
