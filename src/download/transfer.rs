//! One file from the network to the disk: read, capped, written, hashed, and made durable under `partial/`.
//!
//! A try begins from nothing. What may pass is tried again within the patience, what will not moves on to the next
//! address. More bytes than the Catalog states end the transfer; so does a server that announces another length.

use std::time::Duration;

use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use url::Url;

use super::judge::Expected;
use crate::disk::NewFile;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::net::{Answer, Client, Next, Part, Setback};
use crate::resolve::FileKey;
use crate::update::{Digests, DualHasher};

/// One file to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which file it is.
    pub key: FileKey,
    /// Its name, for people.
    pub name: String,
    /// Where it can be had, best first.
    pub urls: Vec<String>,
    /// What is stated of it.
    pub expected: Expected,
    /// More bytes than this it cannot have: the sum that the search page states.
    pub cap: u64,
    /// Where it is written while it arrives.
    pub partial: Utf8PathBuf,
}

/// A file that arrived whole and is durable under `partial/`; nobody has judged it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Where it is.
    pub path: Utf8PathBuf,
    /// What the bytes give.
    pub digests: Digests,
}

/// Pieces in flight between network and disk: enough to keep both busy, few enough to stay small.
const PIECES_IN_FLIGHT: usize = 32;
/// Between two progress events of a file: bars move smoothly and lines stay few.
const PROGRESS_STEP: u64 = 1024 * 1024;

/// Fetches a file. A failure that may pass is tried again within the patience; one that will not moves on to the
/// next address.
pub async fn fetch_file(client: &Client, wanted: &Wanted, patience: Duration) -> Result<Arrived> {
    let events = client.events().clone();
    let id = wanted.key.0.unsigned_abs();
    events.send(Event::TransferStarted { id, name: wanted.name.clone(), size: wanted.expected.size });
    let mut outcome = Err(Error::new(ErrorKind::NotFound, format!("no address of {} is known", wanted.name)));
    for url in &wanted.urls {
        outcome = match Url::parse(url) {
            Ok(url) => from_address(client, &url, wanted, patience, &events).await,
            Err(error) => {
                Err(Error::new(ErrorKind::Integrity, format!("{url:?} is no address")).caused_by(error))
            }
        };
        let elsewhere = matches!(&outcome, Err(error) if matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::NotRecorded | ErrorKind::Integrity));
        if !elsewhere {
            break;
        }
    }
    let (bytes, failure) = match &outcome {
        Ok(arrived) => (arrived.digests.size, None),
        Err(error) => (0, Some(error.full_message())),
    };
    events.send(Event::TransferFinished { id, bytes, failure });
    outcome.map_err(|error| error.context(&wanted.name))
}

async fn from_address(
    client: &Client,
    url: &Url,
    wanted: &Wanted,
    patience: Duration,
    events: &Events,
) -> Result<Arrived> {
    let start = client.clock().elapsed();
    let mut waited = Duration::ZERO;
    let mut failed = 0;
    loop {
        let setback = match one_try(client, url, wanted, events).await {
            Ok(arrived) => return Ok(arrived),
            Err(setback) => setback,
        };
        failed += 1;
        let elapsed = waited.max(client.clock().elapsed().saturating_sub(start));
        match client.next_try(&setback.error, failed, setback.retry_after, elapsed, patience) {
            Next::After { wait, left } => {
                let why = format!("{}: {}", wanted.name, setback.error.full_message());
                client.wait_within(wait, left, &why).await?;
                waited = elapsed + wait;
            }
            Next::GiveUp(why) => return Err(why.explain(setback.error)),
        }
    }
}

async fn one_try(client: &Client, url: &Url, wanted: &Wanted, events: &Events) -> Result<Arrived, Setback> {
    let answer = client.file(url, &Part::default()).await?;
    if let Some(length) = answer.content_length() {
        let wrong = match wanted.expected.size {
            Some(size) => length != size,
            None => length > wanted.cap,
        };
        if wrong {
            let stated = wanted.expected.size.unwrap_or(wanted.cap);
            let message = format!("the server offers {length} bytes, and the Catalog states {stated}");
            return Err(Error::new(ErrorKind::Integrity, message).into());
        }
    }
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    let path = wanted.partial.clone();
    let writer = tokio::task::spawn_blocking(move || write_and_hash(&path, receiver));
    let received = receive(answer, wanted, events, sender).await;
    let written = writer.await.map_err(|error| {
        Setback::from(Error::new(ErrorKind::Internal, "the writing thread ended").caused_by(error))
    })?;
    // A disk that is full closes the channel; its error says more than the closed channel does.
    let arrived = written?;
    received?;
    Ok(arrived)
}

async fn receive(
    mut answer: Answer,
    wanted: &Wanted,
    events: &Events,
    to: mpsc::Sender<Bytes>,
) -> Result<(), Setback> {
    let id = wanted.key.0.unsigned_abs();
    let mut bytes = 0;
    let mut told = 0;
    while let Some(piece) = answer.body.next().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        if bytes > wanted.cap {
            let message =
                format!("more than {} bytes arrived, which is all that the Catalog states", wanted.cap);
            return Err(Error::new(ErrorKind::Integrity, message).into());
        }
        if to.send(piece).await.is_err() {
            // The writer has stopped and its own error is returned.
            return Ok(());
        }
        if bytes - told >= PROGRESS_STEP {
            told = bytes;
            events.send(Event::TransferProgress { id, bytes });
        }
    }
    Ok(())
}

/// The blocking side: everything that arrives, to disk and through both digests.
fn write_and_hash(path: &Utf8Path, mut pieces: mpsc::Receiver<Bytes>) -> Result<Arrived> {
    let mut file = NewFile::create(path)?;
    let mut hasher = DualHasher::new();
    while let Some(piece) = pieces.blocking_recv() {
        file.write(&piece)?;
        hasher.update(&piece);
    }
    let path = file.finish()?;
    Ok(Arrived { path, digests: hasher.finish() })
}
