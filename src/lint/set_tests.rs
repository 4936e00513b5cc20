//! Tests of published sets of every kind, and of targets that are not cumulative updates.

use super::*;
use crate::facts::{Facts, FileFacts, FileKey, Role, SetFolder, UpdateFacts};
use crate::resolve::{Machine, Place};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Digests, DualHasher, Kind};

const CHECKPOINT: &str = "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu";
const ENABLEMENT: &str = "windows11.0-kb5054156-x64_9fd13360d2c5af23ec4f591b86f1c1db37aada37.msu";
const STACK: &str = "ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu";

fn lint_with(folder: &LintFolder, ask: &LintRequest, facts: &Facts) -> LintReport {
    lint(folder, ask, &Knowledge::built_in().unwrap(), facts)
}

/// Returns the findings as `code KB`.
fn codes_of(report: &LintReport) -> Vec<String> {
    let words = report.findings.iter().map(|finding| {
        let kb = finding.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
        format!("{}{kb}", finding.code)
    });
    words.collect()
}

/// Returns the record of a set of these files.
fn record(kb: &str, architecture: Option<Architecture>, files: &[(&str, Role)]) -> RecordedSet {
    let file = |&(name, role): &(&str, Role)| RecordedFile {
        name: name.to_owned(),
        role,
        file: FileFacts { size: Some(5000), ..FileFacts::from_name(name) },
    };
    RecordedSet {
        kb: kb.parse().unwrap(),
        folder: SetFolder::new("a-set").unwrap(),
        architecture,
        is_dynamic: false,
        files: files.iter().map(file).collect(),
    }
}

/// Returns the request about the folder of a set in a mirror.
fn in_mirror(recorded: RecordedSet) -> LintRequest {
    let machine = Machine { place: Place::Mirror, ..Machine::default() };
    LintRequest { recorded: Some(recorded), ..LintRequest::from(machine) }
}

fn names_of(set: &RecordedSet) -> Vec<String> {
    set.files.iter().map(|file| file.name.clone()).collect()
}

#[test]
fn published_set_of_every_kind_is_ok() {
    let x64 = Some(Architecture::X64);
    let lcu_2016 = Knowledge::built_in().unwrap().releases().files_of("KB5094122".parse().unwrap());
    let lcu_2016 = lcu_2016.into_iter().find(|(own, _)| *own == Architecture::X64).unwrap().1;
    for (kb, architecture, files) in [
        // A checkpoint under its own KB, and a stack without a KB in its name.
        ("KB5043080", x64, &[(CHECKPOINT, Role::Target)][..]),
        ("KB5031539", x64, &[(STACK, Role::Target)]),
        ("KB5054156", x64, &[(ENABLEMENT, Role::Enablement)]),
        ("KB5094122", x64, &[(&lcu_2016, Role::Target)]),
        (
            "KB5990000",
            x64,
            &[
                ("windows10.0-kb5990001-x64_1111111111111111111111111111111111111111.msu", Role::DotnetChild),
                (
                    "windows10.0-kb5990002-x64-ndp48_2222222222222222222222222222222222222222.msu",
                    Role::DotnetChild,
                ),
            ],
        ),
        // Programs without a KB, an architecture, or a digest in their names.
        ("KB2267602", None, &[("mpam-fe.exe", Role::Target), ("mpam-fe~12345678.exe", Role::Target)]),
        (
            "KB890830",
            None,
            &[
                ("windows-kb890830-x64-v5.131_3333333333333333333333333333333333333333.exe", Role::Target),
                ("windows-kb890830-v5.131_4444444444444444444444444444444444444444.exe", Role::Target),
            ],
        ),
        // A driver.
        ("KB5990010", None, &[("3c2f_5555555555555555555555555555555555555555.cab", Role::Target)]),
        // Several packages of one KB for one architecture.
        (
            "KB5990020",
            x64,
            &[
                ("windows6.1-kb5990020-x64_6666666666666666666666666666666666666666.msu", Role::Target),
                ("windows6.1-kb5990020-v2-x64_7777777777777777777777777777777777777777.msu", Role::Target),
            ],
        ),
    ] {
        let set = record(kb, architecture, files);
        let folder = LintFolder::of_names(names_of(&set));
        let report = lint_with(&folder, &in_mirror(set), &Facts::default());
        assert_eq!((codes_of(&report), report.status), (vec![], LintStatus::Ok), "{kb}: {report:#?}");
        assert_eq!(report.target, kb.parse().ok());
        let programs = files.iter().filter(|(name, _)| name.rsplit('.').next() == Some("exe")).count();
        assert_eq!(report.not_for_dism.len(), programs, "{kb}");
        // The stack has a folder of its own. It is named, because a machine needs it.
        let needs_stack = report.requires.contains(&"KB5094141".parse().unwrap());
        assert_eq!(needs_stack, kb == "KB5094122", "{kb}: {:?}", report.requires);
    }
    // For a machine, the stack is missing in the folder.
    let asked = LintRequest::from(Machine { baseline: "14393.0".parse().ok(), ..Machine::default() });
    let set = record("KB5094122", x64, &[(&lcu_2016, Role::Target)]);
    let folder = LintFolder::of_names(names_of(&set));
    let report = lint_with(&folder, &LintRequest { recorded: Some(set), ..asked }, &Facts::default());
    assert!(codes_of(&report).contains(&"missing_servicing_stack KB5094141".to_owned()), "{report:#?}");
}

