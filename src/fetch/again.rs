//! Downloads lost files again, by the digests in the index. Nothing is crawled; an expired URL is looked up at its
//! source, as in every fetch.

use super::outcome::FetchOutcome;
use super::plan::FetchPlan;
use super::transfers::{download, transfer_request};
use crate::crawl::{Failure, Session};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::FileKey;
use crate::update::human_size;

/// The outcome of a second download.
#[derive(Debug, Default)]
pub struct RedownloadOutcome {
    /// The files that failed.
    pub failures: Vec<Failure>,
    /// The bytes received over the network.
    pub bytes_downloaded: u64,
}

/// Downloads files of the pool again, and puts those that agree with the index back into the pool.
pub async fn redownload(session: &mut Session, files: &[FileKey]) -> Result<RedownloadOutcome> {
    let mut requests = Vec::new();
    let mut outcome = FetchOutcome::default();
    for &key in files {
        match transfer_request(session.mirror()?, key, None) {
            Ok(file) => requests.push(file),
            Err(error) => outcome.failures.push(Failure::new(format!("file {}", key.0), &error)),
        }
    }
    let needed = disk::with_overhead(requests.iter().filter_map(|file| file.cap).sum());
    let free = disk::available_space(session.layout().root())?;
    if needed > free && !requests.is_empty() {
        let root = session.layout().root();
        let message = format!("{root} has {} free, but {} are needed", human_size(free), human_size(needed));
        let error = Error::new(ErrorKind::NoSpace, message).hint("free disk space; nothing was downloaded");
        outcome.failures.push(Failure::new("the transfers", &error));
        requests.clear();
    }
    download(session, requests, &FetchPlan::default(), &mut outcome).await?;
    Ok(RedownloadOutcome { failures: outcome.failures, bytes_downloaded: outcome.bytes_downloaded })
}
