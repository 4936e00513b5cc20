//! A batch of transfers: several at a time, each passed to a receiver when it ends.
//!
//! A full disk or a stop request ends the batch: running transfers keep their partial files, and no further transfer
//! begins. If the URL of a file has expired, the receiver renews it once. The batch does not know the index or the
//! pool.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::transfer::{Arrived, Terms, Wanted, fetch_file};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Client, RequestFault};

/// The end of one transfer of a batch.
#[derive(Debug)]
pub enum TransferEnd {
    /// A file that the receiver accepted.
    Taken,
    /// A file that did not arrive, or that the receiver rejected.
    Failed(Error),
    /// A transfer that did not begin, because the batch ended first.
    NotBegun(String),
}

/// A file of a batch with the end of its transfer.
#[derive(Debug)]
pub struct Transferred {
    /// The file.
    pub wanted: Wanted,
    /// The end of its transfer.
    pub end: TransferEnd,
}

/// The receiver of a batch, which decides about each file.
pub trait Receiver {
    /// Accepts a file that arrived completely, or rejects it with the reason.
    fn take(&mut self, wanted: &Wanted, arrived: &Arrived) -> Result<()>;

    /// Returns the file with other URLs, after a server reported that the file no longer exists there.
    fn renew(&mut self, wanted: &Wanted) -> impl Future<Output = Result<Option<Wanted>>>;

    /// Records that a file failed while the batch continues.
    fn note_failure(&mut self, wanted: &Wanted, error: &Error) -> Result<()>;
}

/// Transfers files, `parallel` at a time. Returns the ends of the transfers in the order in which they ended. An error
/// of the receiver itself ends the batch.
pub async fn transfer_batch(
    client: &Client,
    terms: &Terms,
    parallel: usize,
    files: Vec<Wanted>,
    receiver: &mut impl Receiver,
) -> Result<Vec<Transferred>> {
    let mut queue = VecDeque::from(files);
    let mut running = FuturesUnordered::new();
    let (mut renewed, mut ended) = (BTreeSet::new(), Vec::new());
    let mut is_over: Option<String> = None;
    loop {
        while running.len() < parallel && is_over.is_none() {
            let Some(wanted) = queue.pop_front() else { break };
            running.push(async move {
                let arrived = fetch_file(client, &wanted, terms).await;
                (wanted, arrived)
            });
        }
        let Some((wanted, arrived)) = running.next().await else { break };
        let end = match arrived {
            Ok(arrived) => receiver.take(&wanted, &arrived),
            Err(error) => {
                if has_expired(&error)
                    && renewed.insert(wanted.key)
                    && let Some(again) = receiver.renew(&wanted).await?
                {
                    queue.push_front(again);
                    continue;
                }
                Err(error)
            }
        };
        let end = match end {
            Ok(()) => TransferEnd::Taken,
            Err(error) => {
                if ends_batch(&error) {
                    is_over.get_or_insert_with(|| error.full_message());
                } else {
                    receiver.note_failure(&wanted, &error)?;
                }
                TransferEnd::Failed(error)
            }
        };
        ended.push(Transferred { wanted, end });
    }
    let why = is_over.unwrap_or_default();
    ended.extend(queue.into_iter().map(|wanted| {
        let end = TransferEnd::NotBegun(format!("{} was not started: {why}", wanted.name));
        Transferred { wanted, end }
    }));
    Ok(ended)
}

/// Returns `true` if no other transfer can succeed after this failure.
pub fn ends_batch(error: &Error) -> bool {
    error.kind() == ErrorKind::NoSpace || error.kind().is_stop()
}

/// Returns `true` if the server reports that the file no longer exists, or not for this client. % download/fault.rs
fn has_expired(error: &Error) -> bool {
    matches!(error.fault(), Some(RequestFault::Status { status: 401 | 403 | 404 | 410, .. }))
}
