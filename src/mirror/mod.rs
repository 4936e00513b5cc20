//! The store: a folder with an index, a pool of file contents, and per-KB folders made from both.
//!
//! - The pool stores each content once, under its SHA-256 ([`pool`]). A file enters the pool complete and checked,
//!   by a rename.
//! - A package set is published as a folder of links ([`Mirror::publish`]), only when every file of it is in the
//!   pool. The folder appears by a rename. The index records the intent before the rename and the result after it.
//!   A partial set is never visible. After a crash, the next run that writes completes or removes an interrupted
//!   publication.
//! - The index never records bytes that the pool does not have.
//!
//! If the index is lost, published sets are rebuilt from `kb/*/KB*.json` and the pool (`rebuild`).
//!
//! A mirror records the origin of its content and accepts no other origin, so that a demo never mixes with live
//! content. The writer holds the [`Lock`]. [`Layout`] and mirror-layout.md define every path.

mod access;
mod admission;
mod damage;
mod discard;
mod documents;
mod entry_fault;
mod evidence;
mod exchange;
mod folder;
mod forget;
mod hand_out;
pub mod index;
mod layout;
mod library;
mod lock;
mod mirror_state;
pub mod pool;
mod publish;
mod rebuild;
mod recorded;
mod records;
pub mod restore;
mod retention;
mod scripts;
mod state_file;
mod tables;
mod verify;
mod view_record;
mod view_state;
mod views;

pub use access::{Access, ReadAccess, WriteAccess};
pub use admission::{FileStatements, Mismatch, Rejection, VettedFile};
use camino::{Utf8Path, Utf8PathBuf};
pub use documents::update_document;
pub use evidence::{EvidenceEntry, EvidenceReason};
pub use folder::{lint_folder, read_folder};
pub use forget::ForgetPlan;
pub use hand_out::Absence;
pub use index::{Damage, Index, NewDamage};
use jiff::Timestamp;
pub use layout::{Layout, RunReport};
pub use library::{IndexLibrary, facts_of_folder};
pub use lock::Lock;
pub use mirror_state::MirrorState;
pub use pool::{AdmittedFile, PooledFile, RunInfo};
pub use publish::{PublishOutcome, PublishedFolder};
pub use rebuild::{quarantine_index, stored_origin};
pub use recorded::{documented_set, layout_around};
pub use retention::{PurgeResult, QUARANTINE_LIMIT};
pub(crate) use state_file::IMPORTED;
pub use tables::{
    effective_knowledge, is_newer, knowledge_from_texts, read_knowledge, read_operator_tables,
    read_table_texts, replaces_knowledge,
};
pub use verify::VERIFY_FORMAT;

use crate::disk;
pub use crate::documents::REPLAY;
use crate::error::{Error, ErrorKind, Result};
use crate::resolve::Side;
use crate::servicing::Knowledge;

/// An open mirror. The state `S` decides which operations are available: every state can read, only [`WriteAccess`]
/// can write.
///
/// A reader cannot publish:
///
/// ```compile_fail,E0599
/// use kbmirror::clock::Time;
/// use kbmirror::mirror::index::SetRow;
/// use kbmirror::mirror::{Mirror, ReadAccess};
/// use kbmirror::servicing::Knowledge;
///
/// fn publish(mirror: &mut Mirror<ReadAccess>, set: &SetRow, knowledge: &Knowledge) {
///     let _ = mirror.publish(set, knowledge, Time::UNIX_EPOCH);
/// }
/// ```
///
/// A writer can:
///
/// ```
/// use kbmirror::clock::Time;
/// use kbmirror::mirror::index::SetRow;
/// use kbmirror::mirror::{Mirror, WriteAccess};
/// use kbmirror::servicing::Knowledge;
///
/// fn publish(mirror: &mut Mirror<WriteAccess>, set: &SetRow, knowledge: &Knowledge) {
///     let _ = mirror.publish(set, knowledge, Time::UNIX_EPOCH);
/// }
/// ```
#[derive(Debug)]
pub struct Mirror<S = ReadAccess> {
    layout: Layout,
    index: Index,
    state: S,
}

