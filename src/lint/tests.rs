//! Tests of the folder check: the reported findings, and valid folders that must stay without findings.

use super::*;
use crate::facts::{Facts, FileFacts, FileKey, UpdateFacts};
use crate::resolve::{Machine, Place};
use crate::servicing::{Installation, Knowledge};
use crate::update::{Architecture, Build, Digests, DualHasher, Kb, Kind, PackageName};

const CHECKPOINT: &str = "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu";
const CHECKPOINT_ARM: &str = "windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu";
/// 26100.8117, out of band of 2026-03.
const TARGET: &str = "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu";
/// Windows Server 2025, 2026-06.
const SERVER: &str = "windows11.0-kb5094125-x64_8e89fa4917df313fe118b9fe150611975ab92565.msu";
/// 14393, 2026-06, with its stack and the one before.
const LCU_2016: &str = "windows10.0-kb5094122-x64_";
const ENABLEMENT: &str = "windows11.0-kb5054156-x64_9fd13360d2c5af23ec4f591b86f1c1db37aada37.msu";

fn knowledge() -> Knowledge {
    Knowledge::built_in().unwrap()
}

fn lint_names(names: &[&str], ask: &LintRequest) -> LintReport {
    lint(&LintFolder::of_names(names.iter().copied()), ask, &knowledge(), &Facts::default())
}

/// Returns the findings as `code KB`, in their order.
fn codes_of(report: &LintReport) -> Vec<String> {
    let words = report.findings.iter().map(|finding| {
        let kb = finding.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
        format!("{}{kb}", finding.code)
    });
    words.collect()
}

fn finding_codes(names: &[&str], ask: &LintRequest) -> Vec<String> {
    codes_of(&lint_names(names, ask))
}

fn request_at(build: &str) -> LintRequest {
    LintRequest::from(Machine { baseline: Some(build.parse().unwrap()), ..Machine::default() })
}

fn kb(text: &str) -> Kb {
    text.parse().unwrap()
}

/// Returns the complete name of a known file by its beginning.
fn known_file_name(beginning: &str) -> String {
    let parsed = PackageName::parse(&format!("{beginning}{}.msu", "0".repeat(40)));
    let (kb, knowledge) = (parsed.kb.unwrap(), knowledge());
    let releases = knowledge.releases().files_of(kb).into_iter().map(|(_, name)| name);
    let packages = knowledge.packages().of_kb(kb).into_iter().filter_map(|package| package.name);
    releases
        .chain(packages)
        .find(|name| name.starts_with(beginning) && FolderEntry::of(name).is_package())
        .unwrap()
}

impl FolderEntry {
    fn of(name: &str) -> Self {
        Self { name: name.to_owned(), kind: EntryKind::File, head: None, content: None }
    }
}

#[test]
fn complete_set_is_ok_for_every_baseline() {
    for ask in [
        LintRequest::default(),
        request_at("26100.863"),
        request_at("26200.8037"),
        LintRequest::from(Machine { place: Place::Mirror, ..request_at("26100.8037").machine }),
    ] {
        let report = lint_names(&[TARGET, CHECKPOINT], &ask);
        assert_eq!((report.status, codes_of(&report)), (LintStatus::Ok, vec![]), "{ask:?}");
        assert_eq!(report.target, Some(kb("KB5086672")));
    }
    assert_eq!(
        finding_codes(
            &[CHECKPOINT],
            &LintRequest { target: Some(kb("KB5043080")), ..LintRequest::default() }
        ),
        [""; 0]
    );
}

#[test]
fn checkpoint_is_required_only_below_it() {
    let missing = ["missing_checkpoint KB5043080"];
    assert_eq!(finding_codes(&[TARGET], &LintRequest::default()), missing);
    assert_eq!(finding_codes(&[TARGET], &request_at("26100.1741")), missing);
    assert_eq!(finding_codes(&[TARGET], &request_at("26100.1742")), [""; 0]);
    assert_eq!(
        finding_codes(
            &[TARGET],
            &LintRequest::from(Machine { features_on_demand: true, ..request_at("26100.1742").machine })
        ),
        missing
    );
    assert_eq!(
        finding_codes(
            &[TARGET],
            &LintRequest::from(Machine { place: Place::Mirror, ..request_at("26100.1742").machine })
        ),
        missing
    );
    let report = lint_names(&[TARGET], &LintRequest::default());
    assert_eq!(report.findings[0].name.as_deref(), Some(CHECKPOINT), "the finding names the missing file");
    assert!(report.findings[0].message.contains("26100.1742"), "{report:?}");
}

