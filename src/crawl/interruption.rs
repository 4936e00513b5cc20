//! The report of a run that received a stop request: one failure, which states the size of the partial files.
//!
//! Every action that the stop request prevents fails with the kind `interrupted`. One of these failures is reported. It
//! states the size of all files under `partial/`, including those that an earlier run left.

use camino::Utf8Path;

use super::session::{Failure, Session};
use crate::disk;
use crate::error::{Error, Result};
use crate::mirror::Layout;
use crate::update::{count, human_size};

/// Returns the number of partial files and their bytes.
fn count_partial_files(layout: &Layout) -> Result<(usize, u64)> {
    let folder = layout.partial();
    let (mut files, mut bytes) = (0, 0);
    for name in disk::list(&folder)? {
        // Each partial file has a journal beside it.
        if Utf8Path::new(&name).extension() == Some("json") {
            continue;
        }
        if let Some(size) = disk::file_size(&folder.join(name))?.filter(|size| *size > 0) {
            files += 1;
            bytes += size;
        }
    }
    Ok((files, bytes))
}

/// Reduces the failures of a stop request to one, in the last place, which states the size of the partial files.
pub(crate) fn report_stop_once(session: &Session, failures: &mut Vec<Failure>) {
    let Some(kind) = failures.iter().map(|failure| failure.kind).find(|kind| kind.is_stop()) else { return };
    failures.retain(|failure| !failure.kind.is_stop());
    let message = match count_partial_files(session.layout()) {
        Ok((0, _)) => "stopped: kept all complete files; no partial files remain".to_owned(),
        Ok((files, bytes)) => {
            format!(
                "stopped: kept {} with {} under partial/",
                count(files, "partial file"),
                human_size(bytes)
            )
        }
        // The run was stopped in any case.
        Err(error) => format!("stopped: the partial files could not be counted: {}", error.full_message()),
    };
    let error = Error::new(kind, message).hint("run the same command again to resume");
    failures.push(Failure::new(error.message().to_owned(), &error));
}
