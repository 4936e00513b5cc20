//! Questions whose obvious answer is wrong, held against the sentence that decides each: builds that lie about
//! .NET, hotpatched servers below the month's build, editions that need no ESU, stacks that are newer than asked for.
//! On knowledge alone, through the same words as a line of `--batch`.
//!
//! A case is what is asked, in words: the goal, a bar, and the machine. `KB5087537 available=a.msu,b.msu`,
//! `latest policy=oob as_of=2026-07-20`, `enable=25H2 minimal`; `x64 14393.8957 server for=image fod esu=false
//! edition=EnterpriseS dotnet=4.8 installed=KB5094141`. The answer is the status with what it names, in order:
//! `install ssu KB5088064, target KB5087537`; `-> KB…` is the successor, and `(restart)` comes before the next step.
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

mod editions;
mod enablement;
mod goals;
mod machines;
mod places;
mod stacks;

use kbmirror::resolve::{Library, Shelf, read_line, resolve};
use kbmirror::servicing::Knowledge;
use serde_json::{Map, Value, json};

/// The sentence that decides, the question, the answer, and a part of what is said with it (empty: anything).
type Case = (&'static str, &'static str, &'static str, &'static str);

/// The line of a `--batch` for a question in words.
fn line(question: &str) -> String {
    let (goal, machine) = question.split_once('|').unwrap_or((question, ""));
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
    json!({ "id": question, "request": request, "baseline": baseline }).to_string()
}

/// An answer in the words of a case.
fn in_words(answer: &Value) -> String {
    let listed = |key: &str, shown: &dyn Fn(&Value) -> String| {
        let items = answer[key].as_array().into_iter().flatten();
        items.map(shown).collect::<Vec<_>>().join(", ")
    };
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let of_role = |item: &Value| {
        let restart = if item["restart_after"] == true { " (restart)" } else { "" };
        format!("{} {}{restart}", text(&item["role"]), text(&item["kb"]))
    };
    let mut words = vec![text(&answer["status"])];
    words.push(listed("steps", &of_role));
    words.push(listed("missing", &of_role));
    words.push(listed("choices", &|choice| text(&choice["kb"])));
    words.push(answer["successor"].as_str().map_or_else(String::new, |kb| format!("-> {kb}")));
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

/// Asks every question of a library and shows all answers that are others than the sentences have it.
#[track_caller]
fn hold_on(cases: &[Case], library: &dyn Library, knowledge: &Knowledge) {
    let mut wrong = Vec::new();
    for (sentence, question, expected, saying) in cases {
        let request = read_line(&line(question)).1.unwrap_or_else(|error| panic!("{question}: {error}"));
        let plan = resolve(&request, library, knowledge).unwrap();
        let answer = serde_json::to_value(&plan).unwrap();
        let found = in_words(&answer);
        let said = format!("{} {}", answer["advice"], answer["warnings"]);
        if found != *expected || !said.contains(saying) {
            wrong.push(format!(
                "{question}\n    {sentence}\n    expected: {expected} {saying:?}\n    found:    {found}\n    said:     {said}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The same on knowledge alone.
#[track_caller]
fn hold(cases: &[Case]) {
    let knowledge = Knowledge::built_in().unwrap();
    hold_on(cases, &Shelf::of_knowledge(&knowledge), &knowledge);
}

#[test]
fn a_question_in_words_is_a_line() {
    let asked = line(
        "KB5087537 available=a.msu,b.msu | x64 14393.8957 server for=image fod esu=false dotnet=528040 installed=KB1,KB2",
    );
    let asked: Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(asked["request"], json!({"kb": "KB5087537", "available": ["a.msu", "b.msu"]}));
    let machine = json!({"architecture": "x64", "build": "14393.8957", "installation": "server", "for": "image",
        "fod": true, "esu": false, "dotnet": 528_040, "installed": ["KB1", "KB2"]});
    assert_eq!(asked["baseline"], machine);
    let answer = json!({"status": "install", "successor": "KB3",
        "steps": [{"role": "prerequisite", "kb": "KB1", "restart_after": true}, {"role": "target", "kb": "KB2"}]});
    assert_eq!(in_words(&answer), "install prerequisite KB1 (restart), target KB2 -> KB3");
}
