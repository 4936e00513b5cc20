use jiff::Timestamp;
use jiff::civil::Date;

use super::*;
use crate::documents::{CheckVerdict, Checks, ContentRoute, Health, LastVerify, ProfileRecord};
use crate::resolve::NewestReleases;
use crate::servicing::Knowledge;
use crate::sync::config::{Config, Profile};

const NOW: &str = "2026-11-23T08:00:00Z";

/// The facts of a Windows 11 24H2 mirror: synced a day ago, complete, undamaged, and up to date.
struct MonitorFixture {
    now: Timestamp,
    max_age: Duration,
    filled: ContentRoute,
    health: Option<Health>,
    last_sync_code: Option<i64>,
    last_fetch: Option<Timestamp>,
    media: Vec<AppliedMedium>,
    damage: Vec<String>,
    sets: usize,
    families: Vec<MirroredFamily>,
    profiles: Vec<Profile>,
    knowledge: Knowledge,
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn mirrored(folder: &str, newest: &str) -> MirroredFamily {
    let newest = NewestReleases { any: Some(day(newest)), cumulative: Some(day(newest)) };
    MirroredFamily { folder: folder.to_owned(), sets: 2, newest: Some(newest) }
}

fn seen(today: &str, newest: Option<&str>) -> ProfileRecord {
    ProfileRecord {
        name: "p".to_owned(),
        family: "windows-11-24h2".to_owned(),
        today: day(today),
        first: "2026-09".parse().unwrap(),
        wanted: usize::from(newest.is_some()),
        newest: newest.map(|month| month.parse().unwrap()),
    }
}

fn profiles(keys: &str) -> Vec<Profile> {
    let text = format!("format = 1\n[[profile]]\nname = 'p'\nfamily = 'windows-11-24h2'\n{keys}\n");
    let knowledge = Knowledge::built_in().unwrap();
    Config::parse(&text, "kbmirror.toml".into()).unwrap().profiles(&knowledge).unwrap()
}

impl MonitorFixture {
    fn synced() -> Self {
        Self {
            now: NOW.parse().unwrap(),
            max_age: DEFAULT_MAX_AGE,
            filled: ContentRoute::BySync,
            health: Some(Health {
                format: 1,
                last_attempt: Some("2026-11-22T08:00:00Z".to_owned()),
                last_success: Some("2026-11-22T08:00:00Z".to_owned()),
                last_exit_code: Some(0),
                profiles: vec![seen("2026-11-22", Some("2026-11"))],
                ..Health::default()
            }),
            last_sync_code: None,
            last_fetch: None,
            media: Vec::new(),
            damage: Vec::new(),
            sets: 2,
            families: vec![mirrored("windows-11-24h2", "2026-11-10")],
            profiles: profiles(""),
            knowledge: Knowledge::built_in().unwrap(),
        }
    }

    fn imported(created: &str, imported: Option<&str>) -> Self {
        let medium = AppliedMedium {
            seq: 3,
            number: 3,
            created: created.to_owned(),
            imported: imported.map(str::to_owned),
        };
        Self {
            filled: ContentRoute::ByImport,
            health: None,
            media: vec![medium],
            profiles: Vec::new(),
            ..Self::synced()
        }
    }

    fn with_health(mut self, change: impl FnOnce(&mut Health)) -> Self {
        change(self.health.get_or_insert_default());
        self
    }

    fn at(self, now: &str) -> Self {
        Self { now: now.parse().unwrap(), ..self }
    }

    fn checks(&self) -> Checks {
        Checks::of(&MonitorFacts {
            now: self.now,
            max_age: self.max_age,
            filled: self.filled,
            health: self.health.as_ref(),
            last_sync: None,
            last_sync_code: self.last_sync_code,
            last_fetch: self.last_fetch,
            media: self.media.clone(),
            damage: self.damage.clone(),
            sets: self.sets,
            profiles: &self.profiles,
            families: self.families.clone(),
            unfinished: None,
            knowledge: &self.knowledge,
        })
    }

