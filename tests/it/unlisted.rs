//! KBs that the Catalog does not list and whose digest and URL are in the knowledge: they are fetched and checked,
//! and every output says so. The knowledge never replaces an unavailable Catalog.
#![expect(clippy::disallowed_methods, reason = "mirrors are read and spoiled as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod bounds;
mod failing;

use std::fs;

use kbmirror::servicing::Tables;
use serde_json::{Value, json};

use super::air_gap::{create_keys, import, isolated_mirror};
use super::harness::{
    Bench, RunOutput, failure, field_texts, items, names_in, read_tree, sha1_hex, sha256_hex, text_of,
};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const KB: &str = "KB5054156";
const FETCH: [&str; 2] = ["fetch", KB];
const X64: &str = "windows-11-24h2-x64";
const ARM64: &str = "windows-11-24h2-arm64";

/// The architectures with the package's SHA-1 in the built-in tables.
const BUILT_IN: [(&str, &str); 2] = [
    ("x64", "9fd13360d2c5af23ec4f591b86f1c1db37aada37"),
    ("arm64", "e57cf6837a8b9877786ec3e7a366503a6072f5e5"),
];

/// Returns a valid cabinet header with any content.
fn cabinet(content: &str) -> Vec<u8> {
    let length = u32::try_from(44 + content.len()).unwrap().to_le_bytes();
    [&b"MSCF\0\0\0\0"[..], &length, &[0; 4], &40_u32.to_le_bytes(), &[0; 24], content.as_bytes()].concat()
}

fn package(architecture: &str) -> FileSpec {
    let stem = format!("windows11.0-kb5054156-{architecture}");
    let file = FileSpec::package(&stem, "msu", cabinet(&format!("switches 25H2 on for {architecture}")));
    FileSpec { url: Some(format!("http://{{cdn}}/switch/{}", file.name)), ..file }
}

/// Returns a healthy Catalog: it shows a checkpoint that it is known to have.
fn healthy_catalog() -> World {
    let title = "2024-09 Cumulative Update for Windows 11 Version 24H2 for riscv-based Systems (KB5043080)";
    World::new().update(UpdateSpec::new(&id(90), title))
}

/// Returns a Catalog in which no search finds the package. Its CDN has the files.
fn without_entry(files: Vec<FileSpec>) -> World {
    healthy_catalog()
        .update(UpdateSpec { files, ..UpdateSpec::new(&id(1), "2024-08 Something Else (KB5990001)") })
}

fn both() -> Vec<FileSpec> {
    vec![package("x64"), package("arm64")]
}

/// Returns the same Catalog with an entry of the package for x64, which the Catalog may list in the future.
fn with_entry(file: FileSpec) -> World {
    let title = format!(
        "2025-10 Feature Update to Windows 11, version 25H2 for x64-based Systems via Enablement Package ({KB})"
    );
    let entry = UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(2), &title) };
    without_entry(both()).update(entry)
}

/// Returns a built-in table.
fn table(name: &str) -> String {
    Tables::built_in().iter().find(|(own, _)| *own == name).unwrap().1.to_owned()
}

/// Writes tables that are newer than the built-in ones and have the digests and URLs of the loopback CDN for the
/// package.
fn tables(bench: &Bench, loopback: &Loopback) -> String {
    let (mut rows, mut packages) = (table("enablement.toml"), table("packages.txt"));
    for (architecture, built_in) in BUILT_IN {
        let file = package(architecture);
        let from = rows.find("url = \"https://catalog.sf.dl.delivery.mp.microsoft.com").unwrap();
        let end = from + rows[from..].find('\n').unwrap();
        let url = file.url.as_ref().unwrap().replace("{cdn}", &loopback.file_host());
        rows.replace_range(from..end, &format!("url = \"{url}\""));
        rows = rows.replace(built_in, &sha1_hex(&file.bytes));
        packages = packages.replace(built_in, &sha1_hex(&file.bytes));
    }
    let families = table("families.toml").replace("date = \"2026-10-05\"", "date = \"2026-11-01\"");
    let folder = bench.path("tables");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [("enablement.toml", rows), ("packages.txt", packages), ("families.toml", families)] {
        fs::write(folder.join(name), text).unwrap();
    }
    folder.into_string()
}

/// A bench with a loopback Catalog, and the folder of its tables.
struct Case {
    bench: Bench,
    loopback: Loopback,
    tables: String,
}

