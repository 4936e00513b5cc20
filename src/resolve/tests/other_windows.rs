//! Tests of updates for another Windows than the machine's, and for a Windows that the tables do not contain.

use super::*;

const NEXT: &str =
    "2027-10 Cumulative Update for Windows 11, version 27H2 for x64-based Systems (KB5200002) (29600.2000)";
const NEXT_CHECKPOINT: &str =
    "2027-08 Cumulative Update for Windows 11, version 27H2 for x64-based Systems (KB5200001) (29600.1000)";
const NEXT_FILE: &str = "windows11.0-kb5200002-x64_1111111111111111111111111111111111111111.msu";
const CHECKPOINT_FILE: &str = "windows11.0-kb5200001-x64_2222222222222222222222222222222222222222.msu";

fn plan_on(entries: &[(&str, &[&str])], requested: &str, at: &str) -> Plan {
    let knowledge = knowledge();
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some(at.parse().unwrap()),
        installation: Some(Installation::Client),
        ..Machine::default()
    };
    let library = FactsLibrary::new(facts(entries), &knowledge);
    resolve(&Request { machine, ..Request::new(kb(requested)) }, &library, &knowledge).unwrap()
}

fn entries() -> [(&'static str, &'static [&'static str]); 2] {
    [(NEXT, &[CHECKPOINT_FILE, NEXT_FILE]), (NEXT_CHECKPOINT, &[CHECKPOINT_FILE])]
}

#[test]
fn unknown_number_is_planned_for_its_own_machines_only() {
    let own = plan_on(&entries(), "KB5200002", "29600.500");
    assert_eq!(steps(&own), ["checkpoint KB5200001", "target KB5200002"], "{:?}", own.advice);
    assert_eq!(own.expected_build, Some(Build::new(29600, 2000)));
    assert!(own.warnings.iter().any(|text| text.contains("planned from the titles")), "{:?}", own.warnings);
    assert_eq!(steps(&plan_on(&entries(), "KB5200002", "29600.1000")), ["target KB5200002"]);
    assert_eq!(plan_on(&entries(), "KB5200002", "29600.2000").status, Status::NothingToDo);
    // An enablement package may have added the number to the machine's family.
    for at in ["26100.8000", "19045.6456", "29700.1"] {
        let other = plan_on(&entries(), "KB5200002", at);
        assert_eq!((other.status, other.steps.len()), (Status::Unknown, 0), "{at}: {:?}", other.advice);
    }
}

#[test]
fn folder_of_an_unknown_version_names_it() {
    let sets = package_sets(kb("KB5200002"), &facts(&entries()), &knowledge());
    assert_eq!(sets[0].folder, "windows-11-27h2-x64");
}

#[test]
fn unknown_version_without_a_build_is_unknown() {
    let title = "2027-10 Cumulative Update for Windows 11, version 27H2 for x64-based Systems (KB5200002)";
    let entries: [(&str, &[&str]); 1] = [(title, &[NEXT_FILE])];
    assert_eq!(plan_on(&entries, "KB5200002", "26100.8000").status, Status::Unknown);
    assert_eq!(plan_on(&entries, "KB5200002", "29600.1").status, Status::Unknown);
}

#[test]
fn unknown_number_in_a_title_of_a_known_version_is_kept() {
    let title = "2027-10 Cumulative Update for Windows 11, version 26H1 for x64-based Systems (KB5200002) (29600.2000)";
    let entries: [(&str, &[&str]); 1] = [(title, &[NEXT_FILE])];
    let older = plan_on(&entries, "KB5200002", "29600.1");
    assert_eq!((older.status, older.expected_build), (Status::Install, Some(Build::new(29600, 2000))));
    assert_eq!(plan_on(&entries, "KB5200002", "29600.2000").status, Status::NothingToDo);
    assert_eq!(plan_on(&entries, "KB5200002", "28000.1").status, Status::Unknown);
}

#[test]
fn number_of_another_family_is_not_applicable() {
    for title in [
        "2027-10 Cumulative Update for Windows 11, version 27H2 for x64-based Systems (KB5200002) (28000.5000)",
        "2027-10 Cumulative Update for Windows 11, version 24H2 for x64-based Systems (KB5200002) (28000.5000)",
    ] {
        let entries: [(&str, &[&str]); 1] = [(title, &[NEXT_FILE])];
        let other = plan_on(&entries, "KB5200002", "26100.8000");
        assert_eq!(other.status, Status::NotApplicable, "{title}: {:?}", other.advice);
        assert_eq!(plan_on(&entries, "KB5200002", "28000.1000").status, Status::Install, "{title}");
    }
}

#[test]
fn entry_of_the_client_does_not_hide_the_server() {
    let title = "2024-11 Cumulative Update for Windows 11 Version 24H2 for x64-based Systems (KB5046617)";
    let knowledge = knowledge();
    let known = known_sets(kb("KB5046617"), &knowledge);
    let of_x64 = known.iter().find(|set| set.architecture == Some(Architecture::X64)).unwrap();
    let names: Vec<&str> = of_x64.members.iter().map(|member| member.file.name.as_str()).collect();
    assert!(of_x64.families.len() > 1, "client and server share the file");
    let library = FactsLibrary::new(facts(&[(title, &names)]), &knowledge);
    let machine = Machine {
        architecture: Some(Architecture::X64),
        baseline: Some("26100.1742".parse().unwrap()),
        installation: Some(Installation::Server),
        ..Machine::default()
    };
    let plan = resolve(&Request { machine, ..Request::new(kb("KB5046617")) }, &library, &knowledge).unwrap();
    assert_eq!(steps(&plan), ["target KB5046617"], "{:?}", plan.advice);
    let sets = library.sets(kb("KB5046617")).unwrap();
    let crawled = sets.iter().find(|set| !set.updates.is_empty()).unwrap();
    assert_eq!(crawled.folder, "windows-11-24h2-x64", "the folder stays that of the entry");
}

/// Returns the status of a KB for an architecture, from the knowledge only.
fn known_status(requested: &str, architecture: Architecture) -> Status {
    let knowledge = knowledge();
    let machine = Machine { architecture: Some(architecture), ..Machine::default() };
    let library = FactsLibrary::of_knowledge(&knowledge);
    resolve(&Request { machine, ..Request::new(kb(requested)) }, &library, &knowledge).unwrap().status
}

#[test]
fn missing_row_for_an_architecture_is_no_refusal() {
    // Public lists have the file for x64 only, and Windows 11 21H2 exists for arm64.
    assert_eq!(known_status("KB5044619", Architecture::Arm64), Status::Unknown);
    // Windows Server 2022 does not exist for arm64.
    assert_eq!(known_status("KB5055765", Architecture::Arm64), Status::NotApplicable);
}

#[test]
fn unread_files_of_an_architecture_are_no_refusal() {
    let title = |architecture: &str| {
        format!(
            "2026-03 Cumulative Update for Windows 11, version 23H2 for {architecture}-based Systems (KB5200009)"
        )
    };
    let (x64, arm64) = (title("x64"), title("arm64"));
    let names = ["windows11.0-kb5200009-x64_1111111111111111111111111111111111111111.msu"];
    let entries: [(&str, &[&str]); 2] = [(&x64, &names), (&arm64, &[])];
    let mut facts = facts(&entries);
    let status = |facts: &Facts, architecture| {
        let knowledge = knowledge();
        let machine = Machine { architecture: Some(architecture), ..Machine::default() };
        let library = FactsLibrary::new(facts.clone(), &knowledge);
        resolve(&Request { machine, ..Request::new(kb("KB5200009")) }, &library, &knowledge).unwrap().status
    };
    facts.updates[1].files = None;
    assert_eq!(status(&facts, Architecture::X64), Status::Install);
    assert_eq!(status(&facts, Architecture::Arm64), Status::Unknown, "its dialog was never read");
    facts.updates.truncate(1);
    assert_eq!(status(&facts, Architecture::Arm64), Status::NotApplicable, "the Catalog lists x64 only");
}

#[test]
fn title_without_a_product_is_for_the_family_of_its_build() {
    let entries: [(&str, &[&str]); 1] = [("2027-10 Security Update (KB5200002) (28000.5000)", &[NEXT_FILE])];
    for at in ["26100.8000", "19045.6456"] {
        let other = plan_on(&entries, "KB5200002", at);
        assert_eq!(other.status, Status::NotApplicable, "{at}: {:?}", other.advice);
        assert!(other.advice.unwrap().contains("Windows 11 26H1"), "{at}");
    }
    assert_eq!(plan_on(&entries, "KB5200002", "28000.1000").status, Status::Install);
}

#[test]
fn product_of_a_windows_outside_of_the_tables_is_never_offered() {
    for title in [
        "2028-01 Cumulative Update for Windows 12 for x64-based Systems (KB5200002)",
        "2028-01 Cumulative Update for Windows 12, version 28H1 for x64-based Systems (KB5200002) (30000.2000)",
        "2028-01 Security Update for Windows Server 2028 for x64-based Systems (KB5200002)",
        "2028-01 Cumulative Update for Windows Server 2028 for x64-based Systems (KB5200002) (30000.2000)",
        "2027-10 Cumulative Update for Azure Stack HCI, version 27H2 for x64-based Systems (KB5200002)",
        "Security Update for Windows XP x64 Edition (KB5200002)",
        "Security Update for Windows Vista for x64-based Systems (KB5200002)",
    ] {
        let entries: [(&str, &[&str]); 1] = [(title, &[NEXT_FILE])];
        for at in ["26100.8000", "19045.6456"] {
            let plan = plan_on(&entries, "KB5200002", at);
            assert_eq!(
                (plan.status, plan.steps.len()),
                (Status::Unknown, 0),
                "{title} {at}: {:?}",
                plan.advice
            );
        }
        if title.contains("(30000") {
            assert_eq!(plan_on(&entries, "KB5200002", "30000.1").status, Status::Install, "{title}");
        }
    }
}

#[test]
fn title_of_two_products_is_for_their_machines() {
    let title = "Security Update for Microsoft .NET Framework 3.5.1 on Windows 7 and Windows Server 2008 R2 SP1 for x64 \
         (KB5200002)";
    let entries: [(&str, &[&str]); 1] = [(title, &["windows6.1-kb5200002-x64.msu"])];
    assert_eq!(plan_on(&entries, "KB5200002", "7601.24000").status, Status::Install);
    assert_eq!(plan_on(&entries, "KB5200002", "26100.8000").status, Status::Unknown);
}
