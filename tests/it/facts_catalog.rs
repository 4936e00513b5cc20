//! A test Catalog built from the collected facts. It lists the KBs of the resolver cases, and every cumulative update
//! that could be the latest for 24H2, 25H2, 26H2, and Server 2025.
//!
//! Complete entries of the facts are used unchanged. If only a KB, its builds, and its files are known, the titles
//! follow the grammar of their month. The Catalog omits entries that the real Catalog does not list: current enablement
//! packages, hotpatches, the preview channel, and withdrawn updates. Each file states the digest of its name and has no
//! bytes. Such a Catalog can be crawled, but its files cannot be fetched. A file without a recorded name gets a name
//! with the digest `000…0<KB><architecture>`, which no real file has.
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

mod known_rows;
mod lines;

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE64, HEXLOWER};
use kbmirror::servicing::Knowledge;
use kbmirror::update::{Kind, PackageName, classify};
use serde_json::Value;

use known_rows::rows_of_knowledge;
use lines::{LINES, is_for, number_of_version, words, written};

use super::harness::{items, text_of};
use super::resolver_cases::facts;
use super::support::{FileSpec, StatedDigest, UpdateSpec, World, id};

/// KBs that a search of the Catalog does not find: enablement packages, hotpatches, the preview channel, and one
/// withdrawn update.
const UNLISTED: &[&str] = &[
    "KB5015684",
    "KB5027397",
    "KB5054156",
    "KB5121794",
    "KB5120994",
    "KB5089466",
    "KB5122055",
    "KB5127753",
    "KB5079391",
];

const CHECKPOINT: &str = "KB5043080";
const CHECKPOINT_DATE: &str = "2024-09-10";

/// Date, products, and title of entries whose title is not in the facts. The titles follow the known form.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "2023-10-10",
        "Windows 10, version 1903 and later",
        "2023-10 Servicing Stack Update for Windows 10 Version 22H2 for x64-based Systems (KB5031539)",
    ),
    (
        "2023-10-10",
        "Windows 10 LTSB",
        "2023-10 Servicing Stack Update for Windows 10 Version 21H2 for x64-based Systems (KB5031539)",
    ),
    (
        "2026-08-11",
        "Windows 11",
        "2026-08 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 24H2 for x64 (KB5120708)",
    ),
    (
        "2026-08-11",
        "Windows 11",
        "2026-08 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Windows 11, version 25H2 for arm64 (KB5120708)",
    ),
    (
        "2026-08-11",
        "Microsoft Server Operating System-24H2",
        "2026-08 Cumulative Update for .NET Framework 3.5 and 4.8.1 for Microsoft server operating system version 24H2 for x64 (KB5120708)",
    ),
    (
        "2026-09-08",
        "Windows 10, version 1903 and later",
        "2026-09 Extended Security Updates (ESU) Licensing Preparation Package for Windows 10 Version 22H2 for x64-based Systems (KB5126256)",
    ),
    ("2014-04-08", "Windows 8.1", "Update for Windows 8.1 for x64-based Systems (KB2919355)"),
    ("2014-03-11", "Windows 8.1", "Update for Windows 8.1 for x64-based Systems (KB2919442)"),
    ("2015-05-12", "Windows 7", "Update for Windows 7 for x64-based Systems (KB3040017)"),
    // A title without an architecture means x86.
    ("2011-01-11", "Windows 7", "Update for Windows 7 (KB2465285)"),
];

/// An entry of the Catalog before it has an update id.
#[derive(Debug, Clone)]
struct Row {
    title: String,
    products: String,
    classification: String,
    date: String,
    files: Vec<String>,
    supersedes: Vec<String>,
}

/// The Catalog with the KBs that it lists.
pub(crate) struct FactsCatalog {
    pub(crate) world: World,
    pub(crate) kbs: Vec<String>,
}

/// Builds the Catalog of the facts, or returns `None` if the facts are not beside the project.
pub(crate) fn catalog_from_facts(cases: &[Value]) -> Option<FactsCatalog> {
    let mut listed_kbs = BTreeSet::new();
    let builder = builder_of_facts(cases, &mut listed_kbs)?;
    Some(builder.into_catalog(&listed_kbs))
}

