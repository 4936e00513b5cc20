//! The table of `search`, for the terminal that there is.
//!
//! KB, date, kind, architecture, and size never wrap. A title stands in the last column and wraps there; where too little
//! room is left for that, it stands under its row. In a pipe every row is one line with the whole title at its end.

use super::output::Output;
use crate::catalog::Found;
use crate::report::Column;
use crate::update::{Architecture, human_size};

/// Writes the rows.
pub(super) fn show(found: &[Found], output: &mut Output) {
    let mut table = output.table([
        Column::new("kb"),
        Column::new("updated").importance(3),
        Column::new("kind").importance(2),
        Column::new("arch"),
        Column::number("size").importance(1),
        Column::title("title"),
    ]);
    for Found { row, class } in found {
        table.row([
            class.kb.map_or_else(|| "-".to_owned(), |kb| kb.to_string()),
            row.last_updated.to_string(),
            class.kind.map_or("-", |kind| kind.as_str()).to_owned(),
            class.implied_architecture().map_or("-", Architecture::as_str).to_owned(),
            human_size(row.size),
            words(&row.title),
        ]);
    }
    output.text(table.render());
}

/// A title on one line. Where it is shown, what is hidden in it is written out.
fn words(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}
