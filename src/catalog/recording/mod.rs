//! Recordings: the answers of the Catalog, kept in a folder, and answers from such a folder in place of the network.
//!
//! A recording is an `index.jsonl` with one exchange a line, after a header line, and the bodies beside it
//! (recorded-responses/README.md describes it). A run with failures is recorded with them: an exchange that failed, or failed
//! in mid-answer, or was not read to its end, says so.
//!
//! - [`Record`] writes a line when an exchange is over. A run that is stopped leaves a recording that can be used up
//!   to its last whole line.
//! - [`Replay`] finds an exchange by method, address (its query sorted), and form. A request that was made several
//!   times is replayed in that order, then its last answer again. HEAD is answered from what is known of the GET. A
//!   request that is not there is an error that names it; nothing falls through to the network. The rules about
//!   addresses apply as they do on the network.
//!
//! A recording is made to be given away. It holds the headers that a reader needs and no others, no user name and no
//! password of an address, no query of an address to which a file was redirected, no option of the command line that tells
//! of the machine, and no package file past [`PAGE_CAP`]: a report needs pages, and package files are large.
//!
//! [`PAGE_CAP`]: super::PAGE_CAP

mod line;
mod record;
mod replay;

pub use record::Record;
pub use replay::Replay;
