//! What lies beside the set folders of a KB: digests for `sha256sum -c`, JSON for programs, a page for people, and the
//! install scripts. All are made from the index and the knowledge of the run, and say the same for the same two.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::Utf8PathBuf;

use super::index::{Owner, SetRow, UpdateDetail};
use super::written::WrittenScripts;
use super::{Access, Mirror, Writing};
use crate::clock::Time;
use crate::disk;
use crate::error::{Error, Result};
use crate::facts::{Checked, Role, Source};
use crate::resolve::{Member, Plan};
use crate::servicing::Knowledge;
use crate::update::{Architecture, Kb, human_size};

/// A published set, with the plan and the script that one knowledge gives for it.
#[derive(Debug)]
pub(super) struct SetView<'s> {
    pub(super) set: &'s SetRow,
    pub(super) plan: Option<Plan>,
    pub(super) script: Option<String>,
}

impl<S: Access> Mirror<S> {
    /// Where nobody but knowledge vouches for a file, that is said beside it.
    fn word_of_knowledge(&self, member: &Member) -> Result<String> {
        let Some(key) = member.file.key else { return Ok(String::new()) };
        let checks = self.index.checks_of(key)?;
        if checks.iter().any(|check| check.against == Source::Dialog && check.what != Checked::Size) {
            return Ok(String::new());
        }
        let of_knowledge = checks.iter().filter(|check| check.against == Source::Knowledge);
        let words: Vec<String> =
            of_knowledge.map(|check| format!("{} ({})", check.what, check.against)).collect();
        if words.is_empty() {
            return Ok(String::new());
        }
        Ok(format!(", checked by {}, not by the Catalog", words.join(" and ")))
    }

    /// The text of a KB's SHA256SUMS.
    pub(super) fn sums_of(&self, sets: &[SetRow]) -> Result<String> {
        let mut sums = String::new();
        for set in sets {
            for (member, name) in set.members.iter().zip(self.folder_of(set)?.names) {
                if let Some(sha256) = member.file.sha256 {
                    // Formatting into a string cannot fail.
                    let _ = writeln!(sums, "{sha256}  {}/{name}", set.folder);
                }
            }
        }
        Ok(sums)
    }

    /// Works out what the views say of a set, by this knowledge.
    pub(super) fn set_view<'s>(&self, set: &'s SetRow, knowledge: &Knowledge) -> Result<SetView<'s>> {
        let plan = self.plan_of(set, knowledge)?;
        let script = match &plan {
            Some(plan) => self.script_of(set, plan, knowledge)?,
            None => None,
        };
        Ok(SetView { set, plan, script })
    }
}

impl Mirror<Writing> {
    /// Brings what lies beside the set folders up to what was learned since a time: an entry that was read for one KB changes
    /// what is known of others, as of those that it supersedes.
    pub fn refresh_views_since(&mut self, start: Time, knowledge: &Knowledge) -> Result<()> {
        let kbs = self.index.published_and_touched_since(start)?;
        kbs.into_iter().try_for_each(|kb| self.write_views(kb, knowledge).map(drop))
    }

    /// Does the same for every KB, whatever was cut off before. Returns the paths that were changed, relative to the mirror.
    pub fn refresh_views(&mut self, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let kbs: BTreeSet<Kb> = self.index.published_folders(None)?.into_iter().map(|(kb, ..)| kb).collect();
        let mut changed = Vec::new();
        for kb in kbs {
            changed.extend(self.write_views(kb, knowledge)?);
        }
        Ok(changed)
    }

    /// Writes what lies beside a KB's set folders from what is published of it, where it does not say so already. Returns the
    /// paths that were changed, relative to the mirror.
    pub(super) fn write_views(&mut self, kb: Kb, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let sets = self.index.published_sets(kb)?;
        let made = sets.iter().map(|set| self.set_view(set, knowledge)).collect::<Result<Vec<_>>>()?;
        let (updates, _) = self.index.details_of(Owner::Kb(kb))?;
        let origin = self.origin()?;
        let mut changed = self.write_scripts(kb, &made, knowledge)?;
        let mut write = |path: Utf8PathBuf, text: &str| -> Result<()> {
            if disk::write_atomic_if_new(&path, text.as_bytes())? {
                changed.push(path);
            }
            Ok(())
        };
        write(self.layout.kb_sums(kb), &self.sums_of(&sets)?)?;
        let document = self.kb_document(kb, &sets)?;
        let mut text = serde_json::to_string_pretty(&document).map_err(Error::cannot_write_json)?;
        text.push('\n');
        write(self.layout.kb_json(kb), &text)?;
        write(self.layout.kb_readme(kb), &readme(kb, &made, &updates, &origin, self)?)?;
        let mut beside = vec![self.layout.kb_sums(kb), self.layout.kb_json(kb), self.layout.kb_readme(kb)];
        beside.extend(sets.iter().map(|set| self.layout.kb_script(kb, &set.folder)));
        let beside: BTreeSet<Utf8PathBuf> = beside.iter().map(|path| self.layout.portable(path)).collect();
        let changed: Vec<Utf8PathBuf> = changed.iter().map(|path| self.layout.portable(path)).collect();
        let is_right = |path: &Utf8PathBuf| beside.contains(path) || changed.contains(path);
        let damage = self.index.damage()?.into_iter().map(|damage| damage.path);
        let healed: Vec<Utf8PathBuf> = damage.filter(is_right).collect();
        if !healed.is_empty() {
            self.index.in_transaction(|index| healed.iter().try_for_each(|path| index.clear_damage(path)))?;
        }
        Ok(changed)
    }