/// Builds the Catalog of the facts, with entries from the knowledge for KBs of the cases that no fact lists.
pub(crate) fn catalog_with_knowledge(cases: &[Value], knowledge: &Knowledge) -> Option<FactsCatalog> {
    let mut listed_kbs = BTreeSet::new();
    let mut builder = builder_of_facts(cases, &mut listed_kbs)?;
    let known: BTreeSet<String> = builder.rows.keys().map(|(kb, ..)| kb.clone()).collect();
    for kb in listed_kbs.iter().filter(|kb| !known.contains(*kb)) {
        for row in rows_of_knowledge(kb.parse().unwrap(), knowledge) {
            builder.add(&row.title, &row.products, &row.classification, &row.date, Some(row.files));
        }
    }
    Some(builder.into_catalog(&listed_kbs))
}

/// Adds the KBs that the Catalog lists, and returns the entries of the facts.
fn builder_of_facts(cases: &[Value], all_kbs: &mut BTreeSet<String>) -> Option<CatalogBuilder> {
    let (builds, sets) = (facts("kb-builds.jsonl")?, facts("patch-sets.jsonl")?);
    let (collected, entries) = (facts("checkpoint-facts.jsonl")?, facts("catalog-rows.jsonl")?);
    let (titles, knowledge) = (facts("titles.jsonl")?, facts("knowledge-rows.jsonl")?);
    let mut listed_kbs = kbs_of_cases(cases);
    let is_26100 = |row: &&Value| items(&row["builds"]).iter().any(|build| number_of(build).0 / 1000 == 26);
    listed_kbs.extend(builds.iter().filter(is_26100).map(|row| text_of(&row["kb"])));
    listed_kbs.extend(collected.iter().filter(|row| row["record"] == "entry").map(|row| text_of(&row["kb"])));
    listed_kbs.retain(|kb| !UNLISTED.contains(&kb.as_str()));
    all_kbs.clone_from(&listed_kbs);

    let mut builder = CatalogBuilder {
        names: names_of(&builds, &sets, &collected, &knowledge),
        ..CatalogBuilder::default()
    };
    for row in entries.iter().chain(&collected).chain(&titles) {
        let has_title = row["title"].is_string() && row["record"] != "file";
        if has_title && row["channel"].as_str().is_none_or(|channel| channel == "catalog") {
            builder.add_real(row, &builds);
        }
    }
    for row in builds.iter().filter(|row| listed_kbs.contains(row["kb"].as_str().unwrap())) {
        builder.add_cumulative(row);
    }
    let pairs = knowledge.iter().flat_map(|row| row["pairs"].as_array().into_iter().flatten());
    let stacks: BTreeSet<String> = pairs.map(|pair| text_of(&pair["ssu"])).collect();
    for set in sets.iter().filter(|set| set["build"] == "14393") {
        builder.add_stacks(set, &stacks);
    }
    for (date, products, title) in OTHERS {
        builder.add(title, products, "Updates", date, None);
    }
    Some(builder)
}

/// Returns every KB that a case requests, expects, or has installed.
fn kbs_of_cases(cases: &[Value]) -> BTreeSet<String> {
    let mut kbs = BTreeSet::new();
    for case in cases {
        let expect = &case["expect"];
        let lists = ["steps", "missing"].iter().flat_map(|key| expect[*key].as_array().into_iter().flatten());
        let named = lists.map(|item| &item["kb"]).chain([&case["request"]["kb"], &expect["successor"]]);
        let installed = case["baseline"]["installed"].as_array().into_iter().flatten();
        kbs.extend(named.chain(installed).filter_map(Value::as_str).map(str::to_owned));
    }
    kbs
}

/// Parses build and revision.
fn number_of(build: &Value) -> (u32, u32) {
    let text = build.as_str().unwrap();
    let (number, revision) = text.split_once('.').unwrap();
    (number.parse().unwrap(), revision.parse().unwrap())
}

/// Returns the known file names by the KB and the architecture in the name. The lists contain errors, so the row of the
/// KB itself takes precedence.
fn names_of(builds: &[Value], sets: &[Value], collected: &[Value], knowledge: &[Value]) -> Names {
    let of_builds =
        builds.iter().flat_map(|row| row["files"].as_object().into_iter().flatten()).map(|(_, name)| name);
    let of_collected = collected.iter().filter(|row| row["record"] == "file").map(|row| &row["file"]);
    let of_sets = sets.iter().flat_map(|set| items(&set["files"])).map(|file| &file["name"]);
    let of_rows = knowledge.iter().map(|row| &row["name"]).filter(|name| name.is_string());
    let mut names = Names::new();
    for name in of_builds.chain(of_collected).chain(of_sets).chain(of_rows).map(text_of) {
        let parsed = PackageName::parse(&name);
        if let (Some(kb), Some(architecture)) = (parsed.kb, parsed.architecture) {
            names.entry((kb.to_string(), architecture.to_string())).or_insert(name);
        }
    }
    // The only name without a KB.
    let floor = knowledge.iter().find(|row| row["row"] == "ssu_floor" && row["kb"] == "KB5031539").unwrap();
    names.insert(("KB5031539".to_owned(), "x64".to_owned()), text_of(&floor["files"]["x64"]));
    names
}

