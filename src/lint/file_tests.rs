//! Tests of lengths, containers, and names of files: findings without reading the content, and their texts.

use super::*;
use crate::facts::{Facts, FileFacts, FileKey};
use crate::resolve::Machine;
use crate::servicing::Knowledge;
use crate::update::{Architecture, DualHasher};

const CHECKPOINT: &str = "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu";
const CHECKPOINT_SIZE: u64 = 533_761_740;
const TARGET: &str = "windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu";
const READ_AND_NOT: &str = "names, sizes, and container types checked; contents not read (use --deep)";

/// Returns the beginning of a valid WIM image of this length.
fn wim_head(size: u64) -> FileHead {
    let mut first = b"MSWIM\0\0\0".to_vec();
    first.extend(208_u32.to_le_bytes());
    first.resize(208, 0);
    for (at, offset) in [(48, size - 200), (72, size - 100)] {
        first[at..at + 8].copy_from_slice(&100_u64.to_le_bytes());
        first[at + 8..at + 16].copy_from_slice(&offset.to_le_bytes());
    }
    FileHead { size, first }
}

fn file(name: &str, head: FileHead) -> FolderEntry {
    FolderEntry { name: name.to_owned(), kind: EntryKind::File, head: Some(head), content: None }
}

fn lint_entries(entries: Vec<FolderEntry>, facts: &Facts) -> LintReport {
    lint(&LintFolder { entries }, &LintRequest::default(), &Knowledge::built_in().unwrap(), facts)
}

/// Returns the findings as `code KB`.
fn codes_of(report: &LintReport) -> Vec<String> {
    let words = report.findings.iter().map(|finding| {
        let kb = finding.kb.map(|kb| format!(" {kb}")).unwrap_or_default();
        format!("{}{kb}", finding.code)
    });
    words.collect()
}

fn lint_with_target(head: FileHead) -> LintReport {
    lint_entries(vec![file(CHECKPOINT, wim_head(CHECKPOINT_SIZE)), file(TARGET, head)], &Facts::default())
}

#[test]
fn damaged_files_are_found_without_reading_content() {
    let text = |bytes: &[u8]| FileHead { size: bytes.len() as u64, first: bytes.to_vec() };
    for (head, code) in [
        (text(b""), "empty"),
        (text(b"<!DOCTYPE html><html><body>sign in</body></html>"), "not_a_package"),
        (text(b"MZ\x90\0 a program"), "not_a_package"),
        (text(&[0; 600]), "not_a_package"),
        (text(b"MSWIM\0\0\0"), "size_mismatch"),
        (text(b"MSCF"), "size_mismatch"),
        (FileHead { size: 4999, ..wim_head(5000) }, "size_mismatch"),
        (
            FileHead { size: 5000, first: [b"MSWIM\0\0\0\xd0\0\0\0".to_vec(), vec![0; 196]].concat() },
            "not_a_package",
        ),
    ] {
        let what = format!("{head:?}");
        let report = lint_with_target(head);
        assert_eq!(codes_of(&report), [format!("{code} KB5086672")], "{what}");
        assert_eq!(report.findings[0].name.as_deref(), Some(TARGET));
    }
    assert_eq!(codes_of(&lint_with_target(wim_head(5000))), [""; 0]);
    // The size of the checkpoint is known: a valid container of another length is another file.
    let report =
        lint_entries(vec![file(CHECKPOINT, wim_head(5000)), file(TARGET, wim_head(5000))], &Facts::default());
    assert_eq!(codes_of(&report), ["size_mismatch KB5043080"]);
    assert!(report.findings[0].message.contains("533761740"), "{report:?}");
}

#[test]
fn report_states_the_compared_properties() {
    let report = lint_with_target(wim_head(5000));
    assert_eq!((report.checked.as_str(), report.contents_read), (READ_AND_NOT, false));
    assert_eq!(report.unchecked.len(), 1, "{report:#?}");
    assert!(report.unchecked[0].contains(TARGET) && report.unchecked[0].contains("own header confirms"));
    assert_eq!(report.files[0].known_size, Some(CHECKPOINT_SIZE));
    assert_eq!(
        report.files[0].checked,
        [
            CheckedProperty::Name,
            CheckedProperty::Container,
            CheckedProperty::Size,
            CheckedProperty::ContainerSize
        ]
    );
    assert_eq!((report.files[1].known_size, report.files[1].container), (None, Some("wim")));
    assert_eq!(
        report.files[1].checked,
        [CheckedProperty::Name, CheckedProperty::Container, CheckedProperty::ContainerSize]
    );
    let names = lint(
        &LintFolder::of_names([TARGET, CHECKPOINT]),
        &LintRequest::default(),
        &Knowledge::built_in().unwrap(),
        &Facts::default(),
    );
    assert_eq!(names.checked, "names checked; sizes, container types, and contents not checked");
}

/// Returns an index with one file of which only the name is stated.
fn index_with_file(name: &str, size: Option<u64>) -> Facts {
    let key = FileKey(1);
    let file = FileFacts { key: Some(key), size, ..FileFacts::from_name(name) };
    Facts { files: [(key, file)].into(), ..Facts::default() }
}

#[test]
fn length_is_compared_with_the_index() {
    let facts = index_with_file(TARGET, Some(6000));
    let entries = |size| vec![file(CHECKPOINT, wim_head(CHECKPOINT_SIZE)), file(TARGET, wim_head(size))];
    assert_eq!(codes_of(&lint_entries(entries(5000), &facts)), ["size_mismatch KB5086672"]);
    let report = lint_entries(entries(6000), &facts);
    assert_eq!((codes_of(&report), report.unchecked.as_slice()), (vec![], &[][..]));
}

