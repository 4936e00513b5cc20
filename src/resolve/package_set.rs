//! A package set as a value: the files that belong together for one KB and one architecture. [`super::package_sets`]
//! constructs the sets.

use std::collections::BTreeSet;

use jiff::civil::Date;
use sha2::Digest as _;

use super::issue::{Generation, Issue};
use super::member::Member;
use crate::facts::{NeedsEdge, SetFolder};
use crate::servicing::{Family, Installation, ProductLabels};
use crate::update::title::TitleVersion;
use crate::update::{Architecture, Build, Kb, Kind, Month, Sha256, UpdateId};

/// The properties of a family that a set carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FamilyName {
    /// The number of the build that identifies the family.
    pub id: u32,
    /// Client or server.
    pub installation: Installation,
    /// The name for display.
    pub name: String,
    /// The beginning of the set folder's name.
    pub folder: String,
}

impl From<&Family> for FamilyName {
    fn from(family: &Family) -> Self {
        Self {
            id: family.id,
            installation: family.installation,
            name: family.name.clone(),
            folder: family.folder.clone(),
        }
    }
}

/// The files that belong together for one KB and one architecture, in order of installation. Updates with the
/// same files form one set with several products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSet {
    /// The requested KB.
    pub kb: Kb,
    /// The kind of the update.
    pub kind: Option<Kind>,
    /// The families that it serves, in the order of the family table. The first one names the folder.
    pub families: Vec<FamilyName>,
    /// The architecture; `None` if neither title nor names state it.
    pub architecture: Option<Architecture>,
    /// The folder's name under the KB.
    pub folder: SetFolder,
    /// The products that titles name, for display and for `--product`.
    pub products: Vec<String>,
    /// The Catalog's own product texts of the updates.
    pub catalog_products: Vec<String>,
    /// The updates that form the set, by id.
    pub updates: Vec<UpdateId>,
    /// The month of the titles, or of the release.
    pub month: Option<Month>,
    /// The files, prerequisites first; companions of unknown order last.
    pub members: Vec<Member>,
    /// The edges between the files.
    pub needs: Vec<NeedsEdge>,
    /// The total size of the files as the search page states it, if the set has exactly the files that it
    /// counts.
    pub stated_size: Option<u64>,
    /// `true` for a copy that only Windows Setup takes, of a KB whose main package is another set.
    pub is_dynamic_variant: bool,
    /// The facts about its entries that date the issue.
    pub issue: Issue,
    /// The place among the issues of a KB that Microsoft issued again; `None` if it has one issue.
    pub generation: Option<Generation>,
    /// The versions of a program in the titles, each once.
    pub versions: Vec<TitleVersion>,
    /// The KBs that a machine must not have, as every title states.
    pub without: BTreeSet<Kb>,
    /// The earliest date of an entry. The release may be earlier, never later.
    pub entry_date: Option<Date>,
    /// The differences between sources, and the unknown facts.
    pub warnings: Vec<String>,
}

impl PackageSet {
    /// Returns a digest over the identities of the files. It is the same on every mirror, and changes when
    /// the KB is re-issued.
    pub fn fingerprint(&self) -> Sha256 {
        let mut identities: Vec<String> = self.members.iter().map(|member| member.file.identity()).collect();
        identities.sort_unstable();
        let mut hasher = sha2::Sha256::new();
        for identity in identities {
            hasher.update(identity.as_bytes());
            hasher.update(b"\n");
        }
        Sha256::from_bytes(hasher.finalize().into())
    }

    /// Returns `true` if a plan may use the set: it is neither a copy for Windows Setup nor a delta update.
    pub fn is_main(&self) -> bool {
        !self.is_dynamic_variant && !self.is_delta()
    }

    /// Returns `true` if the set is a delta update, which is recorded and never fetched, planned, or staged.
    pub fn is_delta(&self) -> bool {
        self.kind == Some(Kind::Delta)
    }

    /// Returns the build that the set brings, in the family's numbering.
    pub fn build(&self) -> Option<Build> {
        self.members.iter().filter(|member| member.role.is_update()).find_map(|member| member.build)
    }

    /// Returns the bytes of all files: the sum of their sizes, else the total that the Catalog states.
    pub fn total_size(&self) -> Option<u64> {
        let counted: Option<u64> = self.members.iter().map(|member| member.file.size).sum();
        counted.or(self.stated_size)
    }

    /// Returns `true` if the set is for a family.
    pub fn serves(&self, family: &Family) -> bool {
        self.families.iter().any(|own| own.id == family.id && own.installation == family.installation)
    }

    /// Returns the names that a product name is compared with: families, title products, folder, and the
    /// Catalog's products.
    pub fn filed(&self) -> ProductLabels<'_> {
        let mut names = vec![self.folder.as_str()];
        for product in &self.products {
            names.push(product);
            names.extend(product.rsplit_once(", version ").into_iter().flat_map(<[&str; 2]>::from));
        }
        ProductLabels {
            families: self.families.iter().map(|family| (family.id, family.installation)).collect(),
            names,
            products: self.catalog_products.iter().map(String::as_str).collect(),
        }
    }
}
