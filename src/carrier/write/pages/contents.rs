//! The content of a medium's pages, built from the plan and the facts of its set.

use crate::carrier::trust::PublicKey;
use crate::carrier::write::plan::ExportPlan;
use crate::clock::Time;
use crate::servicing::Knowledge;
use crate::update::{Architecture, Kb};

/// The facts about a set that are not in its plan.
#[derive(Debug, Clone, Copy)]
pub(in crate::carrier::write) struct SetFacts<'a> {
    /// The id of the mirror.
    pub(in crate::carrier::write) mirror_id: &'a str,
    /// The sequence number of the set.
    pub(in crate::carrier::write) seq: u64,
    /// The number of the set, for people.
    pub(in crate::carrier::write) number: u64,
    /// The time of the export.
    pub(in crate::carrier::write) created: Time,
    /// The end of the set's validity, or `None` if it does not expire.
    pub(in crate::carrier::write) expires: Option<Time>,
    /// `true` if the content comes from a recording.
    pub(in crate::carrier::write) demo: bool,
    /// The root key.
    pub(in crate::carrier::write) root: &'a PublicKey,
    /// The knowledge that is exported with the set.
    pub(in crate::carrier::write) knowledge: &'a Knowledge,
}

/// The content of the pages.
#[derive(Debug)]
pub(in crate::carrier::write) struct PageContents {
    /// The number of the set as text, such as "0007".
    pub(super) label: String,
    pub(super) identity: String,
    pub(super) created: Time,
    pub(super) expires: Option<Time>,
    pub(super) demo: bool,
    pub(super) root_key: String,
    pub(super) root_id: String,
    pub(super) knowledge: String,
    pub(super) sets: Vec<SetPage>,
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) missing: Vec<(Kb, String)>,
    pub(super) withdrawn: Vec<(Kb, Kb, String)>,
    pub(super) tools: Vec<String>,
}

/// A package set on the pages.
#[derive(Debug)]
pub(super) struct SetPage {
    pub(super) kb: Kb,
    pub(super) folder: String,
    pub(super) products: Vec<String>,
    pub(super) architecture: Option<Architecture>,
    pub(super) needed_by: Vec<Kb>,
    pub(super) has_script: bool,
    pub(super) files: Vec<FilePage>,
    /// The packages of other KBs that must be installed before: KB, folder, and reason.
    pub(super) before: Vec<(Kb, String, String)>,
}

/// A file on the pages.
#[derive(Debug)]
pub(super) struct FilePage {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) size: u64,
    pub(super) sha256: String,
    pub(super) why: String,
}

impl PageContents {
    /// Returns the content of the pages of a set.
    pub(in crate::carrier::write) fn new(plan: &ExportPlan, set: SetFacts<'_>) -> Self {
        let sets = plan.sets.iter().zip(&plan.listing.sets).map(|(planned, (kb, record))| SetPage {
            kb: *kb,
            folder: record.folder.to_string(),
            products: record.products.clone(),
            architecture: record.architecture,
            needed_by: planned.needed_by.iter().copied().collect(),
            has_script: plan.scripts.contains_key(&format!("data/{kb}/{}.cmd", record.folder)),
            files: (record.files.iter())
                .map(|file| FilePage {
                    name: file.path.rsplit('/').next().unwrap_or_default().to_owned(),
                    role: file.role.clone(),
                    size: file.size.unwrap_or_default(),
                    sha256: file.sha256.map_or_else(String::new, |digest| digest.to_string()),
                    why: planned.reasons.get(&file.name).cloned().unwrap_or_default(),
                })
                .collect(),
            before: planned.before.clone(),
        });
        let withdrawn = plan.sets.iter().filter_map(|planned| set.knowledge.withdrawn().of_kb(planned.kb));
        let mut withdrawn: Vec<_> = withdrawn.map(|row| (row.kb, row.successor, row.why.clone())).collect();
        withdrawn.dedup();
        Self {
            label: format!("{:04}", set.number),
            identity: set.mirror_id.to_owned(),
            created: set.created,
            expires: set.expires,
            demo: set.demo,
            root_key: set.root.to_string(),
            root_id: set.root.id(),
            knowledge: format!("{} of {}", set.knowledge.version(), set.knowledge.date()),
            sets: sets.collect(),
            files: plan.files,
            bytes: plan.bytes,
            missing: plan
                .missing
                .iter()
                .map(|item| (item.kb, format!("{}: {}", item.what, item.why)))
                .collect(),
            withdrawn,
            tools: plan.tools.keys().cloned().collect(),
        }
    }

    /// Returns the time of the export for people: `2026-11-23 08:00 UTC`.
    pub(super) fn created_text(&self) -> String {
        format_time(self.created)
    }

    /// Returns the end of the set's validity for people, with its consequence.
    pub(super) fn validity_text(&self) -> String {
        match self.expires {
            Some(end) => {
                format!("until {}; after that, import needs --accept-expired", format_time(end))
            }
            None => "without an expiry date".to_owned(),
        }
    }
}

fn format_time(time: Time) -> String {
    format!("{} {} UTC", time.date(), time.hour_and_minute())
}
