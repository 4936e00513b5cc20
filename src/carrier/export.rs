//! Writing a medium: everything is checked first, then payload, pages, manifest, and the signature last; then all of it is
//! read back with the eyes of the receiving side. The order in which the folder changes is in `target`.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::check::examine;
use super::describe::Trust;
use super::found::Found;
use super::keys::SigningKeys;
use super::mark::new_mark;
use super::medium::{
    EXPORT_KEY, KEYS, KEYS_SIGNATURE, KNOWLEDGE, LISTING, MANIFEST, MANIFEST_SIGNATURE, SET, SET_FORMAT,
    SET_SIGNATURE, TAG_MANIFEST, manifest_text, read_manifest, set_text,
};
use super::pages::{self, Contents, SetFacts};
use super::place::Place;
use super::plan::ExportPlan;
use super::reading::digest;
use super::target::{Target, write_if_other};
use crate::clock::Time;
use crate::disk;
use crate::documents::{
    ExportDocument, ExportedDocument, FindingKind, KnowledgeMark, MediumSet, RetainedSet, Room,
    SharedFileSystem, Volume, WithdrawnItem,
};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::mirror::{Access, Mirror, NewDamage, REPLAY, Writing};
use crate::servicing::Knowledge;
use crate::update::{Sha256, count, human_size};

/// The work of an export.
#[derive(Debug)]
pub struct Exported {
    /// The folder of the medium.
    pub folder: Utf8PathBuf,
    /// The number of the set.
    pub seq: u64,
    /// The digest of `set.json`, which names the set.
    pub set_id: Sha256,
    /// Package files that were written.
    pub written: u64,
    /// Their bytes.
    pub written_bytes: u64,
    /// Install scripts of the set.
    pub scripts: u64,
    /// Install scripts that were written.
    pub written_scripts: u64,
    /// Package files that were there and right.
    pub kept: u64,
    /// Files of an earlier set that were removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
    /// Files of the payload that were read back.
    pub read_back: u64,
    /// Their bytes.
    pub read_back_bytes: u64,
    /// The medium itself is proven to have answered the read-back. No means of this program proves that, so that it is
    /// always false: the proof is a check after the medium was plugged in again.
    pub read_back_cold: bool,
    /// The system took the advice to drop the cached bytes of every file before it was read back. Caches below may remain.
    pub cache_dropped: bool,
    /// The owner of the file system of the folder, if the folder is not a separate medium.
    pub local: Option<SharedFileSystem>,
    /// The key that signed.
    pub key: super::signature::PublicKey,
    /// Everything that was selected is there.
    pub complete: bool,
}

impl Exported {
    /// Returns the document of the export.
    pub fn document<'a>(&'a self, plan: &'a ExportPlan) -> ExportDocument<'a> {
        ExportDocument {
            plan: plan.document(),
            exported: ExportedDocument {
                folder: &self.folder,
                path: &self.folder,
                seq: self.seq,
                set_id: self.set_id,
                written: self.written,
                written_bytes: self.written_bytes,
                scripts: self.scripts,
                written_scripts: self.written_scripts,
                kept: self.kept,
                removed: self.removed,
                removed_bytes: self.removed_bytes,
                read_back: self.read_back,
                read_back_bytes: self.read_back_bytes,
                read_back_cold: self.read_back_cold,
                cache_dropped: self.cache_dropped,
                local: self.local,
                key: self.key.to_string(),
                complete: self.complete,
            },
            evidence: self.evidence(),
            claim: self.claim(),
        }
    }

    /// Returns the work and the checks in one line.
    pub fn evidence(&self) -> String {
        let kept =
            if self.kept == 0 { String::new() } else { format!(", kept {} that were right", self.kept) };
        format!(
            "wrote {} and {}, {}{kept}, read back {}, set {:04}, key {}",
            count(self.written, "file"),
            count(self.written_scripts, "script"),
            human_size(self.written_bytes),
            self.read_back,
            self.seq,
            self.key.short()
        )
    }

