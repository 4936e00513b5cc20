//! A run that was asked to stop: what it says of itself, once, and what is parked.
//!
//! Whatever was about to be done fails with the kind `interrupted`; of these failures one is left, which says how much lies
//! under `partial/`. Everything there counts, also what an earlier run parked.

use camino::Utf8Path;

use super::session::{Failure, Session};
use crate::disk;
use crate::error::{Error, Result};
use crate::mirror::Layout;
use crate::update::human_size;

/// What is parked: how many files, and their bytes.
fn parked(layout: &Layout) -> Result<(usize, u64)> {
    let folder = layout.partial();
    let (mut files, mut bytes) = (0, 0);
    for name in disk::list(&folder)? {
        // Beside each file lies its journal.
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

/// Reduces the failures of a stop request to one, in the last place, which says how much is parked.
pub(crate) fn report_stop_once(session: &Session, failures: &mut Vec<Failure>) {
    let Some(kind) = failures.iter().map(|failure| failure.kind).find(|kind| kind.is_stop()) else { return };
    failures.retain(|failure| !failure.kind.is_stop());
    let message = match parked(session.layout()) {
        Ok((0, _)) => "stopped: nothing is parked, and what was complete is kept".to_owned(),
        Ok((1, bytes)) => format!("stopped: 1 file with {} is parked under partial/", human_size(bytes)),
        Ok((files, bytes)) => {
            format!("stopped: {files} files with {} are parked under partial/", human_size(bytes))
        }
        // The run is a stopped one all the same.
        Err(error) => format!("stopped: the partial files could not be counted: {}", error.full_message()),
    };
    let error = Error::new(kind, message).hint("run the same command again: it goes on where it was");
    failures.push(Failure::new(error.message().to_owned(), &error));
}
