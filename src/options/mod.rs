//! The options that several commands share. Each option is declared once, with flag, environment variable, key of
//! kbmirror.toml, default, and help.
//!
//! [`TABLE`] is the declaration. The command line makes its arguments from the table, the configuration its keys and
//! its template, and [`Options::read`] the values. Pure: the caller supplies the texts of each source.

mod color;
mod given;
mod row;
mod table;

pub use color::ColorChoice;
pub use given::{GivenOptions, OptionSource, OptionTexts};
pub use row::{ConfigKey, ConfigSection, ConfigShape, OptionRow, OptionScope};
pub use table::{Options, TABLE};

/// Returns the row of the option with this id, or `None` if no such option exists.
pub fn option_row(id: &str) -> Option<&'static OptionRow> {
    TABLE.iter().find(|row| row.id == id)
}
