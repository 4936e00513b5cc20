//! The request of `fetch` and its plan, as values without side effects.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::crawl::Failure;
use crate::error::{Error, ErrorKind};
use crate::facts::FileKey;
use crate::mirror::index::SetRow;
use crate::resolve::PackageSet;
use crate::servicing::{Filed, ProductFilter};
use crate::update::{Architecture, Kb, Kind, count, human_size};

/// The request of a fetch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchRequest {
    /// The KBs.
    pub kbs: Vec<Kb>,
    /// Only these architectures; none is all.
    pub architectures: Vec<Architecture>,
    /// Only sets of one of these products; none is all.
    pub products: Vec<ProductFilter>,
    /// Only these kinds; none is everything but copies that Setup alone takes.
    pub kinds: Vec<Kind>,
    /// Publish files without any stated digest.
    pub accept_unverified: bool,
    /// Fetch the updates that the KBs require, too.
    pub closure: bool,
    /// Download no more bytes than this.
    pub max_bytes: Option<u64>,
}

/// The reason for which a set is not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// Of an architecture that was not asked for.
    Architecture,
    /// For a product that was not asked for.
    Product,
    /// Of a kind that was not asked for.
    Kind,
    /// A copy that Windows Setup alone takes, of a KB that has a main package.
    Dynamic,
}

impl FetchRequest {
    /// Returns for each set of one KB why it is not fetched, or `None` if it is.
    pub fn left_out(&self, sets: &[&PackageSet]) -> Vec<Option<LeftOut>> {
        let filed: Vec<Filed<'_>> = sets.iter().map(|set| set.filed()).collect();
        let mut of_product = vec![self.products.is_empty(); sets.len()];
        for product in &self.products {
            for (found, picked) in of_product.iter_mut().zip(product.pick(&filed)) {
                *found |= picked;
            }
        }
        sets.iter().zip(of_product).map(|(set, of_product)| self.exclusion(set, of_product)).collect()
    }

    /// Refuses a product name that neither the tables nor any of these sets have.
    pub fn check_products<'s>(&self, sets: impl Iterator<Item = &'s PackageSet>) -> crate::error::Result<()> {
        let filed: Vec<Filed<'_>> = sets.map(PackageSet::filed).collect();
        for product in &self.products {
            if let Some(refusal) = product.refusal().filter(|_| !product.pick(&filed).contains(&true)) {
                return Err(refusal.clone().into());
            }
        }
        Ok(())
    }

    fn exclusion(&self, set: &PackageSet, of_product: bool) -> Option<LeftOut> {
        let of_architecture =
            set.architecture.is_none_or(|architecture| self.architectures.contains(&architecture));
        if !self.architectures.is_empty() && !of_architecture {
            return Some(LeftOut::Architecture);
        }
        if !of_product {
            return Some(LeftOut::Product);
        }
        if self.kinds.is_empty() {
            return set.is_dynamic_variant.then_some(LeftOut::Dynamic);
        }
        (!set.kind.is_some_and(|kind| self.kinds.contains(&kind))).then_some(LeftOut::Kind)
    }
}

/// A set that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSet {
    /// As the resolver sees it.
    pub set: PackageSet,
    /// As the index keeps it.
    pub row: SetRow,
    /// Files that the pool does not have.
    pub absent: Vec<FileKey>,
    /// Their bytes, where they are known.
    pub absent_bytes: Option<u64>,
    /// The KBs with which it comes along; none when it was asked for itself.
    pub needed_by: BTreeSet<Kb>,
}

/// The plan of a fetch. Making it queries the Catalog and downloads nothing; running it downloads and publishes.
#[derive(Debug, Default)]
pub struct FetchPlan {
    /// The sets, by KB, architecture, and folder.
    pub sets: Vec<PlannedSet>,
    /// Published sets of which the pool holds every file, taken as they are while the Catalog is unavailable.
    pub standing: Vec<PlannedSet>,
    /// Sets that were not asked for, with the reason.
    pub left_out: Vec<(PackageSet, LeftOut)>,
    /// The failures of making the plan.
    pub failures: Vec<Failure>,
}