#[test]
fn content_without_known_digest_is_reported_unchecked() {
    let mut hasher = DualHasher::new();
    hasher.update(b"anything");
    let content = hasher.finish();
    let name = "windows10.0-kb5990300-x64.msu";
    let entry = FolderEntry { content: Some(content), ..file(name, wim_head(5000)) };
    let asked = LintRequest { target: "KB5990300".parse().ok(), ..LintRequest::default() };
    let facts = index_with_file(name, None);
    let report = lint(&LintFolder { entries: vec![entry] }, &asked, &Knowledge::built_in().unwrap(), &facts);
    assert!(report.contents_read);
    assert!(report.unchecked.iter().any(|doubt| doubt.contains("no digest of")), "{report:#?}");
    assert!(!report.files[0].checked.contains(&CheckedProperty::Sha1), "{report:#?}");
}

#[test]
fn renamed_files_are_identified_and_get_their_name() {
    let sized = |name: &str| file(name, wim_head(CHECKPOINT_SIZE));
    for renamed in [
        "1 - KB5043080 - Checkpoint Update [26100.1742].msu",
        "KB5043080.msu",
        "kb5043080-x64.MSU",
        &format!("copy of {CHECKPOINT}"),
        &CHECKPOINT.replace(".msu", " (1).msu"),
        &CHECKPOINT.replace(".msu", " - Copy.msu"),
        &format!("{CHECKPOINT}.msu"),
        &format!("01_{CHECKPOINT}"),
    ] {
        let report = lint_entries(vec![sized(renamed), file(TARGET, wim_head(5000))], &Facts::default());
        assert_eq!(codes_of(&report), ["misnamed KB5043080"], "{renamed}");
        assert_eq!(report.findings[0].right_name.as_deref(), Some(CHECKPOINT), "{renamed}");
        assert!(report.findings[0].message.contains(CHECKPOINT), "{report:?}");
    }
    // A name without an architecture may be the file of either architecture.
    let names = ["1 - KB5043080.msu", "2 - KB5086672.msu"];
    let knowledge = Knowledge::built_in().unwrap();
    let report = lint(&LintFolder::of_names(names), &LintRequest::default(), &knowledge, &Facts::default());
    assert_eq!(codes_of(&report), ["misnamed KB5043080", "misnamed KB5086672"]);
    assert!(report.findings[0].message.contains(CHECKPOINT), "{report:?}");
    assert_eq!(report.findings[0].right_name, None);
    // If another file or the request states the architecture, the renamed file has that architecture.
    for (names, asked) in [
        (["1 - KB5043080.msu", TARGET], None),
        (["1 - KB5043080.msu", "2 - KB5086672.msu"], Some(Architecture::X64)),
    ] {
        let ask = LintRequest::from(Machine { architecture: asked, ..Machine::default() });
        let report = lint(&LintFolder::of_names(names), &ask, &knowledge, &Facts::default());
        assert_eq!(report.findings[0].right_name.as_deref(), Some(CHECKPOINT), "{report:#?}");
    }
    // A copy beside the original must be removed.
    let report = lint_entries(
        vec![sized(&CHECKPOINT.replace(".msu", " (1).msu")), sized(CHECKPOINT), file(TARGET, wim_head(5000))],
        &Facts::default(),
    );
    assert_eq!(codes_of(&report), ["duplicate KB5043080"]);
    assert!(report.findings[0].name.as_deref().is_some_and(|name| name.contains("(1)")));
    // A renamed file that is truncated has both findings.
    let cut = lint_entries(
        vec![file("1 - KB5043080.msu", wim_head(5000)), file(TARGET, wim_head(5000))],
        &Facts::default(),
    );
    assert_eq!(codes_of(&cut), ["size_mismatch KB5043080", "misnamed KB5043080"]);
}

#[test]
fn name_with_several_kbs_is_unknown() {
    let both = "KB5043080 + KB5086672.msu";
    let report = lint_entries(vec![file(both, wim_head(5000))], &Facts::default());
    assert!(codes_of(&report).contains(&"unknown_package".to_owned()), "{report:?}");
    let unknown = report.findings.iter().find(|finding| finding.code == LintCode::UnknownPackage).unwrap();
    assert!(unknown.message.contains("KB5043080, KB5086672") && unknown.message.contains("--deep"));
    // The digest in the name decides between the KBs.
    let report = lint_entries(
        vec![
            file(CHECKPOINT, wim_head(CHECKPOINT_SIZE)),
            file(&format!("before KB5043080 {TARGET}"), wim_head(5000)),
        ],
        &index_with_file(TARGET, None),
    );
    assert_eq!(codes_of(&report), ["misnamed KB5086672"]);
}

#[test]
fn name_with_the_digest_of_another_kb_is_misnamed() {
    let wrong = TARGET.replace("kb5086672", "kb5085516");
    let report = lint_entries(
        vec![file(CHECKPOINT, wim_head(CHECKPOINT_SIZE)), file(&wrong, wim_head(5000))],
        &index_with_file(TARGET, None),
    );
    assert_eq!(codes_of(&report), ["misnamed KB5086672"]);
    assert_eq!(report.findings[0].right_name.as_deref(), Some(TARGET));
}

#[test]
fn links_and_devices_are_always_findings() {
    for name in ["link.msu", "pipe", CHECKPOINT] {
        let other = FolderEntry { kind: EntryKind::Other, head: None, ..file(name, wim_head(5000)) };
        let entries = vec![file(TARGET, wim_head(5000)), other];
        assert!(
            codes_of(&lint_entries(entries, &Facts::default())).contains(&"not_a_package".to_owned()),
            "{name}"
        );
    }
}
