//! The check of tables against each other: statements of two tables that cannot both be true.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::finding::TableFinding;
use super::knowledge::Knowledge;
use super::packages::PackageDate;
use super::releases::Release;
use crate::update::{Kb, Kind, PackageName};

/// Returns all contradictions between tables.
pub(super) fn contradictions(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = of_checkpoints(knowledge);
    found.extend(of_floors(knowledge));
    found.extend(of_enablement(knowledge));
    found.extend(of_kinds(knowledge));
    found.extend(of_stacks(knowledge));
    found.extend(of_withdrawals(knowledge));
    found.extend(of_files(knowledge));
    found.extend(of_editions(knowledge));
    found.extend(of_dotnet(knowledge));
    found
}

fn of_checkpoints(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    for row in knowledge.checkpoints().all().iter().filter(|row| row.channel.is_none()) {
        let mut fault =
            |code, message| found.push(TableFinding::new("checkpoints.toml", code, row.kb, message));
        let releases: Vec<Release> = knowledge.releases().of_kb(row.kb);
        if let Some(other) = releases.first().filter(|_| !releases.iter().any(|own| own.build == row.build)) {
            let message =
                format!("{} has the build {}, but releases.txt has {}", row.kb, row.build, other.build);
            fault("build_differs", message);
        }
        let of_history = releases.iter().find_map(|release| release.date);
        if let (Some(date), Some(other)) = (row.date, of_history.filter(|date| Some(*date) != row.date)) {
            fault("date_differs", format!("{} has the date {date}, but releases.txt has {other}", row.kb));
        }
        if let Some(withdrawn) = knowledge.withdrawn().of_kb(row.kb) {
            let message =
                format!("{} is a checkpoint, but {} replaces it as withdrawn", row.kb, withdrawn.successor);
            fault("withdrawn_needed", message);
        }
    }
    found
}

fn of_floors(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    for row in knowledge.prerequisites().floors() {
        let mut fault =
            |code, message| found.push(TableFinding::new("prerequisites.toml", code, row.kb, message));
        if !knowledge.families().builds_of(row.family).contains(&row.needed_below.number) {
            let message = format!("{}: {} is not a build of {}", row.kb, row.needed_below, row.family);
            fault("build_unknown", message);
        }
        let of_family =
            || knowledge.releases().all().iter().filter(|release| release.build.number == row.family);
        let at_floor = of_family().find(|release| release.build.revision == row.needed_below.revision);
        if of_family().next().is_some() && at_floor.is_none() {
            let message = format!("{} is needed below {}, which no release brings", row.kb, row.needed_below);
            fault("floor_unknown", message);
        }
        if let Some(date) = at_floor.and_then(|release| release.date).filter(|date| *date > row.from) {
            let message = format!(
                "{} is needed below {}, which was released on {date}, by updates from {} on",
                row.kb, row.needed_below, row.from
            );
            fault("floor_later", message);
        }
        if let Some(date) = release_day(row.kb, knowledge).filter(|date| *date > row.from) {
            let message = format!("{} was released on {date}, but is needed from {} on", row.kb, row.from);
            fault("stack_later", message);
        }
    }
    found
}

fn of_enablement(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    for row in knowledge.enablement().all() {
        let mut fault =
            |code, message| found.push(TableFinding::new("enablement.toml", code, row.kb, message));
        let Some(minimum) = row.minimum else { continue };
        let releases = knowledge.releases().of_kb(minimum);
        let own = releases.iter().filter(|release| release.build.number == row.family);
        match own.map(|release| release.build.revision).max() {
            Some(revision) if revision < row.floor => fault(
                "minimum_below",
                format!(
                    "{} has the floor {}, but its minimum {minimum} brings only {}.{revision}",
                    row.kb,
                    row.floor_build(),
                    row.family
                ),
            ),
            Some(revision) if revision > row.floor => fault(
                "minimum_differs",
                format!(
                    "{} has the floor {}, but its minimum {minimum} brings {}.{revision}",
                    row.kb,
                    row.floor_build(),
                    row.family
                ),
            ),
            Some(_) => {}
            None => fault(
                "minimum_unknown",
                format!("{}: no release of {minimum} for {} is known", row.kb, row.family),
            ),
        }
        if knowledge.withdrawn().of_kb(minimum).is_some() {
            fault("withdrawn_needed", format!("{} needs {minimum}, which is withdrawn", row.kb));
        }
    }
    found
}

