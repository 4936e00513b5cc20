//! Tests of `why`: the tree of reasons for a plan, as text and as JSON.

use serde_json::{Value, json};

use super::harness::{Bench, field_texts, items, recording, text_of};

/// Returns a mirror that has crawled a KB of the demo.
fn crawled(kbs: &[&str]) -> Bench {
    let bench = Bench::new();
    bench.replay(&recording("demo"), &[&["crawl"], kbs].concat()).exits(0);
    bench
}

/// Asserts that stderr has only the warning about the age of the knowledge, because the test clock is months later.
#[track_caller]
fn expect_only_age_warning(stderr: &str) {
    assert!(stderr.lines().count() == 1 && stderr.contains("Patch Tuesdays have passed since"), "{stderr}");
}

/// Collects every conclusion of a tree, in reading order.
fn conclusions(reason: &Value, found: &mut Vec<String>) {
    found.push(text_of(&reason["conclusion"]));
    for reason_below in items(&reason["because"]) {
        conclusions(reason_below, found);
    }
}

#[test]
fn below_the_checkpoint_both_files_are_listed_in_order() {
    let bench = crawled(&["KB5086672"]);
    let ran = bench.run(&["why", "KB5086672", "--arch", "arm64", "--baseline", "26100.863"]).exits(0);
    assert_eq!(
        ran.stdout,
        "\
KB5086672 (arm64) at build 26100.863: install 2 files, in this order
  source: the download dialog of update 66ff4aae-a428-54e6-909d-08a49a5e4145 listed both files on 2026-11-23
  source: the download dialog of update d64ed291-da15-5ffc-b357-736912c7cc32 listed both files on 2026-11-23
- KB5086672 is a cumulative update for Windows 11, version 24H2 and Windows 11, version 25H2 (arm64)
    source: the Catalog's titles of KB5086672
- build 26100.863 is Windows 11 24H2, 25H2, 26H2, and KB5086672 is for this family
    source: knowledge of 2026-10-05: Catalog entries of KB5129195 (2026-10-05): one file per architecture for the three versions
- KB5086672 goes onto a running machine, which is the requested place
- KB5086672 is not known to be withdrawn
    source: knowledge of 2026-10-05: no row of withdrawn.toml has it
- 26100.863 is below 26100.8117, which KB5086672 brings
    source: the Catalog's titles of KB5086672 state build 26100.8117
- 1. checkpoint KB5043080: 26100.863 is below the checkpoint 26100.1742 that KB5086672 builds upon
  - KB5043080 brings 26100.1742
      source: knowledge of 2026-10-05: KB5043080 is the checkpoint 26100.1742 (Catalog dialogs of 2024-11 to 2026-10; learn.microsoft.com, catalog-checkpoint-cumulative-updates)
  - KB5086672 brings 26100.8117 and contains only the changes since 26100.1742
  - the file is windows11.0-kb5043080-arm64_bb800093cb8846441c8e3da16122f5bb4bcf9bed.msu, not in the mirror
- 2. target KB5086672: the requested update: from 26100.863 to 26100.8117
  - the file is windows11.0-kb5086672-arm64_1095dd7b2d5593b955bd7bd0059c8af7e8ba593a.msu, not in the mirror
"
    );
    expect_only_age_warning(&ran.stderr);
}

#[test]
fn a_withdrawn_update_names_its_successor() {
    let bench = Bench::new();
    let ran = bench.run(&["why", "KB5079391", "--arch", "arm64", "--baseline", "26100.863"]).exits(10);
    assert_eq!(
        ran.stdout,
        "\
KB5079391 (arm64) at build 26100.863: withdrawn
- KB5079391 is a preview of the next cumulative update for Windows 11 24H2, 25H2, 26H2 (arm64)
    source: knowledge of 2026-10-05: KB5079391 is 26100.8116 (release history)
- build 26100.863 is Windows 11 24H2, 25H2, 26H2, and KB5079391 is for this family
    source: knowledge of 2026-10-05: Catalog entries of KB5129195 (2026-10-05): one file per architecture for the three versions
- KB5079391 goes onto a running machine, which is the requested place
- KB5079391 is withdrawn (the preview of 2026-03-26 (26100.8116) failed with 0x80073712 and was withdrawn within days): take KB5086672 instead
    source: knowledge of 2026-10-05: KB article of KB5086672
- warnings
  - the index has no entry of KB5079391: used knowledge of 2026-10-05 only
"
    );
    expect_only_age_warning(&ran.stderr);
}

