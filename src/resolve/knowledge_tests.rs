//! Tests of plans on the built-in knowledge alone: Extended Security Updates, enablement packages, updates that only
//! Windows Update delivers, faulty releases, .NET Framework, and monthly rollups.

use super::{FactsLibrary, Plan, Status, read_line, resolve};
use crate::servicing::Knowledge;

/// Returns the answer to a batch line, given as request and baseline.
fn plan(request: &str, baseline: &str) -> Plan {
    let knowledge = Knowledge::built_in().unwrap();
    let line = format!("{{\"id\":\"x\",\"request\":{{{request}}},\"baseline\":{{{baseline}}}}}");
    let request = read_line(&line).1.unwrap();
    resolve(&request, &FactsLibrary::of_knowledge(&knowledge), &knowledge).unwrap()
}

/// Returns the steps of a plan in words.
fn steps(plan: &Plan) -> Vec<String> {
    let kb = |kb: Option<crate::update::Kb>| kb.map(|kb| kb.to_string()).unwrap_or_default();
    plan.steps.iter().map(|step| format!("{} {}", step.role, kb(step.kb))).collect()
}

fn warns(plan: &Plan, words: &str) -> bool {
    plan.warnings.iter().any(|warning| warning.contains(words))
}

const WINDOWS_10: &str = r#""architecture":"x64","installation":"client","for":"online","esu":false"#;