    /// Returns the names of the checks on which the operator must act.
    fn wrong(&self) -> Vec<&'static str> {
        let checks = self.checks();
        let wrong = checks.all().into_iter().filter(|(_, check)| check.verdict.is_wrong());
        let names: Vec<&str> = wrong.map(|(name, _)| name).collect();
        for (name, check) in checks.all() {
            assert_eq!(check.next.is_some(), check.verdict.is_wrong(), "{name}: {check:?}");
            assert!(!check.reason.is_empty() && !check.compares.is_empty(), "{name}");
            let is_offline = self.filled == ContentRoute::ByImport;
            let text = format!("{} {}", check.reason, check.next.clone().unwrap_or_default());
            for word in ["kbmirror sync", "kbmirror fetch", "kbmirror crawl"] {
                assert!(!(is_offline && text.contains(word)), "{name}: {text}");
            }
        }
        assert_eq!(checks.is_current(), names.is_empty());
        assert_eq!(checks.complaints().len(), names.len());
        names
    }
}

#[test]
fn synced_mirror_is_judged_by_its_last_sync() {
    let world = MonitorFixture::synced;
    let health = |change: fn(&mut Health)| world().with_health(change);
    for (what, world, wrong) in vec![
        ("fresh", world(), &[][..]),
        ("as old as allowed", world().at("2026-11-30T08:00:00Z"), &[]),
        ("a second older", world().at("2026-11-30T08:00:01Z"), &["update_age"]),
        ("failed", health(|own| own.last_exit_code = Some(6)), &["last_run"]),
        ("interrupted", health(|own| own.last_exit_code = Some(143)), &["last_run"]),
        ("budget", health(|own| own.last_exit_code = Some(13)), &["last_run"]),
        ("never complete", health(|own| own.last_success = None), &["update_age"]),
        ("not a time", health(|own| own.last_success = Some("yesterday".into())), &["update_age"]),
        ("clock behind", world().at("2026-11-20T08:00:00Z"), &["update_age", "clock"]),
        ("clock back at zero", world().at("1970-01-01T00:00:00Z"), &["update_age", "clock"]),
        ("clocks that differ by hours", world().at("2026-11-21T20:00:00Z"), &[]),
        ("empty", MonitorFixture { sets: 0, families: Vec::new(), ..world() }, &["content"]),
        ("damaged", MonitorFixture { damage: vec!["pool/x".into()], ..world() }, &["damage"]),
        ("nothing known", MonitorFixture { health: None, ..world() }, &["update_age"]),
        (
            "failed and its record lost",
            MonitorFixture { health: None, last_sync_code: Some(6), ..world() },
            &["last_run", "update_age"],
        ),
    ] {
        assert_eq!(world.wrong(), wrong, "{what}");
    }
}

#[test]
fn quarterly_courier_raises_no_alarm() {
    let quarterly = |created: &str, imported: &str, newest: &str, now: &str| MonitorFixture {
        max_age: Duration::from_hours(100 * 24),
        families: vec![mirrored("windows-11-24h2", newest)],
        ..MonitorFixture::imported(created, Some(imported)).at(now)
    };
    let fine = quarterly("2026-11-20T08:00:00Z", "2026-11-23T08:00:00Z", "2026-11-10", NOW);
    assert_eq!(fine.wrong(), Vec::<&str>::new());
    // 97 days after its creation, four Patch Tuesdays later.
    assert_eq!(fine.at("2027-02-25T08:00:00Z").wrong(), Vec::<&str>::new());
    // The courier is late: by the age of the medium first, later also by the age of the import.
    let late =
        quarterly("2026-11-20T08:00:00Z", "2026-11-23T08:00:00Z", "2026-11-10", "2027-03-01T08:00:00Z");
    assert_eq!(late.wrong(), ["medium_age"]);
    assert_eq!(late.at("2027-03-10T08:00:00Z").wrong(), ["update_age", "medium_age"]);
    // An old medium that was imported today is not fresh.
    let old = quarterly("2026-08-01T08:00:00Z", "2026-11-23T08:00:00Z", "2026-07-14", NOW);
    assert_eq!(old.wrong(), ["medium_age"]);
    // The connected side was behind when it wrote the medium.
    let behind = quarterly("2026-11-20T08:00:00Z", "2026-11-23T08:00:00Z", "2026-09-29", NOW);
    assert_eq!(behind.wrong(), ["releases"]);
    // Without a matching limit, the default of 8 days applies.
    let weekly = MonitorFixture { max_age: DEFAULT_MAX_AGE, ..fine_of("2026-11-20T08:00:00Z") };
    assert_eq!(weekly.at("2026-12-20T08:00:00Z").wrong(), ["update_age", "medium_age"]);
}

