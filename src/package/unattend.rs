//! The `.xml` beside the cabinet of an `.msu`: an answer file that installs the package, with its identity.
//!
//! Another document with the same extension has no identity here, and is not a fault.

use super::fault::PackageFault;
use super::identity::AssemblyIdentity;
use super::xml::{children, is_element, parse};

/// Returns the identities of the packages that an answer file installs. The list is empty for another document.
pub(super) fn read(text: &str, member: &str) -> Result<Vec<AssemblyIdentity>, PackageFault> {
    let document = parse(text, member)?;
    let root = document.root_element();
    if !is_element(root, "unattend") {
        return Ok(Vec::new());
    }
    let packages = children(root, "servicing").flat_map(|servicing| children(servicing, "package"));
    let identities = packages.flat_map(|package| children(package, "assemblyIdentity"));
    identities
        .map(|node| {
            AssemblyIdentity::of(node)
                .ok_or_else(|| PackageFault::damaged(member, "an assemblyIdentity in it has no name"))
        })
        .collect()
}
