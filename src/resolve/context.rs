//! A request with the library and the knowledge that answer it, and its families and products.

use super::library::Library;
use super::package_set::PackageSet;
use super::published::month_of;
use super::request::Request;
use crate::error::Result;
use crate::facts::Evidence;
use crate::servicing::{Family, Knowledge, ProductFilter, ProductLabels};
use crate::update::{Architecture, Month};

/// A request with everything that is needed to judge it.
pub(super) struct ResolveContext<'a> {
    pub(super) request: &'a Request,
    pub(super) library: &'a dyn Library,
    pub(super) knowledge: &'a Knowledge,
    /// The requested product.
    pub(super) product: Option<ProductFilter>,
    /// The possible families of the machine; empty if its build is unknown.
    pub(super) families: Vec<&'a Family>,
}

impl<'a> ResolveContext<'a> {
    /// Returns a context without a product and without families.
    pub(super) fn new(request: &'a Request, library: &'a dyn Library, knowledge: &'a Knowledge) -> Self {
        Self { request, library, knowledge, product: None, families: Vec::new() }
    }

    /// Refuses a product name that the tables do not contain, unless the Catalog files one of these sets
    /// under it.
    pub(super) fn check_product(&self, sets: &[PackageSet]) -> Result<()> {
        let Some(product) = &self.product else { return Ok(()) };
        let sets: Vec<ProductLabels<'_>> = sets.iter().map(PackageSet::filed).collect();
        match product.refusal() {
            Some(refusal) if !product.pick(&sets).contains(&true) => Err(refusal.clone().into()),
            _ => Ok(()),
        }
    }

    /// Returns the family of a set that the machine belongs to, or the first family of the set if nothing
    /// decides it.
    pub(super) fn family_of(&self, set: &PackageSet) -> Option<&'a Family> {
        let of_machine = self.families.iter().copied().find(|family| set.serves(family));
        of_machine.or_else(|| {
            let wanted = |family: &&Family| {
                set.serves(family)
                    && self.request.machine.installation.is_none_or(|wanted| wanted == family.installation)
            };
            let families = self.knowledge.families();
            families.iter().find(wanted).or_else(|| families.iter().find(|family| set.serves(family)))
        })
    }

    /// Returns the families that a goal can be about: those of the baseline, else those that a product names.
    pub(super) fn families_of_goal(&self) -> Vec<&'a Family> {
        let request = self.request;
        let named = |family: &Family| self.product.as_ref().is_none_or(|product| product.is_family(family));
        if !self.families.is_empty() {
            return self.families.iter().copied().filter(|family| named(family)).collect();
        }
        if request.product.is_none() {
            return Vec::new();
        }
        let wanted = |family: &&Family| {
            named(family) && request.machine.installation.is_none_or(|wanted| wanted == family.installation)
        };
        self.knowledge.families().iter().filter(wanted).collect()
    }

    /// Returns the month of a set: that of its titles, else of its release.
    pub(super) fn month_of(&self, set: &PackageSet) -> Option<Month> {
        month_of(set, self.family_of(set), self.knowledge)
    }

    /// Returns `true` if something for an architecture may be for the machine.
    pub(super) fn fits(&self, architecture: Option<Architecture>) -> bool {
        match (self.request.machine.architecture, architecture) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        }
    }

    /// Returns a row of a knowledge table as evidence.
    pub(super) fn row_evidence(&self, row: &str) -> Evidence {
        Evidence::Knowledge { row: row.to_owned(), date: self.knowledge.date().to_string() }
    }
}
