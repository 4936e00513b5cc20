//! Packages that are made byte by byte: true ones, and damaged ones of each kind.

use proptest::prelude::*;

use super::*;
use crate::error::{ErrorKind, Fault as _};

const MANIFEST: &str = r#"<assembly>
<assemblyIdentity name="Package_for_KB5000001" version="1.2.3.4" processorArchitecture="amd64"/>
<package identifier="KB5000001" releaseType="Update"><parent buildCompare="EQ">
<assemblyIdentity name="P" version="6.1.7601.17514"/></parent></package></assembly>"#;

/// Makes a cabinet of stored members with one folder.
fn cabinet(members: &[(&str, &[u8])]) -> Vec<u8> {
    let content: Vec<u8> = members.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect();
    let mut files = Vec::new();
    let mut offset = 0_u32;
    for (name, bytes) in members {
        let size = u32::try_from(bytes.len()).unwrap();
        files.extend(size.to_le_bytes());
        files.extend(offset.to_le_bytes());
        files.extend([0; 8]);
        files.extend(name.as_bytes());
        files.push(0);
        offset += size;
    }
    let blocks: Vec<&[u8]> = content.chunks(32 * 1024).collect();
    let data_at = 44 + files.len();
    let mut bytes = b"MSCF\0\0\0\0".to_vec();
    let size = data_at + content.len() + 8 * blocks.len();
    bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(44_u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([3, 1, 1, 0]);
    bytes.extend(u16::try_from(members.len()).unwrap().to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend(u32::try_from(data_at).unwrap().to_le_bytes());
    bytes.extend(u16::try_from(blocks.len()).unwrap().to_le_bytes());
    bytes.extend([0; 2]);
    bytes.extend(files);
    for block in blocks {
        let length = u16::try_from(block.len()).unwrap().to_le_bytes();
        bytes.extend([0; 4]);
        bytes.extend(length);
        bytes.extend(length);
        bytes.extend(block);
    }
    assert_eq!(bytes.len(), size);
    bytes
}

fn fault_of(bytes: &[u8]) -> String {
    let fault = inspect("a.cab", &bytes.to_vec()).unwrap_err();
    assert_eq!(fault.kind(), ErrorKind::Integrity);
    fault.to_string()
}

#[test]
fn metadata_of_nested_cabinets_are_read() {
    let inner = cabinet(&[("data", &vec![7; 70_000]), ("UPDATE.MUM", MANIFEST.as_bytes())]);
    let properties: Vec<u8> =
        "\u{feff}KB Article Number=\"5000001\"\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let outer = cabinet(&[
        ("WSUSSCAN.cab", b"not read"),
        ("Windows10.0-KB5000001-x64.cab", &inner),
        ("Windows10.0-KB5000001-x64-pkgProperties.txt", &properties),
        ("empty", b""),
    ]);
    let inspection = inspect("windows10.0-kb5000001-x64.msu", &outer).unwrap();
    assert_eq!(inspection.metadata, MetadataState::Read);
    assert_eq!(inspection.kb.unwrap().to_string(), "KB5000001");
    assert_eq!(inspection.architecture.unwrap().as_str(), "x64");
    assert_eq!(inspection.contradictions, Vec::<String>::new());
    assert_eq!(inspection.members.len(), 4);
    let [package] = inspection.packages.as_slice() else { panic!("{inspection:?}") };
    assert_eq!(package.member, "Windows10.0-KB5000001-x64.cab/UPDATE.MUM");
    assert_eq!(package.parents[0].build_compare.as_deref(), Some("EQ"));
    // A name that states something else is a contradiction, and the value is unknown.
    let renamed = inspect("windows10.0-kb5000002-arm64.msu", &outer).unwrap();
    assert_eq!((renamed.kb, renamed.architecture), (None, None));
    assert_eq!(
        renamed.contradictions,
        [
            "the KB is contradictory: KB5000001 (the properties, the manifest) and KB5000002 (the file name)",
            "the architecture is contradictory: arm64 (the file name) and x64 (the manifest)",
        ]
    );
}

