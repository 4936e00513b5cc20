//! JSON documents against their schemas. Real outputs of the commands are validated, each kind of document at least
//! once, and no field may be missing from its schema. Golden lists ensure that fields are only added.
//!
//! A golden list is `tests/fixtures/documents/<name>.txt`: one line for each field with its path, its type, and
//! `required` or `optional`. A new field makes the test fail until the list has it: add the lines that the failure
//! prints. Lines are never changed or removed.
#![expect(clippy::disallowed_methods, reason = "reports and golden lists are read as they lie")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use jsonschema::Validator;
use kbmirror::documents::{DOCUMENTS, DocumentKind};
use serde_json::{Value, json};

use crate::air_gap::{connected_mirror, isolated_mirror, root_key_of};
use crate::harness::{Bench, recording};

/// Makes a schema refuse fields that it does not describe, so that an undescribed field is found.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            let is_object = fields.contains_key("properties") && !fields.contains_key("additionalProperties");
            if is_object && !fields.contains_key("unevaluatedProperties") {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn schema_of(name: &str) -> Value {
    DocumentKind::named(name).unwrap_or_else(|| panic!("no document {name}")).schema().into()
}

/// The validators and the validation results, by document.
#[derive(Default)]
struct DocumentValidator {
    validators: BTreeMap<String, Validator>,
    counts: BTreeMap<String, usize>,
    errors: Vec<String>,
}

impl DocumentValidator {
    #[track_caller]
    fn validate(&mut self, name: &str, document: &Value) {
        let validator = self.validators.entry(name.to_owned()).or_insert_with(|| {
            let mut schema = schema_of(name);
            if !flattens(&schema) {
                close(&mut schema);
            }
            jsonschema::validator_for(&schema).unwrap()
        });
        let errors: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if !errors.is_empty() {
            self.errors.push(format!("{name}: {errors:#?}\n{document:#}"));
        }
        *self.counts.entry(name.to_owned()).or_default() += 1;
    }

    /// Runs a command and validates its output.
    #[track_caller]
    fn validate_run(&mut self, bench: &Bench, name: &str, arguments: &[&str]) {
        let document = bench.json(arguments).json();
        self.validate(name, &document);
    }

    /// Validates each line of a text.
    #[track_caller]
    fn lines(&mut self, name: &str, text: &str) {
        for line in text.lines() {
            self.validate(name, &serde_json::from_str(line).unwrap());
        }
    }
}

fn read_json(path: &Utf8Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Validates the report files in a mirror.
fn validate_reports(validator: &mut DocumentValidator, bench: &Bench) {
    /// The file name endings of the reports, with their documents.
    const KINDS: [(&str, &str); 6] = [
        ("-sync.json", "sync"),
        ("-news.json", "news"),
        ("-verify.json", "verify"),
        ("-export.json", "export-report"),
        ("-check-medium.json", "check-medium-report"),
        ("-import.json", "import-report"),
    ];
    for entry in bench.mirror().join("runs").read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        let Some((_, kind)) = KINDS.iter().find(|(end, _)| path.as_str().ends_with(end)) else { continue };
        let document = read_json(&path);
        let is_failed_sync = *kind == "sync" && document["error"].is_object();
        validator.validate(if is_failed_sync { "sync-error" } else { kind }, &document);
    }
}

/// Validates the documents of media, the JSON files on a medium, and the reports of both sides.
fn validate_media(validator: &mut DocumentValidator) {
    let connected_side = connected_mirror(&["KB5086672", "KB5085516"]);
    let isolated_side = isolated_mirror(&root_key_of(&connected_side));
    let stick = connected_side.path("stick");
    let to = ["--to", stick.as_str()];
    let arm = ["export", "KB5086672", "--arch", "arm64"];
    validator.validate_run(&connected_side, "export-dry-run", &[&arm[..], &to, &["--dry-run"]].concat());
    validator.validate_run(&connected_side, "export", &[&arm[..], &to].concat());
    validator.validate("medium-set", &read_json(&stick.join("set.json")));
    validator.validate_run(&isolated_side, "check-medium", &["check-medium", stick.as_str()]);
    validator.validate_run(&isolated_side, "import", &["import", stick.as_str()]);
    validator.validate_run(&isolated_side, "import", &["import", stick.as_str()]);
    // A second export keeps the files, replaces none, and is incomplete.
    validator.validate_run(
        &connected_side,
        "export-dry-run",
        &[&["export", "KB5085516"], &to[..], &["--prune", "--dry-run"]].concat(),
    );
    validator.validate_run(&connected_side, "export", &[&["export", "KB5085516"], &to[..]].concat());
    validator.validate("medium-set", &read_json(&stick.join("set.json")));
    validator.validate_run(&isolated_side, "check-medium", &["check-medium", stick.as_str()]);
    std::fs::remove_file(stick.join("set.json.minisig")).unwrap();
    validator.validate_run(&isolated_side, "error", &["check-medium", stick.as_str()]);
    validator.validate_run(&isolated_side, "error", &["import", stick.as_str()]);
    // A page of the medium cannot be replaced, so the export fails after writing its marker.
    let page = stick.join("knowledge/families.toml");
    std::fs::remove_file(&page).unwrap();
    std::fs::create_dir_all(page.join("inside")).unwrap();
    validator.validate_run(&connected_side, "error", &[&["export", "KB5085516"], &to[..]].concat());
    let marker = read_json(&stick.join("unfinished/export.json"));
    validator.validate("medium-unfinished", &marker);
    validator.lines("medium-unfinished-body", marker["body"].as_str().unwrap());
    validate_reports(validator, &connected_side);
    validate_reports(validator, &isolated_side);
}

/// Validates the report of a sync that fails after it opened the mirror, because no window ends on that day.
fn validate_failed_sync(validator: &mut DocumentValidator) {
    let bench = Bench::new();
    bench.json(&["init", "--product", "windows-11-24h2"]).exits(0);
    let demo = recording("demo");
    validator.validate_run(&bench, "error", &["--replay", demo.as_str(), "sync", "--as-of", "1999-12-31"]);
    validate_reports(validator, &bench);
}

/// Returns `true` if an object has alternatives in addition to its own fields.
fn flattens(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let has_parts = ["oneOf", "anyOf", "allOf"].iter().any(|word| fields.contains_key(*word));
            (fields.contains_key("properties") && has_parts) || fields.values().any(flattens)
        }
        Value::Array(items) => items.iter().any(flattens),
        _ => false,
    }
}

