//! What lies beside the set folders of a KB: digests for `sha256sum -c`, JSON for programs, a page for people. All
//! three are made from the index and say the same for the same state.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Mirror;
use super::index::{Owner, SetRow, UpdateDetail};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::resolve::{FileFacts, FileKey};
use crate::update::{Architecture, Kb, UpdateId, human_size};

/// The format of a KB's JSON file.
pub(crate) const KB_JSON_FORMAT: u32 = 1;

impl Mirror {
    /// Writes the three files of a KB from what is published of it, where they do not say so already.
    pub(super) fn write_views(&self, kb: Kb) -> Result<()> {
        let sets = self.index.published_sets(kb)?;
        let (updates, files) = self.index.details_of(Owner::Kb(kb))?;
        let origin = self.origin()?;
        disk::write_atomic_if_new(&self.layout.kb_sums(kb), self.sums_of(&sets)?.as_bytes())?;
        let document = self.kb_document(kb, &sets, &updates, &files, &origin)?;
        let mut text = serde_json::to_string_pretty(&document)
            .map_err(|error| Error::new(ErrorKind::Internal, "cannot write JSON").caused_by(error))?;
        text.push('\n');
        disk::write_atomic_if_new(&self.layout.kb_json(kb), text.as_bytes())?;
        disk::write_atomic_if_new(
            &self.layout.kb_readme(kb),
            readme(kb, &sets, &updates, &origin, self)?.as_bytes(),
        )
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

    fn kb_document(
        &self,
        kb: Kb,
        sets: &[SetRow],
        updates: &[UpdateDetail],
        files: &BTreeMap<FileKey, FileFacts>,
        origin: &str,
    ) -> Result<Value> {
        let mut set_values = Vec::new();
        for set in sets {
            let mut files = Vec::new();
            for (member, name) in set.members.iter().zip(self.folder_of(set)?.names) {
                let (checks, (sha1_source, sha256_source)) = match member.file.key {
                    Some(key) => (self.index.checks_of(key)?, self.index.digest_sources(key)?),
                    None => Default::default(),
                };
                let checks: Vec<Value> = checks
                    .into_iter()
                    .map(|(what, against)| json!({ "what": what, "against": against }))
                    .collect();
                files.push(json!({
                    "order": files.len() + 1,
                    "role": member.role,
                    "kb": member.file.kb,
                    "name": member.file.name,
                    "path": format!("{}/{name}", set.folder),
                    "architecture": member.file.architecture,
                    "sha1": member.file.sha1,
                    "sha1_source": sha1_source,
                    "sha256": member.file.sha256,
                    "sha256_source": sha256_source,
                    "size": member.file.size,
                    "urls": member.file.urls,
                    "checks": checks,
                }));
            }
            set_values.push(json!({
                "folder": set.folder,
                "family": set.family,
                "architecture": set.architecture,
                "products": set.products.split("; ").collect::<Vec<_>>(),
                "is_dynamic": set.is_dynamic,
                "files": files,
                "needs": self.needs_of(set)?,
            }));
        }
        let update_values: Vec<Value> = updates.iter().map(|update| update_value(update, files)).collect();
        Ok(json!({
            "format": KB_JSON_FORMAT,
            "kb": kb,
            "origin": origin,
            "sets": set_values,
            "updates": update_values,
        }))
    }
}

impl Mirror {
    /// The edges among the files of a set, by their places in its order.
    fn needs_of(&self, set: &SetRow) -> Result<Vec<Value>> {
        let place = |key: FileKey| {
            set.members.iter().position(|member| member.file.key == Some(key)).map(|place| place + 1)
        };
        let mut needs = Vec::new();
        for (from, to, role, source) in self.index.needs_of_set(set.id)? {
            needs.push(json!({ "from": place(from), "to": place(to), "role": role, "source": source }));
        }
        Ok(needs)
    }
}

fn update_value(update: &UpdateDetail, files: &BTreeMap<FileKey, FileFacts>) -> Value {
    let pairs = |pairs: &[(Option<UpdateId>, String)]| -> Vec<Value> {
        pairs.iter().map(|(id, title)| json!({ "update_id": id, "title": title })).collect()
    };
    let listed = update.facts.files.as_ref().map(|keys| {
        let listed = keys.iter().filter_map(|key| files.get(key));
        listed
            .map(|file| json!({ "name": file.name, "sha1": file.sha1, "sha256": file.sha256, "urls": file.urls }))
            .collect::<Vec<Value>>()
    });
    json!({
        "update_id": update.facts.id,
        "title": update.facts.title,
        "products": update.facts.products,
        "classification": update.classification,
        "last_updated": update.facts.last_updated,
        "size": update.facts.size,
        "first_seen": update.first_seen,
        "files": listed,
        "superseded_by": pairs(&update.superseded_by),
        "supersedes": pairs(&update.supersedes),
    })
}

fn readme(
    kb: Kb,
    sets: &[SetRow],
    updates: &[UpdateDetail],
    origin: &str,
    mirror: &Mirror,
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
    for set in sets {
        lines.push(String::new());
        lines.push(format!("{}/", set.folder));
        let architecture = set.architecture.map_or("every architecture", Architecture::as_str);
        lines.push(format!("  for     {} ({architecture})", set.products));
        lines.push("  order   of installation:".to_owned());
        for (place, (member, name)) in set.members.iter().zip(mirror.folder_of(set)?.names).enumerate() {
            let size = member.file.size.map(human_size).unwrap_or_default();
            lines.push(format!("          {}. {name}", place + 1));
            lines.push(format!("             {}, {size}", member.role));
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
