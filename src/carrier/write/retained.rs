//! The files that stay on the medium. They are read again before they are signed again.

use std::collections::{BTreeMap, BTreeSet};

use super::copy::CopySource;
use super::planned::TargetPlan;
use super::sets::PayloadSource;
use super::union::damaged_files_error;
use crate::carrier::medium::TOOLS;
use crate::carrier::read::hash_tool;
use crate::disk;
use crate::error::Result;
use crate::event::{Event, Events};
use crate::mirror::{Access, Mirror};
use crate::update::Sha256;

/// The state of the files that stay.
#[derive(Debug, Default)]
pub(super) struct RetainedFiles {
    /// The paths of the files that are verified.
    pub(super) verified: BTreeSet<String>,
    /// The sources for the damaged files, by path: the pool, or another copy on the medium.
    pub(super) replacements: BTreeMap<String, CopySource>,
}

impl TargetPlan<'_> {
    /// Reads the files that stay, before anything is changed. Plans the replacement of a damaged file from the pool
    /// or from another copy on the medium. Refuses the export if neither has the bytes.
    pub(super) fn read_retained(
        &self,
        mirror: &Mirror<impl Access>,
        events: &Events,
    ) -> Result<RetainedFiles> {
        let staying = self.plan.payload.iter().filter(|(_, file)| file.from == PayloadSource::Medium);
        let staying: Vec<_> = staying.collect();
        if !staying.is_empty() {
            events.send(Event::Phase(format!("reading the files that stay on {}", self.target.root())));
        }
        let mut retained = RetainedFiles::default();
        let mut right: BTreeMap<Sha256, &String> = BTreeMap::new();
        for (path, file) in &staying {
            if self.target.has_digest(path, file.sha256) {
                retained.verified.insert((*path).clone());
                right.entry(file.sha256).or_insert(*path);
            }
        }
        let mut lost = Vec::new();
        for (path, file) in staying.iter().filter(|(path, _)| !retained.verified.contains(*path)) {
            let pooled = mirror.layout().pool_file(&file.sha256);
            let twin = right.get(&file.sha256).map(|twin| CopySource::Medium((*twin).clone()));
            let pooled = (disk::file_size(&pooled)? == Some(file.size)).then_some(CopySource::Local(pooled));
            match twin.or(pooled) {
                Some(source) => drop(retained.replacements.insert((*path).clone(), source)),
                None => lost.push((*path).clone()),
            }
        }
        for (name, sha256) in &self.plan.kept_tools {
            let path = format!("{TOOLS}/{name}");
            if hash_tool(self.target.folder()?, &path).ok() != Some(*sha256) {
                lost.push(path);
            }
        }
        if lost.is_empty() { Ok(retained) } else { Err(damaged_files_error(&lost)) }
    }
}