/// Finds KBs to which the tables assign different kinds.
fn of_kinds(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut kinds: BTreeMap<Kb, BTreeMap<Kind, &'static str>> = BTreeMap::new();
    let mut add = |kb: Kb, kind: Kind, table| {
        kinds.entry(kb).or_default().entry(kind).or_insert(table);
    };
    for package in knowledge.packages().all() {
        // A row of parents.toml overrides the kind from the title.
        add(package.kb, knowledge.stated_kind(package.kb).unwrap_or(package.kind), "packages.txt");
    }
    for release in knowledge.releases().all() {
        add(release.kb, Kind::Lcu, "releases.txt");
    }
    for row in knowledge.enablement().all() {
        add(row.kb, Kind::Enablement, "enablement.toml");
    }
    for row in knowledge.prerequisites().floors() {
        add(row.kb, Kind::Ssu, "prerequisites.toml");
    }
    for (_, _, stack) in knowledge.packages().pairs() {
        add(stack, Kind::Ssu, "stacks.txt");
    }
    for row in knowledge.dotnet().parents() {
        add(row.kb, Kind::DotnetCu, "dotnet.toml");
    }
    for row in knowledge.withdrawn().hotpatches() {
        add(row.kb, Kind::Hotpatch, "withdrawn.toml");
    }
    let mut found = Vec::new();
    for (kb, mut kinds) in kinds {
        let cumulative = kinds.keys().any(|kind| *kind == Kind::Lcu);
        // A preview is a cumulative update, and the copy for Windows Setup has the same KB.
        kinds.retain(|kind, _| !cumulative || *kind == Kind::Lcu || !kind.is_windows_cumulative());
        let preview = kinds.contains_key(&Kind::DotnetPreview);
        kinds.retain(|kind, _| !preview || *kind != Kind::DotnetCu);
        if kinds.len() > 1 {
            let words: Vec<String> = kinds.iter().map(|(kind, table)| format!("{kind} ({table})")).collect();
            let table = kinds.values().next().copied().unwrap_or("packages.txt");
            let message = format!("{kb} has several kinds: {}", words.join(" and "));
            found.push(TableFinding::new(table, "two_kinds", kb, message));
        }
    }
    found
}

fn of_stacks(knowledge: &Knowledge) -> Vec<TableFinding> {
    let known: BTreeSet<Kb> =
        knowledge.packages().all().iter().filter(|own| own.kind == Kind::Ssu).map(|own| own.kb).collect();
    let mut found = Vec::new();
    for (lcu, family, stack) in knowledge.packages().pairs() {
        let mut fault = |code, message| found.push(TableFinding::new("stacks.txt", code, lcu, message));
        if knowledge.families().of_id(family).next().is_none() {
            fault("family_unknown", format!("{lcu} has an unknown family ({family})"));
        }
        if !known.contains(&stack) && knowledge.stated_kind(stack) != Some(Kind::Ssu) {
            fault("stack_unknown", format!("{stack}, paired with {lcu}, is not a known servicing stack"));
        }
        let released = knowledge.releases().of_kb(lcu).into_iter().filter(|own| own.build.number == family);
        let released = released.filter_map(|release| release.date).max();
        // The day on which a list first contained the stack may be a few days after its release and proves nothing.
        if let (Some(own), Some(date)) = (release_day(stack, knowledge), released)
            && own > date
        {
            fault("stack_later", format!("{stack} was released on {own}, after its update {lcu} of {date}"));
        }
    }
    found
}

fn of_withdrawals(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    for row in knowledge.withdrawn().all() {
        let mut fault =
            |code, message| found.push(TableFinding::new("withdrawn.toml", code, row.kb, message));
        let (old, new) = (knowledge.releases().of_kb(row.kb), knowledge.releases().of_kb(row.successor));
        for (old, new) in old.iter().flat_map(|old| new.iter().map(move |new| (old, new))) {
            if old.build.number == new.build.number && new.build < old.build {
                let message = format!(
                    "{} ({}) is succeeded by {}, which is older ({})",
                    row.kb, old.build, row.successor, new.build
                );
                fault("successor_older", message);
            }
        }
        let dates = |releases: &[Release]| releases.iter().filter_map(|release| release.date).min();
        if let Some(date) = dates(&new).filter(|date| *date < row.date) {
            let message = format!(
                "{} has the date {}, but its successor {} has {date}",
                row.kb, row.date, row.successor
            );
            fault("successor_older", message);
        }
        if let Some(date) = dates(&old).filter(|date| *date != row.date) {
            fault(
                "date_differs",
                format!("{} has the date {}, but releases.txt has {date}", row.kb, row.date),
            );
        }
    }
    for row in knowledge
        .withdrawn()
        .hotpatches()
        .iter()
        .filter(|row| !knowledge.releases().files_of(row.kb).is_empty())
    {
        let message = format!("{} is a hotpatch, but files.txt has a file of it", row.kb);
        found.push(TableFinding::new("withdrawn.toml", "hotpatch_has_files", row.kb, message));
    }
    for row in knowledge.withdrawn().hotpatches() {
        let Some(instead) = row.instead else { continue };
        let is_release = |release: &Release| {
            let shares = |own| release.installation.is_none_or(|other| other == own);
            release.build.number == row.family && row.installation.is_none_or(shares)
        };
        if !knowledge.releases().of_kb(instead).iter().any(is_release) {
            let message =
                format!("{} is replaced by {instead}, which is not an update of {}", row.kb, row.family);
            found.push(TableFinding::new("withdrawn.toml", "instead_unknown", row.kb, message));
        }
    }
    found
}

