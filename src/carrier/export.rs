//! Writing a medium: preflight, payload, tag files, manifest, and the signature last; then all of it is read back with
//! the eyes of the receiving side. How the folder is treated meanwhile is in `target`.
//!
//! A medium that is being written has no signature, so that one which was cut off is refused and not mistaken.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::check::{Trust, digest, examine};
use super::keys::SigningKeys;
use super::medium::{
    KEYS, KEYS_SIGNATURE, KNOWLEDGE, KnowledgeMark, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET, SET_FORMAT,
    SET_SIGNATURE, START_HERE, SetDocument, TAG_MANIFEST, Volume, WithdrawnItem, manifest_text,
};
use super::pages::{self, Contents};
use super::plan::ExportPlan;
use super::target::{Target, write_if_other};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::mirror::{Mirror, REPLAY};
use crate::servicing::Knowledge;
use crate::update::{Sha256, human_size};

/// What an export did.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// Where the medium is.
    pub folder: Utf8PathBuf,
    /// The number of the set.
    pub seq: u64,
    /// Which set it is.
    pub set_id: Sha256,
    /// Package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Install scripts.
    pub scripts: u64,
    /// Package files that were there and right.
    pub kept: u64,
    /// Files of an earlier set that were taken away.
    pub removed: u64,
    /// Files of the payload that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// Whether the system's memory was emptied before, so that the medium itself answered.
    pub read_back_cold: bool,
    /// The key that signed.
    pub key: super::signature::PublicKey,
    /// Whether everything that was wanted is there.
    pub complete: bool,
}

impl Exported {
    /// One line that tells what was done and checked.
    pub fn evidence(&self) -> String {
        let kept =
            if self.kept == 0 { String::new() } else { format!(", kept {} that were right", self.kept) };
        format!(
            "wrote {} files and {} scripts, {}{kept}, read back {}, set {:04}, key {}",
            self.written,
            self.scripts,
            human_size(self.written_bytes),
            self.read_back,
            self.seq,
            self.key.short()
        )
    }
}

/// What the whole of an export needs besides its plan.
#[derive(Debug)]
pub struct Context<'a> {
    /// The keys.
    pub keys: &'a SigningKeys,
    /// What is known, and travels along.
    pub knowledge: &'a Knowledge,
    /// Its tables by their file names.
    pub tables: &'a [(String, String)],
    /// When (RFC 3339).
    pub now: &'a str,
    /// Who watches.
    pub events: &'a Events,
}

/// Writes the medium. The mirror's lock is held, because sets are numbered.
pub fn export(
    plan: &ExportPlan,
    to: &Utf8Path,
    mirror: &mut Mirror,
    context: &Context<'_>,
) -> Result<Exported> {
    let identity = identity(mirror)?;
    let manifest = planned_manifest(plan);
    let mut target = Target::new(to, &manifest, &identity)?;
    target.preflight(plan)?;
    // The receiving side makes the same views from the same facts.
    mirror.refresh_views()?;
    let seq = next_number(mirror)?;
    disk::create_dir_all(to)?;
    // From here on the medium is no finished one.
    disk::remove_file(&to.join(SET_SIGNATURE))?;
    let origin = mirror.origin()?;
    let demo = origin == REPLAY;
    let contents = Contents::new(plan, seq, context, &identity, demo)?;
    write_if_other(&to.join(START_HERE), pages::start_here(&contents).as_bytes())?;
    target.begin(&manifest)?;
    target.write_payload(plan, context.events)?;
    let mut tags = tag_texts(plan, &contents, context);
    let manifest_text = manifest_text(&manifest);
    let label = format!("kbmirror set {seq:04} of {identity}, {}", context.now);
    let manifest_signature = context.keys.export.sign(manifest_text.as_bytes(), &label)?;
    tags.insert(MANIFEST.to_owned(), manifest_text.into_bytes());
    tags.insert(MANIFEST_SIGNATURE.to_owned(), manifest_signature.into_bytes());
    let listing = plan.listing.to_text()?;
    let listing_sha256 = digest(listing.as_bytes());
    tags.insert(LISTING.to_owned(), listing.into_bytes());
    let mut tag_files: BTreeMap<String, Sha256> =
        tags.iter().map(|(name, bytes)| (name.clone(), digest(bytes))).collect();
    tag_files.extend(target.write_tools(&plan.tools)?);
    target.remove_earlier_tags(&tag_files)?;
    let tag_manifest = super::medium::manifest_text(&tag_files);
    tag_files.insert(TAG_MANIFEST.to_owned(), digest(tag_manifest.as_bytes()));
    tags.insert(TAG_MANIFEST.to_owned(), tag_manifest.into_bytes());
    let bytes = plan.bytes + plan.scripts.values().map(|script| script.len() as u64).sum::<u64>();
    let set = SetDocument {
        format: SET_FORMAT,
        what: "kbmirror export set".to_owned(),
        mirror_id: identity,
        lineage: context.keys.root.id(),
        seq,
        created: context.now.to_owned(),
        tool: format!("kbmirror {}", env!("CARGO_PKG_VERSION")),
        origin,
        demo,
        knowledge: KnowledgeMark {
            version: context.knowledge.version().to_owned(),
            date: context.knowledge.date().to_string(),
        },
        selection: plan.selection.clone(),
        complete: plan.is_complete(),
        missing: plan.missing.clone(),
        base: None,
        listing_sha256,
        volumes: vec![Volume {
            number: 1,
            files: manifest.len() as u64,
            bytes,
            manifest_sha256: tag_files.get(MANIFEST).copied().unwrap_or(listing_sha256),
        }],
        withdrawn: withdrawn(plan, context.knowledge),
        tag_files,
    };
    for (name, bytes) in &tags {
        write_if_other(&to.join(name), bytes)?;
    }
    let set_text = set.to_text()?;
    write_if_other(&to.join(SET), set_text.as_bytes())?;
    let signature = context.keys.export.sign(set_text.as_bytes(), &label)?;
    disk::write_atomic(&to.join(SET_SIGNATURE), signature.as_bytes())?;
    disk::sync_dir(to)?;

    let read_back = read_back(to, context)?;
    Ok(Exported {
        folder: to.to_owned(),
        seq,
        set_id: digest(set_text.as_bytes()),
        written: target.written,
        written_bytes: target.written_bytes,
        scripts: plan.scripts.len() as u64,
        kept: target.kept,
        removed: target.removed,
        read_back: read_back.files,
        read_back_bytes: read_back.bytes,
        read_back_cold: read_back.cold,
        key: context.keys.root.clone(),
        complete: plan.is_complete(),
    })
}

