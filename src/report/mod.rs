//! The output for people: bars on a terminal, plain lines or JSON elsewhere, and tables of results.
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