impl Mirror<ReadAccess> {
    /// Opens an existing mirror for reading.
    pub fn open(layout: Layout) -> Result<Self> {
        if !disk::exists(layout.index()) {
            let message = format!("no mirror exists at {}", layout.root());
            return Err(Error::new(ErrorKind::NotFound, message).hint(layout.side().advise_new_mirror()));
        }
        match Index::open_read_only(layout.index()) {
            Ok(index) => Ok(Self { layout, index, state: ReadAccess(()) }),
            Err(error) if !Index::is_uninitialized(layout.index()).unwrap_or(false) => Err(error),
            // The index was lost or emptied and is being rebuilt: the mirror exists, but its index is incomplete.
            Err(_) if layout.has_content()? => {
                let message = format!("the rebuild of the index {} was interrupted", layout.index());
                Err(Error::usage(message).hint(
                    "run kbmirror repair --rebuild-index or any command that writes, to rebuild the index from kb/ and pool/",
                ))
            }
            Err(_) => {
                let message =
                    format!("no mirror exists at {} yet: its first run was interrupted", layout.root());
                Err(Error::new(ErrorKind::NotFound, message).hint("run the same command again"))
            }
        }
    }

    /// Opens a mirror for reading, or returns `None` if it does not exist.
    pub fn open_if_exists(layout: Layout) -> Result<Option<Self>> {
        if disk::exists(layout.index()) { Self::open(layout).map(Some) } else { Ok(None) }
    }

    /// Checks that the folder is writable and refuses content from another origin than the mirror's. Writes
    /// nothing.
    pub fn check_usable(layout: &Layout, origin: &str) -> Result<()> {
        let there = layout.root().ancestors().find(|path| disk::exists(path));
        disk::check_writable(there.unwrap_or_else(|| Utf8Path::new(".")))
            .map_err(|error| unwritable_folder(layout, error))?;
        if !disk::exists(layout.index()) || Index::is_uninitialized(layout.index()).unwrap_or(false) {
            return Ok(());
        }
        expect_origin(layout, &Index::open_read_only(layout.index())?, origin)
    }
}

impl<S: Access> Mirror<S> {
    /// Returns the layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Returns the origin of the content.
    pub fn origin(&self) -> Result<String> {
        Ok(self.index.meta("origin")?.unwrap_or_default())
    }

    /// Returns `true` if content was imported from a medium. Missing files cannot be downloaded then.
    pub fn is_imported(&self) -> Result<bool> {
        Ok(self.index.meta(IMPORTED)?.is_some())
    }

    /// Returns the side of the gap on which the mirror is.
    pub fn side(&self) -> Result<Side> {
        Ok(if self.is_imported()? { Side::Isolated } else { Side::Connected })
    }
}

impl Mirror<WriteAccess> {
    /// Opens a mirror for writing, and creates it if it does not exist. Takes the lock, checks the origin, and
    /// completes or removes interrupted work of an earlier run. Views are written with the knowledge of this run.
    pub fn open_for_writing(
        layout: Layout,
        origin: &str,
        knowledge: &Knowledge,
        now: Timestamp,
    ) -> Result<Self> {
        let with_folder = |error: Error| unwritable_folder(&layout, error);
        disk::create_dir_all(layout.root()).map_err(with_folder)?;
        let lock = Lock::acquire(&layout.lock(), &now.to_string()).map_err(with_folder)?;
        let mut index = Index::open(layout.index()).map_err(with_folder)?;
        // The `created` value is set last, so that an index whose creation was interrupted is built again.
        let rebuilt = initialize_if_new(&layout, &mut index, origin, knowledge, now)?;
        expect_origin(&layout, &index, origin)?;
        let state = WriteAccess { lock: Some(lock), rebuilt, rewritten: Vec::new(), evidence: Vec::new() };
        let mut mirror = Self { layout, index, state };
        mirror.create_state_if_missing()?;
        mirror.state.rewritten = mirror.recover_interrupted_work(knowledge, now.into())?;
        Ok(mirror)
    }