fn fine_of(created: &str) -> MonitorFixture {
    MonitorFixture::imported(created, Some(created))
}

#[test]
fn unknown_times_of_media_fail_the_checks() {
    for (what, world, wrong) in [
        ("no import time", MonitorFixture::imported("2026-11-22T08:00:00Z", None), &["update_age"][..]),
        ("made in the future", fine_of("2026-11-25T08:00:00Z"), &["update_age", "medium_age", "clock"]),
        ("not a time", MonitorFixture::imported("soon", Some(NOW)), &["medium_age"]),
        ("no medium", MonitorFixture { media: Vec::new(), ..fine_of(NOW) }, &["update_age", "medium_age"]),
    ] {
        assert_eq!(world.wrong(), wrong, "{what}");
    }
    // The newest of several media counts, not the last in the list.
    let mut several = fine_of("2026-11-22T08:00:00Z");
    several.media.push(AppliedMedium {
        seq: 9,
        number: 9,
        created: "2026-01-01T00:00:00Z".into(),
        imported: None,
    });
    assert_eq!(several.wrong(), Vec::<&str>::new());
    // The age of the other lineage is reported, too.
    let reason = several.checks().medium_age.result.reason;
    assert!(reason.contains("another lineage, set 0009, is 326 days old"), "{reason}");
}

#[test]
fn two_patch_tuesdays_without_a_release_raise_an_alarm() {
    let with = |folder: &str, newest: &str| MonitorFixture {
        families: vec![mirrored(folder, newest)],
        ..MonitorFixture::synced()
    };
    for (folder, newest, verdict) in [
        ("windows-11-24h2", "2026-10-13", CheckVerdict::Ok),
        ("windows-11-24h2", "2026-10-12", CheckVerdict::Alarm),
        ("windows-11-24h2", "2026-09-29", CheckVerdict::Alarm),
        // Servicing of every edition ended on 2026-11-10: reported without alarm.
        ("windows-11-22h2", "2026-08-11", CheckVerdict::NotApplicable),
        // ESU and LTSC keep the family in service.
        ("windows-10-22h2", "2026-08-11", CheckVerdict::Alarm),
        // An unknown end of servicing does not suppress the alarm.
        ("windows-11-26h1", "2026-08-11", CheckVerdict::Alarm),
        ("windows-11-26h1", "2026-11-10", CheckVerdict::Ok),
    ] {
        let check = with(folder, newest).checks().releases;
        assert_eq!(check.result.verdict, verdict, "{folder} {newest}: {check:?}");
        let row = &serde_json::to_value(&check.numbers.families[0]).unwrap();
        assert_eq!(row["known_cumulative"], newest);
        let family = with(folder, newest)
            .knowledge
            .families()
            .iter()
            .find(|own| own.folder == folder)
            .unwrap()
            .name
            .clone();
        assert!(verdict == CheckVerdict::Ok || check.result.reason.contains(&family), "{check:?}");
    }
    let undated =
        MirroredFamily { newest: Some(NewestReleases::default()), ..mirrored("server-23h2", "2026-11-10") };
    let foreign = MirroredFamily { newest: None, ..mirrored("some-product", "2026-11-10") };
    let fine = mirrored("windows-11-24h2", "2026-11-10");
    let of = |families| MonitorFixture { families, ..MonitorFixture::synced() }.checks().releases;
    assert_eq!(of(vec![undated]).result.verdict, CheckVerdict::Unknown);
    assert_eq!(of(vec![foreign.clone()]).result.verdict, CheckVerdict::NotApplicable);
    let mixed = of(vec![fine, foreign]);
    assert!(
        mixed.result.verdict == CheckVerdict::Ok && mixed.result.reason.contains("some-product"),
        "{mixed:?}"
    );
}