#[test]
fn other_containers_are_named_and_nothing_is_claimed() {
    let mut wim = b"MSWIM\0\0\0".to_vec();
    wim.extend(208_u32.to_le_bytes());
    wim.resize(208, 0);
    for (at, offset) in [(48, 208_u64), (72, 218)] {
        wim[at..at + 8].copy_from_slice(&0x0200_0000_0000_000a_u64.to_le_bytes());
        wim[at + 8..at + 16].copy_from_slice(&offset.to_le_bytes());
    }
    wim.resize(228, 0);
    let cases: [(&str, &Vec<u8>, Option<&str>, &str); 3] = [
        (
            "windows11.0-kb5086672-x64.msu",
            &wim,
            Some("wim"),
            "it is a WIM image, whose metadata are not read",
        ),
        (
            "kb5086672-x64.exe",
            &b"MZ\0".to_vec(),
            Some("exe"),
            "it is a Windows program, whose metadata are not read",
        ),
        ("README.txt", &b"text".to_vec(), None, "its first bytes are not those of a known package"),
    ];
    for (name, bytes, container, reason) in cases {
        let inspection = inspect(name, bytes).unwrap();
        assert_eq!(inspection.container, container);
        assert_eq!(inspection.metadata, MetadataState::NotRead);
        assert_eq!(inspection.reason.as_deref(), Some(reason));
        assert!(inspection.kb.is_none() && inspection.architecture.is_none() && inspection.kind.is_none());
    }
    let payload = inspect("a.msu", &cabinet(&[("a.wim", b"MSWIM"), ("x.AggregatedMetadata.cab", b"MSCF")]));
    let payload = payload.unwrap();
    assert_eq!((payload.metadata, payload.unread.len()), (MetadataState::NotRead, 2));
}

#[test]
fn the_stack_of_an_unread_package_is_not_the_package() {
    let stack = MANIFEST.replace("Package_for_KB5000001", "Package_for_ServicingStack_1");
    let stack = cabinet(&[("update.mum", stack.as_bytes())]);
    let properties = b"KB Article Number=\"5000002\"";
    let parts: [(&str, &[u8]); 3] =
        [("SSU.cab", &stack), ("a-pkgProperties.txt", properties), ("a.AggregatedMetadata.cab", b"MSCF")];
    let alone = inspect("a.msu", &cabinet(&parts[..1])).unwrap();
    assert_eq!(alone.kind, Some(PackageKind::ServicingStack));
    let unified = inspect("a.msu", &cabinet(&parts)).unwrap();
    assert_eq!((unified.kind, unified.metadata), (None, MetadataState::PartlyRead));
    assert_eq!(unified.kb.unwrap().to_string(), "KB5000002");
    assert_eq!(unified.contradictions, Vec::<String>::new());
}

#[test]
fn damaged_packages_are_faults_that_name_the_member() {
    let good = cabinet(&[("update.mum", MANIFEST.as_bytes())]);
    assert_eq!(inspect("a.cab", &good).unwrap().metadata, MetadataState::Read);
    let nested = cabinet(&[("a.cab", b"MSCF and then nothing"), ("b", b"")]);
    assert_eq!(fault_of(&nested), "the member a.cab is damaged: it ends too early");
    let foreign = cabinet(&[("a.cab", &[b'P'; 100])]);
    assert_eq!(fault_of(&foreign), "the member a.cab is damaged: it is not a cabinet");
    assert_eq!(fault_of(b"PK\x03\x04"), "it is a ZIP archive, but a .cab file is a cabinet");
    assert!(fault_of(&good[..good.len() - 1]).starts_with("the package is damaged: it has "));
    // The member claims almost 4 GiB, which is the most that the format can state.
    let mut bomb = good.clone();
    bomb[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        fault_of(&bomb),
        "the member update.mum is damaged: it states 4294967295 bytes at 0, but its data has at most 32768 bytes"
    );
    // The folder claims the blocks for it, too.
    bomb[44..48].copy_from_slice(&(60_000_u32 * 32_768).to_le_bytes());
    bomb[40..42].copy_from_slice(&u16::MAX.to_le_bytes());
    assert_eq!(fault_of(&bomb), "the member update.mum has 1.8 GB; at most 4.0 MB are read");
    bomb[44..48].copy_from_slice(&1_000_000_u32.to_le_bytes());
    assert_eq!(fault_of(&bomb), "the member update.mum is damaged: it ends too early");
    // The same claims of a nested cabinet.
    let mut outer = cabinet(&[("a.cab", &good)]);
    outer[44..48].copy_from_slice(&(60_000_u32 * 32_768).to_le_bytes());
    outer[40..42].copy_from_slice(&u16::MAX.to_le_bytes());
    assert_eq!(fault_of(&outer), "the member a.cab is damaged: it ends too early");
    for name in ["../update.mum", "C:\\update.mum", "/update.mum", "a\\..\\..\\b"] {
        let fault = fault_of(&cabinet(&[("ok", b"1"), (name, b"2")]));
        assert!(fault.starts_with("the package contains a member with the name"), "{fault}");
        assert!(fault.ends_with("which leads out of its folder"), "{fault}");
    }
    let twice = cabinet(&[("update.mum", MANIFEST.as_bytes()), ("Update.mum", b"")]);
    assert!(fault_of(&twice).starts_with("the package contains several members with the name"));
    let entity = format!("<!DOCTYPE x [<!ENTITY e 'KB1'>]>{MANIFEST}");
    let fault = fault_of(&cabinet(&[("a.cab", &cabinet(&[("update.mum", entity.as_bytes())]))]));
    assert!(fault.starts_with("the member a.cab/update.mum is damaged: its XML is refused"), "{fault}");
}

