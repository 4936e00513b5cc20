//! Requests as JSON lines: one request a line, one answer a line, in the same order.
//!
//! The keys are those of the command line. A key that is absent or null is unknown, which is not the same as false. An unknown
//! or repeated key is an error: a misspelt one would silently answer another question. A line may carry the notes of a case
//! file (the last fields of [`Line`]), which are ignored. A faulty line gets an error as its answer, so that the lines stay paired.

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::machine::Machine;
use super::place::Place;
use super::request::{Goal, Policy, Request};
use crate::error::{Error, Result};
use crate::servicing::{Dotnet, Installation};
use crate::update::{Architecture, Build, Kb, Kind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: Option<Value>,
    request: What,
    #[serde(default)]
    baseline: Option<Baseline>,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
    #[serde(default, rename = "group")]
    _group: IgnoredAny,
    #[serde(default, rename = "expect")]
    _expect: IgnoredAny,
    #[serde(default, rename = "why")]
    _why: IgnoredAny,
    #[serde(default, rename = "evidence")]
    _evidence: IgnoredAny,
    #[serde(default, rename = "confidence")]
    _confidence: IgnoredAny,
    #[serde(default, rename = "difference")]
    _difference: IgnoredAny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct What {
    kb: Option<Kb>,
    latest: Option<bool>,
    enable: Option<String>,
    policy: Option<Policy>,
    as_of: Option<Date>,
    kind: Option<Kind>,
    minimal: Option<bool>,
    accept_withdrawn: Option<bool>,
    product: Option<String>,
    available: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    architecture: Option<Architecture>,
    build: Option<Build>,
    installation: Option<Installation>,
    edition: Option<String>,
    #[serde(rename = "for")]
    place: Option<Place>,
    fod: Option<bool>,
    dotnet: Option<Release>,
    esu: Option<bool>,
    installed: Option<Vec<Kb>>,
}

/// A release of .NET Framework as a text, or the number that the registry has.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Release {
    Number(u32),
    Text(String),
}

/// The caller's name of a line and its request; the name also where the rest is no request.
pub fn read_line(text: &str) -> (Option<Value>, Result<Request>) {
    let line: Line = match serde_json::from_str(text) {
        Ok(line) => line,
        Err(error) => return refuse_line(text, error),
    };
    let id = line.id.clone();
    let request = read(line).map(|request| Request { id: id.clone(), ..request });
    (id, request)
}

/// Returns the error of a line that is not a request, with the name of the line where that can be read.
fn refuse_line(text: &str, error: serde_json::Error) -> (Option<Value>, Result<Request>) {
    let (id, message) = match serde_json::from_str::<Value>(text) {
        Ok(value) => (value.get("id").filter(|id| !id.is_null()).cloned(), "the line is not a request"),
        Err(_) => (None, "the line is not JSON"),
    };
    (id, Err(Error::usage(message).caused_by(error)))
}

fn read(line: Line) -> Result<Request> {
    let what = line.request;
    let goal = match (what.kb, what.latest.unwrap_or_default(), what.enable) {
        (Some(kb), false, None) => Goal::Kb(kb),
        (None, true, None) => Goal::Latest(what.kind),
        (None, false, Some(release)) => Goal::Enable(release),
        _ => return Err(Error::usage("a request has just one of kb, latest, and enable")),
    };
    Ok(Request {
        policy: what.policy.unwrap_or_default(),
        as_of: what.as_of,
        minimal: what.minimal.unwrap_or_default(),
        accept_withdrawn: what.accept_withdrawn.unwrap_or_default(),
        product: what.product,
        available: what.available,
        machine: line.baseline.unwrap_or_default().try_into()?,
        ..Request::of(goal)
    })
}

impl TryFrom<Baseline> for Machine {
    type Error = Error;

    fn try_from(baseline: Baseline) -> Result<Self> {
        Ok(Self {
            architecture: baseline.architecture,
            baseline: baseline.build,
            installation: baseline.installation,
            edition: baseline.edition,
            place: baseline.place.unwrap_or(Place::Online),
            features_on_demand: baseline.fod.unwrap_or_default(),
            dotnet: baseline.dotnet.as_ref().map(dotnet).transpose()?,
            esu: baseline.esu,
            installed: baseline.installed.unwrap_or_default(),
        })
    }
}

fn dotnet(release: &Release) -> Result<Dotnet> {
    let found = match release {
        Release::Number(number) => Dotnet::of_release(*number),
        Release::Text(text) => text.parse().ok(),
    };
    found.ok_or_else(|| Error::usage("dotnet is no release of .NET Framework such as \"4.8\" or 533320"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_every_key_is_read() {
        let line = r#"{"id":"a","note":"n","expect":{"status":"install"},"request":{"latest":true,"policy":"preview","as_of":"2026-07-20","kind":"lcu","product":"x"},
            "baseline":{"architecture":"x64","build":"26100.863","installation":"client","edition":"Professional","for":"image",
            "fod":true,"dotnet":533320,"esu":false,"installed":["KB5043080"]}}"#;
        let (id, request) = read_line(line);
        let request = request.unwrap();
        assert_eq!(id, Some(Value::from("a")));
        assert_eq!(request.goal, Goal::Latest(Some(Kind::Lcu)));
        assert_eq!((request.machine.place, request.policy), (Place::Image, Policy::Preview));
        assert_eq!(request.machine.dotnet.unwrap().to_string(), "4.8.1");
        assert_eq!((request.machine.features_on_demand, request.machine.esu), (true, Some(false)));
    }

    #[test]
    fn absent_and_null_are_not_known() {
        for line in [
            r#"{"request":{"kb":"KB5086672"}}"#,
            r#"{"request":{"kb":"5086672","as_of":null},"baseline":{"build":null,"esu":null,"for":null}}"#,
        ] {
            assert_eq!(read_line(line).1.unwrap(), Request::new("KB5086672".parse().unwrap()), "{line}");
        }
    }

    #[test]
    fn what_is_no_request_keeps_its_name() {
        for line in [
            r#"{"id":7,"request":{}}"#,
            r#"{"id":7,"request":{"kb":"KB5086672","latest":true}}"#,
            r#"{"id":7,"request":{"kb":"KB1"}}"#,
            r#"{"id":7,"request":{"kb":"KB5086672"},"baseline":{"build":"24H2"}}"#,
            r#"{"id":7,"request":{"kb":"KB5086672"},"baseline":{"dotnet":"four"}}"#,
            r#"{"id":7}"#,
            r#"{"id":7,"request":{"kb":"KB5086672","arch":"x64"}}"#,
            r#"{"id":7,"request":{"kb":"KB5086672"},"baseline":{"bulid":"26100.863"}}"#,
            r#"{"id":7,"request":{"kb":"KB5086672"},"basline":{"build":"26100.863"}}"#,
            r#"{"id":7,"request":{"kb":"KB5086672","kb":"KB5043080"}}"#,
        ] {
            let (id, request) = read_line(line);
            assert_eq!(id, Some(Value::from(7)), "{line}");
            assert!(request.is_err(), "{line}");
        }
        assert!(read_line("{").1.is_err());
    }
}
