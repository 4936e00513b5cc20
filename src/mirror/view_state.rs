//! The files beside the set folders of a KB, compared with the text of this run and with the recorded text.
//!
//! `kb/` may be a folder that others can write to. A text that differs from this run's text and from the record
//! was changed from outside. An export refuses then, and the run that rewrites the view first keeps the changed
//! text as evidence. A text that the program wrote itself is only outdated.

use camino::{Utf8Path, Utf8PathBuf};

use super::evidence::EvidenceReason;
use super::view_record::ViewRecord;
use super::{Access, Mirror, WriteAccess};
use crate::disk::{self, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::servicing::Knowledge;
use crate::update::{Kb, count};
use crate::views::KbViews;

/// The size limit of a view; a KB's document has the same limit when an index is rebuilt.
const CAP: u64 = 64 << 20;

/// The state of a file beside the set folders of a KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ViewState {
    /// The file has the text that this run would write.
    Right,
    /// The file does not exist.
    Missing,
    /// The path is not a regular file.
    NotAFile,
    /// The program wrote the text, but this run would write another one.
    Outdated,
    /// The program did not write the text.
    Changed,
    /// The text differs from this run's, and no record of the written text exists.
    Unrecorded,
    /// The file cannot be read.
    Unreadable,
}

/// Compares a file with the text that this run would write under its name. `made` is `None` for a file that this
/// run would not write.
pub(super) fn view_state(
    path: &Utf8Path,
    made: Option<&str>,
    record: Option<&ViewRecord>,
) -> Result<ViewState> {
    match disk::entry(path)? {
        Entry::Missing => return Ok(ViewState::Missing),
        Entry::Folder | Entry::Other => return Ok(ViewState::NotAFile),
        Entry::File(_) => {}
    }
    let Ok(found) = disk::read(path, CAP) else { return Ok(ViewState::Unreadable) };
    if made.is_some_and(|made| made.as_bytes() == found) {
        return Ok(ViewState::Right);
    }
    let name = path.file_name().unwrap_or_default();
    Ok(match record {
        Some(record) if record.contains(name, &found) => ViewState::Outdated,
        Some(_) => ViewState::Changed,
        None => ViewState::Unrecorded,
    })
}

impl KbViews {
    /// Returns every view with its file name.
    pub(super) fn by_name(&self) -> impl Iterator<Item = (String, &str)> {
        let kb = self.document.kb;
        let scripts = self.scripts.iter().map(|(folder, text)| (format!("{folder}.cmd"), text.as_str()));
        scripts.chain([
            ("SHA256SUMS".to_owned(), self.sums.as_str()),
            (format!("{kb}.json"), self.json.as_str()),
            ("README.txt".to_owned(), self.readme.as_str()),
        ])
    }
}

impl<S: Access> Mirror<S> {
    /// Returns the views that were changed from outside since the program wrote them, as paths relative to the
    /// mirror. Views without a record are not included.
    pub fn changed_views(&self, knowledge: &Knowledge) -> Result<Vec<Utf8PathBuf>> {
        let mut changed = Vec::new();
        for kb in self.published_kbs()? {
            let (views, record) = (self.kb_views(kb, knowledge)?, self.view_record(kb)?);
            let is_changed =
                |state| matches!(state, ViewState::Changed | ViewState::NotAFile | ViewState::Unreadable);
            for (name, text) in views.by_name() {
                let path = self.layout.kb(kb).join(&name);
                if is_changed(view_state(&path, Some(text), record.as_ref())?) {
                    changed.push(self.layout.portable(&path));
                }
            }
            for path in self.other_scripts(kb, &views)? {
                if is_changed(view_state(&path, None, record.as_ref())?) {
                    changed.push(self.layout.portable(&path));
                }
            }
        }
        changed.sort();
        Ok(changed)
    }

    /// Returns `true` if a path, relative to the mirror, is the path of a view. Rewriting a view keeps the old
    /// text as evidence.
    pub fn is_view(&self, path: &Utf8Path) -> bool {
        let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
        let &["kb", kb, name] = parts.as_slice() else { return false };
        name == "SHA256SUMS"
            || name == "README.txt"
            || name == format!("{kb}.json")
            || Utf8Path::new(name).extension() == Some("cmd")
    }

