//! Recordings: the responses of the Catalog, stored in a folder and replayed from it in place of the network.
//!
//! A recording is an `index.jsonl` with a header line and one exchange per line, plus the bodies
//! (recorded-responses/README.md describes it). Failures are recorded too: an exchange that failed, failed in the
//! middle of the response, or was not read to its end is marked as such.
//!
//! - [`RecordingTransport`] writes a line when an exchange ends. The recording of a stopped run is usable up to its
//!   last complete line.
//! - [`ReplayTransport`] finds an exchange by method, URL (its query sorted), and form. A repeated request is replayed
//!   in the recorded order; then its last response repeats. HEAD is answered from the recorded GET. A request that is
//!   not in the recording is an error that names it; nothing falls through to the network. The URL rules apply as on
//!   the network.
//!
//! A recording is meant to be shared. It contains only the headers that a reader needs. It omits user names and
//! passwords in URLs, the query of a URL to which a file was redirected, and command-line options that describe the
//! machine. It also omits package files larger than [`PAGE_CAP`]: a report needs pages, and package files are large.
//!
//! [`PAGE_CAP`]: super::PAGE_CAP

mod line;
mod record;
mod replay;

pub use record::RecordingTransport;
pub use replay::ReplayTransport;