impl Case {
    fn new(world: World) -> Self {
        let (bench, loopback) = (Bench::new(), Loopback::start(world));
        let tables = tables(&bench, &loopback);
        Self { bench, loopback, tables }
    }

    /// Returns a Catalog without an entry of the package, and a mirror that has fetched the package.
    fn fetched() -> Self {
        let case = Self::new(without_entry(both()));
        case.run_json(&FETCH).exits(0);
        case
    }

    fn options(&self) -> [String; 8] {
        let (url, host) = (self.loopback.catalog_url(), self.loopback.file_host());
        let tables = self.tables.as_str();
        ["--knowledge", tables, "--catalog-url", &url, "--allow-host", &host, "--catalog-rate", "1000"]
            .map(str::to_owned)
    }

    /// Runs a command with `--json` that uses the loopback Catalog.
    fn run_json(&self, arguments: &[&str]) -> RunOutput {
        self.run_text(&[&["--json"], arguments].concat())
    }

    /// Runs the same command with text output.
    fn run_text(&self, arguments: &[&str]) -> RunOutput {
        let options = self.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        self.bench.run(&[&options, arguments].concat())
    }

    /// Runs a command with `--json` that does not use the Catalog.
    fn run_offline(&self, arguments: &[&str]) -> RunOutput {
        self.bench.json(&[&["--knowledge", &self.tables], arguments].concat())
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.bench.mirror().join(path)).unwrap()
    }
}

/// Returns `true` if one of the warnings of a document contains the text.
fn warns(document: &Value, part: &str) -> bool {
    items(&document["warnings"]).iter().any(|warning| text_of(warning).contains(part))
}

const FROM_KNOWLEDGE: &str = "the Catalog does not list KB5054156; used the files in the knowledge of 2026-11-01, checked by SHA-1 (knowledge)";

#[test]
fn an_unlisted_kb_is_fetched_checked_and_marked() {
    let case = Case::new(without_entry(both()));
    let document = case.run_json(&FETCH).exits(0).json();
    assert_eq!(
        field_texts(&document["sets"], "folder"),
        [format!("kb/{KB}/{ARM64}"), format!("kb/{KB}/{X64}")]
    );
    assert_eq!(field_texts(&document["sets"], "status"), ["published"; 2]);
    assert!(warns(&document, FROM_KNOWLEDGE), "{document:#}");
    assert_eq!(document["failures"], json!([]));
    let set = &document["sets"][1];
    let products = ["24H2", "25H2", "26H2"].map(|release| format!("Windows 11, version {release}"));
    assert_eq!(set["products"], json!(products), "the package is not for servers");
    let file = &set["files"][0];
    assert_eq!((&file["role"], &file["kb"]), (&json!("enablement"), &json!(KB)));
    assert_eq!(file["checked"], json!(["name", "sha1 (knowledge)"]));
    assert_eq!(file["sha256"], sha256_hex(&package("x64").bytes));
    let name = package("x64").name;
    assert_eq!(names_in(&case.bench.set_folder(KB, X64)), [name.as_str()]);
    assert_eq!(fs::read(case.bench.set_folder(KB, X64).join(&name)).unwrap(), package("x64").bytes);
    assert_eq!(
        case.bench.rows("SELECT DISTINCT what, against FROM checks ORDER BY what"),
        [["name", "name"], ["sha1", "knowledge"]]
    );
    assert_eq!(case.bench.rows("SELECT DISTINCT source FROM file_urls"), [["knowledge"]]);

    // The documents beside the folder, and the text output.
    let written: Value = serde_json::from_str(&case.text(&format!("kb/{KB}/{KB}.json"))).unwrap();
    let line = &written["sets"][0]["files"][0];
    assert_eq!((&line["sha1_source"], &written["updates"]), (&json!("knowledge"), &json!([])));
    assert!(items(&line["checks"]).contains(&json!({ "what": "sha1", "against": "knowledge" })), "{line:#}");
    let readme = case.text(&format!("kb/{KB}/README.txt"));
    assert!(readme.contains(", checked by sha1 (knowledge), not by the Catalog"), "{readme}");
    let again = case.run_text(&FETCH).exits(0);
    assert!(again.stdout.contains("sha1 (knowledge)"), "{}", again.stdout);
    assert!(again.stderr.contains("the Catalog does not list KB5054156"), "{}", again.stderr);
    let shown = case.bench.run(&["--knowledge", &case.tables, "show", KB]).exits(0).stdout;
    assert!(shown.contains("sha1 (knowledge)") && shown.contains("no entry of the Catalog"), "{shown}");
    let shown = case.run_offline(&["show", KB]).exits(0).json();
    assert_eq!(shown["sets"][0]["files"][0]["checked"], json!(["name", "sha1 (knowledge)"]));
    assert_eq!(field_texts(&case.run_offline(&["list"]).exits(0).json()["sets"], "folder").len(), 2);
}

