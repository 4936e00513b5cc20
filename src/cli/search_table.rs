//! The table of `search`, for the terminal that there is.
//!
//! KB, date, kind, architecture, and size never wrap. A title stands in the last column and wraps there; where too little
//! room is left for that, it stands under its row. In a pipe every row is one line with the whole title at its end.

use super::output::Output;
use crate::catalog::Found;
use crate::report::wrapped;
use crate::update::{Architecture, human_size};

/// The room for titles beside their rows: below it a title of Windows, some 100 characters long, takes more lines there than
/// under its row.
const ROOM: usize = 40;

/// Under their rows, titles are set in by this.
const INDENT: &str = "    ";

const HEADINGS: [&str; 6] = ["kb", "updated", "kind", "arch", "size", "title"];

/// The column of sizes.
const SIZE: usize = 4;

/// Writes the rows.
pub(super) fn show(found: &[Found], output: &mut Output) {
    let beside = output.width().is_none_or(|width| {
        let taken = rendered(found, false, output).lines().map(|line| line.chars().count()).max();
        usize::from(width).saturating_sub(taken.unwrap_or(0) + 2) >= ROOM
    });
    let table = rendered(found, beside, output);
    if beside {
        output.text(table);
        return;
    }
    let mut lines = table.lines();
    lines.by_ref().take(1).for_each(|heading| output.line(heading));
    for (line, found) in lines.zip(found) {
        output.line(line);
        output.text(wrapped(&words(&found.row.title), INDENT, output.width()));
    }
}

fn rendered(found: &[Found], with_titles: bool, output: &Output) -> String {
    let columns = HEADINGS.len() - usize::from(!with_titles);
    let table = output.table(HEADINGS.get(..columns).unwrap_or(&HEADINGS)).right(SIZE);
    let mut table = (0..HEADINGS.len() - 1).fold(table, crate::report::Table::whole);
    for Found { row, class } in found {
        let cells = [
            class.kb.map_or_else(|| "-".to_owned(), |kb| kb.to_string()),
            row.last_updated.to_string(),
            class.kind.map_or("-", |kind| kind.as_str()).to_owned(),
            class.implied_architecture().map_or("-", Architecture::as_str).to_owned(),
            human_size(row.size),
            words(&row.title),
        ];
        table.row(cells.into_iter().take(columns));
    }
    table.render()
}

/// A title on one line. Where it is shown, what is hidden in it is written out.
fn words(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}