#[test]
fn winpe_past_the_checkpoint_refuses_it() {
    let winpe = |build: &str| LintRequest::from(Machine { place: Place::Winpe, ..request_at(build).machine });
    let past = ["checkpoint_past_image KB5043080"];
    assert_eq!(finding_codes(&[TARGET, CHECKPOINT], &winpe("26100.1742")), past);
    assert_eq!(finding_codes(&[TARGET], &winpe("26100.1742")), [""; 0]);
    assert_eq!(finding_codes(&[TARGET, CHECKPOINT], &winpe("26100.1")), [""; 0]);
    // Without a baseline, the checkpoint may be needed.
    assert_eq!(
        finding_codes(
            &[TARGET, CHECKPOINT],
            &LintRequest::from(Machine { place: Place::Winpe, ..Machine::default() })
        ),
        [""; 0]
    );
    let winre = LintRequest {
        target: Some(kb("KB5086672")),
        machine: Machine { place: Place::Winre, ..Machine::default() },
        ..LintRequest::default()
    };
    assert_eq!(finding_codes(&[TARGET], &winre), ["foreign_update KB5086672"]);
}

#[test]
fn packages_outside_the_set_are_foreign() {
    let older = known_file_name("windows11.0-kb5046617-x64_");
    for other in [older.as_str(), ENABLEMENT, &known_file_name("windows11.0-kb5074828-x64-ndp481_")] {
        let kb = PackageName::parse(other).kb.unwrap();
        assert_eq!(
            finding_codes(&[TARGET, CHECKPOINT, other], &LintRequest::default()),
            [format!("foreign_update {kb}")]
        );
    }
    // A checkpoint above the target is another update.
    let before = known_file_name("windows11.0-kb5040435-x64_");
    let ask = LintRequest { target: Some(kb("KB5040435")), ..LintRequest::default() };
    assert_eq!(finding_codes(&[&before, CHECKPOINT], &ask), ["foreign_update KB5043080"]);
    let ask = LintRequest { target: Some(kb("KB5046617")), ..LintRequest::default() };
    assert_eq!(finding_codes(&[TARGET, CHECKPOINT, &older], &ask), ["foreign_update KB5086672"]);
}

#[test]
fn files_of_another_architecture_do_not_count() {
    assert_eq!(
        finding_codes(&[TARGET, CHECKPOINT_ARM], &LintRequest::default()),
        ["missing_checkpoint KB5043080", "wrong_architecture KB5043080"]
    );
    let arm = LintRequest::from(Machine { architecture: Some(Architecture::Arm64), ..Machine::default() });
    assert_eq!(
        finding_codes(&[TARGET, CHECKPOINT_ARM], &arm),
        ["missing_target", "wrong_architecture KB5086672"]
    );
}

#[test]
fn server_updates_are_rejected_in_client_sets() {
    let client =
        LintRequest::from(Machine { installation: Some(Installation::Client), ..Machine::default() });
    let server =
        LintRequest::from(Machine { installation: Some(Installation::Server), ..Machine::default() });
    // Without a requested installation, a set with an update for clients only is a client's set, although the
    // server's build is higher.
    for ask in [&LintRequest::default(), &client, &request_at("26200.8037")] {
        assert_eq!(finding_codes(&[TARGET, CHECKPOINT, SERVER], ask), ["server_in_client_set KB5094125"]);
    }
    assert_eq!(finding_codes(&[SERVER, CHECKPOINT], &LintRequest::default()), [""; 0]);
    assert_eq!(finding_codes(&[SERVER, CHECKPOINT], &request_at("26100.32370")), [""; 0]);
    assert_eq!(
        finding_codes(&[SERVER, CHECKPOINT], &client),
        ["missing_target", "server_in_client_set KB5094125"]
    );
    assert_eq!(finding_codes(&[TARGET, CHECKPOINT, SERVER], &server), ["foreign_update KB5086672"]);
    let asked = LintRequest { target: Some(kb("KB5094125")), ..client };
    assert_eq!(finding_codes(&[SERVER, CHECKPOINT], &asked), ["server_in_client_set KB5094125"]);
    // Until the end of 2025, client and server share packages.
    let shared = known_file_name("windows11.0-kb5046617-x64_");
    assert_eq!(finding_codes(&[&shared, CHECKPOINT], &server), [""; 0]);
}

