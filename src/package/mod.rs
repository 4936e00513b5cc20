//! The metadata inside a package file, pure: the package says itself what it is, which packages it needs, and which
//! servicing stack can install it.
//!
//! [`inspect()`] reads a package from any [`ReadAt`](crate::read_at::ReadAt): a cabinet (`.cab`, or an `.msu` that is
//! one) and the cabinets in it. Its sources are `*-pkgProperties.txt`, the answer file of an `.msu`, and `update.mum`.
//! Of other containers, such as WIM images and programs, only the kind is named.
//!
//! Promises:
//!
//! - Nothing is unpacked to a disk. Memory stays below about 64 MiB, whatever a package states.
//! - A statement is the package's own. Where the sources contradict each other, the value is unknown, and a sentence
//!   says so.
//! - Metadata that was not read is named. Its absence is never shown as a property of the package.
//!
//! Anything else is a [`PackageFault`] that names the member. No input causes a panic: every number in a cabinet is
//! checked before the crate that decompresses uses it.

mod cabinet;
mod collected;
mod directory;
mod fault;
mod identity;
mod inspection;
mod manifest;
mod member_name;
mod properties;
mod source_reader;
mod statements;
#[cfg(test)]
mod tests;
mod text;
mod unattend;
mod walk;
mod xml;

pub use collected::{PackageMember, UnreadMember};
pub use fault::PackageFault;
pub use identity::AssemblyIdentity;
pub use inspection::{Inspection, MetadataState, inspect};
pub use manifest::{PackageKind, PackageManifest, ParentRule};
pub use properties::PackageProperties;
