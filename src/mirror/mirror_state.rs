//! `state.json`: the lineage of a mirror, its record of media, and the KBs that were removed on purpose.
//!
//! The index can be rebuilt from `kb/` and `pool/`, but these values cannot, so they are stored in a file of their
//! own. It is replaced atomically, under the lock.
//!
//! - A new mirror gets the file when its index is created, and the index records that the file exists.
//! - An index of version 0.1, or of format 4 without that record, has the values in its table `meta`. They move to
//!   the file when the mirror is opened for writing. A reader reads them from the table.
//! - If the file is missing although it existed, or although sets were published before the index was rebuilt, the
//!   state is *lost*. It is never invented: export and import refuse until the operator decides.
//! - A file that cannot be read, or of a newer format, is an error. It is not replaced.

use super::state_file::{EXPECTED, OLD, read, require_state, state_of_older_index};
use super::{Access, Mirror, WriteAccess};
use crate::disk;
use crate::documents::StateDocument;
use crate::error::{Error, Result};

/// The state of a mirror outside of its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorState {
    /// The recorded state.
    Known(StateDocument),
    /// The file is missing although it existed or must have existed.
    Lost,
}

impl MirrorState {
    /// Returns the state, or `None` if it is lost.
    pub fn known(self) -> Option<StateDocument> {
        match self {
            Self::Known(state) => Some(state),
            Self::Lost => None,
        }
    }
}

impl<S: Access> Mirror<S> {
    /// Returns the state of the mirror outside of its index.
    pub fn load_state(&self) -> Result<MirrorState> {
        if let Some(state) = read(&self.layout)? {
            return Ok(MirrorState::Known(state));
        }
        Ok(match self.index.meta(EXPECTED)? {
            Some(_) => MirrorState::Lost,
            None => MirrorState::Known(state_of_older_index(&self.index)?),
        })
    }
}

impl Mirror<WriteAccess> {
    /// Records the state. It is durable when this function returns.
    pub fn save_state(&mut self, state: &StateDocument) -> Result<()> {
        self.expect_lock()?;
        let mut text = serde_json::to_string_pretty(state).map_err(Error::cannot_write_json)?;
        text.push('\n');
        disk::write_if_changed(&self.layout.state(), text.as_bytes())?;
        self.mark_state_required()
    }

    /// Creates `state.json` if it does not exist and never had to, with the values of an older index.
    pub(super) fn create_state_if_missing(&mut self) -> Result<()> {
        if disk::exists(&self.layout.state()) {
            return self.mark_state_required();
        }
        match self.load_state()? {
            MirrorState::Known(state) => self.save_state(&state),
            MirrorState::Lost => Ok(()),
        }
    }

    /// Records in the index that the file exists, and removes the values of an older version from the index.
    fn mark_state_required(&mut self) -> Result<()> {
        if self.index.meta(EXPECTED)?.is_some() {
            return Ok(());
        }
        self.index.in_transaction(|index| {
            require_state(index)?;
            for prefix in OLD {
                index.remove_meta_with_prefix(prefix)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::clock::Time;
    use crate::error::ErrorKind;
    use crate::mirror::index::Transaction;
    use crate::mirror::layout::Layout;
    use crate::servicing::Knowledge;

    fn layout() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(Utf8PathBuf::from_path_buf(folder.path().join("mirror")).unwrap(), None);
        (folder, layout)
    }

    fn open(layout: &Layout) -> Mirror<WriteAccess> {
        Mirror::open_for_writing(
            layout.clone(),
            "live",
            &Knowledge::built_in().unwrap(),
            Time::UNIX_EPOCH.into(),
        )
        .unwrap()
    }

    #[test]
    fn state_survives_the_loss_of_the_index() {
        let (_folder, layout) = layout();
        let mut mirror = open(&layout);
        let state =
            StateDocument { export_seq: 7, mirror_id: Some("one".to_owned()), ..StateDocument::new() };
        mirror.save_state(&state).unwrap();
        drop(mirror);
        for end in ["", "-wal", "-shm"] {
            disk::remove_file(&Utf8PathBuf::from(format!("{}{end}", layout.index()))).unwrap();
        }
        assert_eq!(open(&layout).load_state().unwrap(), MirrorState::Known(state));
    }

    #[test]
    fn lost_state_is_never_invented() {
        let (_folder, layout) = layout();
        drop(open(&layout));
        disk::remove_file(&layout.state()).unwrap();
        assert_eq!(open(&layout).load_state().unwrap(), MirrorState::Lost);
        assert_eq!(
            open(&layout).load_state().unwrap(),
            MirrorState::Lost,
            "opening it twice changes nothing"
        );
        assert!(!disk::exists(&layout.state()));
    }

    #[test]
    fn values_of_an_older_index_move_to_the_state_file() {
        let (_folder, layout) = layout();
        let mut mirror = open(&layout);
        let last = r#"{"seq":4,"set_id":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","created":"2026-01-01T00:00:00Z","finished":[]}"#;
        let change = |index: &Transaction<'_>| {
            index.remove_meta_with_prefix(EXPECTED)?;
            index.set_meta("mirror_id", "old")?;
            index.set_meta("export_seq", "12")?;
            index.set_meta("import:AB12", last)?;
            index.set_meta("export-keys:AB12", r#"{"version":2}"#)
        };
        mirror.index_mut().in_transaction(change).unwrap();
        drop(mirror);
        disk::remove_file(&layout.state()).unwrap();
        let seen_by_a_reader = Mirror::open(layout.clone()).unwrap().load_state().unwrap();
        let mirror = open(&layout);
        let state = mirror.load_state().unwrap().known().unwrap();
        assert_eq!(MirrorState::Known(state.clone()), seen_by_a_reader);
        assert_eq!((state.mirror_id.as_deref(), state.export_seq), (Some("old"), 12));
        assert_eq!((state.imports["AB12"].seq, &state.export_keys["AB12"]["version"]), (4, &2.into()));
        assert_eq!(mirror.index().meta("export_seq").unwrap(), None);
        assert!(disk::exists(&layout.state()));
    }

    #[test]
    fn unreadable_or_newer_state_file_is_an_error() {
        let (_folder, layout) = layout();
        for (text, kind) in
            [(r#"{"format":2}"#, ErrorKind::Usage), ("{", ErrorKind::Integrity), ("", ErrorKind::Integrity)]
        {
            drop(try_open(&layout));
            disk::write_atomic(&layout.state(), text.as_bytes()).unwrap();
            let error = Mirror::open(layout.clone()).unwrap().load_state().unwrap_err();
            assert_eq!(error.kind(), kind, "{text}");
            assert_eq!(disk::read_text(&layout.state(), 100).unwrap(), text, "it is not replaced");
        }
    }

    fn try_open(layout: &Layout) -> Option<Mirror<WriteAccess>> {
        Mirror::open_for_writing(
            layout.clone(),
            "live",
            &Knowledge::built_in().unwrap(),
            Time::UNIX_EPOCH.into(),
        )
        .ok()
    }
}