#[test]
fn exception_by_kb_needs_no_extended_security_updates() {
    for esu in ["false", "true", "null"] {
        let machine = format!(
            r#""architecture":"x64","build":"19045.6456","installation":"client","for":"online","esu":{esu}"#
        );
        let plan = plan(r#""kb":"KB5071959""#, &machine);
        assert_eq!((plan.status, steps(&plan)), (Status::Install, vec!["target KB5071959".to_owned()]));
        assert!(warns(&plan, "for consumer devices that are not enrolled"), "{:?}", plan.warnings);
        assert!(!warns(&plan, "activate a key"), "{:?}", plan.warnings);
    }
}

#[test]
fn goal_without_esu_is_the_newest_free_update() {
    let machine = format!(r#"{WINDOWS_10},"build":"19045.5000""#);
    for (policy, kb) in [("security", "KB5066791"), ("oob", "KB5071959")] {
        let plan = plan(&format!(r#""latest":true,"policy":"{policy}","as_of":"2026-10-04""#), &machine);
        assert_eq!((plan.status, steps(&plan)), (Status::Install, vec![format!("target {kb}")]));
        assert!(warns(&plan, "later updates need Extended Security Updates"), "{:?}", plan.warnings);
    }
    let there = format!(r#"{WINDOWS_10},"build":"19045.6456""#);
    let request = r#""latest":true,"policy":"security","as_of":"2025-12-31""#;
    let done = plan(request, &there);
    assert_eq!(done.status, Status::NothingToDo);
    let advice = "2 later updates need Extended Security Updates; the newest is KB5071546";
    assert_eq!(done.advice.as_deref(), Some(advice));
    let ltsc = plan(
        request,
        &there.replace("19045", "19044").replace(",\"for\"", ",\"edition\":\"EnterpriseS\",\"for\""),
    );
    assert_eq!(steps(&ltsc), ["target KB5071546"], "a long-term edition needs no ESU");
}

#[test]
fn esu_preparation_needs_its_floor_first() {
    let low = plan(r#""kb":"KB5072653""#, r#""architecture":"x64","build":"19045.5000","for":"online""#);
    assert_eq!(steps(&low), ["prerequisite KB5066791", "target KB5072653"]);
    assert!(low.steps[0].restart_after);
    let high = plan(r#""kb":"KB5072653""#, r#""architecture":"x64","build":"19045.6456","for":"online""#);
    assert_eq!(steps(&high), ["target KB5072653"]);
}

#[test]
fn enablement_packages_lead_within_a_family_only() {
    for (release, build, status, expected) in [
        ("1909", "18362.1000", Status::Install, vec!["enablement KB4517245"]),
        ("20H2", "19041.1000", Status::Install, vec!["enablement KB4562830"]),
        ("21H1", "19042.1000", Status::Install, vec!["enablement KB5000736"]),
        ("21H2", "19043.1500", Status::Install, vec!["enablement KB5003791"]),
        ("22H2", "19044.2000", Status::Install, vec!["enablement KB5015684"]),
        ("2004", "19045.7000", Status::NothingToDo, vec![]),
        ("25H2", "22631.7000", Status::NotApplicable, vec![]),
        ("29H2", "26200.9000", Status::Unknown, vec![]),
    ] {
        let machine =
            format!(r#""architecture":"x64","build":"{build}","installation":"client","for":"online""#);
        let plan = plan(&format!(r#""enable":"{release}""#), &machine);
        assert_eq!((plan.status, steps(&plan)), (status, expected.into_iter().map(str::to_owned).collect()));
        assert!(!plan.advice.unwrap_or_default().contains("no package leads"), "{release}");
    }
}

#[test]
fn hole_in_the_enablement_table_is_unknown() {
    let tables = crate::servicing::Tables::built_in();
    let without = tables.enablement.replace("release = \"21H1\"", "release = \"20H1\"");
    let tables = crate::servicing::Tables { enablement: &without, ..tables };
    let knowledge = Knowledge::parse(tables).unwrap();
    let line =
        r#"{"id":1,"request":{"enable":"21H1"},"baseline":{"architecture":"x64","build":"19042.1000"}}"#;
    let request = read_line(line).1.unwrap();
    let plan = resolve(&request, &FactsLibrary::of_knowledge(&knowledge), &knowledge).unwrap();
    assert_eq!(plan.status, Status::Unknown);
    assert!(plan.advice.unwrap().contains("21H1 is recorded"));
}

#[test]
fn windows_update_only_kb_names_its_offline_replacement() {
    for (kb, successor, words) in [
        ("KB5058497", "KB5058411", "is a hotpatch"),
        ("KB5078238", "KB5078136", "is a hotpatch"),
        ("KB5034441", "KB5034232", "winre.wim"),
        ("KB5068164", "KB5067017", "winre.wim"),
    ] {
        let plan = plan(&format!(r#""kb":"{kb}""#), r#""architecture":"x64""#);
        assert_eq!(plan.status, Status::UnavailableOffline, "{kb}");
        assert_eq!(plan.successor.map(|kb| kb.to_string()).as_deref(), Some(successor));
        let advice = plan.advice.unwrap();
        assert!(advice.contains(words) && advice.contains(successor), "{advice}");
        assert!(!advice.contains("crawl") && !advice.contains("fetch"), "{advice}");
    }
    let new = plan(r#""kb":"KB5199999""#, r#""architecture":"x64""#);
    assert_eq!(new.status, Status::Unknown);
    assert!(new.advice.unwrap().contains("Windows Update alone delivers"));
    let old = plan(r#""kb":"KB2199999""#, r#""architecture":"x64""#);
    assert!(!old.advice.unwrap().contains("Windows Update alone"), "hotpatches began in 2022");
}

#[test]
fn every_hotpatch_has_a_replacement_of_its_family() {
    let knowledge = Knowledge::built_in().unwrap();
    let rows = knowledge.withdrawn().hotpatches();
    assert!(rows.len() > 40);
    let above = rows.iter().filter(|row| {
        let instead = knowledge.releases().of_kb(row.instead.unwrap());
        let instead = instead.iter().find(|release| release.build.number == row.family).unwrap();
        assert!(knowledge.releases().of_kb(row.kb).is_empty(), "{} is not a cumulative update", row.kb);
        row.build.is_some_and(|build| build > instead.build)
    });
    let above: Vec<String> = above.map(|row| row.kb.to_string()).collect();
    assert_eq!(above, ["KB5078238", "KB5091470"], "usually, not always, below the cumulative update");
}

#[test]
fn faulty_release_that_is_still_listed_is_a_warning() {
    for (build, kb, successor) in
        [("26100.33296", "KB5122871", "KB5129235"), ("20348.5499", "KB5122882", "KB5129237")]
    {
        let machine =
            format!(r#""architecture":"x64","build":"{build}","installation":"server","for":"online""#);
        let security = plan(r#""latest":true,"policy":"security","as_of":"2026-09-30""#, &machine);
        assert_eq!(steps(&security), [format!("target {kb}")]);
        assert!(warns(&security, &format!("{successor} replaces it")), "{:?}", security.warnings);
        let oob = plan(r#""latest":true,"policy":"oob","as_of":"2026-09-30""#, &machine);
        assert_eq!(steps(&oob), [format!("target {successor}")]);
        assert!(!warns(&oob, "faulty"));
    }
}

#[test]
fn ended_servicing_is_stated_with_each_plan() {
    let line = r#""kb":"KB5044280","as_of":"2024-10-31""#;
    let plan = plan(line, r#""architecture":"x64","build":"22000.3000","installation":"client""#);
    assert_eq!(plan.status, Status::Install);
    assert!(warns(&plan, "servicing of Windows 11 21H2 ended"), "{:?}", plan.warnings);
}

#[test]
fn versions_of_dotnet_updates_count() {
    for (build, installation, kb) in [
        ("26200.8246", "client", "KB5082417"),
        ("26100.8246", "client", "KB5082420"),
        ("26100.32690", "server", "KB5082417"),
    ] {
        let machine = format!(
            r#""architecture":"x64","build":"{build}","installation":"{installation}","for":"online""#
        );
        let latest = plan(r#""latest":true,"kind":"dotnet_cu","as_of":"2026-04-30""#, &machine);
        assert_eq!(steps(&latest), [format!("target {kb}")], "{build}");
        for (other, status) in [("KB5082417", kb == "KB5082417"), ("KB5082420", kb == "KB5082420")] {
            let status = if status { Status::Install } else { Status::NotApplicable };
            assert_eq!(plan(&format!(r#""kb":"{other}""#), &machine).status, status, "{other} {build}");
        }
    }
    let machine = r#""architecture":"x64","build":"26200.8037","installation":"client","for":"online""#;
    let request = r#""latest":true,"kind":"dotnet_cu","as_of":"2026-03-15","policy":"#;
    assert_eq!(steps(&plan(&format!("{request}\"preview\""), machine)), ["target KB5074828"]);
    assert_ne!(steps(&plan(&format!("{request}\"security\""), machine)), ["target KB5074828"], "a preview");
}

#[test]
fn bundle_is_planned_by_its_packages_on_any_architecture() {
    for architecture in ["x64", "x86", "arm64"] {
        let machine = format!(r#""architecture":"{architecture}","build":"17763.9121","dotnet":"4.7.2""#);
        let plan = plan(r#""kb":"KB5126144""#, &machine);
        assert_eq!(steps(&plan), ["dotnet_child KB5126043"], "{architecture}");
    }
    let machine = r#""architecture":"x64","build":"17763.9121","installation":"server","dotnet":"4.8""#;
    assert_eq!(steps(&plan(r#""kb":"KB5120703""#, machine)), ["target KB5120703"]);
    let other = machine.replace("4.8", "4.7.2");
    assert_eq!(plan(r#""kb":"KB5120703""#, &other).status, Status::NotApplicable);
}

#[test]
fn monthly_rollup_comes_after_its_servicing_stack() {
    let machine = r#""architecture":"x64","build":"9600.17415","installation":"server","for":"online""#;
    let prepared = plan(r#""kb":"KB5032249""#, &format!(r#"{machine},"esu":true"#));
    assert_eq!(steps(&prepared), ["ssu KB5032308", "target KB5032249"]);
    let refused = plan(r#""kb":"KB5102207""#, &format!(r#"{machine},"esu":false"#));
    assert_eq!(refused.status, Status::NeedsPrerequisite);
    assert_eq!(refused.missing[0].kb.unwrap().to_string(), "KB5017220");
}
