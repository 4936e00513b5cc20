//! The rows of all tables about one KB, in words, for a reader who studies a KB instead of a table.

use serde::Serialize;

use super::families::Installation;
use super::knowledge::Knowledge;
use super::releases::ReleaseKind;
use crate::update::Kb;

/// The statement of one table row about a KB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct KnownRow {
    /// The table's file name.
    pub table: &'static str,
    /// The statement.
    pub statement: String,
    /// The source of the row: in words, or a letter that the table header explains.
    pub source: Option<String>,
}

impl Knowledge {
    /// Returns every row about a KB, table by table.
    pub fn about(&self, kb: Kb) -> Vec<KnownRow> {
        let mut rows = Vec::new();
        let mut add = |table, statement: String, source: &dyn ToString| {
            let source = Some(source.to_string()).filter(|source| !source.is_empty());
            rows.push(KnownRow { table, statement, source });
        };
        for release in self.releases().of_kb(kb) {
            let date = match (release.date, release.first_seen) {
                (Some(date), _) => format!(", released {date}"),
                (None, Some(date)) => format!(", first seen {date}"),
                (None, None) => String::new(),
            };
            let kind = match release.kind {
                Some(ReleaseKind::Regular) => ", second Tuesday",
                Some(ReleaseKind::OutOfBand) => ", out of band",
                Some(ReleaseKind::Preview) => ", preview",
                None => "",
            };
            let installation = release.installation.map_or("client and server", Installation::as_str);
            add(
                "releases.txt",
                format!("brings {}{date}{kind}, {installation}", release.build),
                &release.source,
            );
        }
        for (architecture, name) in self.releases().files_of(kb) {
            add("files.txt", format!("{architecture}: {name}"), &"");
        }
        for package in self.packages().of_kb(kb) {
            let date = package.date.map_or_else(String::new, |date| format!(", {date}"));
            let name = package.name.map_or_else(String::new, |name| format!(": {name}"));
            let statement =
                format!("{} for {} {}{date}{name}", package.kind, package.family, package.architecture);
            add("packages.txt", statement, &package.source);
        }
        for (lcu, family, stack) in self.packages().pairs() {
            if lcu == kb {
                add("stacks.txt", format!("has the servicing stack {stack} on {family}"), &"");
            } else if stack == kb {
                add("stacks.txt", format!("is the servicing stack of {lcu} on {family}"), &"");
            }
        }
        for row in self.checkpoints().all().iter().filter(|row| row.kb == kb) {
            let channel = row.channel.as_ref().map_or_else(String::new, |name| format!(", channel {name}"));
            add("checkpoints.toml", format!("is the checkpoint {}{channel}", row.build), &row.source);
        }
        if let Some(row) = self.checkpoints().channel_release(kb) {
            let statement = format!("brings {}, based on {}, channel {}", row.build, row.base, row.channel);
            add("checkpoints.toml", statement, &row.source);
        }
        self.add_refusals(kb, &mut add);
        self.add_needs(kb, &mut add);
        for row in self.enablement().all() {
            if row.kb == kb {
                let statement =
                    format!("switches {} on; the minimum build is {}", row.release, row.floor_build());
                add("enablement.toml", statement, &row.source);
            } else if row.minimum == Some(kb) {
                let statement = format!("brings the minimum build {} of {}", row.floor_build(), row.kb);
                add("enablement.toml", statement, &row.source);
            }
        }
        if let Some(row) = self.editions().esu_of_preparation(kb) {
            let statement = format!("prepares {} for Extended Security Updates", row.family);
            add("editions.toml", statement, &row.source);
        }
        for row in self.editions().esu() {
            if let Some(row) = row.exception(kb) {
                add("editions.toml", format!("is for {}", row.machines), &row.source);
            }
        }
        for row in self.dotnet().offered_of(kb) {
            let versions = match row.versions.as_slice() {
                [] => row.family.to_string(),
                versions => format!("{} of {}", versions.join(", "), row.family),
            };
            add("dotnet.toml", format!("is listed for {versions}, released {}", row.date), &row.source);
        }
        for row in self.rollups().of_kb(kb) {
            let stack = row.stack.map_or_else(String::new, |kb| format!(", with the servicing stack {kb}"));
            let statement = format!("is a monthly rollup of {}, released {}{stack}", row.family, row.date);
            add("rollups.txt", statement, &row.source);
        }
        if let Some(row) = self.dotnet().parent(kb) {
            let children: Vec<String> = row.children.iter().map(|child| child.kb.to_string()).collect();
            add("dotnet.toml", format!("is a bundle of {}", children.join(" and ")), &row.source);
        }
        if let Some((row, child)) = self.dotnet().child(kb) {
            let releases: Vec<String> = child.releases.iter().map(ToString::to_string).collect();
            let statement =
                format!("is the package of {} for .NET Framework {}", row.kb, releases.join(" and "));
            add("dotnet.toml", statement, &row.source);
        }
        for row in self.dotnet().replacements(kb) {
            add("dotnet.toml", format!("does not apply to {}: {} does", row.on, row.take), &row.source);
        }
        if let Some(row) = self.parents().rule(kb) {
            let accepts: Vec<String> = row.accepts.iter().map(ToString::to_string).collect();
            add("parents.toml", format!("needs {} installed", accepts.join(" or ")), &row.source);
        }
        for row in self.parents().kinds(kb) {
            add("parents.toml", format!("is {}", row.kind), &row.source);
        }
        rows
    }

