//! The single table row of a KB that neither the history nor the packages contain.

use super::knowledge::Knowledge;
use super::known_file::KnownFile;
use super::prerequisites::FamilyPrerequisite;
use crate::update::{Kb, Kind};

/// A table row of a KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleRow<'k> {
    /// The family's id.
    pub family: u32,
    /// The type of the update, if the table states it.
    pub kind: Option<Kind>,
    /// The files of the row.
    pub files: &'k [KnownFile],
    /// The source of the row.
    pub source: &'k str,
}

impl Knowledge {
    /// Returns the first row of a KB, or `None` if no table has one. The tables are enablement packages, floors,
    /// preparations, prerequisites, .NET packages, and parent rules, in this order.
    pub fn single_row(&self, kb: Kb) -> Option<SingleRow<'_>> {
        let row = |family, kind, source| SingleRow { family, kind, files: &[], source };
        let enablement = self.enablement().of_kb(kb).map(|own| SingleRow {
            files: own.files(),
            ..row(own.family, Some(Kind::Enablement), own.source.as_str())
        });
        let floor = || {
            self.prerequisites().floor(kb).map(|own| SingleRow {
                files: &own.files,
                ..row(own.family, Some(Kind::Ssu), own.source.as_str())
            })
        };
        let preparation = || {
            let esu = self.editions().esu_of_preparation(kb)?;
            Some(row(esu.family, Some(Kind::EsuLicensing), esu.source.as_str()))
        };
        let before = || {
            let own = self
                .prerequisites()
                .single_prerequisites()
                .iter()
                .find(|own| own.kb == kb || own.needs == kb)?;
            Some(row(own.family, (own.needs == kb).then_some(Kind::Ssu), own.source.as_str()))
        };
        let since = || {
            let names = |needs: &[FamilyPrerequisite]| needs.iter().any(|needed| needed.kb == kb);
            let own = self.prerequisites().family_prerequisites().iter().find(|own| names(&own.needs))?;
            Some(row(own.family, None, own.source.as_str()))
        };
        let child = || {
            let (parent, _) = self.dotnet().child(kb)?;
            Some(row(parent.family, Some(Kind::DotnetCu), parent.source.as_str()))
        };
        let single = || {
            let own = self.dotnet().single(kb)?;
            Some(row(own.family, Some(Kind::DotnetCu), own.source.as_str()))
        };
        let offered = || {
            let own = self.dotnet().offered_of(kb).next()?;
            let kind = self.parents().kind_of(kb).unwrap_or(Kind::DotnetCu);
            Some(row(own.family, Some(kind), own.source.as_str()))
        };
        let rule = || {
            let own = self.parents().rule(kb)?;
            Some(row(own.family, None, own.source.as_str()))
        };
        enablement
            .or_else(floor)
            .or_else(preparation)
            .or_else(before)
            .or_else(since)
            .or_else(child)
            .or_else(single)
            .or_else(offered)
            .or_else(rule)
    }
}
