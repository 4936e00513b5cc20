//! A product name means the same family, or is the same usage error, in every command and in `kbmirror.toml`. The
//! tests run a table of names through the real command line, against a Catalog that has one update for every family.
#![expect(clippy::print_stdout, reason = "the table is for people to judge")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "requests of a batch are written as they lie")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kbmirror::servicing::Knowledge;
use serde_json::{Value, json};

use super::harness::{Bench, RunOutput, field_texts, items, recording, text_of};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const KB: &str = "KB5990100";

/// Product names with the folder name of their family. The choices of an ambiguous name are separated by `|`, and `?`
/// marks an unknown name.
const NAMES: [(&str, &str); 41] = [
    ("windows-11-24h2", "windows-11-24h2"),
    ("Windows 11 24H2, 25H2, 26H2", "windows-11-24h2"),
    ("Windows 11 24H2", "windows-11-24h2"),
    ("windows 11, VERSION 24h2", "windows-11-24h2"),
    ("Windows 11, version 25H2", "windows-11-24h2"),
    ("Win11 25H2", "windows-11-24h2"),
    ("windows-11-26h2", "windows-11-24h2"),
    ("25H2", "windows-11-24h2"),
    ("26h2", "windows-11-24h2"),
    ("26200", "windows-11-24h2"),
    ("26200.8117", "windows-11-24h2"),
    ("10.0.26300.1", "windows-11-24h2"),
    ("26H1", "windows-11-26h1"),
    ("28000", "windows-11-26h1"),
    ("Windows 11 23H2", "windows-11-22h2"),
    ("22631", "windows-11-22h2"),
    ("Windows 11 21H2", "windows-11-21h2"),
    ("22000", "windows-11-21h2"),
    ("Windows 10 21H2", "windows-10-22h2"),
    ("19045", "windows-10-22h2"),
    ("Windows 10 1507", "windows-10-1507"),
    ("Server 2025", "server-2025"),
    ("Microsoft Server operating system-24H2", "server-2025"),
    ("Windows Server 2022", "server-2022"),
    ("Microsoft server operating system, version 21H2", "server-2022"),
    ("Windows Server, version 23H2", "server-23h2"),
    ("Windows Server 2016", "server-2016"),
    ("Windows Server 2016 version 1709", "server-1709"),
    ("server2012r2", "server-2012-r2"),
    ("Windows 11", "windows-11-26h1|windows-11-24h2|windows-11-22h2|windows-11-21h2"),
    ("Windows 10", "windows-10-22h2|windows-10-1507"),
    ("windows", "windows-11-24h2|windows-7"),
    ("Server", "server-2025|server-2008-r2"),
    ("24H2", "windows-11-24h2|server-2025"),
    ("23H2", "windows-11-22h2|server-23h2"),
    ("22H2", "windows-11-22h2|windows-10-22h2|azure-stack-hci-22h2"),
    ("21H2", "windows-11-21h2|windows-10-22h2|server-2022"),
    ("26100", "windows-11-24h2|server-2025"),
    ("26100.1742", "windows-11-24h2|server-2025"),
    ("Windws 11 24H2", "?windows-11-24h2"),
    ("Windows 12", "?windows-11-24h2"),
];

/// Returns a Catalog with a servicing stack for the main title of every family. A stack has no prerequisites, and a
/// profile can request it.
fn world() -> World {
    let knowledge = Knowledge::built_in().unwrap();
    let titles = knowledge.families().iter().map(|family| family.title_products().next().unwrap());
    (1..).zip(titles).fold(World::new(), |world, (number, product)| {
        let title = format!("2026-10 Servicing Stack Update for {product} for x64-based Systems ({KB})");
        let content = format!("MSCF stand-in {number}").into_bytes();
        world.update(UpdateSpec {
            last_updated: "10/13/2026".to_owned(),
            files: vec![FileSpec::package("windows11.0-kb5990100-x64", "msu", content)],
            ..UpdateSpec::new(&id(number), &title)
        })
    })
}

/// The interpretation of a name by a command: the folder names of the families found, or the message of a usage
/// error.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Interpretation {
    Families(BTreeSet<String>),
    Mistake { message: String, hints: Vec<Value> },
}

fn interpret(ran: &RunOutput, families: impl FnOnce(&Value) -> BTreeSet<String>) -> Interpretation {
    let document = ran.json();
    if ran.code == 2 {
        let message = text_of(&document["error"]["message"]);
        return Interpretation::Mistake { message, hints: items(&document["error"]["hints"]).clone() };
    }
    Interpretation::Families(families(&document))
}

fn set_folders(document: &Value) -> BTreeSet<String> {
    let folder = |set: &Value| {
        let folder = text_of(&set["folder"]);
        folder.rsplit('/').next().unwrap().strip_suffix("-x64").unwrap().to_owned()
    };
    items(&document["sets"]).iter().map(folder).collect()
}