    fn add_refusals(&self, kb: Kb, add: &mut impl FnMut(&'static str, String, &dyn ToString)) {
        let table = "withdrawn.toml";
        if let Some(row) = self.withdrawn().of_kb(kb) {
            add(table, format!("is withdrawn ({}): {} replaces it", row.why, row.successor), &row.source);
        }
        for row in self.withdrawn().all().iter().filter(|row| row.successor == kb) {
            add(table, format!("replaces {}, which is withdrawn", row.kb), &row.source);
        }
        if let Some(row) = self.withdrawn().expired_update(kb) {
            add(table, "left the Catalog and is still valid".to_owned(), &row.source);
        }
        if let Some(row) = self.withdrawn().faulty_update(kb) {
            let statement =
                format!("is faulty ({}) and still listed: {} replaces it", row.why, row.successor);
            add(table, statement, &row.source);
        }
        for row in self.withdrawn().faulty_updates().iter().filter(|row| row.successor == kb) {
            add(table, format!("replaces {}, which is faulty", row.kb), &row.source);
        }
        if let Some(row) = self.withdrawn().hotpatch(kb) {
            let build = row.build.map_or_else(String::new, |build| format!(" ({build})"));
            let instead = row.instead.map_or_else(String::new, |kb| format!("; {kb} replaces it offline"));
            let statement = format!("is a hotpatch{build}, which only Windows Update delivers{instead}");
            add(table, statement, &row.source);
        }
        if let Some(row) = self.withdrawn().recovery_update(kb) {
            let payload = row.payload.map_or_else(String::new, |kb| format!("; its payload is {kb}"));
            let statement =
                format!("updates the recovery environment, and only Windows Update delivers it{payload}");
            add(table, statement, &row.source);
        }
        if let Some(row) = self.withdrawn().hotpatch_baseline(kb) {
            add(table, row.note.clone(), &row.source);
        }
    }

    fn add_needs(&self, kb: Kb, add: &mut impl FnMut(&'static str, String, &dyn ToString)) {
        let table = "prerequisites.toml";
        for row in self.prerequisites().floors().iter().filter(|row| row.kb == kb) {
            let statement = format!("is needed below {} by updates from {} on", row.needed_below, row.from);
            add(table, statement, &row.source);
        }
        for row in self.prerequisites().single_prerequisites() {
            if row.kb == kb {
                add(table, format!("needs {} first", row.needs), &row.source);
            } else if row.needs == kb {
                add(table, format!("is needed before {}", row.kb), &row.source);
            }
        }
        for row in self.prerequisites().family_prerequisites() {
            if row.needs.iter().any(|needed| needed.kb == kb) {
                let statement = format!("is needed by all updates of {} from {} on", row.family, row.from);
                add(table, statement, &row.source);
            }
        }
        if let Some(row) = self.prerequisites().service_level(kb) {
            add(table, format!("is contained in builds from {} on", row.build), &row.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_about_a_kb_are_listed() {
        let knowledge = Knowledge::built_in().unwrap();
        let statements = |kb: &str| {
            let rows = knowledge.about(kb.parse().unwrap());
            rows.into_iter().map(|row| format!("{}: {}", row.table, row.statement)).collect::<Vec<_>>()
        };
        for (kb, statement) in [
            ("KB5086672", "releases.txt: brings 26100.8117, released 2026-03-31, out of band, client"),
            ("KB5086672", "withdrawn.toml: replaces KB5079391, which is withdrawn"),
            ("KB5043080", "checkpoints.toml: is the checkpoint 26100.1742"),
            ("KB5094141", "stacks.txt: is the servicing stack of KB5094122 on 14393"),
            ("KB5031539", "prerequisites.toml: is needed below 19045.3271 by updates from 2023-10-10 on"),
            ("KB2919442", "prerequisites.toml: is needed before KB2919355"),
            ("KB2919355", "prerequisites.toml: is contained in builds from 9600.17031 on"),
            ("KB5064081", "enablement.toml: brings the minimum build 26100.5074 of KB5054156"),
            ("KB5126256", "editions.toml: prepares 19041 for Extended Security Updates"),
            ("KB5049615", "dotnet.toml: is the package of KB5050182 for .NET Framework 4.8"),
            ("KB3040017", "parents.toml: needs 7601.17514 installed"),
            (
                "KB5120994",
                "withdrawn.toml: is a hotpatch (26100.9106), which only Windows Update delivers; KB5121003 replaces it offline",
            ),
            (
                "KB5034441",
                "withdrawn.toml: updates the recovery environment, and only Windows Update delivers it; its payload is KB5034232",
            ),
            (
                "KB5122871",
                "withdrawn.toml: is faulty (Remote Desktop Services become unstable) and still listed: KB5129235 replaces it",
            ),
            (
                "KB5071959",
                "editions.toml: is for consumer devices that are not enrolled in Extended Security Updates",
            ),
            ("KB5082420", "dotnet.toml: is listed for 24H2 of 26100, released 2026-04-14"),
            (
                "KB5032249",
                "rollups.txt: is a monthly rollup of 9600, released 2023-11-14, with the servicing stack KB5032308",
            ),
        ] {
            assert!(statements(kb).iter().any(|own| own == statement), "{kb}: {:#?}", statements(kb));
        }
        assert_eq!(statements("KB1234567"), Vec::<String>::new());
    }
}
