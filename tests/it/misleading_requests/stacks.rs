//! Separate servicing stacks, floors under combined updates, and the prerequisites of Windows 7 and 8.1.

use kbmirror::facts::{Facts, FileFacts, FileKey, UpdateFacts};
use kbmirror::resolve::FactsLibrary;
use kbmirror::servicing::Knowledge;
use kbmirror::update::classify;

use super::{Case, check, check_with};

const ANY_ABOVE: &str =
    "any separate servicing stack at or above the floor of the LCU suffices, installed or available";
const PAIR: &str = "the paired stack is the newest stack that was not published later than the LCU";
const PAIRED_LATER: &str =
    "if the floor is unknown, a stack that is paired with the same or a later LCU suffices";
const NONE_KNOWN: &str =
    "without a known servicing stack up to the date of the LCU, the plan is only the target with a warning";
const FLOOR_2019: &str = "images of Server 2019 and LTSC 2019 before 2021-08 need KB5005112";
const FLOOR_22H2: &str = "Windows 10 22H2 below 19045.3271 needs KB5031539 once";
const SHA2: &str =
    "Windows 7 and 2008 R2 need SHA-2 support (KB4474419, SSU KB4490628) for updates after 2019-08";

const LIST: &str = "KB4490628, KB4474419, KB4516655, and KB4516065 are installed in this order";

const TARGET: &str = "windows10.0-kb5087537-x64_1a68955ee2525f63b2b6ab4a5f212eb0549bcfbd.msu";

#[test]
fn separate_servicing_stacks() {
    let cases: &[Case] = &[
        (ANY_ABOVE, "KB5087537 | x64 14393.8957 server installed=KB5094141", "install target KB5087537", ""),
        (ANY_ABOVE, "KB5087537 | x64 14393.8957 server installed=KB5088064", "install target KB5087537", ""),
        (PAIR, "KB5087537 | x64 14393.8957 server", "install ssu KB5088064, target KB5087537", ""),
        (
            PAIR,
            "KB5087537 | x64 14393.8957 server installed=KB5075902",
            "install ssu KB5088064, target KB5087537",
            "",
        ),
        (PAIR, "KB5087537 | x86 14393.8957 client", "install ssu KB5088064, target KB5087537", ""),
        (
            PAIRED_LATER,
            "KB5091572 | x64 14393.8957 server installed=KB5075902",
            "install target KB5091572",
            "",
        ),
        (PAIRED_LATER, "KB5078938 | x64 14393.8957 server installed=KB5075902", "nothing_to_do", ""),
        (
            "the SSU may have the higher KB number (2026-06)",
            "KB5094122 | x64 14393.9140 server",
            "install ssu KB5094141, target KB5094122",
            "",
        ),
        (
            "the SSU is not always of the LCU's month",
            "KB5074974 | x64 14393.0 server for=image",
            "install ssu KB5070247, target KB5074974",
            "",
        ),
        (
            "1507 LTSB: KB5052423 before KB5052040",
            "KB5052040 | x64 10240.0 client installed=KB5043936",
            "install ssu KB5052423, target KB5052040",
            "",
        ),
        (
            "1507 LTSB: KB5052423 before KB5052040",
            "KB5052040 | x64 10240.0 client installed=KB5052423",
            "install target KB5052040",
            "",
        ),
        (
            NONE_KNOWN,
            "KB3206632 | x64 14393.0 server",
            "install target KB3206632",
            "no stack published up to",
        ),
        (
            NONE_KNOWN,
            "KB5004244 | x64 17763.1 server",
            "install target KB5004244",
            "no stack published up to",
        ),
        (
            "KB3177467 was titled \"Update for\" and is a servicing stack",
            "KB4486563 | x64 7601.24000 client",
            "install ssu KB3177467, target KB4486563",
            "",
        ),
        (
            "--for mirror is always the complete set",
            "KB5087537 | x64 14393.9140 server for=mirror",
            "install ssu KB5088064, target KB5087537",
            "",
        ),
        (
            "--for mirror is always the complete set",
            "KB5087537 | x64 14393.9140 server for=mirror installed=KB5088064",
            "install ssu KB5088064, target KB5087537",
            "",
        ),
        ("each step states its condition", "KB5087537 | x64", "install ssu KB5088064, target KB5087537", ""),
    ];
    check(cases);
}

