//! A KB that Microsoft issued again: the newest issue is published and planned, and the older one can be requested.

use super::*;

const REISSUED: &str = "05-reissued-kb-two-generations";

#[test]
fn newest_issue_is_fetched_and_the_older_on_request() {
    let Some(world) = world_of(REISSUED) else { return };
    let closed = Closed::after(world, &["fetch", "KB4474419", "--no-closure"]);
    let fetched = closed.connected.json();
    assert_eq!(field_texts(&fetched["sets"], "folder"), ["kb/KB4474419/windows-7-x64"], "{fetched:#}");
    assert_eq!(field_texts(&fetched["left_out"], "left_out_by"), ["generation"]);

    let at = ["KB4474419", "--arch", "x64", "--baseline", "7601.17514", "--installed", "KB4490628"];
    let newest = closed.plan(&at);
    let name = |plan: &Value| text_of(&plan["steps"][0]["name"]);
    assert_eq!(newest["status"], "install", "{newest:#}");
    assert!(name(&newest).contains("-v3-"), "{newest:#}");
    assert!(newest["warnings"].to_string().contains("--generation 1 selects the older"), "{newest:#}");
    let older = closed.plan(&[&at[..], &["--generation", "1"]].concat());
    assert!(older["status"] == "install" && !name(&older).contains("-v3-"), "{older:#}");
    let all = closed.plan(&[&at[..], &["--generation", "all"]].concat());
    assert_eq!((&all["status"], items(&all["choices"]).len()), (&"ambiguous".into(), 2), "{all:#}");
}

#[test]
fn each_issue_has_a_folder_of_its_own() {
    let Some(world) = world_of(REISSUED) else { return };
    let closed = Closed::after(world, &["fetch", "KB4474419", "--no-closure", "--generation", "all"]);
    let folders = field_texts(&closed.connected.json()["sets"], "folder");
    let expected = ["kb/KB4474419/windows-7-x64", "kb/KB4474419/windows-7-x64-2019-03"];
    assert_eq!(folders, expected);
    closed.bench.json(&["verify"]).exits(0);
}
