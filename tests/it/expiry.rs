//! The dates and numbers of sets: expiry, a clock that goes backwards, numbers that are too high, and a mirror that
//! lost its counter.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read and damage media and their recorded state directly"
)]
#![expect(clippy::unwrap_used, reason = "a test helper fails by panicking")]

use std::fs;
use std::time::Duration;

use camino::Utf8Path;
use serde_json::{Value, json};

use super::air_gap::{
    export, import, isolated_mirror, mirror_digests, secret_key, share_keys, sign_again_with,
    small_medium_of_two_kbs,
};
use super::harness::{Bench, copy_folder};

const FIRST: &str = "KB5041865";
const SECOND: &str = "KB5040435";

/// The pages of a medium for people.
const PAGES: [&str; 2] = ["START-HERE.txt", "index.html"];

/// Creates a mirror with the content and the keys of the maker of small media, and a mirror that trusts these keys.
fn sides() -> (Bench, Bench) {
    let connected = Bench::new();
    copy_folder(&small_medium_of_two_kbs().maker.mirror(), &connected.mirror());
    share_keys(&small_medium_of_two_kbs().maker, &connected);
    (connected, isolated_mirror(&small_medium_of_two_kbs().root))
}

fn set_of(medium: &Utf8Path) -> Value {
    serde_json::from_slice(&fs::read(medium.join("set.json")).unwrap()).unwrap()
}

fn days(number: u64) -> Duration {
    Duration::from_hours(number * 24)
}

/// Copies a medium, changes its `set.json`, and signs it with the right key.
fn forge(from: &Utf8Path, to: &Utf8Path, change: impl Fn(&mut Value)) {
    let _gone = fs::remove_dir_all(to);
    copy_folder(from, to);
    sign_again_with(&secret_key(small_medium_of_two_kbs(), "export.key"), to, change);
}

fn change_state(bench: &Bench, change: impl Fn(&mut Value)) {
    let path = bench.mirror().join("state.json");
    let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut state);
    fs::write(path, state.to_string()).unwrap();
}

#[track_caller]
fn assert_import_refused(isolated: &Bench, medium: &Utf8Path, code: u8, words: &str) {
    let before = mirror_digests(&isolated.mirror());
    let (_, message) = import(isolated, medium).exits(code).error();
    assert!(message.contains(words), "{words:?} in {message:?}");
    assert_eq!(mirror_digests(&isolated.mirror()), before);
}

