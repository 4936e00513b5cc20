//! Machines and updates of known and unknown versions of Windows, against a table of the numbers.
//!
//! A world is one entry with a random product and a random build, and a machine with a random build. The model knows
//! which numbers belong together, and nothing else.

use kbmirror::resolve::{FactsLibrary, Machine, Request, Status, resolve};
use kbmirror::servicing::{Installation, Knowledge};
use kbmirror::update::Architecture;

use super::entries::{Entry, Tally, facts_of};

/// The client versions that share updates, by number.
const KNOWN: [&[u32]; 4] =
    [&[26100, 26200, 26300], &[28000], &[22621, 22631], &[19041, 19042, 19043, 19044, 19045]];
const UNKNOWN: [u32; 3] = [27900, 29600, 30000];
/// Products of titles, each with the numbers of its version; empty if the version is unknown.
const PRODUCTS: [(&str, &[u32]); 7] = [
    (" for Windows 11, version 24H2", KNOWN[0]),
    (" for Windows 11, version 26H1", KNOWN[1]),
    (" for Windows 11 Version 23H2", KNOWN[2]),
    (" for Windows 10 Version 22H2", KNOWN[3]),
    (" for Windows 11, version 27H2", &[]),
    (" for Windows 12", &[]),
    // The Catalog's titles of 2026 name the build alone.
    ("", &[]),
];

fn group(number: u32) -> Option<usize> {
    KNOWN.iter().position(|group| group.contains(&number))
}

/// Returns the status for a machine that is older than the update.
fn expected(product: &[u32], build: Option<u32>, machine: u32) -> Status {
    // A known number decides, also against the product.
    let of_update = match build {
        Some(number) if group(number).is_some() => group(number),
        Some(number) if number == machine => return Status::Install,
        // An enablement package may have added the number to the machine's version, unless the product is another one.
        Some(_) => {
            product.first().and_then(|number| group(*number)).filter(|own| group(machine) != Some(*own))
        }
        None => product.first().and_then(|number| group(*number)),
    };
    match (of_update, group(machine)) {
        (Some(own), Some(machine)) if own == machine => Status::Install,
        (Some(_), Some(_)) => Status::NotApplicable,
        // Nothing states the number of an unknown machine, and nothing places an update without product and build.
        _ => Status::Unknown,
    }
}

#[test]
fn update_of_another_windows_is_never_offered() {
    let knowledge = Knowledge::built_in().unwrap();
    let mut tally = Tally::default();
    let numbers: Vec<u32> = KNOWN.iter().copied().flatten().copied().chain(UNKNOWN).collect();
    for (words, product) in PRODUCTS {
        for build in numbers.iter().map(|number| Some(*number)).chain([None]) {
            let suffix = build.map_or_else(String::new, |number| format!(" ({number}.9000)"));
            let systems = if words.is_empty() { "" } else { " for x64-based Systems" };
            let title = format!("2026-10 Cumulative Update{words}{systems} (KB5990000){suffix}");
            let name = format!("windows11.0-kb5990000-x64_{}.msu", "1".repeat(40));
            let entry = Entry { title: title.clone(), name, folder: None, last_updated: None };
            let library = FactsLibrary::new(facts_of(&[entry]), &knowledge);
            for &machine in &numbers {
                let request = Request {
                    machine: Machine {
                        architecture: Some(Architecture::X64),
                        baseline: Some(format!("{machine}.6000").parse().unwrap()),
                        installation: Some(Installation::Client),
                        esu: Some(true),
                        ..Machine::default()
                    },
                    ..Request::new("KB5990000".parse().unwrap())
                };
                let plan = resolve(&request, &library, &knowledge).unwrap();
                let expected = expected(product, build, machine);
                // A machine may need another update first, which is an update for it too.
                let is_for_it = matches!(plan.status, Status::Install | Status::NeedsPrerequisite);
                let found = if is_for_it { Status::Install } else { plan.status };
                assert_eq!(found, expected, "{title} on {machine}: {:?} {:?}", plan.advice, plan.warnings);
                assert_eq!(plan.steps.is_empty(), plan.status != Status::Install, "{title} on {machine}");
                if is_for_it && group(machine).is_none() {
                    let is_warned =
                        plan.warnings.iter().any(|warning| warning.contains("planned from the titles"));
                    assert!(is_warned, "{title} on {machine}: {:?}", plan.warnings);
                    tally.count("unknown number, planned from titles");
                }
                tally.count(format!("{found:?}"));
            }
        }
    }
    tally.check(&["Install", "NotApplicable", "Unknown", "unknown number, planned from titles"]);
}
