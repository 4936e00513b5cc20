//! The condition under which a package is needed, as data. Only this module converts it into text.

use std::fmt;

use super::machine::Machine;
use crate::servicing::Dotnet;
use crate::update::{Build, Kb};

/// The machines that need a package.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Machines below a revision.
    BuildBelow(Build),
    /// Machines of an older version, by the number of the build.
    VersionBelow(u32),
    /// Machines and images to which features on demand or languages are added.
    FeaturesAdded,
    /// Machines without this installed KB.
    NotInstalled(Kb),
    /// Machines with neither a servicing stack nor one of its alternatives.
    StackBelow {
        /// The stack.
        kb: Kb,
        /// The alternative stacks, newest first.
        newer: Vec<Kb>,
    },
    /// Machines with a release of .NET Framework; `None` if the release is unknown.
    Dotnet(Option<Dotnet>),
    /// Machines that are not prepared for Extended Security Updates yet, by the packages that prepare them.
    EsuUnprepared(Vec<Kb>),
    /// Machines that meet one of several conditions.
    Any(Vec<Self>),
}

impl Condition {
    /// Returns `true` if a machine meets the condition, or `None` if the known facts do not decide it.
    pub fn holds(&self, machine: &Machine) -> Option<bool> {
        match self {
            Self::BuildBelow(build) => machine.effective_build().map(|at| at.revision < build.revision),
            Self::VersionBelow(number) => machine.effective_build().map(|at| at.number < *number),
            Self::FeaturesAdded => Some(machine.adds_features_to_image()),
            Self::NotInstalled(kb) => Some(!machine.has_installed(*kb)),
            Self::StackBelow { kb, newer } => {
                Some(!machine.has_installed(*kb) && !newer.iter().any(|kb| machine.has_installed(*kb)))
            }
            Self::Dotnet(release) => {
                let (release, installed) = (release.as_ref()?, machine.dotnet.as_ref()?);
                Some(release == installed)
            }
            Self::EsuUnprepared(preparations) => {
                let is_prepared =
                    machine.esu == Some(true) || preparations.iter().any(|kb| machine.has_installed(*kb));
                is_prepared.then_some(false)
            }
            Self::Any(conditions) => {
                let held: Vec<Option<bool>> = conditions.iter().map(|one| one.holds(machine)).collect();
                if held.contains(&Some(true)) {
                    Some(true)
                } else if held.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
        }
    }

    /// Returns `true` if some machines do not need the package although they never installed it.
    pub fn excludes_some_machines(&self) -> bool {
        !matches!(self, Self::NotInstalled(_) | Self::StackBelow { .. })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuildBelow(build) => write!(formatter, "build below {build}"),
            Self::VersionBelow(number) => write!(formatter, "build below {number}"),
            Self::FeaturesAdded => formatter.write_str("features on demand"),
            Self::NotInstalled(kb) => write!(formatter, "{kb} is not installed"),
            Self::StackBelow { kb, .. } => {
                write!(formatter, "neither {kb} nor a newer servicing stack is installed")
            }
            Self::Dotnet(Some(release)) => write!(formatter, ".NET Framework {release} is installed"),
            Self::Dotnet(None) => formatter.write_str("its release of .NET Framework is installed"),
            Self::EsuUnprepared(_) => formatter.write_str("some machines only"),
            Self::Any(conditions) => {
                for (place, condition) in conditions.iter().enumerate() {
                    let before = if place == 0 { "" } else { ", or " };
                    write!(formatter, "{before}{condition}")?;
                }
                Ok(())
            }
        }
    }
}

crate::update::schema_of_text!(Condition, "Condition", |generator: &mut schemars::SchemaGenerator| {
    generator.subschema_for::<String>()
});

impl serde::Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternative_with_an_unknown_part_is_undecided() {
        let build = Build::new(26100, 1742);
        let condition = Condition::Any(vec![Condition::BuildBelow(build), Condition::FeaturesAdded]);
        assert_eq!(condition.to_string(), "build below 26100.1742, or features on demand");
        let mut machine = Machine::default();
        assert_eq!(condition.holds(&machine), None, "the build is unknown");
        machine.baseline = Some(Build::new(26200, 1741));
        assert_eq!(condition.holds(&machine), Some(true), "revisions decide within a family");
        machine.baseline = Some(build);
        assert_eq!(condition.holds(&machine), Some(false));
        (machine.features_on_demand, machine.place) = (true, crate::resolve::Place::Image);
        assert_eq!(condition.holds(&machine), Some(true));
    }
}