    /// Returns the state of the medium in one line, with what is proven and what is not.
    pub fn claim(&self) -> String {
        let whole = if self.complete { "complete" } else { "incomplete" };
        format!(
            "{}: {whole}, synced; content not proven until the medium is re-plugged and checked",
            self.folder
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
    /// The time of the export.
    pub now: Time,
    /// The receiver of progress.
    pub events: &'a Events,
}

/// Returns the room that an export needs and finds; refuses what an export would refuse without reading payload. Writes nothing.
pub fn rehearse(plan: &ExportPlan, place: &Place, found: &Found) -> Result<(Room, Option<Error>)> {
    let manifest = planned_manifest(plan)?;
    let target = Target::new(place, found, &manifest)?;
    let room = target.room(plan)?;
    Ok((room, target.expect_room(room, plan).err()))
}

/// Writes the medium. The mirror's lock is held, because sets are numbered.
pub fn export(
    plan: &ExportPlan,
    place: &Place,
    found: &Found,
    mirror: &mut Mirror<Writing>,
    context: &Context<'_>,
) -> Result<Exported> {
    let manifest = planned_manifest(plan)?;
    let mut target = Target::new(place, found, &manifest)?;
    target.preflight(plan)?;
    target.read_retained(plan, mirror, context.events)?;
    let to = target.root;
    let identity = identity(mirror)?;
    let seq = next_number(mirror, found)?;
    let origin = mirror.origin()?;
    let demo = origin == REPLAY;
    let (root, knowledge) = (&context.keys.root, context.knowledge);
    let facts = SetFacts { mirror_id: &identity, seq, created: context.now, demo, root, knowledge };
    let contents = Contents::new(plan, facts);
    let lineage = context.keys.root.id();
    let mark = |files| new_mark(&identity, &lineage, seq, context.now, files);
    let begun = target
        .check_sources(plan, context.events)
        .and_then(|()| target.begin(mark, &context.keys.export))
        .and_then(|()| target.write_payload(plan, context.events));
    if let Err(error) = begun {
        target.roll_back();
        record_damage(&target.damaged_in_pool, mirror, context);
        return Err(error);
    }
    target.commit()?;
    target.replace()?;
    let mut tags = tag_texts(plan, &contents, context)?;
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
    tag_files.extend(target.write_tools(plan)?);
    let tag_manifest = super::medium::manifest_text(&tag_files);
    tag_files.insert(TAG_MANIFEST.to_owned(), digest(tag_manifest.as_bytes()));
    tags.insert(TAG_MANIFEST.to_owned(), tag_manifest.into_bytes());
    let bytes = plan.bytes + plan.scripts.values().map(|script| script.len() as u64).sum::<u64>();
    let set = MediumSet {
        format: SET_FORMAT,
        what: "kbmirror export set".to_owned(),
        mirror_id: identity.clone(),
        lineage: lineage.clone(),
        seq,
        created: context.now.to_string(),
        tool: format!("kbmirror {}", env!("CARGO_PKG_VERSION")),
        origin,
        demo,
        knowledge: KnowledgeMark {
            version: context.knowledge.version().to_owned(),
            date: context.knowledge.date().to_string(),
        },
        selection: plan.selection.clone(),
        retained: retained(plan),
        complete: plan.is_complete(),
        missing: plan.missing.clone(),
        base: None,
        listing_sha256,
        volumes: vec![Volume {
            number: 1,
            files: manifest.len() as u64,
            file_count: Some(manifest.len() as u64),
            bytes,
            manifest_sha256: tag_files.get(MANIFEST).copied().unwrap_or(listing_sha256),
        }],
        withdrawn: withdrawn(plan, context.knowledge),
        tag_files: tag_files.clone(),
    };
    for (name, bytes) in &tags {
        write_if_other(&to.join(name), bytes)?;
    }
    let set_text = set_text(&set)?;
    write_if_other(&to.join(SET), set_text.as_bytes())?;
    let signature = context.keys.export.sign(set_text.as_bytes(), &label)?;
    write_if_other(&to.join(SET_SIGNATURE), signature.as_bytes())?;
    target.finish(&tag_files)?;

    let read_back = read_back(to, &manifest, context)?;
    Ok(Exported {
        folder: to.to_owned(),
        seq,
        set_id: digest(set_text.as_bytes()),
        written: target.written,
        written_bytes: target.written_bytes,
        scripts: plan.scripts.len() as u64,
        written_scripts: target.written_scripts,
        kept: target.kept,
        removed: target.removed,
        removed_bytes: target.removed_bytes,
        read_back: read_back.files,
        read_back_bytes: read_back.bytes,
        read_back_cold: false,
        cache_dropped: read_back.is_dropped,
        local: place.local,
        key: context.keys.root.clone(),
        complete: plan.is_complete(),
    })
}

struct ReadBack {
    files: u64,
    bytes: u64,
    is_dropped: bool,
}

/// Reads everything as the receiving side will.
fn read_back(to: &Utf8Path, manifest: &BTreeMap<String, Sha256>, context: &Context<'_>) -> Result<ReadBack> {
    context.events.send(Event::Phase("reading everything back".to_owned()));
    // Everything was synced, so that its cached bytes can go. Only these files: the caches of the host are not ours.
    let dropped = manifest.keys().filter(|path| disk::drop_cached(&to.join(path))).count();
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
    Ok(ReadBack { files, bytes, is_dropped: dropped == manifest.len() })
}

/// Returns the digests of everything that will lie under `data/`, in a form that the receiving side reads.
fn planned_manifest(plan: &ExportPlan) -> Result<BTreeMap<String, Sha256>> {
    let packages = plan.payload.iter().map(|(path, file)| (path.clone(), file.sha256));
    let scripts = plan.scripts.iter().map(|(path, script)| (path.clone(), digest(script)));
    read_manifest(&manifest_text(&packages.chain(scripts).collect()))
        .map_err(|error| error.with_kind(ErrorKind::Usage).context("the medium cannot hold these sets"))
}

/// Records files of the pool that were found damaged: from now on they count as absent. The export fails either way.
fn record_damage(
    damaged: &[(Sha256, FindingKind, String)],
    mirror: &Mirror<impl Access>,
    context: &Context<'_>,
) {
    if damaged.is_empty() {
        return;
    }
    let found: Vec<NewDamage> = damaged
        .iter()
        .map(|(sha256, kind, message)| mirror.damage_in_pool(*sha256, *kind, message.clone()))
        .collect();
    if let Err(error) = mirror.record_damage(&found, "export", context.now) {
        context.events.warn(format!("the damage could not be recorded: {}", error.full_message()));
    }
}

/// The mirror's own name, made at the first export.
fn identity(mirror: &mut Mirror<Writing>) -> Result<String> {
    if let Some(known) = mirror.index().meta("mirror_id")? {
        return Ok(known);
    }
    let new = uuid::Uuid::new_v4().to_string();
    mirror.index_mut().in_transaction(|index| index.set_meta("mirror_id", &new))?;
    Ok(new)
}

/// Returns the number of this set; a number that was begun, or that the medium has, is never used again.
fn next_number(mirror: &mut Mirror<Writing>, found: &Found) -> Result<u64> {
    let last: u64 = mirror.index().meta("export_seq")?.and_then(|text| text.parse().ok()).unwrap_or_default();
    let on_medium = found.earlier.as_ref().map_or(0, |earlier| earlier.set.seq);
    let next = last.max(on_medium).saturating_add(1);
    mirror.index_mut().in_transaction(|index| index.replace_meta("export_seq", &next.to_string()))?;
    Ok(next)
}

fn retained(plan: &ExportPlan) -> Vec<RetainedSet> {
    let sets = plan.sets.iter().filter(|set| !set.is_selected);
    sets.map(|set| RetainedSet {
        kb: set.kb,
        folder: set.folder.to_string(),
        folder_name: Some(set.folder.to_string()),
        in_mirror: set.in_mirror,
    })
    .collect()
}

fn withdrawn(plan: &ExportPlan, knowledge: &Knowledge) -> Vec<WithdrawnItem> {
    let kbs: BTreeSet<_> = plan.sets.iter().map(|set| set.kb).collect();
    kbs.into_iter()
        .filter_map(|kb| knowledge.withdrawn().of_kb(kb))
        .map(|row| WithdrawnItem { kb: row.kb, successor: row.successor, why: row.why.clone() })
        .collect()
}

/// Every file outside of `data/` but the manifests, the listing, and the set itself.
fn tag_texts(
    plan: &ExportPlan,
    contents: &Contents,
    context: &Context<'_>,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut tags: BTreeMap<String, Vec<u8>> = pages::all(contents).into_iter().collect();
    tags.insert(KEYS.to_owned(), context.keys.list.clone().into_bytes());
    tags.insert(KEYS_SIGNATURE.to_owned(), context.keys.list_signature.clone().into_bytes());
    for (name, text) in context.tables {
        tags.insert(format!("{KNOWLEDGE}/{name}"), text.clone().into_bytes());
    }
    tags.insert("collect.cmd".to_owned(), crate::script::collect_script().into_bytes());
    tags.insert("bagit.txt".to_owned(), b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec());
    tags.insert("bag-info.txt".to_owned(), pages::bag_info(contents, plan).into_bytes());
    tags.insert(EXPORT_KEY.to_owned(), context.keys.export.public()?.to_file_text("export").into_bytes());
    Ok(tags)
}
