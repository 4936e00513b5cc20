//! The blocking side of a transfer: one thread that writes and hashes the arriving bytes and keeps the journal.
//!
//! Orders arrive through a bounded channel and are executed in turn. Memory therefore does not grow with the size of a
//! file, even on a slow disk. When the channel closes, all bytes are made durable and the digests are returned; a
//! partial file is kept in the same way. A disk error ends the thread and is its result.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::future::{Either, select};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::fault::TransferFault;
use super::journal::Journal;
use crate::disk;
use crate::disk::PartialFile;
use crate::error::{Error, ErrorKind, Result};
use crate::update::container::MAGIC_LENGTH;
use crate::update::{Digests, DualHasher};

/// The bytes of one transfer between network and disk. They are enough to keep both busy, and few enough to be hashed
/// from the cache of a core.
const IN_FLIGHT: usize = 1 << 18;
/// The orders in the channel; pieces are also bounded by their bytes.
const ORDERS: usize = 256;

enum WriterOrder {
    Piece(Bytes, OwnedSemaphorePermit),
    StartOver,
    WriteJournal(Box<Journal>),
    Sync,
}

/// The state of the file after its writer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriterOutput {
    /// The digests of all bytes.
    pub(super) digests: Digests,
    /// The first bytes of the file.
    pub(super) first: Vec<u8>,
}

/// A writer thread and its channel.
#[derive(Debug)]
pub(super) struct TransferWriter {
    orders: mpsc::Sender<WriterOrder>,
    permits: Arc<Semaphore>,
    thread: JoinHandle<Result<WriterOutput>>,
}

impl TransferWriter {
    /// Starts a writer on a partial file of which `keep` bytes are usable, and hashes these bytes first. Also returns
    /// their number.
    pub(super) async fn start(path: &Utf8Path, keep: u64, journal: Option<Journal>) -> Result<(Self, u64)> {
        let (orders, queue) = mpsc::channel(ORDERS);
        let (ready, is_ready) = oneshot::channel();
        let path = path.to_owned();
        let thread = tokio::task::spawn_blocking(move || {
            let mut state = WriterState::open(path, keep, journal)?;
            // The waiting task may have been stopped meanwhile; then the channel is closed as well.
            let _gone = ready.send(state.length);
            state.work(queue)?;
            state.close()
        });
        let writer = Self { orders, permits: Arc::new(Semaphore::new(IN_FLIGHT)), thread };
        match is_ready.await {
            Ok(length) => Ok((writer, length)),
            Err(_) => Err(writer.close().await.err().unwrap_or_else(|| TransferFault::WriterEnded.into())),
        }
    }

    /// Passes on a piece, and waits while too many bytes are in flight. Returns `false` if the writer has ended;
    /// closing it then returns the reason.
    pub(super) async fn send_piece(&self, piece: Bytes) -> bool {
        let size = u32::try_from(piece.len().clamp(1, IN_FLIGHT)).unwrap_or(1);
        // A piece that was sent while the thread ended stays in the channel and keeps its permit. Without `closed`,
        // this call would wait for that permit for ever.
        let acquired = pin!(Arc::clone(&self.permits).acquire_many_owned(size));
        let ended = pin!(self.orders.closed());
        let Either::Left((Ok(permit), _)) = select(acquired, ended).await else { return false };
        self.orders.send(WriterOrder::Piece(piece, permit)).await.is_ok()
    }

    /// Empties the file. Returns `false` if the writer has ended.
    pub(super) async fn start_over(&self) -> bool {
        self.orders.send(WriterOrder::StartOver).await.is_ok()
    }

    /// Writes the journal; the writer sets its durable length. Returns `false` if the writer has ended.
    pub(super) async fn write_journal(&self, journal: Journal) -> bool {
        self.orders.send(WriterOrder::WriteJournal(Box::new(journal))).await.is_ok()
    }

    /// Makes the written bytes durable and records this in the journal. Returns `false` if the writer has ended.
    pub(super) async fn sync(&self) -> bool {
        self.orders.send(WriterOrder::Sync).await.is_ok()
    }

    /// Ends the writer after all orders are executed.
    pub(super) async fn close(self) -> Result<WriterOutput> {
        drop(self.orders);
        self.thread
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "the writer thread ended").caused_by(error))?
    }
}

/// The state of the writer thread.
struct WriterState {
    path: Utf8PathBuf,
    file: PartialFile,
    hasher: DualHasher,
    first: Vec<u8>,
    length: u64,
    journal: Option<Journal>,
}

impl WriterState {
    fn open(path: Utf8PathBuf, keep: u64, journal: Option<Journal>) -> Result<Self> {
        let mut file = PartialFile::open(&path)?;
        let mut hasher = DualHasher::new();
        let mut first = Vec::new();
        let length = file.keep(keep, |piece| {
            keep_first_bytes(&mut first, piece);
            hasher.update(piece);
        })?;
        Ok(Self { path, file, hasher, first, length, journal })
    }

    fn work(&mut self, mut orders: mpsc::Receiver<WriterOrder>) -> Result<()> {
        while let Some(order) = orders.blocking_recv() {
            match order {
                WriterOrder::Piece(piece, _permit) => {
                    self.file.append(&piece)?;
                    keep_first_bytes(&mut self.first, &piece);
                    self.hasher.update(&piece);
                    self.length += piece.len() as u64;
                }
                WriterOrder::StartOver => {
                    self.length = self.file.keep(0, |_| ())?;
                    self.hasher = DualHasher::new();
                    self.first.clear();
                    self.journal = None;
                }
                WriterOrder::WriteJournal(mut journal) => {
                    if let Some(size) = journal.size {
                        self.file.reserve(size)?;
                    }
                    journal.durable = self.journal.as_ref().map_or(0, |before| before.durable);
                    journal.write(&self.path)?;
                    self.journal = Some(*journal);
                }
                WriterOrder::Sync => {
                    self.file.sync()?;
                    self.update_journal()?;
                }
            }
        }
        Ok(())
    }

    fn update_journal(&mut self) -> Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        if journal.durable == self.length {
            return Ok(());
        }
        journal.durable = self.length;
        journal.write(&self.path)
    }

    fn close(mut self) -> Result<WriterOutput> {
        self.file.finish()?;
        if let Some(journal) = &mut self.journal {
            journal.durable = self.length;
            journal.boot = disk::boot_id();
            journal.write(&self.path)?;
        }
        Ok(WriterOutput { digests: self.hasher.finish(), first: self.first })
    }
}

fn keep_first_bytes(first: &mut Vec<u8>, piece: &[u8]) {
    let missing = MAGIC_LENGTH.saturating_sub(first.len()).min(piece.len());
    first.extend_from_slice(&piece[..missing]);
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// A disk error ends the thread while a piece with the last permits is still in the channel.
    #[test]
    fn a_piece_does_not_wait_for_a_writer_that_ended() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (orders, queue) = mpsc::channel(ORDERS);
            let permits = Arc::new(Semaphore::new(IN_FLIGHT));
            let _kept =
                Arc::clone(&permits).try_acquire_many_owned(u32::try_from(IN_FLIGHT).unwrap()).unwrap();
            drop(queue);
            let writer = TransferWriter {
                orders,
                permits,
                thread: tokio::task::spawn_blocking(|| Err(TransferFault::WriterEnded.into())),
            };
            assert_eq!(writer.send_piece(Bytes::from_static(b"more")).now_or_never(), Some(false));
            assert!(writer.close().await.is_err());
        });
    }
}
