//! The medium as a value: the path and the content of every file, built before the first byte is written. Pure.
//!
//! The content is a text, the bytes of a file elsewhere, or bytes that stay on the medium. `set.json` is built from
//! all other files and has their digests, so that the tree of a set and its description cannot differ.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::pages::{self, PageContents, SetFacts};
use super::plan::ExportPlan;
use super::sets::{PayloadSource, PlannedPackageSet};
use crate::carrier::medium::{
    DATA, EXPORT_KEY, KEYS, KEYS_SIGNATURE, KNOWLEDGE, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET,
    SET_FORMAT, SET_SIGNATURE, TAG_MANIFEST, TOOLS, manifest_text, set_text,
};
use crate::carrier::read::digest;
use crate::carrier::trust::SigningKeys;
use crate::clock::Time;
use crate::documents::{KnowledgeMark, MediumSet, RetainedSet, Volume, WithdrawnItem};
use crate::error::Result;
use crate::servicing::Knowledge;
use crate::update::Sha256;

/// The content of a file on a medium.
#[derive(Debug)]
enum FileContent {
    /// The bytes of another file: of the pool, or of a program that the operator added.
    File { from: Utf8PathBuf, size: u64 },
    /// The bytes stay on the medium; the size is known if it is listed.
    Kept { size: Option<u64> },
    /// A text.
    Text(Vec<u8>),
}

/// A file on a medium.
#[derive(Debug)]
struct TreeFile {
    content: FileContent,
    sha256: Sha256,
}

/// The complete content of a medium.
#[derive(Debug)]
pub(super) struct MediumTree {
    files: BTreeMap<String, TreeFile>,
    /// The time of the export.
    pub(super) created: Time,
    /// The description of the set.
    pub(super) set: MediumSet,
    /// The digest of `set.json`, which identifies the set.
    pub(super) set_id: Sha256,
}

/// A file whose content is not a text of the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct BinaryFile<'a> {
    /// The path on the medium.
    pub(super) path: &'a str,
    /// The source file, or `None` if the bytes stay on the medium.
    pub(super) from: Option<&'a Utf8Path>,
    /// The digest.
    pub(super) sha256: Sha256,
    /// The size in bytes.
    pub(super) size: u64,
}

/// A program that the operator added, as it was read.
#[derive(Debug)]
pub(super) struct Program {
    /// The file.
    pub(super) from: Utf8PathBuf,
    /// The digest.
    pub(super) sha256: Sha256,
    /// The size in bytes.
    pub(super) size: u64,
}

/// The parts of a medium that are not in its plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct TreeParts<'a> {
    /// The facts about the set.
    pub(super) facts: SetFacts<'a>,
    /// The origin of the mirror's content.
    pub(super) origin: &'a str,
    /// The keys that sign.
    pub(super) keys: &'a SigningKeys,
    /// The knowledge tables, by file name.
    pub(super) tables: &'a [(String, String)],
    /// The programs that the operator added, by name.
    pub(super) programs: &'a BTreeMap<String, Program>,
}

impl TreeFile {
    fn text(bytes: Vec<u8>) -> Self {
        Self { sha256: digest(&bytes), content: FileContent::Text(bytes) }
    }
}

fn is_of_set(path: &str) -> bool {
    Utf8Path::new(path).starts_with(DATA)
}

impl MediumTree {
    /// Builds the medium of a plan.
    pub(super) fn new(plan: &ExportPlan, parts: TreeParts<'_>) -> Result<Self> {
        let (facts, export_key) = (parts.facts, &parts.keys.export);
        let label = format!("kbmirror set {:04} of {}, {}", facts.number, facts.mirror_id, facts.created);
        let payload = payload(plan);
        let manifest = manifest_text(&digests(&payload));
        let listing = plan.listing.to_text()?;
        let mut tags = texts(plan, parts)?;
        tags.insert(
            MANIFEST_SIGNATURE.to_owned(),
            TreeFile::text(export_key.sign(manifest.as_bytes(), &label)?.into_bytes()),
        );
        tags.insert(MANIFEST.to_owned(), TreeFile::text(manifest.into_bytes()));
        tags.insert(LISTING.to_owned(), TreeFile::text(listing.into_bytes()));
        tags.extend(programs(plan, parts.programs));
        let tag_manifest = manifest_text(&digests(&tags));
        tags.insert(TAG_MANIFEST.to_owned(), TreeFile::text(tag_manifest.into_bytes()));
        let set = description(plan, parts, payload.len() as u64, digests(&tags));
        let text = set_text(&set)?;
        let signature = export_key.sign(text.as_bytes(), &label)?;
        let set_id = digest(text.as_bytes());
        let mut files = payload;
        files.extend(tags);
        files.insert(SET.to_owned(), TreeFile::text(text.into_bytes()));
        files.insert(SET_SIGNATURE.to_owned(), TreeFile::text(signature.into_bytes()));
        Ok(Self { files, created: facts.created, set, set_id })
    }