#[test]
fn several_matching_sets_are_listed_with_options() {
    let bench = crawled(&["KB5043080", "KB5086672"]);
    let ran = bench.run(&["why", "KB5086672"]).exits(10);
    assert_eq!(
        ran.stdout,
        "\
KB5086672 at an unknown build: ambiguous
- 2 package sets of KB5086672 match: select one with --arch
  - choice: --arch arm64 --product \"Windows 11, version 24H2\"
  - choice: --arch x64 --product \"Windows 11, version 24H2\"
"
    );
    expect_only_age_warning(&ran.stderr);
}

#[test]
fn an_enablement_package_requires_an_update_below_its_floor() {
    let bench = Bench::new();
    let ran = bench.run(&["why", "KB5054156", "--arch", "x64", "--baseline", "26100.863"]).exits(0);
    assert_eq!(
        ran.stdout,
        "\
KB5054156 (x64) at build 26100.863: install 3 files, in this order
- KB5054156 switches 25H2 on and is for 24H2
    source: knowledge of 2026-10-05: KB5054156 article
- KB5054156 needs 26100.5074 or later, 26100.863 is lower, and KB5129195 brings 26100.9457
    source: knowledge of 2026-10-05: KB5054156 article
  - KB5129195 is a cumulative update for Windows 11 24H2, 25H2, 26H2 (x64)
      source: knowledge of 2026-10-05: KB5129195 is 26100.9457 (release history)
  - build 26100.863 is Windows 11 24H2, 25H2, 26H2, and KB5129195 is for this family
      source: knowledge of 2026-10-05: Catalog entries of KB5129195 (2026-10-05): one file per architecture for the three versions
  - KB5129195 goes onto a running machine, which is the requested place
  - KB5129195 is not known to be withdrawn
      source: knowledge of 2026-10-05: no row of withdrawn.toml has it
  - 26100.863 is below 26100.9457, which KB5129195 brings
      source: knowledge of 2026-10-05: KB5129195 is 26100.9457 (release history)
- 1. checkpoint KB5043080: 26100.863 is below the checkpoint 26100.1742 that KB5129195 builds upon
  - KB5043080 brings 26100.1742
      source: knowledge of 2026-10-05: KB5043080 is the checkpoint 26100.1742 (Catalog dialogs of 2024-11 to 2026-10; learn.microsoft.com, catalog-checkpoint-cumulative-updates)
  - KB5129195 brings 26100.9457 and contains only the changes since 26100.1742
  - the file is windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu, 509.0 MB, not in the mirror
- 2. prerequisite KB5129195: KB5054156 needs 26100.5074 or later: 26100.863 is lower, and KB5129195 brings 26100.9457
  - the file is windows11.0-kb5129195-x64_ed361878ec2b56a7dfdb8f256565263a7fdc8eaa.msu, not in the mirror
  - restart the machine: the next step checks the running build
- 3. enablement package KB5054156: switches 25H2 on
    source: knowledge of 2026-10-05: KB5054156 is known as enablement (packages)
  - the file is windows11.0-kb5054156-x64_9fd13360d2c5af23ec4f591b86f1c1db37aada37.msu, not in the mirror
- warnings
  - KB5054156: not searchable in the Catalog; an earlier generation of its files exists
  - the index has no entry of KB5129195: used knowledge of 2026-10-05 only
"
    );
    expect_only_age_warning(&ran.stderr);
}

#[test]
fn a_separate_servicing_stack_comes_first() {
    let bench = crawled(&["KB5094122", "KB5094141"]);
    let ran = bench
        .run(&["why", "KB5094122", "--arch", "x64", "--baseline", "14393.8000", "--installation", "server"])
        .exits(0);
    assert_eq!(
        ran.stdout,
        "\
KB5094122 (x64) at build 14393.8000: install 2 files, in this order
- KB5094122 is a cumulative update for Windows 10, version 1607 and Windows Server 2016 (x64)
    source: the Catalog's titles of KB5094122
- build 14393.8000 is Windows Server 2016, and KB5094122 is for this family
    source: knowledge of 2026-10-05: Catalog titles of 2024-09 to 2026-06
- KB5094122 goes onto a running machine, which is the requested place
- KB5094122 is not known to be withdrawn
    source: knowledge of 2026-10-05: no row of withdrawn.toml has it
- 14393.8000 is below 14393.9234, which KB5094122 brings
    source: knowledge of 2026-10-05: KB5094122 is 14393.9234 (release history)
- 1. servicing stack KB5094141: Windows Server 2016 takes its servicing stack as a separate package, before KB5094122
    source: knowledge of 2026-10-05: KB5094141 was published with KB5094122 (stacks)
    source: knowledge of 2026-10-05: public patch lists: separate on everything before Windows 10, on Windows 10 1507 to 1909, and on 1507 and 1607 until today
    source: the download dialog of update 8516d485-0413-579f-895d-9e867542282b listed the file on 2026-11-23
    source: the download dialog of update 8da4e391-881c-5740-82c0-2fca2c4dbf52 listed the file on 2026-11-23
  - the file is windows10.0-kb5094141-x64_fc0da6843c20a9b5ad35d91f7182f3b1d7268061.msu, not in the mirror
- 2. target KB5094122: the requested update: from 14393.8000 to 14393.9234
    source: the download dialog of update d9a5087a-a7ed-5e65-ab2a-ea9a428b263b listed the file on 2026-11-23
    source: the download dialog of update d9dc4bcd-7214-5dab-bfc3-aab768468299 listed the file on 2026-11-23
  - the file is windows10.0-kb5094122-x64_7935b947e8353476620f7e4cb2cfe49c311a4b4e.msu, not in the mirror
"
    );
    expect_only_age_warning(&ran.stderr);
}

