//! The end of servicing of families: the last day on which Microsoft releases updates for a version, by group of
//! editions.
//!
//! A family has ended when all its versions have ended for every group, including long-term editions and Extended
//! Security Updates. The Catalog shows updates of the family until then. A version without a row is unknown; it counts
//! neither as ended nor as served for ever.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::editions::Ltsc;
use super::families::{Families, Family, Installation};
use super::finding::{TableFinding, find_missing_sources};
use super::table::{check_format, read_table};
use crate::error::Result;

/// The group of editions of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EditionGroup {
    HomePro,
    EnterpriseEducation,
    Team,
    All,
    Esu,
}

impl EditionGroup {
    /// Returns the name for people.
    fn name(self) -> &'static str {
        match self {
            Self::HomePro => "Home and Pro",
            Self::EnterpriseEducation => "Enterprise and Education",
            Self::Team => "Surface Hub",
            Self::All => "all editions",
            Self::Esu => "Extended Security Updates",
        }
    }

    /// Returns `true` if the row may apply to a machine of this edition. An edition outside of all lists may belong to
    /// any group.
    fn may_serve(self, edition: &str) -> bool {
        /// The `EditionID` values of Home, Pro, and their variants.
        const HOME_PRO: [&str; 8] = [
            "core",
            "coresinglelanguage",
            "corecountryspecific",
            "professional",
            "professionaleducation",
            "professionalworkstation",
            "cloud",
            "cloudedition",
        ];
        /// The `EditionID` values of Enterprise, Education, and their variants. `ServerRdsh` is Enterprise
        /// multi-session.
        const ENTERPRISE: [&str; 5] =
            ["enterprise", "education", "iotenterprise", "enterpriseg", "serverrdsh"];
        let edition = edition.to_ascii_lowercase();
        let is_in = |list: &[&str]| {
            list.iter()
                .any(|own| edition == *own || edition.strip_suffix('n').is_some_and(|word| word == *own))
        };
        let (home, enterprise, team) = (is_in(&HOME_PRO), is_in(&ENTERPRISE), edition == "ppipro");
        match self {
            Self::HomePro => home || !(enterprise || team),
            Self::EnterpriseEducation => enterprise || !(home || team),
            Self::Team => team || !(home || enterprise),
            Self::All | Self::Esu => true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifecycleRow {
    family: u32,
    installation: Installation,
    builds: Vec<u32>,
    who: EditionGroup,
    until: Date,
    source: String,
}

/// The scope of a lifecycle lookup: a complete family, or a machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServicingScope<'a> {
    /// The build number of the machine; `None` for the complete family.
    pub build: Option<u32>,
    /// The `EditionID` of the machine.
    pub edition: Option<&'a str>,
}

/// The servicing state on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServicingState {
    /// All groups are served.
    InService,
    /// Some versions or editions have ended; others are served.
    PartlyEnded,
    /// All groups have ended.
    Ended,
    /// The tables do not state the end.
    Unknown,
}

/// The servicing of a family, or of one of its machines, on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Servicing {
    /// The state on this day.
    pub state: ServicingState,
    /// The last day of the group with the longest servicing, as far as it is known.
    #[schemars(with = "Option<crate::update::schema::DateText>")]
    pub until: Option<Date>,
    /// The ended groups, for people: "24H2 Home and Pro (2026-10-13)".
    pub ended: Vec<String>,
    /// The served groups, in the same form.
    pub served: Vec<String>,
}

impl Servicing {
    /// Returns `true` if no further release is expected.
    pub fn has_ended(&self) -> bool {
        self.state == ServicingState::Ended
    }

    /// Returns a message for people if servicing has ended for all or some groups, or `None` otherwise.
    pub fn sentence(&self, name: &str) -> Option<String> {
        match (self.state, self.until) {
            (ServicingState::Ended, Some(until)) => {
                Some(format!("servicing of {name} ended on {until}: no further update is expected"))
            }
            (ServicingState::PartlyEnded, _) => {
                Some(format!("servicing of {name} has ended for {}", self.ended.join(", ")))
            }
            _ => None,
        }
    }
}

/// The table of the ends of servicing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lifecycle {
    format: u32,
    servicing: Vec<LifecycleRow>,
}

