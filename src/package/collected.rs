//! The metadata that a walk collects, before they are compared.

use schemars::JsonSchema;
use serde::Serialize;

use super::fault::PackageFault;
use super::identity::AssemblyIdentity;
use super::manifest::PackageManifest;
use super::properties::PackageProperties;

/// A member of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PackageMember {
    /// The name.
    pub name: String,
    /// The size in bytes, unpacked.
    pub size: u64,
}

/// A member whose metadata were not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnreadMember {
    /// The path of the member.
    pub member: String,
    /// The reason, for people.
    pub reason: String,
}

/// The collected metadata of a package.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) members: Vec<PackageMember>,
    pub(super) properties: Option<PackageProperties>,
    pub(super) installs: Vec<AssemblyIdentity>,
    pub(super) packages: Vec<PackageManifest>,
    pub(super) unread: Vec<UnreadMember>,
    /// The members that were unpacked, and the bytes that this took.
    effort: (usize, u64),
}

impl Collected {
    /// Counts the unpacking of a member. Refuses more than any real package needs.
    pub(super) fn count_effort(&mut self, bytes: u64, member: &str) -> Result<(), PackageFault> {
        /// The members to unpack. Real packages have fewer than 20.
        const MEMBERS: usize = 100;
        /// The bytes to unpack. The largest cabinets have below 2 GiB, and are unpacked once for each of three members.
        const BYTES: u64 = 8 << 30;
        self.effort = (self.effort.0 + 1, self.effort.1 + bytes);
        if self.effort.0 > MEMBERS || self.effort.1 > BYTES {
            return Err(PackageFault::TooCostly { member: member.to_owned() });
        }
        Ok(())
    }
}
