//! The order of checkpoints from the Catalog's entries, its dialogs, and the knowledge.

use serde_json::{Value, json};

use super::super::harness::{Bench, field_texts, items, names_in, text_of};
use super::super::support::{Loopback, UpdateSpec, World};
use super::{lcu, package, run_against};

#[test]
fn unknown_checkpoints_are_ordered_by_their_builds() {
    let (low, high, target) = (
        package("KB5209002", "the lower checkpoint"),
        package("KB5201001", "the higher checkpoint"),
        package("KB5205003", "the target"),
    );
    // The dialog's order, the KB numbers, and the dates of the entries all differ from the true order.
    let dated = |update: UpdateSpec, date: &str| UpdateSpec { last_updated: date.to_owned(), ..update };
    let world = World::new()
        .update(lcu(
            1,
            "2027-06",
            "KB5205003",
            " (26100.9500)",
            vec![high.clone(), target.clone(), low.clone()],
        ))
        .update(dated(
            lcu(2, "2026-12", "KB5201001", " (26100.9000)", vec![high.clone(), low.clone()]),
            "1/1/2020",
        ))
        .update(dated(lcu(3, "2026-10", "KB5209002", " (26100.8500)", vec![low.clone()]), "12/31/2027"));
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let document = run_against(&bench, &loopback, &["fetch", "KB5205003"]).exits(0).json();

    let set = &document["sets"][0];
    assert_eq!(field_texts(&set["files"], "name"), [&low.name, &high.name, &target.name].map(String::clone));
    assert_eq!(field_texts(&set["files"], "role"), ["checkpoint", "checkpoint", "target"]);
    let order: Vec<&Value> = items(&set["files"]).iter().map(|file| &file["order"]).collect();
    assert_eq!(order, [1, 2, 3]);
    let folder = bench.set_folder("KB5205003", "windows-11-24h2-arm64");
    let mut names = [&low.name, &high.name, &target.name].map(String::clone);
    names.sort();
    assert_eq!(names_in(&folder), names);
    assert!(
        items(&document["warnings"]).iter().any(|warning| text_of(warning).contains("KB5043080")),
        "the unlisted checkpoint of the knowledge must be reported: {document:#}"
    );

    let mut needs = bench.rows("SELECT kb, needs_kb, role, source FROM v_needs ORDER BY kb, needs_kb");
    needs.sort();
    assert_eq!(
        needs,
        [
            ["KB5201001", "KB5209002", "checkpoint", "dialog"],
            ["KB5205003", "KB5201001", "checkpoint", "dialog"],
            ["KB5205003", "KB5209002", "checkpoint", "dialog"],
        ]
    );

    let steps = |baseline: &str| {
        let arguments = ["resolve", "KB5205003", "--arch", "arm64", "--baseline", baseline];
        let plan = bench.json(&arguments).exits(0).json();
        field_texts(&plan["steps"], "kb")
    };
    assert_eq!(steps("26100.8117"), ["KB5209002", "KB5201001", "KB5205003"]);
    assert_eq!(steps("26100.8500"), ["KB5201001", "KB5205003"]);
    assert_eq!(steps("26200.8700"), ["KB5201001", "KB5205003"]);
    assert_eq!(steps("26100.9000"), ["KB5205003"]);
    assert_eq!(steps("26100.9500"), Vec::<String>::new());
}

#[test]
fn an_unknown_order_is_not_invented() {
    // The companion's own entry states no build, so nothing proves that it comes first. Both updates are older than
    // any checkpoint in the knowledge.
    let (companion, target) = (package("KB5201001", "what is this"), package("KB5205003", "the target"));
    let world = World::new()
        .update(lcu(1, "2024-08", "KB5205003", " (26100.1500)", vec![companion.clone(), target.clone()]))
        .update(lcu(2, "2024-07", "KB5201001", "", vec![companion.clone()]));
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let document = run_against(&bench, &loopback, &["fetch", "KB5205003"]).exits(0).json();
    let files = items(&document["sets"][0]["files"]);
    let file = files.iter().find(|file| file["name"] == companion.name.as_str()).unwrap();
    assert_eq!((&file["role"], &file["order"]), (&json!("companion"), &Value::Null));
    let entry = "\"2024-08 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5205003) \
         (26100.1500)\"";
    let warning = format!(
        "{} belongs to the entry {entry} without evidence that it comes before or after the target: \
         its order is unknown",
        companion.name
    );
    assert_eq!(document["warnings"], json!([warning]));
}

#[test]
fn a_checkpoint_omitted_by_the_dialog_comes_from_knowledge() {
    let (checkpoint, target) = (package("KB5043080", "the checkpoint"), package("KB5086672", "the target"));
    let world = World::new()
        .update(lcu(1, "2026-03", "KB5086672", " (26100.8117)", vec![target.clone()]))
        .update(lcu(2, "2024-09", "KB5043080", "", vec![checkpoint.clone()]));
    let loopback = Loopback::start(world);
    let bench = Bench::new();
    let document = run_against(&bench, &loopback, &["fetch", "KB5086672"]).exits(0).json();
    let set = &document["sets"][0];
    assert_eq!(set["status"], "published");
    assert_eq!(field_texts(&set["files"], "name"), [checkpoint.name, target.name]);
    assert_eq!(field_texts(&set["files"], "role"), ["checkpoint", "target"]);
    let has_warning = |warnings: &Value| {
        items(warnings).iter().any(|warning| {
            let warning = text_of(warning);
            warning.contains("does not list the checkpoint KB5043080")
                && warning.contains("added it from knowledge")
        })
    };
    assert!(has_warning(&document["warnings"]), "{document:#}");
    assert_eq!(
        bench.rows("SELECT kb, needs_kb, source FROM v_needs"),
        [["KB5086672", "KB5043080", "knowledge"]]
    );
    let plan = bench.json(&["resolve", "KB5086672", "--baseline", "26100.863"]).exits(0).json();
    assert_eq!(field_texts(&plan["steps"], "role"), ["checkpoint", "target"]);
    assert!(has_warning(&plan["warnings"]), "{plan:#}");

    // If the Catalog no longer has the checkpoint's entry, only the knowledge names the file. The file is on
    // Microsoft's own host, so this is a dry run.
    let alone =
        World::new().update(lcu(1, "2026-03", "KB5086672", " (26100.8117)", vec![package("KB5086672", "x")]));
    let loopback = Loopback::start(alone);
    let bench = Bench::new();
    let document = run_against(&bench, &loopback, &["fetch", "KB5086672", "--dry-run"]).exits(0).json();
    let file = &document["sets"][0]["files"][0];
    assert_eq!(file["sha1"], "df540a05f9b118e339c5520f4090bb5d450f090b");
    assert_eq!((&file["role"], &file["present"]), (&json!("checkpoint"), &json!(false)));
    assert!(has_warning(&document["warnings"]), "{document:#}");
}
