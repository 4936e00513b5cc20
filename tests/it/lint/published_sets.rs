//! Sets of every kind, published from a loopback Catalog: `lint` accepts each, with and without the mirror, and a fetch
//! publishes none that `lint` refuses.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::super::air_gap::fetch_from;
use super::super::harness::{Bench, copy_folder, field_texts, items, names_in, text_of};
use super::super::support::{FileSpec, Loopback, UpdateSpec, World, id};

/// Returns a file with this name whose bytes begin like the container of its extension.
fn file(name: &str) -> FileSpec {
    let magic = match name.rsplit('.').next() {
        Some("exe") => "MZ",
        _ => "MSCF",
    };
    FileSpec { name: name.to_owned(), bytes: format!("{magic} {name}").into_bytes(), ..FileSpec::default() }
}

/// Returns a package with a name in Microsoft's form.
fn package(stem: &str, extension: &str) -> FileSpec {
    let magic = if extension == "exe" { "MZ" } else { "MSCF" };
    FileSpec::package(stem, extension, format!("{magic} {stem}"))
}

fn update(number: u32, title: &str, products: &str, files: Vec<FileSpec>) -> UpdateSpec {
    UpdateSpec { products: products.to_owned(), files, ..UpdateSpec::new(&id(number), title) }
}

/// Returns a Catalog with an update of each kind.
fn world() -> World {
    let rollup = "2024-07 Security Monthly Quality Rollup for Windows Server 2012 R2 for x64-based Systems (KB5990001)";
    let security =
        "2024-07 Security Only Quality Update for Windows Server 2012 R2 for x64-based Systems (KB5990002)";
    let stack =
        "2024-07 Servicing Stack Update for Windows 10 Version 22H2 for x64-based Systems (KB5990003)";
    let dotnet = "2024-07 Cumulative Update for .NET Framework 3.5, 4.7.2 and 4.8 for Windows Server 2019 for x64 (KB5990004)";
    let enablement = "Feature update to Windows 10 Version 22H2 for x64-based systems using enablement package (KB5990007)";
    let lcu = "2024-07 Cumulative Update for Windows Server 2016 for x64-based Systems (KB5990008)";
    let dynamic =
        "2024-07 Dynamic Cumulative Update for Windows 10 Version 22H2 for x64-based Systems (KB5990009)";
    let safe_os =
        "2024-07 Safe OS Dynamic Update for Windows 11 Version 24H2 for x64-based Systems (KB5990010)";
    let removal = "Windows Malicious Software Removal Tool x64 - v5.131 (KB890830)";
    let platform =
        "Update for Microsoft Defender Antivirus antimalware platform - KB4052623 (Version 4.18.1)";
    let definitions =
        "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.1)";
    let driver = "Surface - Firmware - 1.0 (KB5990011)";
    let bundle = "August 2014 Update Rollup for Windows Server 2012 R2 (KB5990012)";
    World::new()
        .update(update(1, rollup, "Windows Server 2012 R2", vec![package("windows8.1-kb5990001-x64", "msu")]))
        .update(update(
            2,
            security,
            "Windows Server 2012 R2",
            vec![package("windows8.1-kb5990002-x64", "msu")],
        ))
        .update(update(3, stack, "Windows 10", vec![package("ssu-19041.9990-x64", "msu")]))
        .update(update(
            4,
            dotnet,
            "Windows Server 2019",
            vec![
                package("windows10.0-kb5990005-x64", "msu"),
                package("windows10.0-kb5990006-x64-ndp48", "msu"),
            ],
        ))
        .update(update(5, enablement, "Windows 10", vec![package("windows10.0-kb5990007-x64", "cab")]))
        .update(update(6, lcu, "Windows Server 2016", vec![package("windows10.0-kb5990008-x64", "msu")]))
        .update(update(7, dynamic, "Windows 10", vec![package("windows10.0-kb5990009-x64", "cab")]))
        .update(update(8, safe_os, "Windows 11", vec![package("windows11.0-kb5990010-x64", "cab")]))
        .update(update(9, removal, "Windows 10", vec![package("windows-kb890830-x64-v5.131", "exe")]))
        .update(update(
            10,
            platform,
            "Microsoft Defender Antivirus",
            ["amd64fre", "arm64fre", "x86fre"]
                .map(|word| package(&format!("updateplatform.{word}"), "exe"))
                .into(),
        ))
        // Two files of one name without a digest.
        .update(update(
            11,
            definitions,
            "Microsoft Defender Antivirus",
            vec![file("mpam-fe.exe"), FileSpec { bytes: b"MZ other".to_vec(), ..file("MPAM-fe.exe") }],
        ))
        .update(update(12, driver, "Windows 11 Client, Servicing Drivers", vec![package("3c2f1d", "cab")]))
        .update(update(
            13,
            bundle,
            "Windows Server 2012 R2",
            ["kb5990012", "kb5990013", "kb5990014"]
                .map(|kb| package(&format!("windows8.1-{kb}-x64"), "msu"))
                .into(),
        ))
}

const KBS: [&str; 13] = [
    "KB5990001",
    "KB5990002",
    "KB5990003",
    "KB5990004",
    "KB5990007",
    "KB5990008",
    "KB5990009",
    "KB5990010",
    "KB890830",
    "KB4052623",
    "KB2267602",
    "KB5990011",
    "KB5990012",
];