#[test]
fn target_of_another_family_than_the_baseline_is_foreign() {
    assert_eq!(finding_codes(&[TARGET, CHECKPOINT], &request_at("22631.3007")), ["foreign_update KB5086672"]);
}

#[test]
fn separate_servicing_stack_is_required() {
    let lcu = known_file_name(LCU_2016);
    let (own, before) =
        (known_file_name("windows10.0-kb5094141-x64_"), known_file_name("windows10.0-kb5088064-x64_"));
    let later = known_file_name("windows10.0-kb5120236-x64_");
    let ask = LintRequest::default();
    assert_eq!(finding_codes(&[&lcu], &ask), ["missing_servicing_stack KB5094141"]);
    assert_eq!(lint_names(&[&lcu], &ask).findings[0].name.as_deref(), Some(own.as_str()));
    assert_eq!(finding_codes(&[&lcu, &own], &ask), [""; 0]);
    assert_eq!(finding_codes(&[&lcu, &later], &ask), [""; 0], "a later one serves");
    assert_eq!(
        finding_codes(&[&lcu, &before], &ask),
        ["missing_servicing_stack KB5094141", "foreign_update KB5088064"]
    );
    assert_eq!(finding_codes(&[&lcu, &own, &before], &ask), ["foreign_update KB5088064"]);
    let installed = |text| LintRequest::from(Machine { installed: vec![kb(text)], ..Machine::default() });
    assert_eq!(finding_codes(&[&lcu], &installed("KB5120236")), [""; 0]);
    assert_eq!(finding_codes(&[&lcu], &installed("KB5088064")), ["missing_servicing_stack KB5094141"]);
    assert_eq!(finding_codes(&[&lcu], &installed("KB5086672")), ["missing_servicing_stack KB5094141"]);
}

#[test]
fn missing_target_is_reported() {
    assert_eq!(finding_codes(&[], &LintRequest::default()), ["missing_target"]);
    assert_eq!(finding_codes(&[CHECKPOINT], &LintRequest::default()), ["missing_target"]);
    let asked = LintRequest {
        target: Some(kb("KB5086672")),
        machine: Machine { architecture: Some(Architecture::X64), ..Machine::default() },
        ..LintRequest::default()
    };
    let report = lint_names(&[CHECKPOINT, CHECKPOINT], &asked);
    assert_eq!(codes_of(&report), ["missing_target KB5086672", "duplicate KB5043080"]);
    assert_eq!(report.findings[0].name.as_deref(), Some(TARGET));
    let asked = LintRequest { target: Some(kb("KB5054156")), ..LintRequest::default() };
    assert_eq!(finding_codes(&[ENABLEMENT], &asked), [""; 0]);
}