/// Returns the folder name of the family in the title.
fn family_of_title(title: &str, knowledge: &Knowledge) -> String {
    let of = |family: &kbmirror::servicing::Family| {
        family.title_products().next().is_some_and(|product| title.contains(&format!(" for {product} for ")))
    };
    knowledge.families().iter().find(|family| of(family)).unwrap().folder.clone()
}

#[test]
fn a_product_name_has_the_same_meaning_in_every_command() {
    let knowledge = Knowledge::built_in().unwrap();
    let (bench, loopback) = (Bench::new(), Loopback::start(world()));
    let url = loopback.catalog_url();
    let host = loopback.file_host();
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--patience", "0"];
    bench.json(&[&network[..], &["crawl", KB]].concat()).exits(0);
    println!("{:<50}{:<24}init fetch resolve search sync", "name", "meaning");
    for (number, (name, expected)) in (0..).zip(NAMES) {
        let fresh = bench.path(&format!("init-{number}"));
        let init = bench.run_on(&fresh, &["--json", "init", "--product", name]);
        let init = interpret(&init, |document| BTreeSet::from([text_of(&document["family"])]));
        let fetch = bench.json(&[&network[..], &["fetch", KB, "--dry-run", "--product", name]].concat());
        let fetch = interpret(&fetch, set_folders);
        let resolve = bench.json(&["resolve", KB, "--arch", "x64", "--product", name]);
        let resolve = interpret(&resolve, |document| BTreeSet::from([text_of(&document["family"])]));
        let search = bench.json(&[&network[..], &["search", KB, "--product", name]].concat());
        let search = interpret(&search, |document| {
            let titles = field_texts(&document["updates"], "title");
            titles.iter().map(|title| family_of_title(title, &knowledge)).collect()
        });
        bench.configure(&format!(
            "format = 1\n[[profile]]\nname = \"a\"\nfamily = \"{name}\"\narchitectures = [\"x64\"]\nkinds = [\"ssu\"]\nmonths = 0\n"
        ));
        let day = ["sync", "--dry-run", "--as-of", "2026-10-20"];
        let mut sync = interpret(&bench.json(&[&network[..], &day].concat()), set_folders);
        // The message about the file has a line number in front; the rest is the same sentence.
        if let Interpretation::Mistake { message, .. } = &mut sync {
            assert!(message.contains("kbmirror.toml line 4"), "{message}");
            *message = message.split_once("\": ").unwrap().1.to_owned();
        }
        fs::remove_file(bench.mirror().join("kbmirror.toml")).unwrap();
        for (command, other) in
            [("fetch", &fetch), ("resolve", &resolve), ("search", &search), ("sync", &sync)]
        {
            assert_eq!(other, &init, "{name:?}: {command} compared with init");
        }
        match &init {
            Interpretation::Families(families) => {
                assert_eq!(families, &BTreeSet::from([expected.to_owned()]), "{name}");
            }
            Interpretation::Mistake { message, hints } => {
                let (word, choices) = match expected.strip_prefix('?') {
                    Some(nearest) => ("is not a known product", nearest),
                    None => ("matches several products", expected),
                };
                assert!(message.contains(&format!("{name:?} {word}")), "{message}");
                for choice in choices.split('|') {
                    assert!(message.contains(&format!("{choice} (")), "{choice} in {message}");
                }
                assert!(!hints.is_empty());
                assert!(!fresh.exists(), "{name}: no file may be written");
                expect_refused_by_other_commands(&bench, name, message);
            }
        }
        let columns = [&init, &fetch, &resolve, &search, &sync].map(|interpret| match interpret {
            Interpretation::Families(_) => "family",
            Interpretation::Mistake { .. } => "exit 2",
        });
        println!("{name:<50}{:<24}{}", expected.split('|').next().unwrap(), columns.join(" "));
    }
}

/// Checks that the other commands with a product, and a line of a batch, refuse the name with the same message.
fn expect_refused_by_other_commands(bench: &Bench, name: &str, message: &str) {
    let to = bench.path("staged");
    for command in [
        &["why", KB, "--arch", "x64", "--product", name][..],
        &["script", KB, "--arch", "x64", "--product", name],
        &["stage", KB, "--arch", "x64", "--to", to.as_str(), "--product", name],
        &["resolve", "--latest", "--arch", "x64", "--product", name],
        &["resolve", "--enable", "25H2", "--arch", "x64", "--product", name],
        &["resolve", "KB5054156", "--arch", "x64", "--product", name],
    ] {
        assert_eq!(bench.json(command).exits(2).error().1, message, "{command:?}");
    }
    let lines = bench.path("lines.jsonl");
    let line =
        json!({ "id": 1, "request": { "kb": KB, "product": name }, "baseline": { "architecture": "x64" } });
    fs::write(&lines, line.to_string()).unwrap();
    let answer = bench.run(&["resolve", "--batch", lines.as_str()]).exits(2);
    assert_eq!(answer.json()["error"]["message"], message);
}

