//! The table of `search`.
//!
//! KB, date, kind, architecture, and size stay on one line. The title is the last column, and stands below its row on
//! a narrow terminal. On a pipe, every row is one line with the complete title.

use super::output::Output;
use crate::catalog::ClassifiedRow;
use crate::report::Column;
use crate::update::{Architecture, human_size};

/// Prints the rows.
pub(super) fn show(found: &[ClassifiedRow], output: &mut Output) {
    let mut table = output.table([
        Column::new("kb"),
        Column::new("updated").importance(3),
        Column::new("kind").importance(2),
        Column::new("arch"),
        Column::number("size").importance(1),
        Column::title("title"),
    ]);
    for ClassifiedRow { row, class } in found {
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

/// Returns a title on one line. The table writes its hidden characters out.
fn words(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}
