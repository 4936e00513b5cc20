//! Requests as JSON lines: one request per line, one answer per line, in the same order.
//!
//! The keys are those of the command line. An absent or null key is unknown, which is not the same as false.
//! An unknown or repeated key is an error: a misspelt key would silently change the request. A line may carry
//! the notes of a case file (the last fields of [`BatchLine`]), which are ignored. An invalid line gets an
//! error as its answer, so that lines and answers stay paired.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::issue::GenerationChoice;
use super::machine::Machine;
use super::place::Place;
use super::request::{Goal, Policy, Request};
use crate::error::{Error, Result};
use crate::servicing::{Dotnet, Installation};
use crate::update::schema::DateText;
use crate::update::{Architecture, Build, Kb, Kind};

/// A line of a batch: a request with its machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchLine {
    /// The caller's name of the line, which the answer repeats.
    id: Option<Value>,
    /// The request.
    request: BatchRequest,
    /// The machine; null or absent if it is unknown.
    #[serde(default)]
    baseline: Option<BatchMachine>,
    /// A note of a case file; ignored.
    #[serde(default, rename = "note")]
    #[schemars(with = "Option<Value>")]
    _note: IgnoredAny,
    /// A note of a case file; ignored.
    #[serde(default, rename = "group")]
    #[schemars(with = "Option<Value>")]
    _group: IgnoredAny,
    /// A note of a case file; ignored.
    #[serde(default, rename = "expect")]
    #[schemars(with = "Option<Value>")]
    _expect: IgnoredAny,
    /// A note of a case file; ignored.
    #[serde(default, rename = "why")]
    #[schemars(with = "Option<String>")]
    _why: IgnoredAny,
    /// A note of a case file; ignored.
    #[serde(default, rename = "evidence")]
    #[schemars(with = "Option<Value>")]
    _evidence: IgnoredAny,
    /// A note of a case file; ignored.
    #[serde(default, rename = "confidence")]
    #[schemars(with = "Option<Value>")]
    _confidence: IgnoredAny,
    /// A note of a case file; ignored.
    #[serde(default, rename = "difference")]
    #[schemars(with = "Option<Value>")]
    _difference: IgnoredAny,
}

/// The request of a line: exactly one of `kb`, `latest`, and `enable`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BatchRequest {
    /// The KB.
    kb: Option<Kb>,
    /// `true` for the newest update.
    latest: Option<bool>,
    /// The release to switch on, such as `25H2`.
    enable: Option<String>,
    /// The policy that chooses the newest update.
    policy: Option<Policy>,
    /// The last allowed publication day of the newest update.
    #[schemars(with = "Option<DateText>")]
    as_of: Option<Date>,
    /// The kind of the newest update.
    kind: Option<Kind>,
    /// `true` for the smallest plan.
    minimal: Option<bool>,
    /// `true` if a withdrawn update is accepted.
    accept_withdrawn: Option<bool>,
    /// The number of the issue of a KB that Microsoft issued again; the newest if absent.
    generation: Option<usize>,
    /// The product.
    product: Option<String>,
    /// The names of the available files.
    available: Option<Vec<String>>,
}

/// The machine of a line. An absent key is unknown, not false.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BatchMachine {
    /// The architecture.
    architecture: Option<Architecture>,
    /// The build, such as `26100.863`.
    build: Option<Build>,
    /// Client or server.
    installation: Option<Installation>,
    /// The edition, such as `Professional`.
    edition: Option<String>,
    /// The place that is serviced.
    #[serde(rename = "for")]
    place: Option<Place>,
    /// `true` if features on demand or languages are being added.
    fod: Option<bool>,
    /// The release of .NET Framework.
    dotnet: Option<DotnetText>,
    /// `true` if the machine is prepared for Extended Security Updates.
    esu: Option<bool>,
    /// The installed KBs.
    installed: Option<Vec<Kb>>,
}

/// A release of .NET Framework: a text such as `4.8`, or the number in the registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum DotnetText {
    /// The number in the registry.
    Number(u32),
    /// The version.
    Text(String),
}

/// Returns the caller's name of a line, and its request. The name is returned even if the rest is invalid.
pub fn read_line(text: &str) -> (Option<Value>, Result<Request>) {
    let line: BatchLine = match serde_json::from_str(text) {
        Ok(line) => line,
        Err(error) => return refuse_line(text, error),
    };
    let id = line.id.clone();
    let request = into_request(line).map(|request| Request { id: id.clone(), ..request });
    (id, request)
}

/// Returns the error for an invalid line, with the name of the line if it can be read.
fn refuse_line(text: &str, error: serde_json::Error) -> (Option<Value>, Result<Request>) {
    let (id, message) = match serde_json::from_str::<Value>(text) {
        Ok(value) => (value.get("id").filter(|id| !id.is_null()).cloned(), "the line is not a request"),
        Err(_) => (None, "the line is not JSON"),
    };
    (id, Err(Error::usage(message).caused_by(error)))
}

fn into_request(line: BatchLine) -> Result<Request> {
    let what = line.request;
    let goal = match (what.kb, what.latest.unwrap_or_default(), what.enable) {
        (Some(kb), false, None) => Goal::Kb(kb),
        (None, true, None) => Goal::Latest(what.kind),
        (None, false, Some(release)) => Goal::Enable(release),
        _ => return Err(Error::usage("a request must have exactly one of kb, latest, and enable")),
    };
    Ok(Request {
        policy: what.policy.unwrap_or_default(),
        as_of: what.as_of,
        minimal: what.minimal.unwrap_or_default(),
        accept_withdrawn: what.accept_withdrawn.unwrap_or_default(),
        generation: what.generation.map_or(GenerationChoice::Newest, GenerationChoice::Number),
        product: what.product,
        available: what.available,
        machine: line.baseline.unwrap_or_default().try_into()?,
        ..Request::of(goal)
    })
}

impl TryFrom<BatchMachine> for Machine {
    type Error = Error;

    fn try_from(baseline: BatchMachine) -> Result<Self> {
        Ok(Self {
            architecture: baseline.architecture,
            baseline: baseline.build,
            installation: baseline.installation,
            edition: baseline.edition,
            place: baseline.place.unwrap_or(Place::Online),
            features_on_demand: baseline.fod.unwrap_or_default(),
            dotnet: baseline.dotnet.as_ref().map(parse_dotnet).transpose()?,
            esu: baseline.esu,
            installed: baseline.installed.unwrap_or_default(),
        })
    }
}

fn parse_dotnet(release: &DotnetText) -> Result<Dotnet> {
    let found = match release {
        DotnetText::Number(number) => Dotnet::of_release(*number),
        DotnetText::Text(text) => text.parse().ok(),
    };
    found.ok_or_else(|| Error::usage("dotnet is not a release of .NET Framework, such as \"4.8\" or 533320"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_with_every_key_is_read() {
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
    fn absent_and_null_keys_are_unknown() {
        for line in [
            r#"{"request":{"kb":"KB5086672"}}"#,
            r#"{"request":{"kb":"5086672","as_of":null},"baseline":{"build":null,"esu":null,"for":null}}"#,
        ] {
            assert_eq!(read_line(line).1.unwrap(), Request::new("KB5086672".parse().unwrap()), "{line}");
        }
    }

    #[test]
    fn invalid_request_keeps_its_name() {
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