#[test]
fn a_catalog_product_without_a_family_filters_by_product() {
    let update = |number, product: &str, products: &str| UpdateSpec {
        products: products.to_owned(),
        files: vec![FileSpec::package("kb5990200-x64", "cab", format!("MSCF {number}").into_bytes())],
        ..UpdateSpec::new(&id(number), &format!("Security Update for {product} (KB5990200) x64"))
    };
    let world = World::new()
        .update(update(1, "Example Office 2016", "Office 2016"))
        .update(update(2, "Example Runtime", ".NET 8.0, Windows 11 Client, version 24H2 and later"))
        .update(update(3, "Windows 11, version 27H2 for x64-based Systems", "Windows 11"));
    let (bench, loopback) = (Bench::new(), Loopback::start(world));
    let url = loopback.catalog_url();
    let host = loopback.file_host();
    let network = ["--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000", "--patience", "0"];
    bench.json(&[&network[..], &["crawl", "KB5990200"]].concat()).exits(0);
    for (name, number) in [
        ("office 2016", 1),
        ("OFFICE, 2016", 1),
        (".NET 8.0", 2),
        ("Windows 11 Client, version 24H2 and later", 2),
        ("Windows 11 27H2", 3),
        ("27H2", 3),
    ] {
        let found =
            bench.json(&[&network[..], &["search", "KB5990200", "--product", name]].concat()).exits(0).json();
        assert_eq!(field_texts(&found["updates"], "update_id"), [id(number)], "{name}");
        let fetched =
            bench.json(&[&network[..], &["fetch", "KB5990200", "--dry-run", "--product", name]].concat());
        assert_eq!(items(&fetched.exits(0).json()["sets"]).len(), 1, "{name}");
        let resolved = bench.json(&["resolve", "KB5990200", "--product", name]);
        assert_ne!(resolved.code, 2, "{name}: {}", resolved.stdout);
        // `init` needs a family, or a version newer than the tables.
        let code = if name == "Windows 11 27H2" { 0 } else { 2 };
        bench.run_on(&bench.path("other"), &["--json", "init", "--product", name]).exits(code);
    }
    for name in ["Office", "Office 2019", "Windows 11 28H2"] {
        let commands = [
            [&network[..], &["search", "KB5990200", "--product", name]].concat(),
            [&network[..], &["fetch", "KB5990200", "--dry-run", "--product", name]].concat(),
            vec!["resolve", "KB5990200", "--product", name],
        ];
        let messages: BTreeSet<String> =
            commands.iter().map(|command| bench.json(command).exits(2).error().1).collect();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages.first().unwrap().contains("is not a known product"), "{messages:?}");
    }
}

#[test]
fn every_version_of_a_family_matches_the_shared_package() {
    let bench = Bench::new();
    let demo = recording("demo");
    let versions = ["24H2", "25H2", "26H2"].map(|version| format!("Windows 11 {version}"));
    bench.replay(&demo, &["crawl", "KB5086672", "KB5043080"]).exits(0);
    for name in versions.iter().map(String::as_str).chain(["25H2", "26200", "26H2", "windows-11-24h2"]) {
        for kb in ["KB5086672", "KB5043080"] {
            let plan = bench.json(&["resolve", kb, "--arch", "x64", "--product", name]).exits(0).json();
            assert_eq!(plan["family"], "windows-11-24h2", "{kb} {name}");
            let sets = bench.replay(&demo, &["fetch", kb, "--dry-run", "--arch", "x64", "--product", name]);
            assert_eq!(
                field_texts(&sets.exits(0).json()["sets"], "folder"),
                [format!("kb/{kb}/windows-11-24h2-x64")]
            );
        }
        let bench = Bench::new();
        let latest = bench.json(&["resolve", "--latest", "--arch", "x64", "--product", name]).exits(0).json();
        assert_eq!(latest["family"], "windows-11-24h2", "{name}");
    }
    // A package for clients only does not apply to the server of the same build.
    for name in ["Windows Server 2025", "server-2025", "Microsoft Server operating system-24H2"] {
        let plan = bench.json(&["resolve", "KB5086672", "--arch", "x64", "--product", name]).exits(10).json();
        assert_eq!(plan["status"], "not_applicable", "{name}");
        let fetched = bench.replay(&demo, &["fetch", "KB5086672", "--dry-run", "--product", name]);
        assert_eq!(fetched.exits(3).error().0, "not_found");
        let enabled =
            bench.json(&["resolve", "KB5054156", "--arch", "x64", "--product", name]).exits(10).json();
        assert_eq!(enabled["status"], "not_applicable", "{name}");
    }
    // The installation resolves an ambiguous version.
    let families: BTreeMap<&str, &str> = [("client", "windows-11-24h2"), ("server", "server-2025")].into();
    for (installation, folder) in families {
        let arguments = ["resolve", "--latest", "--arch", "x64", "--product", "24H2", "--installation"];
        let plan = bench.json(&[&arguments[..], &[installation]].concat()).exits(0).json();
        assert_eq!(plan["family"], folder);
    }
}
