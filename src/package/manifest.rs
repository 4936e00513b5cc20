//! `update.mum`: the manifest of a package. It names the package, the packages that must be there before (its parents),
//! and the oldest servicing stack that can install it.
//!
//! Parents within one rule are alternatives. The words of a rule are kept as the manifest has them.

use schemars::JsonSchema;
use serde::Serialize;

use super::fault::PackageFault;
use super::identity::AssemblyIdentity;
use super::xml::{children, is_element, parse};
use crate::update::Kb;

/// The kind of a package, as its identity states it. Titles separate more kinds, such as previews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackageKind {
    /// A cumulative update or a rollup of Windows.
    Cumulative,
    /// A cumulative update of .NET Framework.
    Dotnet,
    /// A servicing stack.
    ServicingStack,
    /// A dynamic update for the recovery environment.
    SafeOs,
    /// An enablement package.
    Enablement,
}

impl PackageKind {
    /// Returns the word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cumulative => "cumulative update",
            Self::Dotnet => ".NET Framework update",
            Self::ServicingStack => "servicing stack",
            Self::SafeOs => "Safe OS dynamic update",
            Self::Enablement => "enablement package",
        }
    }

    /// Returns the kind that the name of a package states, or `None`.
    fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let starts = [
            ("package_for_rollupfix", Self::Cumulative),
            ("package_for_dotnetrollup", Self::Dotnet),
            ("package_for_servicingstack", Self::ServicingStack),
            ("package_for_safeosdu", Self::SafeOs),
        ];
        let by_start = starts.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, kind)| kind);
        let enables = name.contains("enablement-package") || name.contains("version-enablement");
        by_start.or_else(|| enables.then_some(Self::Enablement))
    }
}

/// A rule about packages that must be there: any of them is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ParentRule {
    /// The comparison of builds: `EQ`, `GE`.
    pub build_compare: Option<String>,
    /// The comparison of revisions.
    pub revision_compare: Option<String>,
    /// The comparison of service packs.
    pub service_compare: Option<String>,
    /// The integration: `separate`, `delegate`, `hidden`.
    pub integrate: Option<String>,
    /// The disposition: `detect`, `staged`.
    pub disposition: Option<String>,
    /// The packages.
    pub packages: Vec<AssemblyIdentity>,
}

/// The manifest of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageManifest {
    /// The path of the manifest in the file, with `/` behind each cabinet.
    pub member: String,
    /// The identity.
    pub identity: AssemblyIdentity,
    /// The KB that the manifest states.
    pub kb: Option<Kb>,
    /// The kind that the identity states.
    pub kind: Option<PackageKind>,
    /// The type of release in the words of the manifest: `Hotfix`, `Update`.
    pub release_type: Option<String>,
    /// The need for a restart in the words of the manifest: `possible`, `required`.
    pub restart: Option<String>,
    /// The rules about parents. All of them must be met.
    pub parents: Vec<ParentRule>,
    /// The oldest servicing stack that can install the package.
    pub servicing_stack: Option<AssemblyIdentity>,
}

impl PackageManifest {
    /// Reads the text of the manifest at `member`.
    pub(super) fn read(text: &str, member: &str) -> Result<Self, PackageFault> {
        let damaged = |reason: &str| PackageFault::damaged(member, reason);
        let document = parse(text, member)?;
        let root = document.root_element();
        if !is_element(root, "assembly") {
            return Err(damaged("it is not the manifest of an assembly"));
        }
        let identity = children(root, "assemblyIdentity").next().and_then(AssemblyIdentity::of);
        let identity = identity.ok_or_else(|| damaged("it has no identity"))?;
        if identity.version.is_none() || identity.processor_architecture.is_none() {
            return Err(damaged("its identity has no version or no architecture"));
        }
        let package = children(root, "package").next().ok_or_else(|| damaged("it has no package"))?;
        let attribute = |name: &str| package.attribute(name).map(str::to_owned);
        let identifier = attribute("identifier").and_then(|text| text.parse().ok());
        let parents = children(package, "parent").map(|parent| {
            let attribute = |name: &str| parent.attribute(name).map(str::to_owned);
            let packages = children(parent, "assemblyIdentity").map(AssemblyIdentity::of).collect();
            let packages: Option<Vec<AssemblyIdentity>> = packages;
            Ok(ParentRule {
                build_compare: attribute("buildCompare"),
                revision_compare: attribute("revisionCompare"),
                service_compare: attribute("serviceCompare"),
                integrate: attribute("integrate"),
                disposition: attribute("disposition"),
                packages: packages.ok_or_else(|| damaged("one of its parents has no name"))?,
            })
        });
        Ok(Self {
            member: member.to_owned(),
            kb: identifier.or_else(|| identity.kb()),
            kind: PackageKind::of_name(&identity.name),
            release_type: attribute("releaseType"),
            restart: attribute("restart"),
            parents: parents.collect::<Result<_, PackageFault>>()?,
            servicing_stack: children(package, "installerAssembly").next().and_then(AssemblyIdentity::of),
            identity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"<assembly xmlns="urn:schemas-microsoft-com:asm.v3">
        <assemblyIdentity name="Package_for_RollupFix" version="26100.1.2.3" processorArchitecture="amd64"/>
        <package identifier="KB5086672" releaseType="Security Update">
          <parent revisionCompare="GE"><assemblyIdentity name="A" version="10.0.26100.1742"/></parent>
          <parent disposition="staged"><assemblyIdentity name="B"/><assemblyIdentity name="C"/></parent>
          <update name="x"><package><assemblyIdentity name="D"/></package></update>
        </package></assembly>"#;

    #[test]
    fn manifest_states_identity_parents_and_kind() {
        let manifest = PackageManifest::read(MANIFEST, "a.cab/update.mum").unwrap();
        assert_eq!(manifest.kind, Some(PackageKind::Cumulative));
        assert_eq!(manifest.kb.unwrap().to_string(), "KB5086672");
        let names: Vec<Vec<&str>> = manifest
            .parents
            .iter()
            .map(|rule| rule.packages.iter().map(|package| package.name.as_str()).collect())
            .collect();
        assert_eq!(names, [vec!["A"], vec!["B", "C"]]);
        assert_eq!(manifest.parents[0].revision_compare.as_deref(), Some("GE"));
        assert_eq!(manifest.servicing_stack, None);
    }

    #[test]
    fn bad_manifests_are_refused_by_name() {
        let entity = format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{MANIFEST}");
        let cases = [
            (entity.as_str(), "its XML is refused"),
            ("<assembly>&b;</assembly>", "its XML is refused"),
            ("<assembly>", "its XML is refused"),
            ("", "its XML is refused"),
            ("<a/>", "it is not the manifest of an assembly"),
            ("<assembly/>", "it has no identity"),
            ("<assembly><assemblyIdentity name='a'/></assembly>", "its identity has no version"),
        ];
        for (text, reason) in cases {
            let fault = PackageFault::to_string(&PackageManifest::read(text, "update.mum").unwrap_err());
            let start = format!("the member update.mum is damaged: {reason}");
            assert!(fault.starts_with(&start), "{fault}");
        }
        let many = format!("<assembly>{}</assembly>", "<a/>".repeat(300_000));
        assert!(PackageManifest::read(&many, "update.mum").is_err());
        let attributes = format!("<assembly {}/>", "a='' ".repeat(300_000));
        assert!(PackageManifest::read(&attributes, "update.mum").is_err());
    }
}
