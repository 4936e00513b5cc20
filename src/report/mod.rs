//! What people see: events become bars on a terminal and plain lines elsewhere, results become tables.
//!
//! Data goes to stdout and everything else to stderr. Output makes sense without colour and fits the terminal.

mod table;
mod watch;
mod wrap;

pub use table::Table;
pub use watch::{SharedWriter, Watch, Watcher};
pub use wrap::wrapped;