    /// Returns the scripts beside the folders of a KB that this run would not write.
    pub(super) fn other_scripts(&self, kb: Kb, views: &KbViews) -> Result<Vec<Utf8PathBuf>> {
        let folder = self.layout.kb(kb);
        let names = disk::list(&folder)?.into_iter().filter(|name| {
            let is_script = Utf8Path::new(name).extension() == Some("cmd");
            is_script && !views.by_name().any(|(own, _)| own == *name)
        });
        Ok(names.map(|name| folder.join(name)).collect())
    }
}

impl Mirror<WriteAccess> {
    /// Refuses an export while a view differs from the text that the program wrote. Copies the changed texts to
    /// `quarantine/` and leaves the files unchanged.
    pub fn expect_unchanged_views(&self, knowledge: &Knowledge) -> Result<()> {
        let opened = self.evidence().iter().filter(|evidence| evidence.reason == EvidenceReason::Changed);
        let mut found: Vec<(Utf8PathBuf, Utf8PathBuf)> =
            opened.map(|evidence| (evidence.path.clone(), evidence.kept.clone())).collect();
        for path in self.changed_views(knowledge)? {
            let kept = self.copy_evidence(&path)?;
            found.push((path, kept));
        }
        changed_views_error(&found).map_or(Ok(()), Err)
    }

    /// Copies a file of the mirror to `quarantine/` as evidence and returns the path of the copy. Equal texts are
    /// kept once. Anything but a regular file is moved.
    pub(super) fn copy_evidence(&self, path: &Utf8Path) -> Result<Utf8PathBuf> {
        let from = self.layout.root().join(path);
        let Ok(text) = disk::read(&from, CAP) else { return self.move_evidence(&from) };
        for place in self.evidence_places(path) {
            match disk::entry(&place)? {
                Entry::Missing => {
                    disk::write_atomic(&place, &text)?;
                    return Ok(self.layout.portable(&place));
                }
                Entry::File(_) if disk::read(&place, CAP).is_ok_and(|kept| kept == text) => {
                    return Ok(self.layout.portable(&place));
                }
                _ => {}
            }
        }
        Ok(Utf8PathBuf::new())
    }

    /// Moves an entry from the path of a view to `quarantine/` and returns its new path.
    pub fn move_evidence(&self, path: &Utf8Path) -> Result<Utf8PathBuf> {
        self.move_evidence_of(path, &self.layout.portable(path))
    }

    /// Moves an entry to `quarantine/` under the name of its earlier path `had`, which is relative to the mirror.
    pub(super) fn move_evidence_of(&self, path: &Utf8Path, had: &Utf8Path) -> Result<Utf8PathBuf> {
        self.expect_lock()?;
        disk::create_dir_all(&self.layout.quarantine())?;
        let mut places = self.evidence_places(had);
        let place = places.find(|place| matches!(disk::entry(place), Ok(Entry::Missing)));
        let place = place.unwrap_or_default();
        disk::rename(path, &place)?;
        Ok(self.layout.portable(&place))
    }

    /// Returns the candidate paths for evidence about a file: `quarantine/evidence-KB5086672-README.txt`, then
    /// with numbers.
    fn evidence_places(&self, path: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> + use<> {
        let parts: Vec<&str> =
            path.components().map(|part| part.as_str()).filter(|part| *part != "kb").collect();
        let first = self.layout.quarantine().join(format!("evidence-{}", parts.join("-")));
        let later = first.clone();
        std::iter::once(first).chain((2_u32..).map(move |number| format!("{later}-{number}").into()))
    }
}

/// Returns the error that names changed views and their copies, or `None` if no view was changed.
fn changed_views_error(found: &[(Utf8PathBuf, Utf8PathBuf)]) -> Option<Error> {
    let (first, _) = found.first()?;
    let more = match found.len() - 1 {
        0 => String::new(),
        number => format!(" and {}", count(number, "more file")),
    };
    let error = Error::new(
        ErrorKind::Integrity,
        format!("nothing was exported: {first}{more} changed since the last write by kbmirror"),
    );
    let error = found
        .iter()
        .fold(error, |error, (path, kept)| error.hint(format!("see {kept} for the changed text of {path}")));
    let kbs: std::collections::BTreeSet<&str> =
        found.iter().filter_map(|(path, _)| path.components().nth(1).map(|part| part.as_str())).collect();
    let kbs: Vec<&str> = kbs.into_iter().collect();
    Some(error.hint(format!(
        "find the cause of the change, rewrite the files with kbmirror repair {}, and export again",
        kbs.join(" ")
    )))
}
