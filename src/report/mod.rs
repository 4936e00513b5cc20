//! What people see: events become bars on a terminal and plain lines or JSON elsewhere, results become tables.
//!
//! Data goes to stdout and everything else to stderr. Output makes sense without colour and fits the terminal.

mod bars;
mod json;
mod lines;
mod palette;
mod progress;
mod rows;
mod table;
mod watch;
mod words;
mod wrap;

pub use json::log_line;
pub use palette::{Palette, Tone};
pub use table::{Column, Table, without_digits};
pub use watch::{SharedWriter, Watch, Watcher};
pub use wrap::wrapped;
