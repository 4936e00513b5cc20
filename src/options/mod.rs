//! The options that several commands share, each declared once: flag, environment variable, key of kbmirror.toml,
//! default, and help.
//!
//! [`TABLE`] is the declaration. The command line makes its arguments from it, the configuration its keys and its
//! template, and [`Options::read`] the values. Pure: the texts of each source are handed in.

mod given;
mod row;
mod table;

pub use given::{GivenOptions, OptionSource, OptionTexts};
pub use row::{ConfigKey, ConfigSection, ConfigShape, OptionRow, OptionScope};
pub use table::{Options, TABLE};

/// Returns the row of an option by its id.
pub fn option_row(id: &str) -> Option<&'static OptionRow> {
    TABLE.iter().find(|row| row.id == id)
}
