//! `inspect`: real packages, packages that stock programs made, and damaged ones. `gcab` makes cabinets, and `7z` is
//! the judge of their listings.
#![expect(clippy::disallowed_methods, reason = "tests read and damage packages directly")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::fs;
use std::io::{Cursor, Read as _};
use std::panic::catch_unwind;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use kbmirror::package::inspect;
use serde_json::{Value, json};

use super::harness::{Bench, failure, field_texts, items, run_judge, sha1_hex, text_of};

/// The manifest of the packages that these tests make.
const MANIFEST: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v3">
  <assemblyIdentity name="Package_for_RollupFix" version="26100.863.1.2" processorArchitecture="arm64"/>
  <package identifier="KB5086672" releaseType="Security Update">
    <parent disposition="detect" revisionCompare="GE">
      <assemblyIdentity name="Microsoft-Windows-Foundation-Package" version="10.0.26100.1742"/>
    </parent>
    <installerAssembly name="Microsoft-Windows-ServicingStack" version="10.0.26100.1"/>
  </package>
</assembly>"#;

/// The answer file beside it.
const ANSWERS: &str = r#"<unattend xmlns="urn:schemas-microsoft-com:unattend"><servicing><package action="install">
<assemblyIdentity name="Package_for_RollupFix" version="26100.863.1.2" processorArchitecture="arm64"/>
</package></servicing></unattend>"#;