/// Finds files whose name or KB differs between tables.
fn of_files(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    let mut kbs: BTreeMap<String, (Kb, &'static str)> = BTreeMap::new();
    let of_history = knowledge.releases().all_files().filter_map(|(_, name)| {
        let kb = PackageName::parse(&name).kb?;
        Some(("files.txt", kb, name))
    });
    let of_packages =
        knowledge.packages().all().iter().filter_map(|own| Some(("packages.txt", own.kb, own.name.clone()?)));
    for (table, kb, name) in of_history.chain(of_packages) {
        let Some(sha1) = PackageName::parse(&name).sha1 else { continue };
        let (other, other_table) = *kbs.entry(sha1.to_string()).or_insert((kb, table));
        if other != kb {
            let message = format!("{name} belongs to {kb}, but {other_table} has the same SHA-1 for {other}");
            found.push(TableFinding::new(table, "file_of_two_kbs", kb, message));
        }
    }
    let checkpoints =
        knowledge.checkpoints().all().iter().map(|row| ("checkpoints.toml", row.kb, row.files()));
    let enablement = knowledge.enablement().all().iter();
    let enablement = enablement.map(|row| ("enablement.toml", row.kb, row.files()));
    let floors = knowledge.prerequisites().floors().iter();
    let floors = floors.map(|row| ("prerequisites.toml", row.kb, row.files.as_slice()));
    for (table, kb, files) in checkpoints.chain(enablement).chain(floors) {
        for file in files {
            let known = knowledge.names_of(kb, file.architecture);
            if !known.is_empty() && !known.iter().any(|(_, name)| name.eq_ignore_ascii_case(&file.name)) {
                let (other, name) = &known[0];
                let message =
                    format!("{kb} for {} is {}, but {other} has {name}", file.architecture, file.name);
                found.push(TableFinding::new(table, "file_differs", kb, message));
            }
        }
    }
    found
}

fn of_editions(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    for row in knowledge.editions().ltsc() {
        let builds = knowledge.families().builds_of(row.family);
        if let Some(build) = row.builds.iter().find(|build| !builds.contains(build)) {
            let message = format!("{}: {build} is not a build of {}", row.name, row.family);
            found.push(TableFinding::new("editions.toml", "build_unknown", &row.name, message));
        }
    }
    for row in knowledge.editions().esu() {
        let needed = row.needs_at_least.into_iter().chain(row.preparations());
        for kb in needed.filter(|kb| knowledge.withdrawn().of_kb(*kb).is_some()) {
            let message = format!("the ESU row of {} needs {kb}, which is withdrawn", row.family);
            found.push(TableFinding::new("editions.toml", "withdrawn_needed", row.family, message));
        }
    }
    found
}

fn of_dotnet(knowledge: &Knowledge) -> Vec<TableFinding> {
    let mut found = Vec::new();
    let mut parents: BTreeMap<Kb, (Kb, u32)> = BTreeMap::new();
    for row in knowledge.dotnet().parents() {
        for child in &row.children {
            let mut fault =
                |code, message| found.push(TableFinding::new("dotnet.toml", code, row.kb, message));
            // Bundles for two versions of a family share their packages.
            let other = parents.insert(child.kb, (row.kb, row.family));
            if let Some((other, _)) = other.filter(|(_, family)| *family != row.family) {
                fault("two_parents", format!("{} is a package of {} and of {other}", child.kb, row.kb));
            }
            if child.kb == row.kb {
                fault("circle", format!("{} is a package of itself", row.kb));
            }
            let packages = knowledge.packages().of_kb(child.kb);
            if let Some(other) = packages.iter().find(|own| own.family != row.family) {
                let message = format!(
                    "{} of {} is for {}, but packages.txt has it for {}",
                    child.kb, row.kb, row.family, other.family
                );
                fault("family_differs", message);
            }
        }
    }
    found
}

/// Returns the release day of a package. The day on which a list first contained the package does not count.
fn release_day(kb: Kb, knowledge: &Knowledge) -> Option<Date> {
    let packages = knowledge.packages().of_kb(kb);
    packages.into_iter().filter(|own| own.date_is == PackageDate::Release).filter_map(|own| own.date).min()
}
