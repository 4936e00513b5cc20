//! The check of the release history against itself and against the families: unknown families, duplicate builds, and
//! builds that decrease with time.

use std::collections::BTreeMap;

use super::families::Installation;
use super::finding::TableFinding;
use super::knowledge::Knowledge;
use super::releases::Release;
use crate::update::Kb;

/// Returns the faults within the release history: families, installations, builds, and dates.
pub(super) fn faults(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    let mut fault = |table, code, kb: Kb, message| found.push(TableFinding::new(table, code, kb, message));
    let (table, packages) = ("releases.txt", "packages.txt");
    let is_there = |id: u32, installation: Option<Installation>| {
        let mut families = knowledge.families().of_id(id);
        families.any(|family| installation.is_none_or(|own| own == family.installation))
    };
    let word = |installation: Option<Installation>| installation.map_or("any", Installation::as_str);
    let mut by_build: BTreeMap<(u32, u32, Installation), Vec<&Release>> = BTreeMap::new();
    for release in knowledge.releases().all() {
        let family = release.build.number;
        if !is_there(family, release.installation) {
            let message = format!(
                "{} is for {family} ({}), which families.toml does not contain",
                release.kb,
                word(release.installation)
            );
            fault(table, "installation_differs", release.kb, message);
        }
        if let Some(date) = release.date.or(release.first_seen).filter(|date| *date > knowledge.date()) {
            let message = format!(
                "{} has the date {date}, after the date of the tables, {}",
                release.kb,
                knowledge.date()
            );
            fault(table, "after_date", release.kb, message);
        }
        for installation in [Installation::Client, Installation::Server] {
            if release.installation.is_none_or(|own| own == installation) {
                let key = (family, release.build.revision, installation);
                by_build.entry(key).or_default().push(release);
            }
        }
    }
    for releases in by_build.values() {
        for pair in releases.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            if first.kb == second.kb {
                let message = format!(
                    "{} has {} for {} and again for {}",
                    first.kb,
                    first.build,
                    word(first.installation),
                    word(second.installation)
                );
                fault(table, "installation_differs", first.kb, message);
            } else {
                let message = format!("{} and {} both bring {}", first.kb, second.kb, first.build);
                fault(table, "same_build", second.kb, message);
            }
        }
    }
    for family in knowledge.families() {
        for (later, earlier) in backwards(knowledge.releases().of_family(family)) {
            let message = format!(
                "{} brings {} after {}, which already brought {} to {}",
                later.kb, later.build, earlier.kb, earlier.build, family.name
            );
            fault(table, "backwards", later.kb, message);
        }
    }
    for (release, date) in knowledge.releases().contradicted_dates() {
        let own = release.date.map_or_else(String::new, |own| own.to_string());
        let message = format!("{} has the date {own}, but its article has {date}", release.kb);
        fault(table, "date_differs", release.kb, message);
    }
    for package in
        knowledge.packages().all().iter().filter(|package| !is_there(package.family, package.installation))
    {
        let message = format!(
            "{} is for {} ({}), which families.toml does not contain",
            package.kb,
            package.family,
            word(package.installation)
        );
        fault(packages, "installation_differs", package.kb, message);
    }
    found
}

/// Returns releases with a lower build than an earlier release. If a KB has several builds, the highest counts.
fn backwards<'r>(history: impl Iterator<Item = &'r Release>) -> Vec<(Release, Release)> {
    let mut by_kb: BTreeMap<Kb, Release> = BTreeMap::new();
    for release in history.filter(|release| release.date.is_some()) {
        let known = by_kb.entry(release.kb).or_insert(*release);
        if release.build > known.build {
            *known = *release;
        }
    }
    let mut releases: Vec<Release> = by_kb.into_values().collect();
    releases.sort_by_key(|release| (release.date, release.build));
    let mut found = Vec::new();
    let mut highest: Option<Release> = None;
    for release in releases {
        match highest {
            Some(above) if above.build > release.build && above.date < release.date => {
                found.push((release, above));
            }
            Some(above) if above.build >= release.build => {}
            _ => highest = Some(release),
        }
    }
    found
}