    /// Writes an install script beside each folder that a script can install, and removes those of folders that are gone. Returns
    /// the paths that were changed.
    fn write_scripts(
        &mut self,
        kb: Kb,
        made: &[SetView<'_>],
        knowledge: &Knowledge,
    ) -> Result<Vec<Utf8PathBuf>> {
        let (mut kept, mut changed) = (Vec::new(), Vec::new());
        let mut written = WrittenScripts::new(knowledge);
        for SetView { set, script, .. } in made {
            if let Some(text) = script {
                let path = self.layout.kb_script(kb, &set.folder);
                if disk::write_atomic_if_new(&path, text.as_bytes())? {
                    changed.push(path);
                }
                kept.push(format!("{}.cmd", set.folder));
                written.add(&set.folder, text);
            }
        }
        for name in disk::list(&self.layout.kb(kb))? {
            let is_script = camino::Utf8Path::new(&name).extension() == Some("cmd");
            if is_script && !kept.contains(&name) {
                let path = self.layout.kb(kb).join(name);
                disk::remove_file(&path)?;
                changed.push(path);
            }
        }
        self.record_written_scripts(kb, &written)?;
        Ok(changed)
    }
}

/// Where a folder alone is not the answer: what lies under other KBs, WinPE past the checkpoint, one .NET Framework of
/// several.
fn beside_the_folder(kb: Kb, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        let when = step.needed_if.as_ref().map_or_else(String::new, |when| format!(", when: {when}"));
        if let Some((other, folder)) = step.set.as_ref().filter(|(other, _)| *other != kb) {
            lines.push(format!("  before  {other} ({}), in ..\\{other}\\{folder}{when}", step.role));
        } else if let Some(other) = step.kb.filter(|other| *other != kb && step.set.is_none()) {
            lines.push(format!("  before  {other} ({}), not in this mirror{when}", step.role));
        }
    }
    if plan.steps.iter().any(|step| step.role == Role::Checkpoint) {
        lines.push(
            "  WinPE   at the checkpoint or past it takes the target alone: kbmirror stage --for winpe --baseline BUILD"
                .to_owned(),
        );
    }
    if plan.steps.iter().filter(|step| step.role == Role::DotnetChild).count() > 1 {
        lines.push(
            "  .NET    a machine takes one of the packages: kbmirror stage --dotnet VERSION".to_owned(),
        );
    }
    lines
}

fn readme(
    kb: Kb,
    made: &[SetView<'_>],
    updates: &[UpdateDetail],
    origin: &str,
    mirror: &Mirror<impl Access>,
) -> Result<String> {
    let mut lines: Vec<String> = Vec::new();
    lines.push(format!("{kb}"));
    if origin == super::REPLAY {
        lines.push(String::new());
        lines.push(
            "DEMO: these files come from a recording. They are stand-ins; nothing here can be installed."
                .to_owned(),
        );
    }
    for SetView { set, plan, script } in made {
        lines.push(String::new());
        lines.push(format!("{}/", set.folder));
        let architecture = set.architecture.map_or("every architecture", Architecture::as_str);
        lines.push(format!("  for     {} ({architecture})", set.products));
        lines.push("  order   of installation:".to_owned());
        for (place, (member, name)) in set.members.iter().zip(mirror.folder_of(set)?.names).enumerate() {
            let size = member.file.size.map(human_size).unwrap_or_default();
            lines.push(format!("          {}. {name}", place + 1));
            let word = mirror.word_of_knowledge(member)?;
            lines.push(format!("             {}, {size}{word}", member.role));
        }
        let builds: Vec<String> = updates
            .iter()
            .filter(|update| update.facts.architecture == set.architecture)
            .filter_map(|update| update.facts.build)
            .map(|build| build.to_string())
            .collect();
        if !builds.is_empty() {
            lines.push(format!("  brings  build {}", builds.join(", ")));
        }
        if let Some(plan) = plan {
            lines.extend(beside_the_folder(kb, plan));
        }
        if script.is_some() {
            lines.push(format!("  script  {}.cmd installs it and checks after the restart", set.folder));
        }
    }
    lines.push(String::new());
    lines.push("Check the files on Linux from this folder:  sha256sum -c SHA256SUMS".to_owned());
    lines.push("On Windows, one by one:                     certutil -hashfile FILE SHA256".to_owned());
    lines.push("Each folder holds one package set and nothing else, so that DISM may be pointed at the target in it.".to_owned());
    lines.push(format!(
        "Which files a machine really needs: kbmirror resolve {kb} --arch ARCH --baseline BUILD"
    ));
    // Read on the Windows side too.
    Ok(lines.join("\r\n") + "\r\n")
}
