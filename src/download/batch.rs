//! A batch of transfers: several at a time, each passed to a receiver when it ends.
//!
//! A full disk or a stop request ends the batch: running transfers keep their partial files, and no further transfer
//! begins. If the URL of a file has expired, the receiver renews it once. The batch does not know the index or the
//! pool.

use std::collections::{BTreeSet, VecDeque};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::transfer::{ReceivedFile, TransferRequest, TransferSettings, fetch_file};
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Client, RequestFault};

/// The end of one transfer of a batch.
#[derive(Debug)]
pub enum TransferEnd {
    /// A file that the receiver accepted.
    Accepted,
    /// A file that did not arrive, or that the receiver rejected.
    Failed(Error),
    /// A transfer that did not begin, because the batch ended first.
    NotStarted(String),
}

/// A file of a batch with the end of its transfer.
#[derive(Debug)]
pub struct TransferResult {
    /// The file.
    pub request: TransferRequest,
    /// The end of its transfer.
    pub end: TransferEnd,
}

/// The receiver of a batch, which decides about each file.
pub trait BatchReceiver {
    /// Accepts a file that arrived completely, or rejects it with the reason.
    fn accept(&mut self, request: &TransferRequest, received: &ReceivedFile) -> Result<()>;

    /// Returns the file with other URLs, after a server reported that the file no longer exists there.
    fn renew(&mut self, request: &TransferRequest) -> impl Future<Output = Result<Option<TransferRequest>>>;

    /// Records that a file failed while the batch continues.
    fn record_failure(&mut self, request: &TransferRequest, error: &Error) -> Result<()>;
}

/// Transfers files, `parallel` at a time. Returns the ends of the transfers in the order in which they ended. An error
/// of the receiver itself ends the batch.
pub async fn transfer_batch(
    client: &Client,
    settings: &TransferSettings,
    parallel: usize,
    files: Vec<TransferRequest>,
    receiver: &mut impl BatchReceiver,
) -> Result<Vec<TransferResult>> {
    let mut queue = VecDeque::from(files);
    let mut running = FuturesUnordered::new();
    let (mut renewed, mut ended) = (BTreeSet::new(), Vec::new());
    let mut is_over: Option<String> = None;
    loop {
        while running.len() < parallel && is_over.is_none() {
            let Some(request) = queue.pop_front() else { break };
            running.push(async move {
                let received = fetch_file(client, &request, settings).await;
                (request, received)
            });
        }
        let Some((request, received)) = running.next().await else { break };
        let end = match received {
            Ok(received) => receiver.accept(&request, &received),
            Err(error) => {
                if has_expired(&error)
                    && renewed.insert(request.key)
                    && let Some(again) = receiver.renew(&request).await?
                {
                    queue.push_front(again);
                    continue;
                }
                Err(error)
            }
        };
        let end = match end {
            Ok(()) => TransferEnd::Accepted,
            Err(error) => {
                if ends_batch(&error) {
                    is_over.get_or_insert_with(|| error.full_message());
                } else {
                    receiver.record_failure(&request, &error)?;
                }
                TransferEnd::Failed(error)
            }
        };
        ended.push(TransferResult { request, end });
    }
    let why = is_over.unwrap_or_default();
    ended.extend(queue.into_iter().map(|request| {
        let end = TransferEnd::NotStarted(format!("{} was not started: {why}", request.name));
        TransferResult { request, end }
    }));
    Ok(ended)
}

/// Returns `true` if no other transfer can succeed after this failure.
pub fn ends_batch(error: &Error) -> bool {
    error.kind() == ErrorKind::NoSpace || error.kind().is_stop()
}

/// Returns `true` if the server reports that the file no longer exists, or not for this client.
fn has_expired(error: &Error) -> bool {
    matches!(error.fault(), Some(RequestFault::Status { status: 401 | 403 | 404 | 410, .. }))
}