#[test]
fn the_set_of_an_unlisted_kb_works_like_any_other() {
    let case = Case::fetched();
    let bytes = case.loopback.bytes_served();
    let again = case.run_json(&FETCH).exits(0).json();
    assert_eq!(field_texts(&again["sets"], "status"), ["unchanged"; 2]);
    assert_eq!(case.loopback.bytes_served(), bytes, "no file may be requested again");

    case.run_offline(&["verify", "--deep"]).exits(0);
    let folder = case.bench.set_folder(KB, X64);
    let linted = case.run_offline(&["lint", folder.as_str(), "--target", KB]).exits(0).json();
    assert_eq!(linted["status"], "ok", "{linted:#}");
    let plan =
        case.run_offline(&["resolve", "--enable", "25H2", "--arch", "x64", "--baseline", "26100.8037"]);
    let step = &plan.exits(0).json()["steps"][0];
    assert_eq!((&step["role"], &step["present"]), (&json!("enablement"), &json!(true)), "{step:#}");
    assert_eq!(step["name"], package("x64").name);
    let staged = case.bench.path("staged");
    let to = ["stage", KB, "--arch", "x64", "--baseline", "26100.8037", "--to", staged.as_str()];
    case.run_offline(&to).exits(0);
    let found = read_tree(&staged);
    assert!(found.keys().any(|path| path.ends_with(&package("x64").name)), "{:?}", found.keys());
}

#[test]
fn crawl_dry_run_and_filters_work_for_an_unlisted_kb() {
    let case = Case::new(without_entry(both()));
    let planned = case.run_json(&["fetch", KB, "--dry-run", "--arch", "arm64"]).exits(0).json();
    assert_eq!(field_texts(&planned["sets"], "folder"), [format!("kb/{KB}/{ARM64}")]);
    assert_eq!(field_texts(&planned["sets"], "status"), ["planned"]);
    assert!(warns(&planned, FROM_KNOWLEDGE), "{planned:#}");
    assert_eq!(case.loopback.bytes_served(), 0);

    let crawled = case.run_json(&["crawl", KB]).exits(0).json();
    assert_eq!(field_texts(&crawled["sets"], "architecture"), ["arm64", "x64"]);
    assert!(warns(&crawled, FROM_KNOWLEDGE), "{crawled:#}");
    let ran = case.run_text(&["crawl", KB]).exits(0);
    assert_eq!(ran.stdout.lines().next(), Some("KB5054156: 0 updates, 2 package sets"));

    let product = ["fetch", KB, "--arch", "x64", "--product", "Windows 11 25H2"];
    let one = case.run_json(&product).exits(0).json();
    assert_eq!(field_texts(&one["sets"], "folder"), [format!("kb/{KB}/{X64}")]);
    assert!(case.bench.set_folder(KB, X64).exists() && !case.bench.set_folder(KB, ARM64).exists());
    let (kind, _) = case.run_json(&["fetch", KB, "--product", "Windows Server 2025"]).exits(3).error();
    assert_eq!(kind, "not_found");
    let ran = case.run_json(&["fetch", KB, "--arch", "x86"]).exits(3);
    let message = "the Catalog does not list an update of KB5054156; \
         the knowledge of 2026-11-01 has no file of KB5054156 for x86";
    assert_eq!(ran.error(), failure("not_found", message));
}

#[test]
fn bytes_of_another_digest_are_quarantined() {
    let wrong_bytes = FileSpec { served: Some(b"another package".to_vec()), ..package("x64") };
    let case = Case::new(without_entry(vec![wrong_bytes, package("arm64")]));
    let document = case.run_json(&FETCH).exits(5).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["published", "failed"]);
    let message = text_of(&document["failures"][0]["message"]);
    assert!(message.contains("the knowledge states"), "{message}");
    assert_eq!(names_in(&case.bench.mirror().join("quarantine")).len(), 1);
    assert!(!case.bench.set_folder(KB, X64).exists());
}

