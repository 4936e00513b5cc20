//! Resolver requests whose obvious answer is wrong. Each case states the servicing rule that decides it. Examples:
//! builds that say nothing about .NET, hotpatched servers below the build of the month, editions that do not need ESU,
//! and stacks that are newer than the required stack. The cases use only the built-in knowledge and the reader of
//! `--batch` lines.
//!
//! A case writes a request in short: the goal, a bar, and the machine. Examples of goals are
//! `KB5087537 available=a.msu,b.msu`, `latest policy=oob as_of=2026-07-20`, and `enable=25H2 minimal`. An example of a
//! machine is `x64 14393.8957 server for=image fod esu=false edition=EnterpriseS dotnet=4.8 installed=KB5094141`.
//!
//! The answer is the status with its steps, missing packages, and choices in order, for example
//! `install ssu KB5088064, target KB5087537`. `-> KB…` is the successor. `(restart)` marks a restart before the next
//! step.
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

mod editions;
mod enablement;
mod goals;
mod machines;
mod places;
mod stacks;

use kbmirror::resolve::{FactsLibrary, Library, read_line, resolve};
use kbmirror::servicing::Knowledge;
use serde_json::{Map, Value, json};

/// A case: the rule that decides it, the request, the answer, and a part of advice or warnings (empty: anything).
type Case = (&'static str, &'static str, &'static str, &'static str);

/// Returns the line of a `--batch` file for a short request.
fn batch_line(request_text: &str) -> String {
    let (goal, machine) = request_text.split_once('|').unwrap_or((request_text, ""));
    let mut request = Map::new();
    let mut baseline = Map::new();
    for word in goal.split_whitespace() {
        match word.split_once('=') {
            None if word.starts_with("KB") => request.insert("kb".into(), json!(word)),
            None => request.insert(word.into(), json!(true)),
            Some(("available", names)) => {
                let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
                request.insert("available".into(), json!(names))
            }
            Some((key, value)) => request.insert(key.into(), json!(value)),
        };
    }
    for word in machine.split_whitespace() {
        match word.split_once('=') {
            None if word.contains('.') => baseline.insert("build".into(), json!(word)),
            None if ["client", "server"].contains(&word) => {
                baseline.insert("installation".into(), json!(word))
            }
            None if word == "fod" => baseline.insert("fod".into(), json!(true)),
            None => baseline.insert("architecture".into(), json!(word)),
            Some(("esu", value)) => baseline.insert("esu".into(), json!(value == "true")),
            Some(("installed", kbs)) => {
                baseline.insert("installed".into(), json!(kbs.split(',').collect::<Vec<_>>()))
            }
            Some(("dotnet", value)) if value.parse::<u32>().is_ok() => {
                baseline.insert("dotnet".into(), json!(value.parse::<u32>().unwrap()))
            }
            Some((key, value)) => baseline.insert(key.into(), json!(value)),
        };
    }
    json!({ "id": request_text, "request": request, "baseline": baseline }).to_string()
}

/// Writes an answer in the short form of a case.
fn short_answer(answer: &Value) -> String {
    let listed = |key: &str, shown: &dyn Fn(&Value) -> String| {
        let items = answer[key].as_array().into_iter().flatten();
        items.map(shown).collect::<Vec<_>>().join(", ")
    };
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let of_role = |item: &Value| {
        let restart = if item["restart_after"] == true { " (restart)" } else { "" };
        format!("{} {}{restart}", text(&item["role"]), text(&item["kb"]))
    };
    let mut parts = vec![text(&answer["status"])];
    parts.push(listed("steps", &of_role));
    parts.push(listed("missing", &of_role));
    parts.push(listed("choices", &|choice| text(&choice["kb"])));
    parts.push(answer["successor"].as_str().map_or_else(String::new, |kb| format!("-> {kb}")));
    parts.retain(|word| !word.is_empty());
    parts.join(" ")
}

/// Resolves every case with a library, and fails with all answers that differ from the expected answers.
#[track_caller]
fn check_with(cases: &[Case], library: &dyn Library, knowledge: &Knowledge) {
    let mut wrong = Vec::new();
    for (rule, request_text, expected, part) in cases {
        let request =
            read_line(&batch_line(request_text)).1.unwrap_or_else(|error| panic!("{request_text}: {error}"));
        let plan = resolve(&request, library, knowledge).unwrap();
        let answer = serde_json::to_value(&plan).unwrap();
        let found = short_answer(&answer);
        let notes = format!("{} {}", answer["advice"], answer["warnings"]);
        if found != *expected || !notes.contains(part) {
            wrong.push(format!(
                "{request_text}\n    {rule}\n    expected: {expected} {part:?}\n    found:    {found}\n    notes:    {notes}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Checks the cases with the built-in knowledge only.
#[track_caller]
fn check(cases: &[Case]) {
    let knowledge = Knowledge::built_in().unwrap();
    check_with(cases, &FactsLibrary::of_knowledge(&knowledge), &knowledge);
}

#[test]
fn a_short_request_becomes_a_batch_line() {
    let parsed = batch_line(
        "KB5087537 available=a.msu,b.msu | x64 14393.8957 server for=image fod esu=false dotnet=528040 installed=KB1,KB2",
    );
    let parsed: Value = serde_json::from_str(&parsed).unwrap();
    assert_eq!(parsed["request"], json!({"kb": "KB5087537", "available": ["a.msu", "b.msu"]}));
    let machine = json!({"architecture": "x64", "build": "14393.8957", "installation": "server", "for": "image",
        "fod": true, "esu": false, "dotnet": 528_040, "installed": ["KB1", "KB2"]});
    assert_eq!(parsed["baseline"], machine);
    let answer = json!({"status": "install", "successor": "KB3",
        "steps": [{"role": "prerequisite", "kb": "KB1", "restart_after": true}, {"role": "target", "kb": "KB2"}]});
    assert_eq!(short_answer(&answer), "install prerequisite KB1 (restart), target KB2 -> KB3");
}