#[test]
fn a_narrow_terminal_wraps_lines_and_shortens_digests() {
    let bench = crawled(&["KB5086672"]);
    let ran =
        bench.run_at_width(80, &["why", "KB5086672", "--arch", "arm64", "--baseline", "26100.863"]).exits(0);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    let checkpoint = "\
- 1. checkpoint KB5043080: 26100.863 is below the checkpoint 26100.1742 that
  KB5086672 builds upon
  - KB5043080 brings 26100.1742
      source: knowledge of 2026-10-05: KB5043080 is the checkpoint 26100.1742
              (Catalog dialogs of 2024-11 to 2026-10; learn.microsoft.com,
              catalog-checkpoint-cumulative-updates)
  - KB5086672 brings 26100.8117 and contains only the changes since 26100.1742
  - the file is windows11.0-kb5043080-arm64_bb800093\u{2026}.msu, not in the mirror
";
    assert!(ran.stdout.contains(checkpoint), "{}", ran.stdout);
}

#[test]
fn the_json_tree_has_the_content_of_the_text() {
    let bench = crawled(&["KB5086672"]);
    let machine = ["KB5086672", "--arch", "arm64", "--baseline", "26100.863"];
    let tree = bench.json(&[&["why"][..], &machine].concat()).exits(0).json();
    assert_eq!((&tree["kb"], &tree["status"]), (&json!("KB5086672"), &json!("install")));
    assert_eq!(tree["knowledge_date"], "2026-10-05");
    let mut found = Vec::new();
    conclusions(&tree, &mut found);
    let text = bench.run(&[&["why"][..], &machine].concat()).exits(0).stdout;
    for conclusion in &found {
        assert!(text.contains(conclusion.as_str()), "{conclusion}");
    }
    assert!(found.len() > 8, "{found:?}");
    assert_eq!(items(&tree["evidence"]).len(), 2, "one dialog for 24H2 and one for 25H2");
    assert!(text_of(&tree["evidence"][0]).ends_with("listed both files on 2026-11-23"));
    let plan = bench.json(&[&["resolve"][..], &machine].concat()).exits(0).json();
    let last = field_texts(&tree["because"], "conclusion").len() - 1;
    assert!(text_of(&tree["because"][last]["conclusion"]).ends_with(&text_of(&plan["steps"][1]["because"])));
}

#[test]
fn why_has_the_exit_codes_of_resolve() {
    let bench = crawled(&["KB5086672", "KB5094122"]);
    for (arguments, code) in [
        (&["KB5086672", "--arch", "arm64"][..], 0),
        (&["KB5086672", "--arch", "arm64", "--baseline", "26100.8117"], 0),
        (&["KB5086672", "--arch", "arm64", "--baseline", "28000.1"], 10),
        (&["KB5086672", "--arch", "arm64", "--for", "winre"], 10),
        (&["KB5120994"], 10),
        (&["--latest", "--arch", "x64", "--baseline", "26100.863", "--installation", "client"], 0),
        (&["--latest", "--arch", "x64", "--baseline", "26100.863"], 10),
        (&["--latest", "--arch", "x64", "--baseline", "19045.5000", "--no-esu"], 0),
        (&["--enable", "26H1", "--baseline", "26100.863"], 10),
        (&["KB1234567"], 3),
        (&[], 2),
    ] {
        let why = bench.json(&[&["why"], arguments].concat()).exits(code).json();
        let plan = bench.json(&[&["resolve"], arguments].concat()).exits(code).json();
        assert_eq!(why["status"], plan["status"], "{arguments:?}");
        if code == 0 || code == 10 {
            assert!(!items(&why["because"]).is_empty(), "{arguments:?}");
        }
    }
}