#[test]
fn without_a_url_the_known_facts_are_reported() {
    let case = Case::new(without_entry(Vec::new()));
    for (kb, arguments, facts) in [
        (
            "KB5015684",
            &["--arch", "x64"][..],
            "; the knowledge of 2026-11-01 has windows10.0-kb5015684-x64_523c039b86ca98f2d818c4e6706e2cc94b634c4a.msu (SHA-1 523c039b86ca98f2d818c4e6706e2cc94b634c4a), but no URL",
        ),
        (
            "KB5120994",
            &[],
            "; the knowledge of 2026-11-01 has no file of KB5120994: \
             \"is a hotpatch (26100.9106), which only Windows Update delivers; KB5121003 replaces it offline\" \
             (withdrawn.toml)",
        ),
        ("KB5999999", &[], ""),
    ] {
        for command in ["fetch", "crawl"] {
            let document = case.run_json(&[&[command, kb], arguments].concat()).exits(3).json();
            let message = format!("the Catalog does not list an update of {kb}{facts}");
            assert_eq!(document["error"]["message"], message);
            assert_eq!(document["sets"], json!([]));
        }
    }
    let hotpatch = case.run_json(&["fetch", "KB5120994"]).exits(3).json();
    let hints = items(&hotpatch["error"]["hints"]);
    assert_eq!(hints.len(), 1, "{hints:?}");
    assert!(text_of(&hints[0]).starts_with("run kbmirror fetch KB5121003"), "{hints:?}");
    let pulled = case.run_json(&["fetch", "KB5079391"]).exits(3).json();
    let hints = items(&pulled["error"]["hints"]);
    assert!(hints.iter().any(|hint| text_of(hint).contains("take KB5086672 instead")), "{hints:?}");
    assert!(!case.bench.mirror().exists(), "the mirror must not be written");
}

#[test]
fn a_url_on_a_host_not_allowed_is_refused() {
    let case = Case::new(without_entry(both()));
    let path = format!("{}/enablement.toml", case.tables);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&case.loopback.file_host(), "files.example.net")).unwrap();
    let document = case.run_json(&FETCH).exits(5).json();
    let messages = field_texts(&document["failures"], "message");
    assert!(
        messages.len() == 2 && messages.iter().all(|text| text.contains("files.example.net")),
        "{messages:?}"
    );
    assert!(!case.bench.mirror().join("kb").exists());
}

#[test]
fn a_later_entry_of_the_catalog_takes_precedence() {
    let case = Case::fetched();
    let bytes = case.loopback.bytes_served();
    case.loopback.replace(with_entry(package("x64")));
    let document = case.run_json(&["fetch", KB, "--arch", "x64"]).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "folder"), [format!("kb/{KB}/{X64}")]);
    assert_eq!(field_texts(&document["sets"], "status"), ["unchanged"]);
    assert_eq!(document["sets"][0]["products"], json!(["Windows 11, version 25H2"]));
    assert_eq!(
        document["sets"][0]["files"][0]["checked"],
        json!(["name", "sha1", "sha1 (knowledge)", "sha256", "size"])
    );
    assert!(!warns(&document, "does not list"), "{document:#}");
    assert_eq!(case.loopback.bytes_served(), bytes, "the bytes are in the mirror");
    let of_x64 = "FROM files JOIN file_urls ON file = files.id WHERE architecture = 'x64'";
    assert_eq!(
        case.bench.rows(&format!("SELECT sha1_source, sha256_source, source {of_x64}")),
        [["dialog", "dialog", "dialog"]]
    );
    let readme = case.text(&format!("kb/{KB}/README.txt"));
    assert_eq!(readme.matches("not by the Catalog").count(), 1, "only arm64: {readme}");

    // The entry disappears again: the set keeps the Catalog's last statement.
    case.loopback.replace(without_entry(both()));
    let document = case.run_json(&FETCH).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["unchanged"; 2]);
    assert_eq!(
        field_texts(&document["sets"], "folder"),
        [format!("kb/{KB}/{ARM64}"), format!("kb/{KB}/{X64}")]
    );
    assert_eq!(document["sets"][1]["products"], json!(["Windows 11, version 25H2"]));
    let document = case.run_json(&["fetch", KB, "--arch", "x64"]).exits(0).json();
    assert!(warns(&document, "used the files that it stated earlier"), "{document:#}");
}

