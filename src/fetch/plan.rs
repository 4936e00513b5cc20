//! The request of `fetch` and its plan, as values without side effects.

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::crawl::Failure;
use crate::error::{Error, ErrorKind};
use crate::facts::FileKey;
use crate::mirror::index::SetRow;
use crate::resolve::{GenerationChoice, PackageSet, newer_versions};
use crate::servicing::{ProductFilter, ProductLabels};
use crate::update::{Architecture, Kb, Kind, count, human_size};

/// The request of a fetch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchRequest {
    /// The KBs.
    pub kbs: Vec<Kb>,
    /// The selected architectures; empty for all.
    pub architectures: Vec<Architecture>,
    /// The selected products; empty for all.
    pub products: Vec<ProductFilter>,
    /// The selected kinds. If empty, everything is selected except copies that only Windows Setup uses.
    pub kinds: Vec<Kind>,
    /// The issues of a KB that Microsoft issued again.
    pub generation: GenerationChoice,
    /// `true` to publish files without any stated digest.
    pub accept_unverified: bool,
    /// `true` to fetch also the updates that the KBs require.
    pub closure: bool,
    /// The most bytes to download.
    pub max_bytes: Option<u64>,
}

/// The reason why a set is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// An architecture that was not requested.
    Architecture,
    /// A product that was not requested.
    Product,
    /// A kind that was not requested.
    Kind,
    /// A copy that only Windows Setup uses, of a KB with a main package.
    Dynamic,
    /// Another issue of a KB that Microsoft issued again.
    Generation,
    /// A delta update, which is never fetched.
    Delta,
    /// An older version of a program, of which a newer version is selected.
    OlderVersion,
}

impl FetchRequest {
    /// Returns, for each set of one KB, the reason why it is excluded, or `None` if it is selected.
    pub fn exclusions(&self, sets: &[&PackageSet]) -> Vec<Option<Exclusion>> {
        let filed: Vec<ProductLabels<'_>> = sets.iter().map(|set| set.filed()).collect();
        let mut of_product = vec![self.products.is_empty(); sets.len()];
        for product in &self.products {
            for (found, picked) in of_product.iter_mut().zip(product.pick(&filed)) {
                *found |= picked;
            }
        }
        let mut found: Vec<Option<Exclusion>> =
            sets.iter().zip(of_product).map(|(set, of_product)| self.exclusion(set, of_product)).collect();
        // Versions are compared only among the sets that are selected otherwise.
        let (places, selected): (Vec<usize>, Vec<&PackageSet>) = sets
            .iter()
            .zip(&found)
            .enumerate()
            .filter(|(_, (_, exclusion))| exclusion.is_none())
            .map(|(place, (set, _))| (place, *set))
            .unzip();
        for (place, newer) in places.into_iter().zip(newer_versions(&selected)) {
            if let Some(exclusion) = found.get_mut(place).filter(|_| newer.is_some()) {
                *exclusion = Some(Exclusion::OlderVersion);
            }
        }
        found
    }

    /// Refuses a product name that neither the tables nor any of these sets contain.
    pub fn check_products<'s>(&self, sets: impl Iterator<Item = &'s PackageSet>) -> crate::error::Result<()> {
        let filed: Vec<ProductLabels<'_>> = sets.map(PackageSet::filed).collect();
        for product in &self.products {
            if let Some(refusal) = product.refusal().filter(|_| !product.pick(&filed).contains(&true)) {
                return Err(refusal.clone().into());
            }
        }
        Ok(())
    }

    fn exclusion(&self, set: &PackageSet, of_product: bool) -> Option<Exclusion> {
        if set.is_delta() {
            return Some(Exclusion::Delta);
        }
        let of_architecture =
            set.architecture.is_none_or(|architecture| self.architectures.contains(&architecture));
        if !self.architectures.is_empty() && !of_architecture {
            return Some(Exclusion::Architecture);
        }
        if !of_product {
            return Some(Exclusion::Product);
        }
        if self.kinds.is_empty() && set.is_dynamic_variant {
            return Some(Exclusion::Dynamic);
        }
        if !self.generation.includes(set.generation) {
            return Some(Exclusion::Generation);
        }
        if self.kinds.is_empty() {
            return None;
        }
        (!set.kind.is_some_and(|kind| self.kinds.contains(&kind))).then_some(Exclusion::Kind)
    }
}

/// A set that is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSet {
    /// The set according to the resolver.
    pub set: PackageSet,
    /// The set according to the index.
    pub row: SetRow,
    /// The files that the pool does not have.
    pub absent: Vec<FileKey>,
    /// The bytes of these files, if they are known.
    pub absent_bytes: Option<u64>,
    /// The KBs that need this set; empty if the set itself was requested.
    pub needed_by: BTreeSet<Kb>,
}

/// The plan of a fetch. Making the plan queries the Catalog and downloads nothing; running it downloads and publishes.
#[derive(Debug, Default)]
pub struct FetchPlan {
    /// The sets, sorted by KB, architecture, and folder.
    pub sets: Vec<PlannedSet>,
    /// The published sets that are complete in the pool, used unchanged while the Catalog is unavailable.
    pub intact: Vec<PlannedSet>,
    /// The excluded sets, with the reason.
    pub excluded: Vec<(PackageSet, Exclusion)>,
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
        let sets = self.intact.iter().chain(&self.sets).map(|set| Set {
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
    /// Returns the number of files to download, each counted once.
    pub fn absent_files(&self) -> usize {
        let mut keys: Vec<FileKey> = self.sets.iter().flat_map(|set| set.absent.iter().copied()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.len()
    }

    /// Returns the bytes to download. If several sets share a file of unknown size, the sum is unknown (`None`).
    pub fn absent_bytes(&self) -> Option<u64> {
        let listed: usize = self.sets.iter().map(|set| set.absent.len()).sum();
        self.absent_bytes_at_most().filter(|_| listed == self.absent_files())
    }

    /// Returns an upper bound of the bytes to download: a file that several sets share is counted for each set.
    pub fn absent_bytes_at_most(&self) -> Option<u64> {
        self.sets.iter().map(|set| set.absent_bytes).sum()
    }
}

impl FetchPlan {
    /// Removes the first set that exceeds the budget, and all later ones. Returns the error that names it.
    pub(super) fn cut_to_budget(&mut self, budget: u64) -> Option<Error> {
        let mut counted: BTreeSet<FileKey> = BTreeSet::new();
        let mut spent = 0_u64;
        let over = self.sets.iter().position(|set| {
            let new: BTreeSet<FileKey> =
                set.absent.iter().copied().filter(|key| !counted.contains(key)).collect();
            let of_files =
                set.row.members.iter().filter(|member| member.file.key.is_some_and(|key| new.contains(&key)));
            let known: Option<u64> = of_files.map(|member| member.file.size).sum();
            // A file of unknown size cannot be assumed to fit.
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
            "{} {} takes {size}, but only {} of the budget are left",
            set.row.kb,
            set.row.folder,
            human_size(budget - spent)
        );
        self.sets.truncate(over);
        Some(Error::new(ErrorKind::Budget, message).hint(
            "run the command again to continue with a new budget; raise --max-bytes for a set that exceeds it alone",
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
            (None, None) => ", of a size that the Catalog does not state".to_owned(),
        };
        let sets = self.sets.len();
        write!(formatter, "{}, {} to download{size}", count(sets, "package set"), count(files, "file"))
    }
}
