//! The resolver against collected requests with their expected answers, on knowledge alone. The groups that rest on rules
//! which are not built yet are counted and not held.
#![expect(clippy::print_stdout, reason = "the differences are for people to judge")]

use std::path::Path;

use kbmirror::resolve::{Place, Request, known_sets, plan};
use kbmirror::servicing::{Installation, Knowledge};
use serde_json::Value;

/// What the checkpoint rules and the families decide by themselves.
const HELD: [&str; 5] = ["checkpoint", "no-checkpoint", "applicability", "withdrawn", "hotpatch"];

/// Cases of those groups that need more: (id, what).
const NOT_YET: &[(&str, &str)] =
    &[("w7-05", "an update of Windows 7 beside the cumulative ones, with parent rules")];

fn request(case: &Value) -> Option<Request> {
    let baseline = &case["baseline"];
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let mut request = Request::new(case["request"]["kb"].as_str()?.parse().ok()?);
    request.architecture = word(&baseline["architecture"]).and_then(|text| text.parse().ok());
    request.baseline = word(&baseline["build"]).and_then(|text| text.parse().ok());
    request.features_on_demand = baseline["fod"].as_bool().unwrap_or_default();
    request.installation = match baseline["installation"].as_str() {
        Some("client") => Some(Installation::Client),
        Some("server") => Some(Installation::Server),
        _ => None,
    };
    request.place = match baseline["for"].as_str() {
        None | Some("online") => Place::Online,
        Some("image") => Place::Image,
        Some("winpe") => Place::Winpe,
        Some("winre") => Place::Winre,
        Some("mirror") => Place::Mirror,
        Some(_) => return None,
    };
    Some(request)
}

fn steps_of(steps: &Value) -> Vec<String> {
    let steps = steps.as_array().cloned().unwrap_or_default();
    steps
        .iter()
        .map(|step| {
            format!("{} {}", step["role"].as_str().unwrap_or("?"), step["kb"].as_str().unwrap_or("?"))
        })
        .collect()
}

#[test]
fn the_checkpoint_cases_agree_on_knowledge_alone() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/facts/resolver-cases.jsonl");
    #[expect(clippy::disallowed_methods, reason = "the facts are read in place, outside of the project")]
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: ../shared/facts/resolver-cases.jsonl is not there");
        return;
    };
    let knowledge = Knowledge::built_in().unwrap();
    let (mut held, mut agreeing, mut all) = (0, 0, 0);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (id, group) = (case["id"].as_str().unwrap(), case["group"].as_str().unwrap());
        all += 1;
        let answer = request(&case).map(|request| {
            let plan = plan(&request, &known_sets(request.kb, &knowledge), &knowledge);
            serde_json::to_value(plan).unwrap()
        });
        let agrees = answer.as_ref().is_some_and(|answer| {
            answer["status"] == case["expect"]["status"]
                && steps_of(&answer["steps"]) == steps_of(&case["expect"]["steps"])
        });
        agreeing += usize::from(agrees);
        if !HELD.contains(&group) || NOT_YET.iter().any(|(known, _)| *known == id) {
            continue;
        }
        held += 1;
        if !agrees {
            let found = answer.map(|answer| format!("{} {:?}", answer["status"], steps_of(&answer["steps"])));
            println!(
                "{id}: {} {:?} expected, {found:?}",
                case["expect"]["status"],
                steps_of(&case["expect"]["steps"])
            );
        }
        assert!(agrees, "{id}");
    }
    println!("resolver cases: {agreeing} of {all} agree, {held} are held");
    assert!(held > 20);
}