#[test]
fn the_catalog_may_state_another_file() {
    let case = Case::fetched();
    let newer = FileSpec::package("windows11.0-kb5054156-x64", "msu", "a later generation");
    case.loopback.replace(with_entry(newer.clone()));
    let document = case.run_json(&["fetch", KB, "--arch", "x64"]).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "folder"), [format!("kb/{KB}/{X64}")]);
    assert_eq!(field_texts(&document["sets"], "status"), ["published"]);
    assert_eq!(names_in(&case.bench.set_folder(KB, X64)), [newer.name]);
    assert!(!document["sets"][0]["files"][0]["checked"].to_string().contains("knowledge"), "{document:#}");
}

#[test]
fn the_index_is_rebuilt_from_published_files() {
    let case = Case::fetched();
    let unstable = |column: &str| {
        ["id", "file", "set_ref", "value"].contains(&column)
            || column.contains("seen")
            || ["since", "added", "checked"].contains(&column)
    };
    let before = case.bench.dump_index(unstable);
    let kb = || read_tree(&case.bench.mirror().join("kb"));
    let published = kb();
    for name in ["mirror.db", "mirror.db-wal", "mirror.db-shm"] {
        let _absent = fs::remove_file(case.bench.mirror().join(name));
    }
    let bytes = case.loopback.bytes_served();
    let again = case.run_json(&FETCH).exits(0).json();
    assert!(warns(&again, "rebuilt it with 2 package sets from kb/ and pool/"), "{again:#}");
    assert_eq!(field_texts(&again["sets"], "status"), ["unchanged"; 2]);
    assert_eq!(again["sets"][0]["files"][0]["checked"], json!(["name", "sha1 (knowledge)"]));
    assert_eq!(case.loopback.bytes_served(), bytes);
    assert_eq!(case.bench.dump_index(unstable), before);
    assert_eq!(kb(), published);
}

#[test]
fn an_unlisted_kb_is_exported_and_imported() {
    let case = Case::fetched();
    let root = create_keys(&case.bench);
    let medium = case.bench.path("medium");
    let exported = case.run_offline(&["export", KB, "--to", medium.as_str()]).exits(0).json();
    assert_eq!(exported["plan"]["missing"], json!([]), "{exported:#}");
    let other = isolated_mirror(&root);
    import(&other, &medium).exits(0);
    assert_eq!(
        read_tree(&other.mirror().join("kb").join(KB).join(X64)),
        read_tree(&case.bench.set_folder(KB, X64))
    );
    let shown = other.json(&["show", KB]).exits(0).json();
    assert_eq!(field_texts(&shown["sets"], "status"), ["published"; 2]);
    assert_eq!(shown["sets"][0]["files"][0]["checked"], json!(["name", "sha1 (knowledge)"]));
    let step = ["resolve", "--enable", "25H2", "--arch", "x64", "--baseline", "26100.8037"];
    let plan = other.json(&step).exits(0).json();
    assert_eq!(plan["steps"][0]["present"], json!(true), "{plan:#}");
    assert_eq!(plan["steps"][0]["name"], package("x64").name);
    other.json(&["verify", "--deep"]).exits(0);
    // The knowledge was imported too, with the prerequisite of the package.
    let readme = fs::read_to_string(other.mirror().join(format!("kb/{KB}/README.txt"))).unwrap();
    assert!(readme.contains("sha1 (knowledge)") && readme.contains("(prerequisite)"), "{readme}");
}

#[test]
fn a_scheduled_run_fetches_an_unlisted_kb() {
    let case = Case::new(without_entry(both()));
    case.bench.configure("format = 1\nkbs = [\"KB5054156\"]\narchitectures = [\"x64\"]\n");
    let first = case.run_json(&["sync"]).exits(0).json();
    assert_eq!(field_texts(&first["sets"], "status"), ["published"]);
    assert_eq!(field_texts(&first["news"]["new"], "kb"), [KB]);
    let second = case.run_json(&["sync"]).exits(0).json();
    assert_eq!(field_texts(&second["sets"], "status"), ["unchanged"]);
    assert_eq!(second["news"]["new"], json!([]));
}