#[test]
fn other_content_than_the_published_one_is_found() {
    let names = ["mpam-fe.exe", "mpam-d.exe"];
    let set = || record("KB2267602", None, &names.map(|name| (name, Role::Target)));
    let judge = |names: &[&str]| {
        codes_of(&lint_with(
            &LintFolder::of_names(names.iter().copied()),
            &in_mirror(set()),
            &Facts::default(),
        ))
    };
    assert_eq!(judge(&names), [""; 0]);
    assert_eq!(judge(&names[..1]), ["missing_target KB2267602"]);
    assert_eq!(judge(&["mpam-fe.exe", "mpam-d.exe", "setup.exe"]), ["not_a_package"]);
    assert_eq!(judge(&["mpam-fe.exe", "mpam-d.exe", ENABLEMENT]), ["foreign_update KB5054156"]);
    // A package that is needed elsewhere, or another file of the KB, is not a part of the set.
    let lcu = record("KB5990030", None, &[("windows10.0-kb5990030-x64.msu", Role::Target)]);
    let other = LintFolder::of_names(["windows10.0-kb5990030-x64.msu", "windows10.0-kb5990030-x64.cab"]);
    let found = codes_of(&lint_with(&other, &in_mirror(lcu), &Facts::default()));
    assert!(found.contains(&"foreign_update KB5990030".to_owned()), "{found:?}");
    assert_eq!(judge(&[]), ["missing_target KB2267602", "missing_target KB2267602"]);
    let mut folder = LintFolder::of_names(names);
    let head = |size| Some(FileHead { size, first: b"MZ\x90\0".to_vec() });
    for (size, code) in [(5000, None), (4999, Some("size_mismatch KB2267602")), (0, Some("empty KB2267602"))]
    {
        folder.entries[1].head = head(size);
        let found = codes_of(&lint_with(&folder, &in_mirror(set()), &Facts::default()));
        assert_eq!(found, code.into_iter().collect::<Vec<_>>());
    }
    // Content of the same length is compared with the recorded digests.
    folder.entries[1].head = head(5000);
    folder.entries[1].content = Some(digests(b"other"));
    let mut recorded = set();
    recorded.files[1].file.sha256 = Some(digests(b"right").sha256);
    let found = |recorded: &RecordedSet| {
        codes_of(&lint_with(&folder, &in_mirror(recorded.clone()), &Facts::default()))
    };
    assert_eq!(found(&recorded), ["digest_mismatch KB2267602"]);
    recorded.files[1].file.sha256 = Some(digests(b"other").sha256);
    assert_eq!(found(&recorded), [""; 0]);
    // Another target is judged without the record.
    let asked = LintRequest { target: "KB5054156".parse().ok(), ..in_mirror(set()) };
    let report = lint_with(&LintFolder::of_names(names), &asked, &Facts::default());
    assert_eq!((report.published_set, report.target), (None, "KB5054156".parse().ok()));
    assert_eq!(report.status, LintStatus::RefuseSet);
}