#[test]
fn stacks_among_the_available_files() {
    const OWN: &str = "windows10.0-kb5088064-x64_1f5e521ef529be5a04bf52e43852e9801191c03b.msu";
    const NEWER: &str = "windows10.0-kb5094141-x64_84b6922c6e96f26ad91859d072aeeb6df8e5ab99.msu";
    const OLDER: &str = "windows10.0-kb5075902-x64_a840f48f81e79f45131128f9f823633a5957d9b2.msu";
    let knowledge = Knowledge::built_in().unwrap();
    // The names come from the knowledge, so a typing error in this test is found.
    let known = |name: &str| {
        let kb = knowledge.parents().kb_of_file(name).unwrap();
        let of_packages = knowledge.packages().of_kb(kb).into_iter().filter_map(|package| package.name);
        let of_releases = knowledge.releases().files_of(kb).into_iter().map(|(_, name)| name);
        of_packages.chain(of_releases).find(|known| known[..27] == name[..27]).unwrap()
    };
    let (own, newer, older, target) = (known(OWN), known(NEWER), known(OLDER), known(TARGET));
    let check_available = |names: &[&str], expected: &'static str, rule: &'static str| {
        let request = format!("KB5087537 available={} | x64 14393.8957 server", names.join(","));
        check(&[(rule, request.leak(), expected, "")]);
    };
    check_available(&[&own, &target], "install ssu KB5088064, target KB5087537", PAIR);
    check_available(&[&target, &newer], "install ssu KB5094141, target KB5087537", ANY_ABOVE);
    check_available(&[&target, &newer, &own], "install ssu KB5088064, target KB5087537", PAIR);
    check_available(&[&target, &older], "needs_prerequisite ssu KB5088064", PAIR);
    check_available(&[&target], "needs_prerequisite ssu KB5088064", PAIR);
    check_available(&[&own], "needs_prerequisite target KB5087537", "the target is missing too");
    check_available(&[&newer], "needs_prerequisite target KB5087537", "the target is missing too");
    check_available(&[], "needs_prerequisite ssu KB5088064, target KB5087537", "the target is missing too");
}

#[test]
fn floors_under_combined_updates() {
    let cases: &[Case] = &[
        (
            FLOOR_2019,
            "KB5029247 | x64 17763.1 server for=image",
            "install ssu KB5005112, target KB5029247",
            "",
        ),
        (FLOOR_2019, "KB5029247 | x64 17763.2113 server", "install ssu KB5005112, target KB5029247", ""),
        (FLOOR_2019, "KB5029247 | x64 17763.2114 server", "install target KB5029247", ""),
        (FLOOR_2019, "KB5029247 | x64 17763.1 server installed=KB5005112", "install target KB5029247", ""),
        (FLOOR_2019, "KB5005030 | x64 17763.2061 client", "install ssu KB5005112, target KB5005030", ""),
        (
            FLOOR_22H2,
            "KB5129236 | x64 19045.2965 client esu=true",
            "install ssu KB5031539, target KB5129236",
            "",
        ),
        (
            FLOOR_22H2,
            "KB5129236 | x64 19045.2965 client esu=true installed=KB5031539",
            "install target KB5129236",
            "",
        ),
        (
            FLOOR_22H2,
            "KB5129236 | x64 19045.3270 client esu=true",
            "install ssu KB5031539, target KB5129236",
            "",
        ),
        (FLOOR_22H2, "KB5129236 | x64 19045.3271 client esu=true", "install target KB5129236", ""),
        (
            FLOOR_22H2,
            "KB5129236 | x64 19044.1806 client esu=true",
            "install ssu KB5031539, target KB5129236",
            "",
        ),
        (
            "older versions of the family need KB5005260 below .985",
            "KB5014666 | x64 19044.900 client",
            "install ssu KB5005260, target KB5014666",
            "",
        ),
        (
            "older versions of the family need KB5005260 below .985",
            "KB5014666 | x64 19044.985 client",
            "install target KB5014666",
            "",
        ),
        (
            "the servicing stack is inside the MSU from Server 2022 on",
            "KB5087545 | x64 20348.1 server for=image",
            "install target KB5087545",
            "",
        ),
    ];
    check(cases);
}