struct ReadBack {
    files: u64,
    bytes: u64,
    cold: bool,
}

/// Reads everything as the receiving side will.
fn read_back(to: &Utf8Path, context: &Context<'_>) -> Result<ReadBack> {
    context.events.send(Event::Phase("reading everything back".to_owned()));
    // Everything was synced; as root the system can be told to forget it, so that the medium itself has to answer.
    let cold = disk::forget_caches();
    let trust = Trust { keys: vec![context.keys.root.clone()], on_first_use: false };
    let spoiled = |error: Error| {
        error.with_kind(ErrorKind::Medium).context("the medium does not hold what was written").hint(
            "do not use it; try another one. Whether it is the medium, the reader, or the cable, it does not keep bytes",
        )
    };
    let examined = examine(to, &trust).map_err(spoiled)?;
    if let Some(error) = examined.missing_error() {
        return Err(spoiled(error));
    }
    let (files, bytes) = examined.read_all(context.events).map_err(spoiled)?;
    Ok(ReadBack { files, bytes, cold })
}

/// The digests of all that will lie under `data/`.
fn planned_manifest(plan: &ExportPlan) -> BTreeMap<String, Sha256> {
    let packages = plan.payload.iter().map(|(path, file)| (path.clone(), file.sha256));
    packages.chain(plan.scripts.iter().map(|(path, script)| (path.clone(), digest(script)))).collect()
}

/// The mirror's own name, made at the first export.
fn identity(mirror: &mut Mirror) -> Result<String> {
    if let Some(known) = mirror.index().meta("mirror_id")? {
        return Ok(known);
    }
    let new = uuid::Uuid::new_v4().to_string();
    mirror.index_mut().in_transaction(|index| index.set_meta("mirror_id", &new))?;
    Ok(new)
}

/// The number of this set; a number that was begun is never used again.
fn next_number(mirror: &mut Mirror) -> Result<u64> {
    let last: u64 = mirror.index().meta("export_seq")?.and_then(|text| text.parse().ok()).unwrap_or_default();
    let next = last + 1;
    mirror.index_mut().in_transaction(|index| index.replace_meta("export_seq", &next.to_string()))?;
    Ok(next)
}

fn withdrawn(plan: &ExportPlan, knowledge: &Knowledge) -> Vec<WithdrawnItem> {
    let kbs: BTreeSet<_> = plan.sets.iter().map(|set| set.kb).collect();
    kbs.into_iter()
        .filter_map(|kb| knowledge.withdrawn(kb))
        .map(|row| WithdrawnItem { kb: row.kb, successor: row.successor, why: row.why.clone() })
        .collect()
}

/// Every file outside of `data/` but the manifests, the listing, and the set itself.
fn tag_texts(plan: &ExportPlan, contents: &Contents, context: &Context<'_>) -> BTreeMap<String, Vec<u8>> {
    let mut tags: BTreeMap<String, Vec<u8>> = pages::all(contents).into_iter().collect();
    tags.insert(KEYS.to_owned(), context.keys.list.clone().into_bytes());
    tags.insert(KEYS_SIGNATURE.to_owned(), context.keys.list_signature.clone().into_bytes());
    for (name, text) in context.tables {
        tags.insert(format!("{KNOWLEDGE}/{name}"), text.clone().into_bytes());
    }
    tags.insert("collect.cmd".to_owned(), crate::resolve::script::collect_script().into_bytes());
    tags.insert("bagit.txt".to_owned(), b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec());
    tags.insert("bag-info.txt".to_owned(), pages::bag_info(contents, plan).into_bytes());
    tags
}