#[test]
fn target_is_inferred_by_build_or_month() {
    // The build of KB5059087 is unknown. Its month is not known to differ either.
    let (unknown, known) =
        (known_file_name("windows11.0-kb5059087-x64_"), known_file_name("windows11.0-kb5055523-x64_"));
    let two = ["two_targets KB5055523", "two_targets KB5059087"];
    assert_eq!(finding_codes(&[&unknown, &known, CHECKPOINT], &LintRequest::default()), two);
    assert!(
        finding_codes(&[&unknown, &known], &LintRequest::default())
            .contains(&"missing_checkpoint KB5043080".to_owned())
    );
    assert_eq!(finding_codes(&[&unknown, CHECKPOINT], &LintRequest::default()), [""; 0]);
    // The build of KB5083631 is unknown; its month is 2026-05.
    let later = known_file_name("windows11.0-kb5083631-x64_");
    assert_eq!(
        finding_codes(&[&later, TARGET, CHECKPOINT], &LintRequest::default()),
        ["foreign_update KB5086672"]
    );
    let again = TARGET.replace("97df", "a7df");
    let words = finding_codes(&[TARGET, &again, CHECKPOINT], &LintRequest::default());
    assert_eq!(words, ["two_targets KB5086672", "two_targets KB5086672", "unknown_package KB5086672"]);
}

#[test]
fn unknown_files_are_always_findings() {
    let set = [TARGET, CHECKPOINT];
    for (name, word) in [
        ("windows11.0-kb9999999-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu", "duplicate KB9999999"),
        (
            "windows11.0-kb9999999-x64_07df4ed279e18da5b02308a5a3361313520fd346.msu",
            "unknown_package KB9999999",
        ),
        ("update.msu", "unknown_package"),
        ("driver.cab", "unknown_package"),
        ("desktop.ini", "not_a_package"),
        ("SHA256SUMS", "not_a_package"),
    ] {
        let words = finding_codes(&[&set[..], &[name]].concat(), &LintRequest::default());
        assert!(words.iter().any(|found| found == word), "{name}: {words:?}");
    }
    let reissued = CHECKPOINT.replace("9534", "0534");
    assert_eq!(finding_codes(&[TARGET, &reissued], &LintRequest::default()), ["unknown_package KB5043080"]);
}

#[test]
fn copies_and_renamed_files_are_identified() {
    let copy = TARGET.replace(".msu", " (1).msu");
    assert_eq!(finding_codes(&[TARGET, &copy, CHECKPOINT], &LintRequest::default()), ["duplicate KB5086672"]);
    assert_eq!(finding_codes(&[&copy, CHECKPOINT], &LintRequest::default()), ["misnamed KB5086672"]);
    let short = "Windows11.0-KB5086672-x64.MSU";
    assert_eq!(finding_codes(&[short, CHECKPOINT], &LintRequest::default()), [""; 0]);
    assert_eq!(finding_codes(&[short, TARGET, CHECKPOINT], &LintRequest::default()), ["duplicate KB5086672"]);
    // A servicing stack without a KB in its name is identified by its digest.
    let stack = "ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu";
    assert_eq!(
        finding_codes(&[TARGET, CHECKPOINT, stack], &LintRequest::default()),
        ["foreign_update KB5031539"]
    );
    let asked = LintRequest { target: Some(kb("KB5031539")), ..LintRequest::default() };
    assert_eq!(finding_codes(&[stack], &asked), [""; 0]);
}

#[test]
fn sub_folder_is_a_finding() {
    let mut folder = LintFolder::of_names([TARGET, CHECKPOINT]);
    folder.entries.push(FolderEntry { kind: EntryKind::Folder, ..FolderEntry::of("old.msu") });
    let report = lint(&folder, &LintRequest::default(), &knowledge(), &Facts::default());
    assert_eq!(codes_of(&report), ["sub_folder"]);
}

fn digests(bytes: &[u8]) -> Digests {
    let mut hasher = DualHasher::new();
    hasher.update(bytes);
    hasher.finish()
}

#[test]
fn content_digests_are_compared_when_present() {
    let content = digests(b"something else");
    let mut folder = LintFolder::of_names([TARGET, CHECKPOINT]);
    folder.entries[0].content = Some(content);
    let report = lint(&folder, &LintRequest::default(), &knowledge(), &Facts::default());
    assert_eq!(codes_of(&report), ["digest_mismatch KB5086672"]);
    // Without a digest in the name, the content must match the known facts of the KB.
    folder.entries[0].name = "windows11.0-kb5086672-x64.msu".to_owned();
    let report = lint(&folder, &LintRequest::default(), &knowledge(), &Facts::default());
    assert_eq!(codes_of(&report), ["digest_mismatch KB5086672"]);
}

