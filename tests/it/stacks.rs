//! The search of `fetch` for a separate servicing stack: it runs for every update that needs one in the plan.

use serde_json::json;

use super::air_gap::fetch_from;
use super::harness::{Bench, field_texts};
use super::support::{FileSpec, Loopback, UpdateSpec, World, id};

const TARGET: &str = "KB5990101";
const STACK: &str = "KB5990102";

/// Returns a Catalog with an update of 2022-05, a servicing stack of that month, and a servicing stack of the next
/// month.
fn world(kind: &str, product: &str) -> World {
    let update = |number: u32, month: &str, kind: &str, kb: &str| UpdateSpec {
        last_updated: "5/10/2022".to_owned(),
        files: vec![FileSpec::package(&format!("windows8.1-{}-x64", kb.to_lowercase()), "msu", kb)],
        ..UpdateSpec::new(&id(number), &format!("{month} {kind} for {product} for x64-based Systems ({kb})"))
    };
    World::new()
        .update(update(1, "2022-05", kind, TARGET))
        .update(update(2, "2022-05", "Servicing Stack Update", STACK))
        .update(update(3, "2022-06", "Servicing Stack Update", "KB5990103"))
}

#[test]
fn fetch_finds_the_stack_for_each_kind_of_update() {
    for (kind, product) in [
        ("Security Only Quality Update", "Windows 8.1"),
        ("Security Only Quality Update", "Windows Server 2012 R2"),
        ("Security Only Quality Update", "Windows 7"),
        ("Security Monthly Quality Rollup", "Windows 8.1"),
        ("Cumulative Update", "Windows 10 Version 1607"),
    ] {
        let loopback = Loopback::start(world(kind, product));
        let bench = Bench::starting_at("2026-11-30T08:00:00Z");
        let fetched = fetch_from(&bench, &loopback, &[TARGET]).json();
        let sets = field_texts(&fetched["sets"], "kb");
        assert!(sets.contains(&STACK.to_owned()), "{kind} for {product}: {sets:?}\n{fetched:#}");
        assert!(!sets.contains(&"KB5990103".to_owned()), "a later stack is not needed: {sets:?}");
        let plan = bench.json(&["resolve", TARGET, "--arch", "x64"]).exits(0).json();
        let needed = field_texts(&plan["steps"], "kb");
        let last = &needed[needed.len() - 2..];
        assert_eq!(last, [STACK, TARGET], "the plan needs the stack that fetch downloaded: {plan:#}");
        assert_eq!(plan["steps"][needed.len() - 2]["present"], json!(true));
    }
}