impl Serialize for FetchPlan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Set<'p> {
            kb: Kb,
            folder: &'p str,
            files: usize,
            absent_files: usize,
            absent_bytes: Option<u64>,
        }
        let sets = self.standing.iter().chain(&self.sets).map(|set| Set {
            kb: set.row.kb,
            folder: set.row.folder.as_str(),
            files: set.row.members.len(),
            absent_files: set.absent.len(),
            absent_bytes: set.absent_bytes,
        });
        let mut fields = serializer.serialize_struct("FetchPlan", 4)?;
        fields.serialize_field("sets", &sets.collect::<Vec<_>>())?;
        fields.serialize_field("absent_files", &self.absent_files())?;
        fields.serialize_field("absent_bytes", &self.absent_bytes())?;
        fields.serialize_field("failures", &self.failures.iter().map(Failure::item).collect::<Vec<_>>())?;
        fields.end()
    }
}

impl FetchPlan {
    /// Files to download, each once.
    pub fn absent_files(&self) -> usize {
        let mut keys: Vec<FileKey> = self.sets.iter().flat_map(|set| set.absent.iter().copied()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    /// Their bytes. A file that several sets share is counted where its size is known, else the sum is unknown.
    pub fn absent_bytes(&self) -> Option<u64> {
        let listed: usize = self.sets.iter().map(|set| set.absent.len()).sum();
        self.absent_bytes_at_most().filter(|_| listed == self.absent_files())
    }

    /// No more than these bytes: a file that several sets share is counted for each.
    pub fn absent_bytes_at_most(&self) -> Option<u64> {
        self.sets.iter().map(|set| set.absent_bytes).sum()
    }
}

impl FetchPlan {
    /// Drops the first set that would go over a budget, and all behind it; returns the error that names it.
    pub(super) fn keep_within(&mut self, budget: u64) -> Option<Error> {
        let mut counted: BTreeSet<FileKey> = BTreeSet::new();
        let mut spent = 0_u64;
        let over = self.sets.iter().position(|set| {
            let new: BTreeSet<FileKey> =
                set.absent.iter().copied().filter(|key| !counted.contains(key)).collect();
            let of_files =
                set.row.members.iter().filter(|member| member.file.key.is_some_and(|key| new.contains(&key)));
            let known: Option<u64> = of_files.map(|member| member.file.size).sum();
            // What is of no known size at all cannot be said to fit.
            let cost = known.or(set.absent_bytes).unwrap_or(u64::MAX);
            if spent.saturating_add(cost) > budget {
                return true;
            }
            spent += cost;
            counted.extend(new);
            false
        })?;
        let set = self.sets.get(over)?;
        let size = set.absent_bytes.map_or_else(|| "an unknown number of bytes".to_owned(), human_size);
        let message = format!(
            "{} {} takes {size}, and {} of the budget are left for it",
            set.row.kb,
            set.row.folder,
            human_size(budget - spent)
        );
        self.sets.truncate(over);
        Some(Error::new(ErrorKind::Budget, message).hint(
            "running again continues with a new budget; a set that is larger than the whole of it needs a larger --max-bytes",
        ))
    }
}

impl fmt::Display for FetchPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.absent_files();
        let size = match (self.absent_bytes(), self.absent_bytes_at_most()) {
            _ if files == 0 => String::new(),
            (Some(bytes), _) => format!(", {}", human_size(bytes)),
            (None, Some(bytes)) => format!(", at most {}", human_size(bytes)),
            (None, None) => ", of a size that the Catalog does not tell".to_owned(),
        };
        let sets = self.sets.len();
        write!(formatter, "{}, {} to download{size}", count(sets, "package set"), count(files, "file"))
    }
}
