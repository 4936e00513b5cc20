//! What people read on a medium, and the scripts that check it with nothing installed. Pure: from what the set is to
//! texts; every text from elsewhere is escaped.

mod index;

use std::fmt::Write as _;

use super::export::Context;
use super::plan::ExportPlan;
use crate::update::{Architecture, Kb, count, human_size};

/// What the pages tell of.
#[derive(Debug)]
pub(super) struct Contents {
    /// "0007"
    pub(super) label: String,
    pub(super) identity: String,
    pub(super) created: String,
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

/// One package set on the pages.
#[derive(Debug)]
pub(super) struct SetPage {
    pub(super) kb: Kb,
    pub(super) folder: String,
    pub(super) products: Vec<String>,
    pub(super) architecture: Option<Architecture>,
    pub(super) needed_by: Vec<Kb>,
    pub(super) has_script: bool,
    pub(super) files: Vec<FilePage>,
    /// What has to be installed before and lies elsewhere: KB, folder, why.
    pub(super) before: Vec<(Kb, String, String)>,
}

/// One file on the pages.
#[derive(Debug)]
pub(super) struct FilePage {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) size: u64,
    pub(super) sha256: String,
    pub(super) why: String,
}

impl Contents {
    pub(super) fn new(
        plan: &ExportPlan,
        seq: u64,
        context: &Context<'_>,
        identity: &str,
        demo: bool,
    ) -> Self {
        let sets = plan.sets.iter().zip(&plan.listing.sets).map(|(planned, (kb, set))| SetPage {
            kb: *kb,
            folder: set.folder.clone(),
            products: set.products.clone(),
            architecture: set.architecture,
            needed_by: planned.needed_by.iter().copied().collect(),
            has_script: plan.scripts.contains_key(&format!("data/{kb}/{}.cmd", set.folder)),
            files: (set.files.iter())
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
        let withdrawn = plan.sets.iter().filter_map(|set| context.knowledge.withdrawn(set.kb));
        let mut withdrawn: Vec<_> = withdrawn.map(|row| (row.kb, row.successor, row.why.clone())).collect();
        withdrawn.dedup();
        Self {
            label: format!("{seq:04}"),
            identity: identity.to_owned(),
            created: context.now.to_owned(),
            demo,
            root_key: context.keys.root.to_string(),
            root_id: context.keys.root.id(),
            knowledge: format!("{} of {}", context.knowledge.version(), context.knowledge.date()),
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

    /// When, for people: `2026-11-23 08:00 UTC`.
    fn made(&self) -> String {
        match (self.created.get(..10), self.created.get(11..16), self.created.ends_with('Z')) {
            (Some(day), Some(time), true) => format!("{day} {time} UTC"),
            _ => self.created.clone(),
        }
    }
}

/// Every page and script of a medium, by its name.
pub(super) fn all(contents: &Contents) -> Vec<(String, Vec<u8>)> {
    vec![
        (super::medium::START_HERE.to_owned(), start_here(contents).into_bytes()),
        ("index.html".to_owned(), index::html(contents).into_bytes()),
        ("verify.cmd".to_owned(), with_crlf(include_str!("verify.cmd")).into_bytes()),
        ("verify.ps1".to_owned(), with_crlf(include_str!("verify.ps1")).into_bytes()),
    ]
}

/// A way to check a medium.
pub(super) struct CheckWay {
    /// The means that it takes.
    pub(super) label: &'static str,
    /// The command line, typed at the root of the medium.
    pub(super) commands: Vec<String>,
    /// A limit of it.
    pub(super) note: &'static str,
}

/// The ways to check a medium; every page shows these and no others.
pub(super) fn checks(contents: &Contents) -> Vec<CheckWay> {
    let way = |label, commands, note| CheckWay { label, commands, note };
    vec![
        way("with kbmirror", vec!["kbmirror check-medium .".to_owned()], ""),
        way(
            "on Windows, nothing installed",
            vec![r".\verify.cmd".to_owned()],
            "(with the dot: verify alone is a command of Windows)",
        ),
        way(
            "on Linux, nothing installed",
            vec!["sha256sum -c --quiet manifest-sha256.txt".to_owned()],
            "It does not notice what lies in data besides: that has to be nothing.",
        ),
        way(
            "the signatures, with minisign",
            vec![
                format!("minisign -Vm keys.json -P {}", contents.root_key),
                "minisign -Vm set.json -p export.pub".to_owned(),
                "minisign -Vm manifest-sha256.txt -p export.pub".to_owned(),
            ],
            "export.pub must be one of the keys in keys.json.",
        ),
    ]
}

/// The command that takes a medium into a mirror, on every page.
pub(super) const IMPORT: &str = "kbmirror import .";

/// The root of trust of a medium, as every page states it.
pub(super) const TRUST: [&str; 2] = [
    "A check that travels with the medium proves that nothing was damaged. It cannot prove that nothing was changed.",
    "Trust begins with the root key that you have on paper: it signs keys.json, and a key in keys.json signs the rest.",
];

/// Read on the Windows side too.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// The first thing that somebody opens.
pub(super) fn start_here(contents: &Contents) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(words);
        text.push_str("\r\n");
    };
    line(&format!("kbmirror export set {} - Windows updates for a network without Internet", contents.label));
    if contents.demo {
        line("");
        line("DEMO: these files come from a recording. They are stand-ins; nothing here can be installed.");
    }
    line("");
    line(&format!("Made:   {}", contents.made()));
    line(&format!("Mirror: {}", contents.identity));
    line(&format!(
        "Holds:  {}, {}, {}",
        count(contents.sets.len(), "package set"),
        count(contents.files, "file"),
        human_size(contents.bytes)
    ));
    line("");
    line("What is on it, in which order, and why: open index.html in any browser.");
    line("");
    line("Before you use it, check it, from the folder in which this file lies:");
    for check in checks(contents) {
        for (number, command) in check.commands.iter().enumerate() {
            let label = if number == 0 { check.label } else { "" };
            line(&format!("  {label:<34}{command}"));
        }
        if !check.note.is_empty() {
            line(&format!("  {:<34}{}", "", check.note));
        }
    }
    line("");
    line(
        "The root key of the mirror that made it (compare it with what you have on paper, not with this line alone):",
    );
    line(&format!("  {}", contents.root_key));
    line(&format!("  id {}", contents.root_id));
    for sentence in TRUST {
        line(sentence);
    }
    line("");
    line(&format!("Take it into the mirror on this side:   {IMPORT}"));
    line("Install without a mirror:               data\\KB...\\<product>.cmd, as administrator");
    if !contents.tools.is_empty() {
        line(&format!("Programs sent along:                    tools\\{}", contents.tools.join(", tools\\")));
    }
    if !contents.missing.is_empty() {
        line("");
        line("NOT COMPLETE. What was wanted and is not here:");
        for (kb, why) in &contents.missing {
            line(&format!("  {kb} {why}"));
        }
    }
    text
}

/// `bag-info.txt`
pub(super) fn bag_info(contents: &Contents, plan: &ExportPlan) -> String {
    let scripts: u64 = plan.scripts.values().map(|script| script.len() as u64).sum();
    let octets = plan.bytes + scripts;
    let streams = plan.payload.len() + plan.scripts.len();
    let day = contents.created.get(..10).unwrap_or(&contents.created);
    let mut text = String::new();
    for (name, value) in [
        ("Bag-Software-Agent", format!("kbmirror {}", env!("CARGO_PKG_VERSION"))),
        ("Bagging-Date", day.to_owned()),
        ("Bag-Group-Identifier", format!("{}-{}", contents.identity, contents.label)),
        ("Bag-Count", "1 of 1".to_owned()),
        ("External-Identifier", format!("KBM-{}-1OF1", contents.label)),
        ("Payload-Oxum", format!("{octets}.{streams}")),
    ] {
        let _written = writeln!(text, "{name}: {value}");
    }
    text
}