#[test]
fn published_set_without_its_checkpoint_is_refused() {
    let target = "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu";
    for files in [&[(target, Role::Target)][..], &[(CHECKPOINT, Role::Checkpoint), (target, Role::Target)]] {
        let set = record("KB5086672", Some(Architecture::X64), files);
        let report = lint_with(&LintFolder::of_names([target]), &in_mirror(set), &Facts::default());
        assert_eq!(codes_of(&report), ["missing_checkpoint KB5043080"]);
    }
    // A package of another architecture is never a part of a set.
    let arm = "windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu";
    let files = [(CHECKPOINT, Role::Checkpoint), (arm, Role::Companion), (target, Role::Target)];
    let set = record("KB5086672", Some(Architecture::X64), &files);
    let report = lint_with(&LintFolder::of_names(names_of(&set)), &in_mirror(set), &Facts::default());
    assert_eq!(codes_of(&report), ["wrong_architecture KB5043080"]);
}

#[test]
fn target_may_be_of_any_kind() {
    let judge = |names: &[&str], facts: &Facts| {
        lint_with(&LintFolder::of_names(names.iter().copied()), &LintRequest::default(), facts)
    };
    let none = Facts::default();
    for (name, kb) in [(STACK, "KB5031539"), (ENABLEMENT, "KB5054156")] {
        let report = judge(&[name], &none);
        assert_eq!((codes_of(&report), report.target), (vec![], kb.parse().ok()));
    }
    assert_eq!(
        codes_of(&judge(&[STACK, ENABLEMENT], &none)),
        ["two_targets KB5031539", "two_targets KB5054156"]
    );
    assert_eq!(codes_of(&judge(&[CHECKPOINT], &none)), ["missing_target"]);
    assert_eq!(codes_of(&judge(&[CHECKPOINT, ENABLEMENT], &none)), ["missing_target"]);
    // The index has the parent of the packages, and a program.
    let children = [
        "windows10.0-kb5990001-x64_1111111111111111111111111111111111111111.msu",
        "windows10.0-kb5990002-x64-ndp48_2222222222222222222222222222222222222222.msu",
    ];
    let facts = index_of("KB5990000", Kind::DotnetCu, &children);
    let report = judge(&children, &facts);
    assert_eq!((codes_of(&report), report.target), (vec![], "KB5990000".parse().ok()), "{report:#?}");
    let program = "windows-kb890830-x64-v5.131_3333333333333333333333333333333333333333.exe";
    let facts = index_of("KB890830", Kind::App, &[program]);
    let report = judge(&[program], &facts);
    assert_eq!((codes_of(&report), report.target), (vec![], "KB890830".parse().ok()), "{report:#?}");
    assert_eq!(report.not_for_dism[0].reason, OutsideReason::OwnInstaller);
    assert_eq!(codes_of(&judge(&[program], &none)), ["missing_target", "not_a_package"]);
}