/// Returns the keys that `collect.cmd` writes, as the object that the schema describes.
fn keys_of_collect_script() -> Value {
    let key = regex::Regex::new(r"(?:call :(?:value|number) |echo )([a-z_]+)(?:=| )").unwrap();
    let script = kbmirror::script::collect_script();
    let lists = ["package", "dism_package", "qfe"];
    let value = |key: &str| if lists.contains(&key) { json!(["value"]) } else { json!("value") };
    let keys = key.captures_iter(&script).map(|found| (found[1].to_owned(), value(&found[1])));
    let keys: serde_json::Map<String, Value> = keys.collect();
    assert!(keys.len() > 15, "{keys:?}");
    keys.into()
}

#[test]
#[expect(clippy::print_stdout, reason = "the table of documents is part of the output")]
fn every_document_is_valid_against_its_schema() {
    let mut validator = DocumentValidator::default();
    let bench = Bench::new();
    let demo = recording("demo");
    let replay = |rest: &[&'static str]| -> Vec<String> {
        ["--replay", demo.as_str()].iter().chain(rest).map(|word| (*word).to_owned()).collect()
    };
    let online = |validator: &mut DocumentValidator, name: &str, rest: &[&'static str]| {
        let words = replay(rest);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        validator.validate_run(&bench, name, &words);
    };
    validator.validate_run(&bench, "error", &["list", "--nothing"]);
    validator.validate_run(&bench, "error", &["schema", "nothing"]);
    validator.validate_run(&bench, "schema", &["schema"]);
    validator.validate_run(&bench, "init", &["init", "--product", "windows-11-24h2"]);
    validator.validate_run(&bench, "list", &["list"]);
    online(&mut validator, "search", &["search", "KB5086672"]);
    online(&mut validator, "search", &["search", "KB5086672", "--arch", "arm64"]);
    online(&mut validator, "crawl", &["crawl", "KB5086672"]);
    online(&mut validator, "crawl", &["crawl", "KB5999999"]);
    online(&mut validator, "fetch", &["fetch", "KB5086672", "--dry-run"]);
    online(&mut validator, "fetch", &["fetch", "KB5086672", "KB5030211"]);
    online(&mut validator, "show", &["show", "KB5086672", "--catalog"]);
    validator.validate_run(&bench, "show", &["show", "KB5086672"]);
    validator.validate_run(&bench, "show", &["show", "KB5031539"]);
    validator.validate_run(&bench, "list", &["list"]);
    online(&mut validator, "sync", &["sync", "--as-of", "2026-03-31", "--dry-run"]);
    online(&mut validator, "sync", &["sync", "--as-of", "2026-03-31"]);
    validator.validate_run(&bench, "status", &["status"]);
    validator.validate_run(&bench, "news", &["status", "--news"]);
    validator.validate_run(&bench, "verify", &["verify"]);
    validator.validate_run(&bench, "keys-show", &["keys", "show"]);
    validator.validate_run(&bench, "keys-init", &["keys", "init"]);
    let root = bench.json(&["keys", "show"]).json()["root"].as_str().unwrap().to_owned();
    validator.validate_run(&bench, "keys-show", &["keys", "show"]);
    validator.validate_run(&bench, "keys-trust", &["keys", "trust", &root]);
    let rotated = bench.json(&["keys", "rotate", "--valid-for", "365d"]).exits(0).json();
    validator.validate("keys-rotate", &rotated);
    validator.validate_run(
        &bench,
        "keys-revoke",
        &["keys", "revoke", rotated["retired_id"].as_str().unwrap()],
    );
    validator.validate_run(&bench, "keys-distrust", &["keys", "distrust", "0123456789ABCDEF"]);
    validator.validate_run(&bench, "keys-list", &["keys", "list"]);
    let offline = bench.path("offline");
    std::fs::create_dir(&offline).unwrap();
    validator.validate_run(&bench, "keys-move-root", &["keys", "move-root", "--to", offline.as_str()]);
    validator.validate_run(&bench, "knowledge", &["knowledge", "show"]);
    validator.validate_run(&bench, "knowledge-table", &["knowledge", "show", "families"]);
    validator.validate_run(&bench, "knowledge-check", &["knowledge", "check"]);
    validator.validate_run(&bench, "schedule", &["schedule"]);
    validator.validate_run(&bench, "schedule", &["schedule", "--cron"]);
    validator.validate_run(&bench, "generated", &["completions", "bash"]);
    validator.validate_run(&bench, "generated", &["man", "fetch"]);
    let arm = ["KB5086672", "--arch", "arm64"];
    validator.validate_run(&bench, "resolve", &[&["resolve"], &arm[..]].concat());
    validator.validate_run(
        &bench,
        "resolve",
        &[&["resolve"], &arm[..], &["--baseline", "26100.863"]].concat(),
    );
    validator.validate_run(&bench, "resolve", &["resolve", "KB5086672"]);
    validator.validate_run(&bench, "why", &[&["why"], &arm[..]].concat());
    validator.validate_run(&bench, "graph", &["graph", "KB5086672"]);
    validator.validate_run(&bench, "script", &[&["script"], &arm[..]].concat());
    validator.validate_run(&bench, "script", &["script", "--collect"]);
    validator.validate("host", &keys_of_collect_script());
    let folder = bench.path("staged");
    validator.validate_run(&bench, "stage", &[&["stage"], &arm[..], &["--to", folder.as_str()]].concat());
    validator.validate_run(&bench, "lint", &["lint", folder.as_str()]);
    validator.validate_run(&bench, "inspect", &["inspect", folder.as_str(), "missing.msu"]);
    let package = bench.path("a.cab");
    std::fs::write(&package, crate::inspect::small_package()).unwrap();
    validator.validate_run(&bench, "inspect", &["inspect", package.as_str()]);
    // A valid request, and a line that is not a request.
    let batch = bench.path("batch.jsonl");
    std::fs::write(&batch, "{\"id\":1,\"request\":{\"kb\":\"KB5086672\"}}\n{\"id\":2}\n").unwrap();
    let answers = bench.json(&["resolve", "--batch", batch.as_str()]).stdout;
    let (plan, error) = answers.trim_end().split_once('\n').unwrap();
    validator.lines("resolve", plan);
    validator.lines("batch", std::fs::read_to_string(&batch).unwrap().lines().next().unwrap());
    validator.lines("batch-error", error);
    // Damage, and the log of a command.
    let path = bench
        .mirror()
        .join(&*bench.json(&["list"]).json()["sets"][0]["files"][0]["path"].as_str().unwrap().to_owned());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    validator.validate_run(&bench, "verify", &["verify"]);
    validator.validate_run(&bench, "list", &["list"]);
    validator.validate_run(&bench, "status", &["status"]);
    let words = replay(&["--log-format", "json", "fetch", "KB5086672", "KB5999999", "--refresh"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    validator.lines("log", &bench.run(&words).stderr);
    validator.lines("log", &bench.run(&["--log-format", "json", "list", "--nothing"]).stderr);
    validate_reports(&mut validator, &bench);
    validator.validate_run(&bench, "repair", &["repair", "--dry-run"]);
    validator.validate_run(&bench, "repair", &["--offline", "repair"]);
    validate_media(&mut validator);
    validate_failed_sync(&mut validator);
    for kb in ["KB5086672", "KB5030211"] {
        let text = std::fs::read_to_string(bench.mirror().join(format!("kb/{kb}/{kb}.json"))).unwrap();
        validator.validate("kb", &serde_json::from_str(&text).unwrap());
    }
    validator.validate_run(&bench, "forget", &["forget", "KB5086672", "--dry-run"]);
    validator.validate_run(&bench, "forget", &["forget", "KB5086672"]);
    let health = std::fs::read_to_string(bench.mirror().join("health.json")).unwrap();
    validator.validate("health", &serde_json::from_str(&health).unwrap());
    let state = std::fs::read_to_string(bench.mirror().join("state.json")).unwrap();
    validator.validate("state", &serde_json::from_str(&state).unwrap());
    assert!(validator.errors.is_empty(), "{}", validator.errors.join("\n"));
    for kind in DOCUMENTS {
        println!("{:<16} {:>3}", kind.name, validator.counts.get(kind.name).copied().unwrap_or(0));
    }
    let untested = |name: &&str| !validator.counts.contains_key(*name);
    let untested: Vec<&str> = DOCUMENTS.iter().map(|kind| kind.name).filter(untested).collect();
    assert!(untested.is_empty(), "no output was validated for {untested:?}");
}

/// Collects the fields of a schema: path, type, and `required`.
fn fields(schema: &Value, root: &Value, path: &str, seen: &mut Vec<String>, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"))
        && !seen.iter().any(|one| one == name)
    {
        seen.push(name.to_owned());
        fields(&root["$defs"][name], root, path, seen, found);
        seen.pop();
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        for part in schema[word].as_array().into_iter().flatten() {
            fields(part, root, path, seen, found);
        }
    }
    if schema["items"].is_object() {
        fields(&schema["items"], root, &format!("{path}[]"), seen, found);
    }
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = if required.contains(&json!(name)) { "required" } else { "optional" };
        let path = format!("{path}.{name}");
        found.insert(format!("{path} {} {is_required}", types(field, root)));
        fields(field, root, &path, seen, found);
    }
}

/// Returns the types of a field, sorted.
fn types(field: &Value, root: &Value) -> String {
    fn collect(field: &Value, root: &Value, found: &mut BTreeSet<String>) {
        match &field["type"] {
            Value::String(one) => drop(found.insert(one.clone())),
            Value::Array(all) => found.extend(all.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        }
        if let Some(name) = field["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
            collect(&root["$defs"][name], root, found);
        }
        for word in ["oneOf", "anyOf"] {
            field[word].as_array().into_iter().flatten().for_each(|part| collect(part, root, found));
        }
    }
    let mut found = BTreeSet::new();
    collect(field, root, &mut found);
    if found.is_empty() { "any".to_owned() } else { found.into_iter().collect::<Vec<_>>().join("|") }
}

#[test]
fn fields_are_only_added_to_documents() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents");
    let mut wrong = Vec::new();
    for kind in DOCUMENTS {
        let schema = schema_of(kind.name);
        let mut found = BTreeSet::new();
        fields(&schema, &schema, "", &mut Vec::new(), &mut found);
        let golden = std::fs::read_to_string(folder.join(format!("{}.txt", kind.name))).unwrap_or_default();
        let golden: BTreeSet<String> = golden.lines().map(str::to_owned).collect();
        wrong.extend(golden.difference(&found).map(|line| format!("{}: - {line}", kind.name)));
        wrong.extend(found.difference(&golden).map(|line| format!("{}: + {line}", kind.name)));
    }
    assert!(wrong.is_empty(), "golden lists to update (only + lines may be added):\n{}", wrong.join("\n"));
}

#[test]
fn names_that_are_not_deprecated_have_one_type() {
    fn walk(schema: &Value, root: &Value, types_by_name: &mut BTreeMap<String, BTreeSet<String>>) {
        match schema {
            Value::Object(all) => {
                for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                    let is_watched = [
                        "products",
                        "product_list",
                        "files",
                        "file_list",
                        "file_count",
                        "folder",
                        "failures",
                        "failure_list",
                        "reason",
                        "why",
                    ]
                    .contains(&name.as_str());
                    if is_watched && field["deprecated"] != true {
                        let found = types(field, root).replace("|null", "").replace("null|", "");
                        types_by_name.entry(name.clone()).or_default().insert(found);
                    }
                }
                all.values().for_each(|part| walk(part, root, types_by_name));
            }
            Value::Array(all) => all.iter().for_each(|part| walk(part, root, types_by_name)),
            _ => {}
        }
    }
    let mut types_by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for kind in DOCUMENTS {
        let schema = schema_of(kind.name);
        walk(&schema, &schema, &mut types_by_name);
    }
    assert!(types_by_name.values().all(|types| types.len() == 1), "{types_by_name:?}");
}