#[test]
fn profile_without_a_due_release_raises_an_alarm() {
    let of = |seen: ProfileRecord, now: &str| {
        let world = MonitorFixture::synced().with_health(|health| health.profiles = vec![seen]).at(now);
        world.checks().profiles.result.verdict
    };
    for (today, newest, now, verdict) in [
        ("2026-11-22", Some("2026-11"), NOW, CheckVerdict::Ok),
        ("2026-11-22", Some("2026-10"), NOW, CheckVerdict::Alarm),
        ("2026-11-22", None, NOW, CheckVerdict::Alarm),
        // Searched on the day after the second Tuesday: due from the third day on.
        ("2026-11-11", Some("2026-10"), "2026-11-12T08:00:00Z", CheckVerdict::Ok),
        ("2026-11-11", Some("2026-10"), "2026-11-13T00:00:00Z", CheckVerdict::Alarm),
        // Searched before the second Tuesday: the October release was due.
        ("2026-11-09", Some("2026-10"), NOW, CheckVerdict::Ok),
        ("2026-11-09", Some("2026-09"), NOW, CheckVerdict::Alarm),
        ("2026-11-09", None, NOW, CheckVerdict::Alarm),
    ] {
        assert_eq!(of(seen(today, newest), now), verdict, "{today} {newest:?} {now}");
    }
    // No release was due in a window that begins after the last Tuesday.
    let narrow = ProfileRecord { first: "2026-11".parse().unwrap(), ..seen("2026-11-09", None) };
    assert_eq!(of(narrow, NOW), CheckVerdict::Ok);
    // The search of another family does not count.
    let other = ProfileRecord { family: "windows-11-22h2".into(), ..seen("2026-11-22", Some("2026-11")) };
    assert_eq!(of(other, NOW), CheckVerdict::Unknown);
    let of_kind = MonitorFixture { profiles: profiles("kinds = ['safeos_du']"), ..MonitorFixture::synced() };
    assert_eq!(of_kind.checks().profiles.result.verdict, CheckVerdict::NotApplicable);
}

#[test]
fn expected_updates_of_version_0_1_count() {
    let expected = |month: Option<&str>| crate::documents::ExpectedUpdate {
        profile: "p".into(),
        kb: None,
        architecture: None,
        month: month.map(|month| month.parse().unwrap()),
        message: String::new(),
    };
    let of = |expected: Vec<crate::documents::ExpectedUpdate>, now: &str| {
        let world = MonitorFixture::synced().with_health(|health| {
            health.profiles.clear();
            health.expected = expected;
        });
        world.at(now).checks().profiles.result.verdict
    };
    assert_eq!(of(Vec::new(), NOW), CheckVerdict::Ok);
    assert_eq!(of(vec![expected(Some("2026-11"))], NOW), CheckVerdict::Alarm);
    assert_eq!(of(vec![expected(Some("2026-11"))], "2026-11-12T00:00:00Z"), CheckVerdict::Ok);
    assert_eq!(of(vec![expected(None)], NOW), CheckVerdict::Alarm);
}

#[test]
fn findings_stay_open_until_repaired() {
    let verify = |findings, foreign, recorded| {
        let time = "2026-11-22T09:00:00Z".to_owned();
        MonitorFixture::synced().with_health(|health| {
            health.last_verify = Some(LastVerify { time, findings, foreign, recorded });
        })
    };
    let damaged = |world: MonitorFixture| MonitorFixture { damage: vec!["kb/KB5086672/x".into()], ..world };
    for (what, world, open) in [
        ("clean", verify(0, Some(0), true), 0),
        ("recorded and not healed", damaged(verify(1, Some(0), true)), 1),
        ("recorded and healed", verify(1, Some(0), true), 0),
        ("a file of others", verify(1, Some(1), true), 1),
        ("not recorded", verify(2, Some(0), false), 2),
        ("by version 0.1", verify(2, None, false), 2),
    ] {
        let check = world.checks().damage;
        assert_eq!(check.numbers.findings_open, open, "{what}");
        assert_eq!(
            check.result.verdict,
            if open == 0 { CheckVerdict::Ok } else { CheckVerdict::Alarm },
            "{what}"
        );
    }
    assert_eq!(MonitorFixture::synced().checks().damage.result.verdict, CheckVerdict::NotApplicable);
}

#[test]
fn mirror_filled_by_hand_is_as_old_as_its_last_fetch() {
    let by_hand = |fetch: Option<&str>| MonitorFixture {
        filled: ContentRoute::ByHand,
        health: None,
        profiles: Vec::new(),
        last_fetch: fetch.map(|time| time.parse().unwrap()),
        ..MonitorFixture::synced()
    };
    assert_eq!(by_hand(Some("2026-11-22T08:00:00Z")).wrong(), Vec::<&str>::new());
    assert_eq!(by_hand(Some("2026-11-02T08:00:00Z")).wrong(), ["update_age"]);
    assert_eq!(by_hand(None).wrong(), ["update_age"]);
}
