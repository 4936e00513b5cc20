//! Files that were here once, downloaded again by the digests that the index has of them. Nothing is crawled: an address that has
//! expired is looked up where it came from, as in every fetch.

use super::outcome::FetchOutcome;
use super::plan::FetchPlan;
use super::transfers::download;
use crate::crawl::{Failure, Session};
use crate::disk;
use crate::download::Wanted;
use crate::error::{Error, ErrorKind, Result};
use crate::facts::{FileKey, Source};
use crate::mirror::{Access, Mirror, Stated};
use crate::update::{PackageName, human_size};

/// The outcome of a second download.
#[derive(Debug, Default)]
pub struct DownloadedAgain {
    /// The files that failed.
    pub failures: Vec<Failure>,
    /// The bytes that came over the wire.
    pub bytes_downloaded: u64,
}

/// Downloads files of the pool again, and gives those that agree with the index their places there.
pub async fn download_again(session: &mut Session, files: &[FileKey]) -> Result<DownloadedAgain> {
    let mut wanted = Vec::new();
    let mut outcome = FetchOutcome::default();
    for &key in files {
        match wanted_again(session.mirror()?, key) {
            Ok(file) => wanted.push(file),
            Err(error) => outcome.failures.push(Failure::new(format!("file {}", key.0), &error)),
        }
    }
    let needed = disk::with_overhead(wanted.iter().filter_map(|file| file.cap).sum());
    let free = disk::available_space(session.layout().root())?;
    if needed > free && !wanted.is_empty() {
        let root = session.layout().root();
        let message = format!("{root} has {} free, and {} are needed", human_size(free), human_size(needed));
        let error = Error::new(ErrorKind::NoSpace, message).hint("make room; nothing was downloaded");
        outcome.failures.push(Failure::new("the transfers", &error));
        wanted.clear();
    }
    download(session, wanted, &FetchPlan::default(), &mut outcome).await?;
    Ok(DownloadedAgain { failures: outcome.failures, bytes_downloaded: outcome.bytes_downloaded })
}

/// Returns a file of the pool with all that the index knows of its bytes.
fn wanted_again(mirror: &Mirror<impl Access>, key: FileKey) -> Result<Wanted> {
    let index = mirror.index();
    let unknown = || Error::new(ErrorKind::Internal, format!("file {} is not in the index", key.0));
    let file = index.file(key)?.ok_or_else(unknown)?;
    let (sha256, size) = index.pooled_as(key)?.ok_or_else(unknown)?;
    if file.urls.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("{}: no address of it is known", file.name))
            .hint("restore it from a medium or a folder with --from DIR"));
    }
    let (sha1_source, sha256_source) = index.digest_sources(key)?;
    let vouching = |source: Option<Source>| match source {
        None | Some(Source::Bytes) => Source::EarlierDownload,
        Some(source) => source,
    };
    let stated = Stated {
        sha1: file.sha1.map(|sha1| (sha1, vouching(sha1_source))),
        sha256: Some((sha256, vouching(sha256_source))),
        name: PackageName::parse(&file.name).sha1,
        size: None,
    };
    let partial = mirror.layout().partial().join(sha256.to_string());
    Ok(Wanted { key, name: file.name, urls: file.urls, stated, cap: Some(size), partial })
}