/// Returns a stored cabinet with the manifest as its only member.
pub(crate) fn small_package() -> Vec<u8> {
    let text = MANIFEST.as_bytes();
    let length = u16::try_from(text.len()).unwrap();
    let mut bytes = b"MSCF\0\0\0\0".to_vec();
    bytes.extend((u32::from(length) + 79).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(44_u32.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 3, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([71, 0, 0, 0, 1, 0, 0, 0]);
    bytes.extend(u32::from(length).to_le_bytes());
    bytes.extend([0; 12]);
    bytes.extend(b"update.mum\0");
    bytes.extend([0; 4]);
    bytes.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
    bytes.extend(text);
    bytes
}

/// Returns the path of a real package, or `None` where the samples are missing.
#[expect(clippy::print_stdout, reason = "a test reports the check that it skips")]
fn sample(name: &str) -> Option<Utf8PathBuf> {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/msu-samples").join(name);
    if !path.exists() {
        println!("skipped: ../shared/msu-samples/{name} is missing");
        return None;
    }
    Some(path)
}

const SAMPLES: [&str; 2] = ["Windows6.1-KB2465285-x86.msu", "Windows6.1-KB3040017-x64.msu"];

/// Returns the listing of `7z` as pairs of name and size, or `None` if it is not installed.
fn listed_by_7z(path: &Utf8Path) -> Option<Vec<(String, u64)>> {
    let listed = run_judge("7z", &["l", "-slt", path.as_str()], Path::new("/"))?;
    let text = String::from_utf8(listed.stdout).unwrap();
    let (_, members) = text.split_once("\n----------\n").unwrap();
    let value = |line: &str, key: &str| line.strip_prefix(key).map(str::to_owned);
    let names = members.lines().filter_map(|line| value(line, "Path = "));
    let sizes = members.lines().filter_map(|line| value(line, "Size = "));
    let mut found: Vec<_> = names.zip(sizes.map(|size| size.parse().unwrap())).collect();
    found.sort();
    Some(found)
}

fn members_of(file: &Value) -> Vec<(String, u64)> {
    let members = items(&file["members"]).iter();
    let mut found: Vec<_> =
        members.map(|one| (text_of(&one["name"]), one["size"].as_u64().unwrap())).collect();
    found.sort();
    found
}

#[test]
fn real_packages_state_identity_and_parents() {
    let expected: [(&str, &str, &str, &[&str]); 2] = [
        ("KB2465285", "x86", "x86", &["6.1.7600.16385", "6.1.7601.17514"]),
        ("KB3040017", "x64", "amd64", &["6.1.7601.17514"]),
    ];
    for (name, (kb, architecture, processor, parents)) in SAMPLES.into_iter().zip(expected) {
        let Some(path) = sample(name) else { return };
        let bench = Bench::new();
        let document = bench.json(&["inspect", path.as_str()]).exits(0).json();
        assert_eq!(document["failures"], json!([]));
        let file = &document["files"][0];
        for (field, value) in [
            ("container", "cab"),
            ("metadata", "read"),
            ("kb", kb),
            ("architecture", architecture),
            ("digest_in_name", "absent"),
            ("signature", "not_checked"),
        ] {
            assert_eq!(file[field], value, "{field} of {name}");
        }
        assert_eq!(file["sha1"], sha1_hex(&fs::read(&path).unwrap()));
        assert_eq!(file["installs"][0]["name"], format!("Package_for_{kb}"));
        assert_eq!(file["properties"]["package_type"], "Hotfix");
        let package = &file["packages"][0];
        assert_eq!(package["identity"]["processor_architecture"], processor);
        assert_eq!(package["servicing_stack"]["version"], "6.0.0.0");
        let rule = &package["parents"][0];
        assert_eq!((&rule["build_compare"], items(&package["parents"]).len()), (&json!("EQ"), 1));
        let mut versions = field_texts(&rule["packages"], "version");
        versions.dedup();
        assert_eq!(versions, parents);
        if let Some(listed) = listed_by_7z(&path) {
            assert_eq!(members_of(file), listed);
        }
        let text = bench.run(&["inspect", path.as_str()]).exits(0).stdout;
        for words in [kb, parents[0], "not checked", "build EQ", "the name states no SHA-1"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn packages_made_by_gcab_are_read() {
    let bench = Bench::new();
    let folder = bench.path("made");
    fs::create_dir(&folder).unwrap();
    // Larger than one block, and not compressible to one.
    let payload: Vec<u8> =
        (0..100_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    fs::write(folder.join("payload.dll"), payload).unwrap();
    fs::write(folder.join("update.mum"), MANIFEST).unwrap();
    fs::write(folder.join("a.xml"), ANSWERS).unwrap();
    let properties = "\u{feff}KB Article Number=\"5086672\"\r\nProcessor Architecture=\"arm64\"\r\n";
    let properties: Vec<u8> = properties.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join("a-pkgProperties.txt"), properties).unwrap();
    for (inner, outer) in [("-cn", "-cn"), ("-czn", "-cn"), ("-cn", "-czn"), ("-czn", "-czn")] {
        let make = |arguments: &[&str]| {
            run_judge("gcab", arguments, folder.as_std_path())
                .map(|made| assert!(made.status.success(), "{made:?}"))
        };
        let name = "windows11.0-kb5086672-arm64.msu";
        if make(&[inner, "a.cab", "payload.dll", "update.mum"]).is_none() {
            return;
        }
        make(&[outer, name, "payload.dll", "a.cab", "a-pkgProperties.txt", "a.xml"]).unwrap();
        let bytes = fs::read(folder.join(name)).unwrap();
        let path = folder.join(format!("windows11.0-kb5086672-arm64_{}.msu", sha1_hex(&bytes)));
        fs::rename(folder.join(name), &path).unwrap();
        let document = bench.json(&["inspect", path.as_str()]).exits(0).json();
        let file = &document["files"][0];
        for (field, value) in [
            ("metadata", "read"),
            ("kb", "KB5086672"),
            ("kind", "cumulative"),
            ("architecture", "arm64"),
            ("digest_in_name", "equal"),
        ] {
            assert_eq!(file[field], value, "{field}: {document:#}");
        }
        assert_eq!(file["packages"][0]["member"], "a.cab/update.mum");
        assert_eq!(file["packages"][0]["parents"][0]["revision_compare"], "GE");
        if let Some(listed) = listed_by_7z(&path) {
            assert_eq!(members_of(file), listed);
        }
    }
}

#[test]
fn bad_files_exit_5_and_the_others_are_shown() {
    let bench = Bench::new();
    let folder = bench.path("downloads");
    fs::create_dir(&folder).unwrap();
    let good = small_package();
    let right = format!("windows11.0-kb5086672-arm64_{}.cab", sha1_hex(&good));
    let wrong = format!("windows11.0-kb5086672-arm64_{}.cab", sha1_hex(b"other"));
    fs::write(folder.join(&right), &good).unwrap();
    let document = bench.json(&["inspect", folder.as_str()]).exits(0).json();
    assert_eq!(document["files"][0]["digest_in_name"], "equal");
    fs::write(folder.join(&wrong), &good).unwrap();
    fs::write(folder.join("short.cab"), &good[..500]).unwrap();
    fs::write(folder.join("page.msu"), "<html>").unwrap();
    fs::write(folder.join("windows10.0-kb5030211-x64.cab"), &good).unwrap();
    fs::write(folder.join("README.txt"), "a text").unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    let document = bench.json(&["inspect", folder.as_str()]).exits(5).json();
    assert_eq!(
        field_texts(&document["files"], "name"),
        ["README.txt", "windows10.0-kb5030211-x64.cab", &wrong, &right]
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    let failures = items(&document["failures"]);
    assert_eq!(failures.len(), 4, "{document:#}");
    assert!(failures.iter().all(|failure| failure["kind"] == "integrity"));
    for words in [
        "its SHA-1 is",
        "its header states at least",
        "it is a web page",
        "the KB is contradictory: KB5030211 (the file name) and KB5086672 (the manifest)",
    ] {
        assert!(document["failures"].to_string().contains(words), "{words}: {document:#}");
    }
    let text = bench.run(&["inspect", folder.as_str()]).exits(5);
    assert!(text.stderr.contains("4 items failed for the same reason (integrity)"), "{}", text.stderr);
}

#[test]
fn a_missing_file_is_an_error() {
    let bench = Bench::new();
    let path = bench.path("absent.msu");
    let document = bench.json(&["inspect", path.as_str()]).exits(3).json();
    let item = &document["failures"][0];
    assert_eq!(
        (text_of(&item["kind"]), text_of(&item["message"])),
        failure("not_found", format!("{path} does not exist"))
    );
    let empty = bench.path("empty");
    fs::create_dir(&empty).unwrap();
    bench.json(&["inspect", empty.as_str()]).exits(3);
    bench.json(&["inspect"]).exits(2);
    fs::write(bench.path("a.cab"), small_package()).unwrap();
    bench.json(&["inspect", path.as_str(), bench.path("a.cab").as_str()]).exits(4);
}

/// Sets the checksum of each block to 0, which stands for a missing one. Changed bytes then reach the decompressor.
fn without_checksums(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
    // Both samples have one folder behind a reserve of 20 bytes.
    let (mut at, blocks) = (number(bytes, 60), number(bytes, 64) & 0xffff);
    for _ in 0..blocks {
        bytes[at..at + 4].fill(0);
        at += 8 + (number(bytes, at + 4) & 0xffff);
    }
}

#[test]
fn changed_bytes_of_a_real_package_cause_no_panic() {
    let Some(path) = sample(SAMPLES[0]) else { return };
    let name = path.file_name().unwrap();
    let original = fs::read(&path).unwrap();
    assert!(inspect(name, &original).is_ok());
    // The package is packed with MSZIP, and the cabinet in it with LZX.
    let mut inner = Vec::new();
    let mut outer = cab::Cabinet::new(Cursor::new(&original)).unwrap();
    outer.read_file(&name.replace(".msu", ".cab")).unwrap().read_to_end(&mut inner).unwrap();
    for bytes in [&original, &inner] {
        let mut open = bytes.clone();
        without_checksums(&mut open);
        assert!(inspect("a", &open).is_ok(), "a missing checksum is allowed");
        let mut faults = 0;
        for (bytes, step) in [(bytes, 3001), (&open, 401)] {
            for at in (0..400).chain((400..bytes.len()).step_by(step)) {
                let mut changed = bytes.clone();
                changed[at] ^= 0x5a;
                let outcome = catch_unwind(|| inspect("a", &changed));
                faults += usize::from(outcome.unwrap_or_else(|_| panic!("a change at {at}")).is_err());
            }
        }
        assert!(faults > 100, "{faults}");
    }
    for length in (0..original.len()).step_by(1009) {
        let cut = original[..length].to_vec();
        let fault = inspect(name, &cut).unwrap_err().to_string();
        assert!(length < 8 || fault.contains("its header states at least"), "{length}: {fault}");
    }
}