/// Returns an index with one update that lists these files.
fn index_with_update(kb: &str, title: &str, kind: Kind, product: (&str, &str), names: &[&str]) -> Facts {
    let files = (1..).zip(names).map(|(key, name)| {
        let key = FileKey(key);
        (key, FileFacts { key: Some(key), ..FileFacts::from_name(name) })
    });
    let update = UpdateFacts {
        id: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        title: title.to_owned(),
        kb: kb.parse().ok(),
        kind: Some(kind),
        month: None,
        product: Some(product.0.to_owned()),
        release: Some(product.1.to_owned()).filter(|release| !release.is_empty()),
        products: String::new(),
        architecture: Some(Architecture::X64),
        build: None,
        last_updated: None,
        size: None,
        files: None,
        files_seen: None,
        expired: None,
    };
    let files: std::collections::BTreeMap<_, _> = files.collect();
    let update = UpdateFacts { files: Some(files.keys().copied().collect()), ..update };
    Facts { updates: vec![update], files, ..Facts::default() }
}

#[test]
fn index_describes_files_missing_in_knowledge() {
    let (first, second) = (
        "windows10.0-kb9000001-x64_1111111111111111111111111111111111111111.msu",
        "windows10.0-kb9000002-x64-ndp48_2222222222222222222222222222222222222222.msu",
    );
    let facts = index_with_update(
        "KB9000000",
        "a parent",
        Kind::DotnetCu,
        ("Windows Server 2019", ""),
        &[first, second],
    );
    let judge = |names: &[&str], ask: &LintRequest, facts: &Facts| {
        codes_of(&lint(&LintFolder::of_names(names.iter().copied()), ask, &knowledge(), facts))
    };
    let parent = LintRequest { target: Some(kb("KB9000000")), ..LintRequest::default() };
    assert_eq!(judge(&[first, second], &parent, &facts), [""; 0], "the children are the set");
    assert_eq!(judge(&[first], &parent, &facts), [""; 0], "one child is what a machine needs");
    assert_eq!(judge(&[first, TARGET], &parent, &facts), ["foreign_update KB5086672"]);
    assert_eq!(
        judge(&[TARGET, CHECKPOINT, first], &LintRequest::default(), &facts),
        ["foreign_update KB9000001"]
    );
    // Without an index, the files are unknown.
    assert_eq!(
        judge(
            &[first],
            &LintRequest { target: Some(kb("KB9000001")), ..LintRequest::default() },
            &Facts::default()
        ),
        ["unknown_package KB9000001"]
    );
    // A new cumulative update whose entry lists the checkpoint.
    let new = "windows11.0-kb9000003-x64_3333333333333333333333333333333333333333.msu";
    let mut facts =
        index_with_update("KB9000003", "a new one", Kind::Lcu, ("Windows 11", "24H2"), &[new, CHECKPOINT]);
    facts.updates[0].build = Some(Build::new(26100, 9999));
    assert_eq!(judge(&[new, CHECKPOINT], &LintRequest::default(), &facts), [""; 0]);
    assert_eq!(judge(&[new], &LintRequest::default(), &facts), ["missing_checkpoint KB5043080"]);
    assert_eq!(
        judge(&[new, CHECKPOINT, TARGET], &LintRequest::default(), &facts),
        ["foreign_update KB5086672"]
    );
}

#[test]
fn copy_for_windows_setup_is_not_the_target() {
    let copy = "windows10.0-kb5049981-x64_3cac6de1fd097dae64819ce05b3a5bea04a9659e.cab";
    let msu = known_file_name("windows10.0-kb5049981-x64_");
    for ask in
        [LintRequest::default(), LintRequest { target: Some(kb("KB5049981")), ..LintRequest::default() }]
    {
        assert_eq!(finding_codes(&[&msu], &ask), [""; 0]);
        assert_eq!(finding_codes(&[&msu, copy], &ask), ["foreign_update KB5049981"]);
        assert_eq!(finding_codes(&[copy], &ask)[0].split(' ').next(), Some("missing_target"));
    }
}