#[test]
fn a_withdrawn_unlisted_kb_is_fetched_with_a_warning() {
    let case = Case::new(without_entry(both()));
    let row = "\n[[withdrawn]]\nkb = \"KB5054156\"\nsuccessor = \"KB5121794\"\ndate = \"2025-10-01\"\nwhy = \"a test\"\nsource = \"a test\"\n";
    fs::write(format!("{}/withdrawn.toml", case.tables), table("withdrawn.toml") + row).unwrap();
    let document = case.run_json(&["fetch", KB, "--arch", "x64"]).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "status"), ["published"]);
    assert!(warns(&document, "KB5054156 is withdrawn (a test): take KB5121794 instead"), "{document:#}");
}

#[test]
fn one_architecture_without_a_url_does_not_stop_the_others() {
    let case = Case::new(without_entry(both()));
    let path = format!("{}/enablement.toml", case.tables);
    let text = fs::read_to_string(&path).unwrap();
    let url = package("arm64").url.unwrap().replace("{cdn}", &case.loopback.file_host());
    fs::write(&path, text.replace(&format!("url = \"{url}\"\n"), "")).unwrap();
    let document = case.run_json(&FETCH).exits(0).json();
    assert_eq!(field_texts(&document["sets"], "folder"), [format!("kb/{KB}/{X64}")]);
    let warning = format!("{ARM64}: the knowledge of 2026-11-01 has no URL of {}", package("arm64").name);
    assert!(warns(&document, &warning), "{document:#}");
    let (_, message) = case.run_json(&["fetch", KB, "--arch", "arm64"]).exits(3).error();
    assert!(message.contains("but no URL"), "{message}");
}

#[test]
fn a_floor_missing_in_the_catalog_comes_from_knowledge() {
    let floor = FileSpec::package("windows10.0-kb5005112-x64", "msu", "the servicing stack");
    let floor = FileSpec { url: Some(format!("http://{{cdn}}/floor/{}", floor.name)), ..floor };
    let title = "2022-03 Cumulative Update for Windows Server 2019 for x64-based Systems (KB5011503)";
    let target = FileSpec::package("windows10.0-kb5011503-x64", "msu", "the target");
    let update = UpdateSpec { files: vec![target], ..UpdateSpec::new(&id(3), title) };
    let case = Case::new(without_entry(vec![floor.clone()]).update(update));
    let (built_in, own) = ("81d09dc6978520e1a6d44b3b15567667f83eba2c", sha1_hex(&floor.bytes));
    let url = floor.url.as_ref().unwrap().replace("{cdn}", &case.loopback.file_host());
    let folder = "https://catalog.s.download.windowsupdate.com/d/msdownload/update/software/secu/2021/08/";
    let rows =
        table("prerequisites.toml").replace(&format!("{folder}{}", floor.name.replace(&own, built_in)), &url);
    assert!(rows.contains(&url));
    fs::write(format!("{}/prerequisites.toml", case.tables), rows.replace(built_in, &own)).unwrap();
    let packages = fs::read_to_string(format!("{}/packages.txt", case.tables)).unwrap();
    fs::write(format!("{}/packages.txt", case.tables), packages.replace(built_in, &own)).unwrap();

    let document = case.run_json(&["fetch", "KB5011503"]).exits(0).json();
    let sets = items(&document["sets"]);
    let required_set =
        sets.iter().find(|set| set["kb"] == "KB5005112").unwrap_or_else(|| panic!("{document:#}"));
    assert_eq!(
        (&required_set["status"], &required_set["needed_by"]),
        (&json!("published"), &json!(["KB5011503"]))
    );
    assert_eq!(required_set["files"][0]["checked"], json!(["name", "sha1 (knowledge)"]));
    assert!(warns(&document, "the Catalog does not list KB5005112"), "{document:#}");
}

#[test]
fn a_plan_from_knowledge_has_the_urls_of_its_files() {
    for (request, name) in [
        (["--enable", "25H2"], "windows11.0-kb5054156-x64_9fd13360d2c5af23ec4f591b86f1c1db37aada37.msu"),
        (["KB5043080", "-q"], "windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu"),
    ] {
        let bench = Bench::new();
        let arguments = [&["resolve"], &request[..], &["--arch", "x64", "--baseline", "26100.1150"]].concat();
        let plan = bench.json(&arguments).exits(0).json();
        let step = items(&plan["steps"]).iter().find(|step| step["name"] == name).unwrap();
        assert!(text_of(&step["url"]).ends_with(name), "{step:#}");
        assert_eq!(step["present"], json!(false));
    }
}