/// Returns a mirror with a set of each kind.
fn mirror_of_all_kinds() -> Bench {
    let bench = Bench::new();
    let loopback = Loopback::start(world());
    let kinds = ["--kind", "dynamic_cu", "--kind", "safeos_du", "--no-closure"];
    for kb in KBS {
        let more: &[&str] = if ["KB5990009", "KB5990010"].contains(&kb) { &kinds } else { &["--no-closure"] };
        fetch_from(&bench, &loopback, &[&[kb], more].concat()).exits(0);
    }
    bench
}

/// Returns the set folders of a mirror.
fn sets_of(mirror: &Utf8Path) -> Vec<Utf8PathBuf> {
    let kbs = names_in(&mirror.join("kb")).into_iter().map(|name| mirror.join("kb").join(name));
    let sets = kbs.flat_map(|kb| names_in(&kb).into_iter().map(move |name| kb.join(name)));
    sets.filter(|path| path.is_dir()).collect()
}

#[test]
fn published_sets_of_every_kind_are_ok() {
    let bench = mirror_of_all_kinds();
    let sets = sets_of(&bench.mirror());
    // The entry with a program for each architecture has a set for each.
    let of_kbs: BTreeSet<&str> = sets.iter().filter_map(|set| set.parent()?.file_name()).collect();
    assert_eq!(of_kbs.len(), KBS.len(), "{sets:?}");
    let other = bench.path("other");
    for set in &sets {
        for deep in [&[][..], &["--deep"]] {
            // The mirror around the folder knows it, whichever mirror is the own one.
            for mirror in [&bench.mirror(), &other] {
                let ran = bench.run_on(mirror, &[&["--json", "lint", set.as_str()], deep].concat());
                let report = ran.exits(0).json();
                let parent = set.parent().unwrap().file_name().unwrap();
                assert_eq!(
                    (&report["status"], &report["target"]),
                    (&json!("ok"), &json!(parent)),
                    "{report:#}"
                );
                assert_eq!(report["published_set"], format!("{parent}/{}", set.file_name().unwrap()));
            }
        }
    }
    // The document beside the folder identifies the files without an index.
    let copy = bench.path("copy");
    copy_folder(&bench.mirror().join("kb"), &copy.join("kb"));
    for set in sets_of(&copy) {
        let ran = bench.run_on(&other, &["--json", "lint", set.as_str()]);
        assert_eq!(ran.exits(0).json()["status"], "ok", "{set}");
    }
    let program = sets.iter().find(|set| set.as_str().contains("KB890830")).unwrap();
    let text = bench.run(&["lint", program.as_str()]).exits(0);
    assert!(text.stdout.contains("DISM does not take it"), "{}", text.stdout);
}

#[test]
fn damaged_published_sets_of_every_kind_are_refused() {
    let mut bench = mirror_of_all_kinds();
    bench.is_linted = false;
    let [elsewhere, changed] = ["elsewhere", "changed"].map(|name| bench.path(name));
    for set in sets_of(&bench.mirror()) {
        let below = set.strip_prefix(bench.mirror()).unwrap();
        let name = names_in(&set).pop().unwrap();
        let bytes = fs::read(set.join(&name)).unwrap();
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for (damage, deep) in [
            (Some(bytes[..bytes.len() - 1].to_vec()), false),
            (Some(Vec::new()), false),
            (Some(vec![0; bytes.len()]), true),
            (Some(flipped), true),
            (None, false),
        ] {
            let copy = changed.join(below);
            copy_folder(set.parent().unwrap(), copy.parent().unwrap());
            match &damage {
                Some(bytes) => fs::write(copy.join(&name), bytes).unwrap(),
                None => fs::remove_file(copy.join(&name)).unwrap(),
            }
            let deep: &[&str] = if deep { &["--deep"] } else { &[] };
            // By the document beside the folder, and by the index of the mirror for a folder elsewhere.
            for mirror in [&elsewhere, &bench.mirror()] {
                let report =
                    bench.run_on(mirror, &[&["--json", "lint", copy.as_str()], deep].concat()).exits(10);
                assert_eq!(report.json()["status"], "refuse_set", "{copy} {name} {damage:?}");
            }
            fs::remove_dir_all(&changed).unwrap();
        }
    }
}

#[test]
fn fetch_publishes_no_set_that_lint_refuses() {
    // The entry for x64 lists a package for arm64.
    let title = "2024-07 Update for Windows Server 2012 R2 for x64-based Systems (KB5990020)";
    let files =
        vec![package("windows8.1-kb5990020-x64", "msu"), package("windows8.1-kb5990020-arm64", "msu")];
    let world = world().update(update(20, title, "Windows Server 2012 R2", files));
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let document = fetch_from(&bench, &loopback, &["KB5990020"]).exits(10).json();
    let set = &document["sets"][0];
    assert_eq!(set["status"], "failed", "{document:#}");
    let error = text_of(&set["error"]);
    assert!(error.contains("lint refuses") && error.contains("wrong_architecture"), "{error}");
    assert_eq!(field_texts(&document["failures"], "kind"), ["unresolved"]);
    assert_eq!(sets_of(&bench.mirror()), [""; 0]);
    // Other sets of the run are published, and the refusal is the same in the next run.
    let document = fetch_from(&bench, &loopback, &["KB5990020", "KB5990001"]).exits(4).json();
    assert_eq!(field_texts(&document["sets"], "status").len(), 2);
    assert_eq!(items(&document["failures"]).len(), 1);
    assert_eq!(sets_of(&bench.mirror()).len(), 1);
}