#[test]
fn cabinets_nested_ten_deep_are_refused() {
    let mut bytes = cabinet(&[("update.mum", MANIFEST.as_bytes())]);
    for depth in 2..=10 {
        bytes = cabinet(&[("a.cab", &bytes)]);
        match inspect("a.cab", &bytes) {
            Ok(inspection) => assert!(depth <= 5 && inspection.packages.len() == 1),
            Err(fault) => {
                assert!(depth > 5);
                assert_eq!(
                    fault.to_string(),
                    "the member a.cab/a.cab/a.cab/a.cab/a.cab is nested too deep; at most 5 cabinets within each \
                     other are read"
                );
            }
        }
    }
}

#[test]
fn a_manifest_behind_the_kept_bytes_is_not_read() {
    // The payload is larger than the kept beginning. The manifest at the end cannot be reached, that of `near` can.
    let large = vec![0; 17_000_000];
    let far = cabinet(&[("payload", &large), ("update.mum", MANIFEST.as_bytes())]);
    let near = cabinet(&[("update.mum", MANIFEST.as_bytes()), ("payload", &large)]);
    let inspection = inspect("a.msu", &cabinet(&[("far.cab", &far), ("near.cab", &near)])).unwrap();
    assert_eq!(inspection.metadata, MetadataState::PartlyRead);
    assert_eq!(inspection.packages[0].member, "near.cab/update.mum");
    assert_eq!(inspection.unread[0].member, "far.cab");
    assert!(inspection.unread[0].reason.contains("far.cab/update.mum lies behind"), "{inspection:?}");
}

#[test]
fn a_package_of_too_many_cabinets_is_refused() {
    let names: Vec<String> = (0..101).map(|number| format!("{number}.cab")).collect();
    let inner = cabinet(&[("a", b"1")]);
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
    assert_eq!(
        fault_of(&cabinet(&members)),
        "the member 100.cab is not read, because the package needs too much unpacking"
    );
    assert!(inspect("a.cab", &cabinet(&members[..100])).is_ok());
}

#[test]
fn a_cabinet_of_too_many_names_is_not_read() {
    let names: Vec<String> = (0..60_000).map(|number| format!("{number:0>200}")).collect();
    let mut members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    members.push(("update.mum", MANIFEST.as_bytes()));
    let inspection = inspect("a.cab", &cabinet(&members)).unwrap();
    assert_eq!((inspection.metadata, inspection.packages.len()), (MetadataState::NotRead, 0));
    assert_eq!(inspection.reason.as_deref(), Some("the package has more members than are kept in memory"));
    let fewer = inspect("a.cab", &cabinet(&members[30_000..])).unwrap();
    assert_eq!((fewer.metadata, fewer.members.len()), (MetadataState::Read, 30_001));
}

#[test]
fn deep_xml_is_an_error_and_not_a_crash() {
    let deep = "<a>".repeat(99_000);
    let fault = fault_of(&cabinet(&[("update.mum", deep.as_bytes())]));
    assert!(fault.starts_with("the member update.mum is damaged"), "{fault}");
}

proptest! {
    #[test]
    fn any_changed_bytes_are_read_without_panic(
        changes in prop::collection::vec((0_usize..1000, any::<u8>()), 1..6),
        length in 0_usize..1200,
    ) {
        let inner = cabinet(&[("update.mum", MANIFEST.as_bytes())]);
        let mut bytes = cabinet(&[("a.cab", &inner), ("a-pkgProperties.txt", b"Language=\"ALL\"")]);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _read = inspect("a.msu", &bytes);
        bytes.truncate(length);
        let _read = inspect("a", &bytes);
    }
}
