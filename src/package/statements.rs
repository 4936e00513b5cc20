//! The statements of a package about itself, compared: a value only where all agree, and a sentence where they do not.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::collected::Collected;
use super::identity::AssemblyIdentity;
use super::manifest::{PackageKind, PackageManifest};
use crate::update::{Architecture, Kb, PackageName};

/// The agreed values, and the contradictions.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) kb: Option<Kb>,
    pub(super) architecture: Option<Architecture>,
    pub(super) kind: Option<PackageKind>,
    pub(super) contradictions: Vec<String>,
}

impl Statements {
    /// Compares the metadata with each other and with the name of the file.
    pub(super) fn of(collected: &Collected, name: &PackageName) -> Self {
        let main = main_package(collected);
        // An answer file with several packages installs a servicing stack first.
        let installed = collected.installs.first().filter(|_| collected.installs.len() == 1);
        let properties = collected.properties.as_ref();
        let mut contradictions = Vec::new();
        let kb = agreed(
            "the KB",
            [
                ("the properties", properties.and_then(|properties| properties.kb)),
                ("the answer file", installed.and_then(AssemblyIdentity::kb)),
                ("the manifest", main.and_then(|main| main.kb)),
                ("the file name", name.kb),
            ],
            &mut contradictions,
        );
        let architecture = agreed(
            "the architecture",
            [
                ("the properties", properties.and_then(|properties| properties.architecture)),
                ("the answer file", installed.and_then(AssemblyIdentity::architecture)),
                ("the manifest", main.and_then(|main| main.identity.architecture())),
                ("the file name", name.architecture),
            ],
            &mut contradictions,
        );
        if let Some(main) = main
            && !collected.installs.is_empty()
            && !collected.installs.iter().any(|identity| is_same(main, identity))
        {
            contradictions.push(format!(
                "the answer file does not install {}, which the manifest names",
                main.identity.name
            ));
        }
        Self { kb, architecture, kind: main.and_then(|main| main.kind), contradictions }
    }
}

/// Returns the package that is not a servicing stack for the installation of the others. Returns `None` if several are
/// left, or if only the servicing stack of unread packages is known.
fn main_package(collected: &Collected) -> Option<&PackageManifest> {
    let packages = collected.packages.as_slice();
    let is_stack = |package: &&PackageManifest| package.kind == Some(PackageKind::ServicingStack);
    let mut others = packages.iter().filter(|package| !is_stack(package));
    match (packages, others.next(), others.next()) {
        (_, Some(main), None) => Some(main),
        ([only], None, _) if collected.unread.is_empty() => Some(only),
        _ => None,
    }
}

fn is_same(main: &PackageManifest, identity: &AssemblyIdentity) -> bool {
    let own = &main.identity;
    own.name.eq_ignore_ascii_case(&identity.name)
        && own.version == identity.version
        && own.processor_architecture == identity.processor_architecture
}

/// Returns the value that all metadata state; the file name alone states none. Adds a sentence if two differ.
fn agreed<Value: Copy + Ord + Display>(
    what: &str,
    statements: [(&str, Option<Value>); 4],
    contradictions: &mut Vec<String>,
) -> Option<Value> {
    let mut by_value: BTreeMap<Value, Vec<&str>> = BTreeMap::new();
    for (source, value) in statements {
        if let Some(value) = value {
            by_value.entry(value).or_default().push(source);
        }
    }
    if by_value.len() > 1 {
        let sides: Vec<String> =
            by_value.iter().map(|(value, sources)| format!("{value} ({})", sources.join(", "))).collect();
        contradictions.push(format!("{what} is contradictory: {}", sides.join(" and ")));
        return None;
    }
    let [metadata @ .., _] = statements;
    metadata.into_iter().find_map(|(_, value)| value)
}