    /// Returns the package files, sorted by path.
    pub(super) fn packages(&self) -> impl Iterator<Item = BinaryFile<'_>> {
        self.binaries().filter(|file| is_of_set(file.path))
    }

    /// Returns the new programs, sorted by path. Does not return programs that stay on the medium.
    pub(super) fn programs(&self) -> impl Iterator<Item = BinaryFile<'_>> {
        self.binaries().filter(|file| !is_of_set(file.path) && file.from.is_some())
    }

    fn binaries(&self) -> impl Iterator<Item = BinaryFile<'_>> {
        self.files.iter().filter_map(|(path, leaf)| {
            let (from, size) = match &leaf.content {
                FileContent::File { from, size } => (Some(from.as_path()), *size),
                FileContent::Kept { size } => (None, (*size)?),
                FileContent::Text(_) => return None,
            };
            Some(BinaryFile { path, from, sha256: leaf.sha256, size })
        })
    }

    /// Returns the install scripts, sorted by path.
    pub(super) fn scripts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.all_texts().filter(|(path, _)| is_of_set(path))
    }

    /// Returns the texts outside of `data/` in the order in which they are written. `set.json` and its signature
    /// are last.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let is_last = |path: &str| [SET, SET_SIGNATURE].contains(&path);
        let first = self.all_texts().filter(move |(path, _)| !is_of_set(path) && !is_last(path));
        first.chain(self.all_texts().filter(move |(path, _)| is_last(path)))
    }

    fn all_texts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().filter_map(|(path, leaf)| match &leaf.content {
            FileContent::Text(bytes) => Some((path.as_str(), bytes.as_slice())),
            FileContent::File { .. } | FileContent::Kept { .. } => None,
        })
    }

    /// Returns the paths of all files.
    pub(super) fn paths(&self) -> BTreeSet<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    /// Returns the paths of all files under `data/`.
    pub(super) fn payload_paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).filter(|path| is_of_set(path))
    }
}

fn digests(files: &BTreeMap<String, TreeFile>) -> BTreeMap<String, Sha256> {
    files.iter().map(|(path, leaf)| (path.clone(), leaf.sha256)).collect()
}

/// Returns the files under `data/`.
fn payload(plan: &ExportPlan) -> BTreeMap<String, TreeFile> {
    let packages = plan.payload.iter().map(|(path, file)| {
        let content = match &file.from {
            PayloadSource::Pool(from) => FileContent::File { from: from.clone(), size: file.size },
            PayloadSource::Medium => FileContent::Kept { size: Some(file.size) },
        };
        (path.clone(), TreeFile { content, sha256: file.sha256 })
    });
    let scripts = plan.scripts.iter().map(|(path, script)| (path.clone(), TreeFile::text(script.clone())));
    packages.chain(scripts).collect()
}

/// Returns the programs, with those that stay on the medium.
fn programs(plan: &ExportPlan, sent: &BTreeMap<String, Program>) -> BTreeMap<String, TreeFile> {
    let path = |name: &String| format!("{TOOLS}/{name}");
    let sent = sent.iter().map(|(name, program)| {
        let content = FileContent::File { from: program.from.clone(), size: program.size };
        (path(name), TreeFile { content, sha256: program.sha256 })
    });
    let kept = plan.kept_tools.iter().map(|(name, sha256)| {
        (path(name), TreeFile { content: FileContent::Kept { size: None }, sha256: *sha256 })
    });
    sent.chain(kept).collect()
}