const NAME: &str = "lifecycle.toml";

impl Lifecycle {
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: Self = read_table(NAME, text)?;
        check_format(NAME, table.format)?;
        Ok(table)
    }

    /// Returns the contradictions within the table and with the families.
    pub(super) fn faults(&self, families: &Families) -> Vec<TableFinding> {
        let label =
            |row: &LifecycleRow| format!("{} {} {}", row.family, row.installation.as_str(), row.who.name());
        let mut faults =
            find_missing_sources(NAME, self.servicing.iter().map(|row| (label(row), &row.source)));
        for (number, row) in self.servicing.iter().enumerate() {
            let mut fault =
                |code, message: String| faults.push(TableFinding::new(NAME, code, row.family, message));
            let family = families
                .iter()
                .find(|family| family.id == row.family && family.installation == row.installation);
            match family {
                None => fault("family_unknown", format!("{} has an unknown family", label(row))),
                Some(family) if row.builds.iter().any(|build| !family.builds.contains(build)) => {
                    fault(
                        "build_unknown",
                        format!("{} has a build that its family does not list", label(row)),
                    );
                }
                Some(_) if row.builds.is_empty() => {
                    fault("build_unknown", format!("{} has no builds", label(row)));
                }
                Some(_) => {}
            }
            let same = |other: &LifecycleRow| {
                (other.family, other.installation, other.who) == (row.family, row.installation, row.who)
                    && other.builds.iter().any(|build| row.builds.contains(build))
            };
            if self.servicing.get(..number).is_some_and(|before| before.iter().any(same)) {
                fault("twice", format!("{} is listed twice", label(row)));
            }
        }
        faults
    }

    /// Returns the servicing of a family on a day, including long-term editions.
    pub(super) fn servicing(
        &self,
        family: &Family,
        ltsc: &[Ltsc],
        served: ServicingScope<'_>,
        today: Date,
    ) -> Servicing {
        let builds: Vec<u32> = match served.build {
            Some(build) => vec![build],
            None => family.builds.clone(),
        };
        let long_term: Vec<_> = ltsc
            .iter()
            // Long-term editions are client editions; a server with the same build has its own rows.
            .filter(|row| row.family == family.id && family.installation == Installation::Client)
            .collect();
        let is_long_term = served.edition.is_some_and(|edition| {
            long_term.iter().any(|row| row.editions.iter().any(|own| own.eq_ignore_ascii_case(edition)))
        });
        let mut terms: Vec<(Date, String)> = Vec::new();
        let mut is_complete = true;
        for &build in &builds {
            let before = terms.len();
            let version = family.release_of(build).map_or_else(String::new, |release| format!("{release} "));
            let of_edition =
                |row: &&LifecycleRow| served.edition.is_none_or(|edition| row.who.may_serve(edition));
            let rows = self.servicing.iter().filter(|row| {
                (row.family, row.installation) == (family.id, family.installation)
                    && row.builds.contains(&build)
            });
            if !is_long_term {
                let named =
                    |row: &LifecycleRow| (row.until, format!("{version}{} ({})", row.who.name(), row.until));
                terms.extend(rows.filter(of_edition).map(named));
            }
            let of_edition = |editions: &[String]| {
                served.edition.is_none_or(|edition| {
                    is_long_term && editions.iter().any(|own| own.eq_ignore_ascii_case(edition))
                })
            };
            let rows =
                long_term.iter().filter(|row| row.builds.contains(&build) && of_edition(&row.editions));
            terms.extend(rows.map(|row| (row.until, format!("{} ({})", row.name, row.until))));
            is_complete &= terms.len() > before;
        }
        terms.sort();
        let until = terms.last().map(|(until, _)| *until);
        let (ended, served): (Vec<_>, Vec<_>) = terms.into_iter().partition(|(until, _)| *until < today);
        let state = match (ended.is_empty(), served.is_empty(), is_complete) {
            (true, true, _) | (false, true, false) => ServicingState::Unknown,
            (false, true, true) => ServicingState::Ended,
            (true, false, _) => ServicingState::InService,
            (false, false, _) => ServicingState::PartlyEnded,
        };
        let names = |terms: Vec<(Date, String)>| terms.into_iter().map(|(_, name)| name).collect();
        Servicing { state, until, ended: names(ended), served: names(served) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicing::{Knowledge, Tables};

    fn state(folder: &str, build: Option<u32>, edition: Option<&str>, today: &str) -> ServicingState {
        let knowledge = Knowledge::built_in().unwrap();
        let family = knowledge.families().iter().find(|family| family.folder == folder).unwrap();
        knowledge.servicing(family, ServicingScope { build, edition }, today.parse().unwrap()).state
    }

    #[test]
    fn editions_and_versions_have_separate_end_dates() {
        use ServicingState::{Ended, InService, PartlyEnded, Unknown};
        for (folder, build, edition, today, expected) in [
            ("windows-11-22h2", Some(22631), Some("Professional"), "2025-11-11", InService),
            ("windows-11-22h2", Some(22631), Some("Professional"), "2025-11-12", Ended),
            ("windows-11-22h2", Some(22631), Some("ProfessionalN"), "2025-11-12", Ended),
            ("windows-11-22h2", Some(22631), Some("enterprise"), "2025-11-12", InService),
            ("windows-11-22h2", Some(22631), Some("Education"), "2026-11-11", Ended),
            ("windows-11-22h2", Some(22631), None, "2025-11-12", PartlyEnded),
            // An edition outside of all lists may belong to any group.
            ("windows-11-22h2", Some(22631), Some("Unheard"), "2025-11-12", PartlyEnded),
            ("windows-11-22h2", None, None, "2026-11-10", PartlyEnded),
            ("windows-11-22h2", None, None, "2026-11-11", Ended),
            // Long-term editions and ESU keep a family in service.
            ("windows-10-22h2", None, None, "2026-11-30", PartlyEnded),
            ("windows-10-22h2", Some(19044), Some("EnterpriseS"), "2026-11-30", InService),
            ("windows-10-22h2", Some(19044), Some("EnterpriseS"), "2027-01-13", Ended),
            ("windows-10-22h2", Some(19045), Some("Core"), "2026-11-30", PartlyEnded),
            ("windows-10-22h2", Some(19043), None, "2026-11-30", Ended),
            // 26300 has no row, so the family never counts as ended.
            ("windows-11-24h2", None, None, "2060-01-01", Unknown),
            ("windows-11-24h2", Some(26300), None, "2026-11-30", Unknown),
            ("windows-11-26h1", None, None, "2026-11-30", Unknown),
            ("server-23h2", None, None, "2026-11-30", Unknown),
            ("server-2016", None, None, "2026-11-30", InService),
            ("server-2012", None, None, "2026-11-30", Ended),
            ("windows-7", None, None, "2026-11-30", Ended),
        ] {
            assert_eq!(
                state(folder, build, edition, today),
                expected,
                "{folder} {build:?} {edition:?} {today}"
            );
        }
    }

    #[test]
    fn no_release_is_later_than_the_end_of_its_family() {
        let knowledge = Knowledge::built_in().unwrap();
        let far: Date = "9999-01-01".parse().unwrap();
        for release in knowledge.releases().all() {
            let of_id = || knowledge.families().of_id(release.build.number);
            let ends: Vec<Servicing> =
                of_id().map(|family| knowledge.servicing(family, ServicingScope::default(), far)).collect();
            if ends.iter().any(|end| end.state != ServicingState::Ended) {
                continue;
            }
            let end = ends.iter().filter_map(|end| end.until).max();
            assert!(release.date.or(release.first_seen) <= end, "{release:?} after {end:?}");
        }
    }

    #[test]
    fn faulty_row_is_refused_with_its_fault() {
        let text = include_str!("data/lifecycle.toml");
        for (from, to, word) in [
            ("builds = [26200]", "builds = [26201]", "does not list"),
            ("family = 20349", "family = 20350", "unknown family"),
            ("builds = [26200]", "builds = [26100]", "twice"),
            ("who = \"home_pro\"", "who = \"home\"", "home_pro"),
        ] {
            let lifecycle = text.replacen(from, to, 1);
            let tables = Tables { lifecycle: &lifecycle, ..Tables::built_in() };
            let error = Knowledge::parse(tables).unwrap_err();
            assert!(error.message().contains(word), "{word} in {error}");
        }
    }
}
