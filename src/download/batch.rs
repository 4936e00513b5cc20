//! A batch of transfers: several at a time, each handed to a receiver as it ends.
//!
//! A full disk or a stop request ends the batch: running transfers park their partial files, and no further one begins. A file
//! whose URL has expired is renewed once by the receiver. The batch knows neither the index nor the pool.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::transfer::{Arrived, Terms, Wanted, fetch_file};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Client, RequestFault};

/// The end of one transfer of a batch.
#[derive(Debug)]
pub enum TransferEnd {
    /// The receiver took the file.
    Taken,
    /// The file did not arrive, or the receiver rejected it.
    Failed(Error),
    /// The batch ended before.
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

/// The receiver of a batch: it decides about each file.
pub trait Receiver {
    /// Takes a file that arrived whole, or rejects it with the reason.
    fn take(&mut self, wanted: &Wanted, arrived: &Arrived) -> Result<()>;

    /// Returns the file under other URLs, after a server reported that the file does not exist there any more.
    fn renew(&mut self, wanted: &Wanted) -> impl Future<Output = Result<Option<Wanted>>>;

    /// Notes that a file failed while the batch continues.
    fn note_failure(&mut self, wanted: &Wanted, error: &Error) -> Result<()>;
}

/// Transfers files, `parallel` at a time. Returns the end of each, in the order in which they ended; an error of the receiver
/// itself ends the batch.
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
        let end = TransferEnd::NotBegun(format!("{} was not begun: {why}", wanted.name));
        Transferred { wanted, end }
    }));
    Ok(ended)
}

/// Returns `true` if no other transfer could succeed after this failure.
pub fn ends_batch(error: &Error) -> bool {
    error.kind() == ErrorKind::NoSpace || error.kind().is_stop()
}

/// Returns `true` if the server reports that the file does not exist any more, or not for this client.
fn has_expired(error: &Error) -> bool {
    matches!(error.fault(), Some(RequestFault::Status { status: 401 | 403 | 404 | 410, .. }))
}