/// Returns the pages, the keys, the tables, and the `BagIt` files.
fn texts(plan: &ExportPlan, parts: TreeParts<'_>) -> Result<BTreeMap<String, TreeFile>> {
    let contents = PageContents::new(plan, parts.facts);
    let keys = parts.keys;
    let mut texts: BTreeMap<String, TreeFile> =
        pages::files(&contents).into_iter().map(|(name, bytes)| (name, TreeFile::text(bytes))).collect();
    let mut add = |name: &str, text: String| texts.insert(name.to_owned(), TreeFile::text(text.into_bytes()));
    add(KEYS, keys.list.clone());
    add(KEYS_SIGNATURE, keys.list_signature.clone());
    for (name, text) in parts.tables {
        add(&format!("{KNOWLEDGE}/{name}"), text.clone());
    }
    add("collect.cmd", crate::script::collect_script());
    add("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned());
    add("bag-info.txt", pages::bag_info(&contents, plan));
    add(EXPORT_KEY, keys.export.public()?.to_file_text("export"));
    Ok(texts)
}

/// Returns the description of the set.
fn description(
    plan: &ExportPlan,
    parts: TreeParts<'_>,
    files: u64,
    tag_files: BTreeMap<String, Sha256>,
) -> MediumSet {
    let facts = parts.facts;
    let of = |name: &str| tag_files.get(name).copied().unwrap_or_else(|| digest(&[]));
    let scripts: u64 = plan.scripts.values().map(|script| script.len() as u64).sum();
    MediumSet {
        format: SET_FORMAT,
        what: "kbmirror export set".to_owned(),
        mirror_id: facts.mirror_id.to_owned(),
        lineage: facts.root.id(),
        seq: facts.seq,
        number: Some(facts.number),
        created: facts.created.to_string(),
        expires: facts.expires.map(|end| end.to_string()),
        tool: format!("kbmirror {}", env!("CARGO_PKG_VERSION")),
        origin: parts.origin.to_owned(),
        demo: facts.demo,
        knowledge: KnowledgeMark {
            version: facts.knowledge.version().to_owned(),
            date: facts.knowledge.date().to_string(),
        },
        selection: plan.selection.clone(),
        retained: retained(plan),
        complete: plan.is_complete(),
        missing: plan.missing.clone(),
        base: None,
        listing_sha256: of(LISTING),
        volumes: vec![Volume {
            number: 1,
            files,
            file_count: Some(files),
            bytes: plan.bytes + scripts,
            manifest_sha256: of(MANIFEST),
        }],
        withdrawn: withdrawn(plan, facts.knowledge),
        tag_files,
    }
}

fn retained(plan: &ExportPlan) -> Vec<RetainedSet> {
    let sets = plan.sets.iter().filter(|set| !set.is_selected);
    let retained = |set: &PlannedPackageSet| RetainedSet {
        kb: set.kb,
        folder: set.folder.to_string(),
        folder_name: Some(set.folder.to_string()),
        in_mirror: set.in_mirror,
    };
    sets.map(retained).collect()
}

fn withdrawn(plan: &ExportPlan, knowledge: &Knowledge) -> Vec<WithdrawnItem> {
    let kbs: BTreeSet<_> = plan.sets.iter().map(|set| set.kb).collect();
    kbs.into_iter()
        .filter_map(|kb| knowledge.withdrawn().of_kb(kb))
        .map(|row| WithdrawnItem { kb: row.kb, successor: row.successor, why: row.why.clone() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sets::PayloadFile;
    use super::*;
    use crate::carrier::trust::SecretKey;

    #[test]
    fn set_json_has_every_other_digest_and_is_written_last() {
        let (root, export) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let root = root.public().unwrap();
        let keys = SigningKeys { export, list: "list".into(), list_signature: "list".into(), root };
        let knowledge = Knowledge::built_in().unwrap();
        let sha256 = digest(b"package");
        let payload = |from| PayloadFile { from, sha256, size: 7 };
        let of_set = |name: &str| format!("data/KB5086672/windows-11-24h2-arm64{name}");
        let mut plan = ExportPlan { files: 2, bytes: 14, ..ExportPlan::default() };
        plan.payload.insert(of_set("/a.msu"), payload(PayloadSource::Pool("pool/a".into())));
        plan.payload.insert(of_set("/b.msu"), payload(PayloadSource::Medium));
        plan.scripts.insert(of_set(".cmd"), b"script".to_vec());
        plan.kept_tools.insert("old.exe".to_owned(), sha256);
        let program = Program { from: "new.exe".into(), sha256, size: 7 };
        let programs = BTreeMap::from([("new.exe".to_owned(), program)]);
        let facts = SetFacts {
            mirror_id: "id",
            seq: 7,
            number: 7,
            created: "2026-11-23T08:00:00Z".parse().unwrap(),
            expires: None,
            demo: true,
            root: &keys.root,
            knowledge: &knowledge,
        };
        let tables = [("families.toml".to_owned(), "table".to_owned())];
        let parts = TreeParts { facts, origin: "replay", keys: &keys, tables: &tables, programs: &programs };
        let tree = MediumTree::new(&plan, parts).unwrap();

        let texts: Vec<(&str, &[u8])> = tree.texts().collect();
        let (tags, last) = texts.split_at(texts.len() - 2);
        assert_eq!([last[0].0, last[1].0], [SET, SET_SIGNATURE]);
        for (path, bytes) in tags {
            assert_eq!(tree.set.tag_files.get(*path), Some(&digest(bytes)), "{path}");
        }
        assert_eq!(tree.set_id, digest(last[0].1));
        let tags = tree.set.tag_files.keys().map(String::as_str);
        let described: BTreeSet<&str> =
            tags.chain(tree.payload_paths()).chain([SET, SET_SIGNATURE]).collect();
        assert_eq!(described, tree.paths());
        assert!(described.contains("tools/old.exe") && described.contains("knowledge/families.toml"));
        let packages: Vec<Option<&str>> =
            tree.packages().map(|file| file.from.map(Utf8Path::as_str)).collect();
        assert_eq!(packages, [Some("pool/a"), None]);
        assert_eq!(tree.programs().map(|file| file.path).collect::<Vec<_>>(), ["tools/new.exe"]);
        assert_eq!(tree.scripts().count(), 1);
        assert_eq!((tree.set.volumes[0].files, tree.set.volumes[0].bytes), (3, 14 + 6));
    }
}
