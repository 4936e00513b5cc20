//! The inspection of a package file: its container, its metadata, and the limits of both.

use schemars::JsonSchema;
use serde::Serialize;

use super::collected::{Collected, PackageMember, UnreadMember};
use super::fault::PackageFault;
use super::identity::AssemblyIdentity;
use super::manifest::{PackageKind, PackageManifest};
use super::properties::PackageProperties;
use super::statements::Statements;
use super::walk::collect;
use crate::read_at::ReadAt;
use crate::update::container::{Container, Extent, FIRST_BYTES, extent, mismatch_reason};
use crate::update::{Architecture, Kb, PackageName};

/// The extent to which the metadata of a package were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetadataState {
    /// All known metadata were read.
    Read,
    /// Some metadata were read. `unread` names the rest.
    PartlyRead,
    /// No metadata were read. Nothing is known about them.
    NotRead,
}

impl MetadataState {
    /// Returns the words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::PartlyRead => "partly read",
            Self::NotRead => "not read",
        }
    }
}

/// The metadata of a package file. Everything except the container is null or empty if it was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Inspection {
    /// The container by its first bytes: `cab`, `wim`, `exe`, `msi`, `psf`, …; null if it is unknown.
    pub container: Option<&'static str>,
    /// The extent to which the metadata were read.
    pub metadata: MetadataState,
    /// The reason why no metadata were read.
    pub reason: Option<String>,
    /// The KB on which the metadata and the file name agree.
    pub kb: Option<Kb>,
    /// The kind that the manifest states.
    pub kind: Option<PackageKind>,
    /// The architecture on which the metadata and the file name agree.
    pub architecture: Option<Architecture>,
    /// The contradictions within the metadata, and between them and the file name.
    pub contradictions: Vec<String>,
    /// The packages in the file, each with its parents.
    pub packages: Vec<PackageManifest>,
    /// The identities of the packages that the answer file of an `.msu` installs.
    pub installs: Vec<AssemblyIdentity>,
    /// The properties of an `.msu`.
    pub properties: Option<PackageProperties>,
    /// The members whose metadata were not read.
    pub unread: Vec<UnreadMember>,
    /// The members of the outermost cabinet.
    pub members: Vec<PackageMember>,
}

/// Reads the metadata of a package file with this name.
pub fn inspect(name: &str, source: &dyn ReadAt) -> Result<Inspection, PackageFault> {
    let mut first = vec![0; FIRST_BYTES.min(usize::try_from(source.size()).unwrap_or(FIRST_BYTES))];
    source.read_exact_at(0, &mut first).map_err(|error| PackageFault::of_io("", error))?;
    if let Some(reason) = mismatch_reason(name, &first) {
        return Err(PackageFault::WrongContainer { reason });
    }
    let container = Container::of(&first);
    match extent(&first, source.size()) {
        Extent::Truncated { stated } => {
            let reason = format!("it has {} bytes, but its header states at least {stated}", source.size());
            return Err(PackageFault::damaged("", reason));
        }
        Extent::Broken => return Err(PackageFault::damaged("", "its header contradicts itself")),
        Extent::Complete | Extent::Unknown => {}
    }
    if container == Some(Container::Cabinet) {
        return match collect(source) {
            Ok(collected) => Ok(of_cabinet(collected, &PackageName::parse(name))),
            // This is a limit of the reader, not damage.
            Err(fault @ PackageFault::TooManyMembers { .. }) => Ok(unread(container, fault.to_string())),
            Err(fault) => Err(fault),
        };
    }
    Ok(unread(container, reason_of(container)))
}

/// Returns the inspection of a cabinet.
fn of_cabinet(collected: Collected, name: &PackageName) -> Inspection {
    let has_metadata = !collected.packages.is_empty() || collected.properties.is_some();
    let Statements { kb, architecture, kind, contradictions } = Statements::of(&collected, name);
    let Collected { members, properties, installs, packages, unread, .. } = collected;
    let (metadata, reason) = match (has_metadata, unread.is_empty()) {
        (true, true) => (MetadataState::Read, None),
        (true, false) => (MetadataState::PartlyRead, None),
        (false, true) => (MetadataState::NotRead, Some("the cabinet contains no known metadata".to_owned())),
        (false, false) => {
            (MetadataState::NotRead, Some("the metadata are in members that are not read".to_owned()))
        }
    };
    Inspection {
        container: Some(Container::Cabinet.as_str()),
        metadata,
        reason,
        kb,
        kind,
        architecture,
        contradictions,
        packages,
        installs,
        properties,
        unread,
        members,
    }
}

/// Returns the reason why the metadata of a container are not read.
fn reason_of(container: Option<Container>) -> String {
    match container {
        Some(container) if container.is_package() => {
            format!("it is {}, whose metadata are not read", container.noun())
        }
        Some(container) => format!("it is {}, not a package", container.noun()),
        None => "its first bytes are not those of a known package".to_owned(),
    }
}

/// Returns the inspection of a container that is only named.
fn unread(container: Option<Container>, reason: String) -> Inspection {
    Inspection {
        container: container.map(Container::as_str),
        metadata: MetadataState::NotRead,
        reason: Some(reason),
        kb: None,
        kind: None,
        architecture: None,
        contradictions: Vec::new(),
        packages: Vec::new(),
        installs: Vec::new(),
        properties: None,
        unread: Vec::new(),
        members: Vec::new(),
    }
}