#[test]
fn dynamic_update_is_ok_only_in_its_place() {
    let name = "windows11.0-kb5990040-x64_1111111111111111111111111111111111111111.cab";
    for (kind, place) in [(Kind::SafeosDu, Place::Winre), (Kind::SetupDu, Place::Media)] {
        let facts = index_of("KB5990040", kind, &[name]);
        for asked in [Place::Online, Place::Image, Place::Winpe, Place::Winre, Place::Media, Place::Mirror] {
            let ask = LintRequest::from(Machine { place: asked, ..Machine::default() });
            let ask = LintRequest { target: "KB5990040".parse().ok(), ..ask };
            let report = lint_with(&LintFolder::of_names([name]), &ask, &facts);
            let is_ok = asked == place || asked == Place::Mirror;
            assert_eq!(report.status == LintStatus::Ok, is_ok, "{kind} {asked:?}: {report:#?}");
            assert_eq!(report.not_for_dism.len(), 1);
        }
    }
}

#[test]
fn stated_digest_outweighs_the_container() {
    let name = "windows10.0-kb5990300-x64.msu";
    let bytes = b"bytes without a container";
    let mut facts = index_of("KB5990300", Kind::UpdateOther, &[name]);
    let file = facts.files.values_mut().next().unwrap();
    (file.sha1, file.sha1_is_stated) = (Some(digests(bytes).sha1), true);
    let mut folder = LintFolder::of_names([name]);
    folder.entries[0].head = Some(FileHead { size: bytes.len() as u64, first: bytes.to_vec() });
    let asked = LintRequest { target: "KB5990300".parse().ok(), ..LintRequest::default() };
    let report = lint_with(&folder, &asked, &facts);
    assert_eq!(
        (codes_of(&report), report.doubtful),
        (vec!["not_a_package KB5990300".to_owned()], vec![name.to_owned()])
    );
    folder.entries[0].content = Some(digests(bytes));
    assert_eq!(codes_of(&lint_with(&folder, &asked, &facts)), [""; 0]);
    folder.entries[0].content = Some(digests(b"other"));
    assert_eq!(codes_of(&lint_with(&folder, &asked, &facts)), ["not_a_package KB5990300"]);
}

#[test]
fn only_content_that_may_settle_a_finding_is_doubtful() {
    let head = |size, first: &[u8]| Some(FileHead { size, first: first.to_vec() });
    for (name, head, is_doubtful) in [
        ("1 - KB5043080 - Checkpoint Update [26100.1742].msu", head(533_761_740, b"MSWIM\0\0\0"), true),
        ("1 - KB5043080 - Checkpoint Update [26100.1742].msu", head(100, b"MSWIM\0\0\0"), false),
        ("update.msu", head(100, b"MSCF"), true),
        ("update.msu", head(0, b""), false),
        ("update.exe", head(100, b"MZ\x90\0"), true),
        ("notes.txt", head(100, b"notes"), false),
        (CHECKPOINT, head(100, b"MSWIM\0\0\0"), false),
        (CHECKPOINT, head(533_761_740, b"<html>"), true),
    ] {
        let mut folder = LintFolder::of_names([name]);
        folder.entries[0].head = head;
        let report = lint_with(&folder, &LintRequest::default(), &Facts::default());
        assert_eq!(report.doubtful.len(), usize::from(is_doubtful), "{name}: {report:#?}");
    }
}

fn digests(bytes: &[u8]) -> Digests {
    let mut hasher = DualHasher::new();
    hasher.update(bytes);
    hasher.finish()
}

/// Returns an index with one update that lists these files.
fn index_of(kb: &str, kind: Kind, names: &[&str]) -> Facts {
    let files = (1..).zip(names).map(|(key, name)| {
        let key = FileKey(key);
        (key, FileFacts { key: Some(key), ..FileFacts::from_name(name) })
    });
    let files: std::collections::BTreeMap<_, _> = files.collect();
    let update = UpdateFacts {
        id: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
        title: "an update".to_owned(),
        kb: kb.parse().ok(),
        kind: Some(kind),
        month: None,
        product: Some("Windows Server 2019".to_owned()),
        release: None,
        products: String::new(),
        architecture: Some(Architecture::X64),
        build: None,
        last_updated: None,
        size: None,
        files: Some(files.keys().copied().collect()),
        files_seen: None,
        expired: None,
    };
    Facts { updates: vec![update], files, ..Facts::default() }
}