#[test]
fn older_prerequisites() {
    let cases: &[Case] = &[
        (
            "KB2919442 before KB2919355",
            "KB2919355 | x64 9600.16384 client",
            "install ssu KB2919442, target KB2919355",
            "",
        ),
        (
            "KB2919442 before KB2919355",
            "KB2919355 | x64 9600.16384 client installed=KB2919442",
            "install target KB2919355",
            "",
        ),
        ("KB2919442 before KB2919355", "KB2919442 | x64 9600.16384 client", "install target KB2919442", ""),
    ];
    check(cases);

    // Rollups of Windows 7 that are not in the knowledge, in the form in which the Catalog lists them.
    let knowledge = Knowledge::built_in().unwrap();
    let titles = [
        "2019-09 Security Monthly Quality Rollup for Windows 7 for x64-based Systems (KB4516065)",
        "2019-09 Security Monthly Quality Rollup for Windows Server 2008 R2 for x64-based Systems (KB4516065)",
        "2019-07 Security Monthly Quality Rollup for Windows 7 for x64-based Systems (KB4507449)",
        "2020-03 Security Monthly Quality Rollup for Windows 7 for x64-based Systems (KB4540688)",
    ];
    let library = FactsLibrary::new(entries(&titles), &knowledge);
    let cases: &[Case] = &[
        (
            SHA2,
            "KB4516065 | x64 7601.24000 client",
            "install ssu KB4490628, prerequisite KB4474419, target KB4516065",
            "",
        ),
        (
            SHA2,
            "KB4516065 | x64 7601.24000 server",
            "install ssu KB4490628, prerequisite KB4474419, target KB4516065",
            "",
        ),
        (
            SHA2,
            "KB4516065 | x64 7601.24000 client installed=KB4490628",
            "install prerequisite KB4474419, target KB4516065",
            "",
        ),
        (SHA2, "KB4507449 | x64 7601.24000 client", "install ssu KB3177467, target KB4507449", ""),
        (
            "ESU adds KB4538483 (or KB4575903)",
            "KB4540688 | x64 7601.24000 client esu=false installed=KB4490628,KB4474419",
            "needs_prerequisite esu_preparation KB4538483",
            "key",
        ),
        (
            "ESU adds KB4538483 (or KB4575903)",
            "KB4516065 | x64 7601.24000 client esu=false installed=KB4490628,KB4474419",
            "install target KB4516065",
            "",
        ),
    ];
    check_with(cases, &library, &knowledge);

    // A pair that only the table states, without a date.
    let rollup = [
        "2023-10 Security Monthly Quality Rollup for Windows Server 2012 R2 for x64-based Systems (KB5031419)",
    ];
    let library = FactsLibrary::new(entries(&rollup), &knowledge);
    let cases: &[Case] = &[
        (
            "KB5030329 before KB5031419",
            "KB5031419 | x64 9600.20000 server",
            "install ssu KB5030329, target KB5031419",
            "",
        ),
        (
            "KB5030329 before KB5031419",
            "KB5031419 | x64 9600.20000 server installed=KB5030329",
            "install target KB5031419",
            "",
        ),
    ];
    check_with(cases, &library, &knowledge);

    let with_stack =
        [titles[0], "2019-09 Servicing Stack Update for Windows 7 for x64-based Systems (KB4516655)"];
    let library = FactsLibrary::new(entries(&with_stack), &knowledge);
    let cases: &[Case] = &[
        (
            LIST,
            "KB4516065 | x64 7601.24000 client",
            "install ssu KB4490628, prerequisite KB4474419, ssu KB4516655, target KB4516065",
            "",
        ),
        (
            LIST,
            "KB4516065 | x64 7601.24000 client installed=KB4490628,KB4474419",
            "install ssu KB4516655, target KB4516065",
            "",
        ),
        (
            LIST,
            "KB4516065 | x64 7601.24000 client installed=KB4490628,KB4474419,KB4516655",
            "install target KB4516065",
            "",
        ),
    ];
    check_with(cases, &library, &knowledge);
}

/// Creates one entry with one file for each title. The digests of the files are invented.
pub(super) fn entries(titles: &[&str]) -> Facts {
    let mut facts = Facts::default();
    for (number, title) in titles.iter().enumerate() {
        let class = classify(title, "", None);
        let (kb, architecture) = (class.kb.unwrap(), class.architecture.unwrap());
        let key = FileKey(kb.number().into());
        let name = format!("windows-made-up-kb{}-{architecture}_{:040}.msu", kb.number(), kb.number());
        let name = name.replace("windows-made-up", "windows10.0");
        facts.files.insert(key, FileFacts { key: Some(key), ..FileFacts::from_name(&name) });
        facts.updates.push(UpdateFacts {
            id: format!("00000000-0000-0000-0000-{number:012}").parse().unwrap(),
            title: (*title).to_owned(),
            kb: class.kb,
            kind: class.kind,
            month: class.month,
            product: class.product,
            release: class.release,
            products: String::new(),
            architecture: class.architecture,
            build: class.build,
            last_updated: None,
            size: None,
            files: Some(vec![key]),
            files_seen: Some(jiff::civil::date(2026, 11, 23)),
            expired: None,
        });
    }
    facts
}