#[test]
fn an_expired_medium_needs_accept_expired() {
    let (connected, isolated) = sides();
    let stick = connected.path("stick");
    export(&connected, &[FIRST], &stick).exits(0);
    assert_eq!(set_of(&stick)["expires"], "2027-03-23T08:00:00Z", "120 days");
    for page in PAGES {
        let text = fs::read_to_string(stick.join(page)).unwrap().to_lowercase();
        assert!(
            text.contains("until 2027-03-23 08:00 utc") && text.contains("--accept-expired"),
            "{page}: {text}"
        );
    }
    let checked = isolated.json(&["check-medium", stick.as_str()]).exits(0).json();
    assert_eq!(
        (&checked["expired"], &checked["set"]["expires"]),
        (&json!(false), &json!("2027-03-23T08:00:00Z"))
    );
    let ran = isolated.run(&["check-medium", stick.as_str()]).exits(0);
    assert_eq!(ran.stdout.lines().last(), Some("valid until 2027-03-23T08:00:00Z"));
    isolated.clock.advance(days(121));
    assert_import_refused(&isolated, &stick, 10, "expired on 2027-03-23T08:00:00Z");
    let ran = isolated.json(&["check-medium", stick.as_str()]).exits(0);
    assert_eq!(ran.json()["expired"], true);
    let ran = isolated.run(&["check-medium", stick.as_str()]).exits(0);
    insta::assert_snapshot!(ran.stderr, @r"
    reading set 0002
    warning: the set expired on 2027-03-23T08:00:00Z
    ");
    let ran = isolated.run(&["import", stick.as_str(), "--accept-expired"]).exits(0);
    assert_eq!(ran.stderr.lines().next(), Some("warning: the set expired on 2027-03-23T08:00:00Z"));
    // The import is also refused after the set was applied.
    assert_import_refused(&isolated, &stick, 10, "expired on");
}

#[test]
fn the_expiry_is_configurable_and_a_missing_one_is_reported() {
    let (connected, isolated) = sides();
    for (number, (value, end)) in
        [("1d", json!("2026-11-24T08:00:00Z")), ("never", Value::Null)].into_iter().enumerate()
    {
        let stick = connected.path(&format!("stick-{number}"));
        export(&connected, &[FIRST, "--expires", value], &stick).exits(0);
        assert_eq!(set_of(&stick)["expires"], end, "{value}");
        for page in PAGES {
            let text = fs::read_to_string(stick.join(page)).unwrap();
            assert_eq!(text.contains("without an expiry date"), end.is_null(), "{page}");
        }
    }
    connected.configure("format = 1\n[export]\nexpires = '2d'\n");
    let stick = connected.path("stick-2");
    export(&connected, &[FIRST], &stick).exits(0);
    assert_eq!(set_of(&stick)["expires"], "2026-11-25T08:00:00Z");
    for wrong in ["0d", "30", "soon", ""] {
        export(&connected, &[FIRST, "--expires", wrong], &connected.path("other")).exits(2);
        assert!(!connected.path("other").exists(), "{wrong:?}");
    }
    let ran = isolated.run(&["import", connected.path("stick-1").as_str()]).exits(0);
    assert_eq!(
        ran.stderr.lines().next(),
        Some("warning: the set does not expire: cannot detect whether newer sets were held back")
    );
}

#[test]
fn a_clock_that_went_backwards_is_reported_and_not_used() {
    let (connected, isolated) = sides();
    let stick = connected.path("stick");
    export(&connected, &[FIRST], &stick).exits(0);
    import(&isolated, &stick).exits(0);
    // The last import used a clock that was a year ahead. The clock was corrected since.
    change_state(&isolated, |state| {
        for last in state["imports"].as_object_mut().unwrap().values_mut() {
            last["imported"] = json!("2027-11-23T08:00:00Z");
        }
    });
    isolated.clock.advance(days(121));
    for command in ["check-medium", "import"] {
        let ran = isolated.run(&[command, stick.as_str()]).exits(0);
        let warning = "warning: the clock of this machine went backwards: its last run was at \
             2027-11-23T08:00:00Z; did not check the end of validity of the set";
        assert_eq!(ran.stderr.lines().last(), Some(warning), "{command}");
    }
    // The same on the connected side.
    change_state(&connected, |state| state["last_export"] = json!("2026-12-23T08:00:00Z"));
    let ran = connected.run(&["export", FIRST, "--to", stick.as_str()]).exits(0);
    let warning = "warning: the clock of this machine went backwards: its last export was at \
         2026-12-23T08:00:00Z; the dates of this set may be wrong";
    assert_eq!(ran.stderr.lines().next(), Some(warning));
}

#[test]
fn invalid_dates_and_numbers_of_sets_are_refused() {
    let (connected, isolated) = sides();
    let (stick, other) = (connected.path("stick"), connected.path("other"));
    export(&connected, &[FIRST], &stick).exits(0);
    let created = 1_795_420_800_u64;
    assert_eq!(set_of(&stick)["created"], "2026-11-23T08:00:00Z");
    for is_first in [true, false] {
        for (key, value, words) in [
            ("created", json!("yesterday"), "is not a time"),
            ("created", json!("\u{1b}[31mx"), "is not a time"),
            ("created", json!("9999-12-30T00:00:00Z"), "the clock of this machine shows 2026-11-23"),
            ("created", json!("2026-12-24T08:00:00Z"), "the clock of this machine shows 2026-11-23"),
            ("expires", json!("later"), "is not a time"),
            ("seq", json!(u64::MAX), "has a number that is too high"),
            ("seq", json!(created + 86_401), "has a number that is too high"),
        ] {
            forge(&stick, &other, |set| set[key] = value.clone());
            assert_import_refused(&isolated, &other, 11, words);
            isolated.json(&["check-medium", other.as_str()]).exits(11);
            if !is_first {
                isolated.json(&["import", other.as_str(), "--accept-lineage"]).exits(11);
            }
        }
        if is_first {
            // If no set of the lineage was imported, the operator may accept any number.
            let (fresh, far) = (isolated_mirror(&small_medium_of_two_kbs().root), connected.path("far"));
            forge(&stick, &far, |set| set["seq"] = json!(created + 86_401));
            fresh.json(&["import", far.as_str(), "--accept-lineage"]).exits(0);
            import(&isolated, &stick).exits(0);
        }
    }
    // A number that counts up is accepted, and so is a number that is a time.
    let last = set_of(&stick)["seq"].as_u64().unwrap();
    for next in [last + 1000, created + 86_400] {
        forge(&stick, &other, |set| set["seq"] = json!(next));
        import(&isolated, &other).exits(0);
    }
}

#[test]
fn a_lower_number_with_a_later_date_is_refused() {
    let (connected, isolated) = sides();
    let (stick, other) = (connected.path("stick"), connected.path("other"));
    export(&connected, &[FIRST], &stick).exits(0);
    let saved = fs::read(connected.mirror().join("state.json")).unwrap();
    export(&connected, &[FIRST], &stick).exits(0);
    export(&connected, &[FIRST], &stick).exits(0);
    import(&isolated, &stick).exits(0);
    // An hour later, from a backup that is two sets old. The number comes from the clock, so it is still higher.
    fs::write(connected.mirror().join("state.json"), saved).unwrap();
    connected.clock.advance(Duration::from_hours(1));
    let restored = connected.path("restored");
    export(&connected, &[SECOND], &restored).exits(0);
    assert!(set_of(&restored)["seq"].as_u64() > set_of(&stick)["seq"].as_u64());
    assert_eq!(import(&isolated, &restored).exits(0).json()["imported"]["older"], false);
    // A mirror with a wrong clock as well.
    isolated.clock.advance(days(1));
    forge(&stick, &other, |set| {
        set["seq"] = json!(set["seq"].as_u64().unwrap() - 1);
        set["created"] = json!("2026-11-24T08:00:00Z");
    });
    assert_import_refused(&isolated, &other, 10, "has a lower number");
    // A valid older set adds missing files.
    forge(&stick, &other, |set| {
        set["seq"] = json!(set["seq"].as_u64().unwrap() - 1);
        set["created"] = json!("2026-11-22T08:00:00Z");
    });
    let imported = import(&isolated, &other).exits(0).json();
    assert_eq!(imported["imported"]["older"], true);
}

#[test]
fn the_number_of_a_revoked_key_does_not_count() {
    let (connected, isolated) = sides();
    let (stick, forged) = (connected.path("stick"), connected.path("forged"));
    export(&connected, &[FIRST], &stick).exits(0);
    // An attacker with the key uses the highest number that is accepted.
    forge(&stick, &forged, |set| set["seq"] = json!(set["seq"].as_u64().unwrap() + 1000));
    import(&isolated, &forged).exits(0);
    let old = secret_key(small_medium_of_two_kbs(), "export.key").public().unwrap().id();
    connected.json(&["keys", "rotate"]).exits(0);
    connected.json(&["keys", "revoke", &old]).exits(0);
    export(&connected, &[SECOND], &stick).exits(0);
    let imported = import(&isolated, &stick).exits(0).json();
    assert_eq!(imported["imported"]["older"], false, "{imported:#}");
    assert_eq!(isolated.json(&["status"]).json()["imports"][0]["seq"], set_of(&stick)["seq"]);
    assert_import_refused(&isolated, &forged, 11, "was replaced");
}