    /// Opens a mirror for a dry run: on a private copy of its index, without the lock, and without any write to
    /// the disk. The mirror does not have to exist. The result supports only the operations of `--dry-run`.
    pub fn open_for_dry_run(
        layout: Layout,
        origin: &str,
        knowledge: &Knowledge,
        now: Timestamp,
    ) -> Result<Self> {
        let mut index = Index::open_scratch(layout.index())?;
        let rebuilt = initialize_if_new(&layout, &mut index, origin, knowledge, now)?;
        expect_origin(&layout, &index, origin)?;
        Ok(Self {
            layout,
            index,
            state: WriteAccess { lock: None, rebuilt, rewritten: Vec::new(), evidence: Vec::new() },
        })
    }

    /// Removes the index of a new mirror if it is still empty.
    pub fn remove_if_empty(self) -> Result<()> {
        if !self.index.is_empty()? {
            return Ok(());
        }
        let Self { layout, index, state } = self;
        drop(index);
        for end in ["", "-wal", "-shm"] {
            disk::remove_file(&Utf8PathBuf::from(format!("{}{end}", layout.index())))?;
        }
        state_file::remove_if_new(&layout)?;
        drop(state);
        Ok(())
    }

    /// Returns the index for changes.
    pub fn index_mut(&mut self) -> &mut Index {
        &mut self.index
    }

    /// Returns the number of sets that were rebuilt from `kb/` and `pool/` because the index was missing.
    pub fn rebuilt_sets(&self) -> usize {
        self.state.rebuilt
    }

    /// Returns the views that were rewritten when the mirror was opened, as paths relative to the mirror.
    pub fn rewritten_views(&self) -> &[Utf8PathBuf] {
        &self.state.rewritten
    }

    /// Returns the views that this run rewrote although their text was not one that the program had written.
    pub fn evidence(&self) -> &[EvidenceEntry] {
        &self.state.evidence
    }

    /// Returns an error unless the lock is held: a dry run must not write to the disk.
    pub(super) fn expect_lock(&self) -> Result<()> {
        match self.state.lock {
            Some(_) => Ok(()),
            None => Err(Error::new(ErrorKind::Internal, "a dry run must not write to the mirror")),
        }
    }
}

/// Fills a new index from `kb/` and `pool/`. Returns the number of rebuilt sets.
fn initialize_if_new(
    layout: &Layout,
    index: &mut Index,
    origin: &str,
    knowledge: &Knowledge,
    now: Timestamp,
) -> Result<usize> {
    if index.meta("created")?.is_some() {
        return Ok(0);
    }
    index.in_transaction(|index| {
        let rebuilt = rebuild::rebuild(layout, index, knowledge, now.into())?;
        state_file::record_rebuild(layout, index)?;
        index.set_meta("origin", origin)?;
        index.set_meta("created", &format!("{now} by kbmirror {}", env!("CARGO_PKG_VERSION")))?;
        Ok(rebuilt)
    })
}

/// Adds the mirror's folder to a disk error. A folder that cannot be written is a usage error, not an internal
/// error.
pub fn unwritable_folder(layout: &Layout, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Internal => error
            .with_kind(ErrorKind::Usage)
            .context(format!("the mirror folder {} cannot be written", layout.root()))
            .hint("choose a writable folder with --mirror DIR"),
        _ => error,
    }
}

fn expect_origin(layout: &Layout, index: &Index, origin: &str) -> Result<()> {
    let Some(own) = index.meta("origin")? else { return Ok(()) };
    if own == origin {
        return Ok(());
    }
    let named = |origin: &str| match origin {
        "live" => "the live Catalog".to_owned(),
        REPLAY => "a recording".to_owned(),
        host => format!("the Catalog at {host}"),
    };
    let message = format!(
        "the mirror at {} holds content from {}, and this run would add content from {}",
        layout.root(),
        named(&own),
        named(origin)
    );
    Err(Error::usage(message).hint("use another folder with --mirror DIR"))
}

#[cfg(test)]
mod tests;
