//! The package sets of a KB that the index has nothing of: from the release history and the checkpoint table alone.
//!
//! Only cumulative updates are known so. The answer names files and order and says that it rests on knowledge; nobody
//! has asked the Catalog, so there are no addresses and no sizes.

use std::collections::BTreeMap;

use super::facts::FileFacts;
use super::roles::{Evidence, Member, Role, edges_of, known_checkpoint};
use super::sets::{FamilyName, PackageSet};
use crate::servicing::{Family, Knowledge, Release};
use crate::update::{Architecture, Kb, Kind};

/// The sets of a KB by what is known beforehand; none when nothing is.
pub fn known_sets(kb: Kb, knowledge: &Knowledge) -> Vec<PackageSet> {
    // By the family's number: client and server that share a release share its files.
    let mut releases: BTreeMap<u32, Release> = BTreeMap::new();
    for release in knowledge.releases_of_kb(kb) {
        // The last one is what the files bring now.
        releases.insert(release.build.number, release);
    }
    let mut sets = Vec::new();
    for release in releases.values() {
        let families: Vec<&Family> =
            knowledge.families().iter().filter(|family| release.is_for(family)).collect();
        let Some(first) = families.first() else { continue };
        for (architecture, name) in knowledge.files_of_kb(kb) {
            sets.push(known_set(release, first, &families, architecture, &name, knowledge));
        }
    }
    sets.sort_by(|a, b| (a.architecture, &a.folder).cmp(&(b.architecture, &b.folder)));
    sets
}

fn known_set(
    release: &Release,
    first: &Family,
    families: &[&Family],
    architecture: Architecture,
    name: &str,
    knowledge: &Knowledge,
) -> PackageSet {
    let date = knowledge.date().to_string();
    let mut warnings =
        vec![format!("the index has no entry of {}: this rests on knowledge of {date} alone", release.kb)];
    let mut members = Vec::new();
    for checkpoint in knowledge.checkpoints_of(first).filter(|checkpoint| checkpoint.build < release.build) {
        let Some(file) = checkpoint.file(architecture) else {
            warnings.push(format!("no file of the checkpoint {} is known for {architecture}", checkpoint.kb));
            continue;
        };
        members.push(Member {
            file: FileFacts::from(file),
            role: Role::Checkpoint,
            build: Some(checkpoint.build),
            evidence: vec![known_checkpoint(checkpoint, knowledge)],
        });
    }
    let row = format!("{} is {} (release history)", release.kb, release.build);
    members.push(Member {
        file: FileFacts::from_name(name),
        role: Role::Target,
        build: Some(release.build),
        evidence: vec![Evidence::Knowledge { row, date }],
    });
    PackageSet {
        kb: release.kb,
        kind: Some(Kind::Lcu),
        families: families.iter().map(|family| FamilyName::from(*family)).collect(),
        architecture: Some(architecture),
        folder: format!("{}-{architecture}", first.folder),
        products: families.iter().map(|family| family.name.clone()).collect(),
        updates: Vec::new(),
        needs: edges_of(&members),
        members,
        stated_size: None,
        is_dynamic_variant: false,
        warnings,
    }
}