/// File names by KB and architecture.
type Names = BTreeMap<(String, String), String>;

/// The identity of an entry. Two titles with the same key are the same entry.
type Key = (String, Option<String>, Option<String>, String, Option<Kind>);

#[derive(Default)]
struct CatalogBuilder {
    names: Names,
    rows: BTreeMap<Key, Row>,
}

impl CatalogBuilder {
    /// Adds an entry of the real Catalog. The first version of an entry is kept.
    fn add_real(&mut self, row: &Value, builds: &[Value]) {
        let title = text_of(&row["title"]);
        let products = match &row["products"] {
            Value::Array(list) => list.iter().map(text_of).collect::<Vec<_>>().join(", "),
            Value::String(text) => text.clone(),
            _ => "Windows 11".to_owned(),
        };
        let date_of = |row: &Value, key: &str| row[key].as_str().map(str::to_owned);
        let of_builds =
            || builds.iter().find(|known| known["kb"] == row["kb"]).and_then(|known| date_of(known, "date"));
        let month = || Some(format!("{}-28", title.get(..7)?)).filter(|date| date.starts_with("20"));
        let date =
            date_of(row, "date").or_else(|| date_of(row, "last_updated")).or_else(of_builds).or_else(month);
        let listed =
            ["files_in_dialog_order", "files_in_order", "files"].iter().find_map(|key| row[*key].as_array());
        let files = listed.map(|urls| {
            urls.iter().map(|url| text_of(url).rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>()
        });
        let class = row["classification"].as_str().unwrap_or("Updates");
        if let Some(key) = self.add(&title, &products, class, &date.unwrap_or_default(), files)
            && let Some(added_row) = self.rows.get_mut(&key)
        {
            let older = row["supersedes"].as_array().into_iter().flatten().filter_map(Value::as_str);
            added_row.supersedes = older.map(str::to_owned).collect();
        }
    }

    /// Adds the entries of a cumulative update: one for each product and architecture, in the wording of its month.
    fn add_cumulative(&mut self, row: &Value) {
        let (kb, date) = (text_of(&row["kb"]), row["date"].as_str().unwrap_or("2026-05-12"));
        let (month, preview) = (&date[..7], row["kind"] == "preview");
        for build in items(&row["builds"]) {
            let (number, revision) = number_of(build);
            let base = match number {
                26200 | 26300 => 26100,
                22631 => 22621,
                19042..=19045 => 19041,
                other => other,
            };
            let lines =
                LINES.iter().filter(|line| line.build == base && line.since <= month && month <= line.until);
            for line in lines.filter(|line| is_for(line, &kb, month, revision, preview)) {
                let what = if preview { "Cumulative Update Preview" } else { "Cumulative Update" };
                for architecture in line.architectures {
                    let title = format!(
                        "{month} {what} for {} for {}-based Systems ({kb}){}",
                        words(line, month),
                        written(architecture, line),
                        if line.words == "Windows 11" && month >= "2025-08" {
                            format!(" ({}.{revision})", number_of_version(line))
                        } else {
                            String::new()
                        }
                    );
                    let class = if preview { "Updates" } else { "Security Updates" };
                    self.add(&title, line.products, class, date, None);
                }
            }
        }
    }

    /// Adds the separate servicing stacks of 1607 and Server 2016 in a dated list. The earliest list decides the month.
    fn add_stacks(&mut self, set: &Value, stacks: &BTreeSet<String>) {
        let date = text_of(&set["date"]);
        for kb in
            items(&set["files"]).iter().map(|file| text_of(&file["kb"])).filter(|kb| stacks.contains(kb))
        {
            for line in LINES.iter().filter(|line| line.build == 14393) {
                for architecture in line.architectures {
                    let words = words(line, &date);
                    let title = format!(
                        "{} Servicing Stack Update for {words} for {architecture}-based Systems ({kb})",
                        &date[..7]
                    );
                    self.add(&title, line.products, "Security Updates", &date, None);
                }
            }
        }
    }

    /// Adds an entry unless it exists. Without a list of files, the entry gets the files that are usual for its kind.
    fn add(
        &mut self,
        title: &str,
        products: &str,
        classification: &str,
        date: &str,
        files: Option<Vec<String>>,
    ) -> Option<Key> {
        let class = classify(title, products, None);
        let kb = class.kb?.to_string();
        let architecture = class.architecture.map_or_else(|| "x86".to_owned(), |word| word.to_string());
        let key = (kb.clone(), class.product.clone(), class.release, architecture.clone(), class.kind);
        if self.rows.contains_key(&key) {
            return None;
        }
        let files = files.unwrap_or_else(|| {
            let mut files = vec![self.name(&kb, &architecture, title, class.kind)];
            let cumulative = class.kind.is_some_and(Kind::is_windows_cumulative);
            let is_26100 = ["24H2", "25H2", "26H2"].iter().any(|version| title.contains(version));
            let past = is_26100 && date > CHECKPOINT_DATE;
            if cumulative && past {
                files.push(self.name(CHECKPOINT, &architecture, title, class.kind));
                // In the dialog, the target is first in some entries and last in others.
                let rotation = self.rows.len() % files.len();
                files.rotate_left(rotation);
            }
            files
        });
        let (title, products) = (title.to_owned(), products.to_owned());
        let (classification, date) = (classification.to_owned(), date.to_owned());
        let row = Row { title, products, classification, date, files, supersedes: Vec::new() };
        self.rows.insert(key.clone(), row);
        Some(key)
    }

    /// Returns the name of the file of a KB, or a recognizable invented name.
    fn name(&self, kb: &str, architecture: &str, title: &str, kind: Option<Kind>) -> String {
        if let Some(name) = self.names.get(&(kb.to_owned(), architecture.to_owned())) {
            return name.clone();
        }
        let number = kb.trim_start_matches("KB");
        let system = match title {
            title if title.contains("Windows 7") => "6.1",
            title if title.contains("Windows 8.1") => "8.1",
            title if title.contains("Windows 11") || title.contains("24H2") || title.contains("23H2") => {
                "11.0"
            }
            _ => "10.0",
        };
        let is_dynamic = kind
            .is_some_and(|kind| matches!(kind, Kind::SafeosDu | Kind::SetupDu | Kind::DynamicCu))
            || title.contains("Dynamic Update");
        let tag = if kind.is_some_and(Kind::is_dotnet) && system == "11.0" { "-ndp481" } else { "" };
        let digits = format!("{number}{}", architecture.trim_start_matches('x').replace("rm", ""));
        format!(
            "windows{system}-kb{number}-{architecture}{tag}_{digits:0>40}.{}",
            if is_dynamic { "cab" } else { "msu" }
        )
    }

    fn into_catalog(self, listed_kbs: &BTreeSet<String>) -> FactsCatalog {
        let mut world = World::new();
        let mut kbs = BTreeSet::new();
        let rows = self.rows.into_iter().filter(|((kb, ..), _)| listed_kbs.contains(kb));
        for (number, ((kb, ..), row)) in rows.enumerate() {
            let spec = UpdateSpec::new(&id(u32::try_from(number).unwrap() + 1), &row.title);
            world = world.update(UpdateSpec {
                products: row.products,
                classification: row.classification,
                last_updated: catalog_date(&row.date),
                files: row.files.iter().map(|name| file(name)).collect(),
                supersedes: row.supersedes,
                ..spec
            });
            kbs.insert(kb);
        }
        FactsCatalog { world, kbs: kbs.into_iter().collect() }
    }
}

/// Formats a date as the Catalog does: `2026-04-01` becomes `4/1/2026`.
fn catalog_date(date: &str) -> String {
    let parts: Vec<u32> = date.split('-').map(|part| part.parse().unwrap()).collect();
    format!("{}/{}/{}", parts[1], parts[2], parts[0])
}

/// Creates a file whose digest in the dialog is the digest in its name.
fn file(name: &str) -> FileSpec {
    let sha1 = PackageName::parse(name).sha1.map(|sha1| sha1.to_string());
    let stated = sha1.map_or(StatedDigest::Empty, |digits| {
        StatedDigest::Text(BASE64.encode(&HEXLOWER.decode(digits.as_bytes()).unwrap()))
    });
    FileSpec {
        name: name.to_owned(),
        sha1_stated: stated,
        sha256_stated: StatedDigest::Empty,
        ..FileSpec::default()
    }
}
