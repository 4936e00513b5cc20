//! The published sets that a request selects. An empty selection, or a KB that matches nothing, is an error that
//! lists possible matches. A partial export must not look like the requested one.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::mirror::index::{PublishState, SetRow};
use crate::mirror::{Access, Mirror};
use crate::update::{Architecture, Kb};

/// The maximum number of hints. `kbmirror list` shows all KBs.
const MOST_HINTS: usize = 10;

/// The selection of an export.
#[derive(Debug, Clone, Default)]
pub struct ExportRequest {
    /// The KBs.
    pub kbs: Vec<Kb>,
    /// `true` to select everything that is published.
    pub all: bool,
    /// The selected architectures. An empty list selects all.
    pub architectures: Vec<Architecture>,
    /// The programs to add to the medium.
    pub tools: Vec<Utf8PathBuf>,
}

impl ExportRequest {
    /// Refuses a selection that matches nothing, before the medium is examined.
    pub fn expect_match(&self, mirror: &Mirror<impl Access>) -> Result<()> {
        selected_kbs(self, &published_rows(mirror)?, mirror).map(drop)
    }

    /// Returns `true` if the request selects sets of this architecture.
    pub(super) fn selects(&self, architecture: Option<Architecture>) -> bool {
        self.architectures.is_empty() || architecture.is_none_or(|own| self.architectures.contains(&own))
    }
}

/// Returns the rows of the published sets.
pub(super) fn published_rows(mirror: &Mirror<impl Access>) -> Result<Vec<SetRow>> {
    let mut rows = mirror.index().sets(None)?;
    rows.retain(|row| row.state == Some(PublishState::Published));
    Ok(rows)
}

/// Returns the KBs that a request names. Refuses KBs that do not match any published set.
pub(super) fn selected_kbs(
    request: &ExportRequest,
    rows: &[SetRow],
    mirror: &Mirror<impl Access>,
) -> Result<BTreeSet<Kb>> {
    let not_found = |message: String| Error::new(ErrorKind::NotFound, message);
    let root = mirror.layout().root();
    if request.all {
        if rows.is_empty() {
            return Err(not_found(format!("the mirror at {root} has no published package set")));
        }
        if !rows.iter().any(|row| request.selects(row.architecture)) {
            let message =
                format!("no published package set is for {}", architecture_names(&request.architectures));
            let here: BTreeSet<Architecture> = rows.iter().filter_map(|row| row.architecture).collect();
            let here: Vec<Architecture> = here.into_iter().collect();
            return Err(not_found(message)
                .hint(format!("published here: {}; nothing was written", architecture_names(&here))));
        }
        return Ok(rows.iter().map(|row| row.kb).collect());
    }
    let wanted: BTreeSet<Kb> = request.kbs.iter().copied().collect();
    let of = |kb: Kb| rows.iter().filter(move |row| row.kb == kb);
    let absent: Vec<Kb> = wanted.iter().copied().filter(|kb| of(*kb).next().is_none()).collect();
    if !absent.is_empty() {
        let names: Vec<String> = absent.iter().map(ToString::to_string).collect();
        let are = if names.len() == 1 { "is" } else { "are" };
        let error = not_found(format!("{} {are} not published in the mirror at {root}", names.join(", ")))
            .hint(mirror.side()?.advise_fetch(names.join(" ")));
        return Err(list_published(error, rows));
    }
    let unmatched: Vec<Kb> =
        (wanted.iter().copied()).filter(|kb| !of(*kb).any(|row| request.selects(row.architecture))).collect();
    if unmatched.is_empty() {
        return Ok(wanted);
    }
    let names: Vec<String> = unmatched.iter().map(ToString::to_string).collect();
    let error = not_found(format!(
        "no published package set of {} is for {}",
        names.join(", "),
        architecture_names(&request.architectures)
    ));
    let only: Vec<SetRow> = rows.iter().filter(|row| unmatched.contains(&row.kb)).cloned().collect();
    Err(list_published(error, &only))
}

/// Returns the requested architectures that match no selected set.
pub(super) fn unmatched_architectures(request: &ExportRequest, selected: &[&SetRow]) -> Vec<Architecture> {
    let is_here = |own: &Architecture| {
        selected.iter().any(|row| row.architecture.is_none() || row.architecture == Some(*own))
    };
    request.architectures.iter().copied().filter(|own| !is_here(own)).collect()
}

/// Adds a hint for each published KB: its architectures and products.
fn list_published(mut error: Error, rows: &[SetRow]) -> Error {
    let mut kbs: BTreeMap<Kb, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for row in rows {
        let entry = kbs.entry(row.kb).or_default();
        entry.0.insert(row.architecture.map_or("every architecture", Architecture::as_str));
        entry.1.extend(row.products.split("; "));
    }
    let count = kbs.len();
    for (kb, (architectures, products)) in kbs.into_iter().take(MOST_HINTS) {
        let architectures: Vec<&str> = architectures.into_iter().collect();
        let products: Vec<&str> = products.into_iter().collect();
        error = error.hint(format!(
            "published here: {kb} for {} ({})",
            architectures.join(", "),
            products.join("; ")
        ));
    }
    if count > MOST_HINTS {
        error = error.hint(format!("run kbmirror list to see {} more", count - MOST_HINTS));
    }
    error.hint("nothing was written")
}

pub(super) fn architecture_names(architectures: &[Architecture]) -> String {
    let names: Vec<&str> = architectures.iter().map(|own| own.as_str()).collect();
    names.join(", ")
}
