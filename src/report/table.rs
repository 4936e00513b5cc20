//! Tables for people, in the width of their terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement};

use crate::update::neutral;

/// A table for people: columns apart by two blanks, no lines, wrapped to the width of the terminal.
#[derive(Debug)]
pub struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// A table with these headings, for a terminal of this width; without one it is as wide as it needs.
    pub fn new(headings: &[&str], width: Option<u16>) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(comfy_table::presets::NOTHING);
        inner.set_header(headings.iter().map(|heading| heading.to_uppercase()));
        if let Some(width) = width {
            inner.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        } else {
            inner.set_content_arrangement(ContentArrangement::Disabled);
        }
        Self { inner }
    }

    /// Aligns a column of numbers to the right.
    #[must_use]
    pub fn right(mut self, column: usize) -> Self {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self
    }

    /// Keeps the cells of a column on one line each, however narrow the terminal is.
    #[must_use]
    pub fn whole(mut self, column: usize) -> Self {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        self
    }

    /// Adds a row. What is hidden in a cell is written out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.inner.add_row(cells.into_iter().map(|cell| neutral(&cell).into_owned()).collect::<Vec<_>>());
    }

    /// The lines, without blanks at their ends.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for line in self.inner.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
