//! Tables for people, in the width of their terminal.
//!
//! No word is broken: a digest, a file name, or a KB stands on one line. Where a table does not fit, it gives up
//! something at a time: it cuts the digests in the names of package files, breaks sentences at blanks, and leaves out
//! columns. If even the essential columns do not fit, each record becomes a block with a line for each field.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

use super::palette::{Palette, Tone, tone_of};
use super::wrap::lines_of;
use crate::update::{PackageName, escape_hidden};

/// The blanks between columns.
const GAP: &str = "  ";
/// The least width of a column of sentences, unless they are shorter.
const SENTENCE: usize = 20;
/// The least width of a column of titles beside its row. A title of Windows has some 100 characters, and takes more
/// lines in a narrower column than below its row.
const TITLE: usize = 40;
/// The indentation of a title below its row.
const INDENT: usize = 4;
/// The digits that are left of a digest in the name of a package file.
const DIGITS: usize = 8;

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnContent {
    /// A value that stands on one line.
    Value,
    /// The name of a package file. Its digest can be cut.
    FileName,
    /// A sentence, or a list of words.
    Sentence,
    /// A sentence that stands below its row where the terminal is narrow. The last column.
    Title,
}

/// The colour of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellPaint {
    Plain,
    Status,
    All(Tone),
}

/// A column of a table: its heading, its content, and its importance.
///
/// A column is essential unless it has an importance. Columns that are not essential are left out where the table
/// does not fit, the least important first. Everything in such a column is in the command's JSON document, and at a
/// wider terminal or in a pipe also in the table.
#[derive(Debug, Clone)]
pub struct Column {
    heading: String,
    content: ColumnContent,
    paint: CellPaint,
    is_right: bool,
    importance: Option<u8>,
}

impl Column {
    /// A column of values. They stand on one line.
    pub fn new(heading: &str) -> Self {
        Self {
            heading: heading.to_uppercase(),
            content: ColumnContent::Value,
            paint: CellPaint::Plain,
            is_right: false,
            importance: None,
        }
    }

    /// A column of numbers or sizes, aligned to the right.
    pub fn number(heading: &str) -> Self {
        Self { is_right: true, ..Self::new(heading) }
    }

    /// A column of names of package files. Where the terminal is narrow, eight digits are left of the digest in a name.
    pub fn file_name(heading: &str) -> Self {
        Self { content: ColumnContent::FileName, ..Self::new(heading) }
    }

    /// A column of sentences or lists. They are broken at blanks.
    pub fn sentence(heading: &str) -> Self {
        Self { content: ColumnContent::Sentence, ..Self::new(heading) }
    }

    /// The last column, of titles. Where the terminal is narrow, a title stands below its row.
    pub fn title(heading: &str) -> Self {
        Self { content: ColumnContent::Title, ..Self::new(heading) }
    }

    /// Paints status words.
    #[must_use]
    pub fn status(self) -> Self {
        Self { paint: CellPaint::Status, ..self }
    }

    /// Paints every cell.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        Self { paint: CellPaint::All(tone), ..self }
    }

    /// Lets the column be left out where the terminal is narrow. Columns of a lower importance go first.
    #[must_use]
    pub fn importance(self, importance: u8) -> Self {
        Self { importance: Some(importance), ..self }
    }
}

/// A table for people: columns two blanks apart, without lines, in the width of the terminal.
///
/// On a pipe every row is one line with all columns. See [`Column`] for the columns that a narrow terminal leaves out.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    width: Option<usize>,
    palette: Palette,
}

/// The decisions that make a table fit.
#[derive(Debug, Default)]
struct Arrangement {
    /// The columns that are shown, with their widths.
    widths: Vec<(usize, usize)>,
    /// `true` if digests in names of package files are cut.
    is_cut: bool,
    /// The column that stands below its row.
    below: Option<usize>,
}

impl Table {
    /// Makes a table for a terminal of this width, or for a pipe.
    pub fn new(columns: impl IntoIterator<Item = Column>, width: Option<u16>, palette: Palette) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            width: width.map(usize::from),
            palette,
        }
    }

    /// Adds a row. Hidden characters in a cell are written out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| escape_hidden(&cell).into_owned()).collect());
    }

    /// Returns the lines, without blanks at their ends.
    pub fn render(&self) -> String {
        match self.arrangement() {
            Some(arrangement) => self.grid(&arrangement),
            None => self.blocks(),
        }
    }

    /// Returns the arrangement that shows most, or `None` if the essential columns do not fit.
    fn arrangement(&self) -> Option<Arrangement> {
        let all: Vec<usize> = (0..self.columns.len()).collect();
        if self.width.is_none() {
            let widths = all.into_iter().map(|place| (place, self.content_width(place, false))).collect();
            return Some(Arrangement { widths, ..Arrangement::default() });
        }
        if let Some(arrangement) = self.fit(&all) {
            return Some(arrangement);
        }
        let importance = |place: &usize| self.columns.get(*place).and_then(|column| column.importance);
        let (mut optional, mut shown): (Vec<usize>, Vec<usize>) =
            all.into_iter().partition(|place| importance(place).is_some());
        let mut arrangement = self.fit(&shown)?;
        optional.sort_by_key(|place| std::cmp::Reverse(importance(place)));
        for place in optional {
            let mut more = shown.clone();
            more.push(place);
            more.sort_unstable();
            if let Some(wider) = self.fit(&more) {
                (shown, arrangement) = (more, wider);
            }
        }
        Some(arrangement)
    }

    /// Arranges these columns in the width of the terminal, or returns `None` if they do not fit.
    fn fit(&self, shown: &[usize]) -> Option<Arrangement> {
        let title = shown.iter().copied().find(|place| self.content(*place) == ColumnContent::Title);
        let beside = shown.to_vec();
        let above: Vec<usize> = shown.iter().copied().filter(|place| Some(*place) != title).collect();
        let trials = [
            (&beside, false, true, None),
            (&beside, true, true, None),
            (&beside, false, false, None),
            (&beside, true, false, None),
            (&above, false, false, title),
            (&above, true, false, title),
        ];
        let trials = trials.into_iter().take(if title.is_some() { 6 } else { 4 });
        trials.into_iter().find_map(|(places, is_cut, is_natural, below)| {
            let widths = self.widths(places, is_cut, is_natural)?;
            Some(Arrangement { widths, is_cut, below })
        })
    }

    /// Returns the widths of these columns, or `None` if they do not fit. `is_natural` asks for sentences on one line.
    fn widths(&self, places: &[usize], is_cut: bool, is_natural: bool) -> Option<Vec<(usize, usize)>> {
        let room = self.width?.checked_sub(1 + GAP.len() * places.len().saturating_sub(1))?;
        let natural: Vec<usize> = places.iter().map(|place| self.content_width(*place, is_cut)).collect();
        let least = |(place, natural): (&usize, &usize)| match self.content(*place) {
            _ if is_natural => *natural,
            ColumnContent::Value | ColumnContent::FileName => *natural,
            ColumnContent::Sentence => self.word_width(*place).max(SENTENCE.min(*natural)),
            ColumnContent::Title => self.word_width(*place).max(TITLE.min(*natural)),
        };
        let mut widths: Vec<usize> = places.iter().zip(&natural).map(least).collect();
        let mut rest = room.checked_sub(widths.iter().sum())?;
        // The room that is left goes to the column that needs most of it, a character at a time.
        while rest > 0 {
            let wanting = widths.iter_mut().zip(&natural).filter(|(width, natural)| **width < **natural);
            let Some((width, _)) = wanting.max_by_key(|(width, natural)| *natural * 100 / (**width).max(1))
            else {
                break;
            };
            *width += 1;
            rest -= 1;
        }
        Some(places.iter().copied().zip(widths).collect())
    }

    fn content(&self, place: usize) -> ColumnContent {
        self.columns.get(place).map_or(ColumnContent::Value, |column| column.content)
    }

    /// Returns the texts of a column: its heading and its cells.
    fn texts(&self, place: usize, is_cut: bool) -> impl Iterator<Item = Cow<'_, str>> {
        let heading = self.columns.get(place).map(|column| Cow::Borrowed(column.heading.as_str()));
        heading.into_iter().chain(self.rows.iter().map(move |row| self.cell(row, place, is_cut)))
    }

    fn cell<'r>(&self, row: &'r [String], place: usize, is_cut: bool) -> Cow<'r, str> {
        let text = row.get(place).map(String::as_str).unwrap_or_default();
        if is_cut && self.content(place) == ColumnContent::FileName {
            without_digits(text)
        } else {
            text.into()
        }
    }

    /// Returns the width of the longest text of a column.
    fn content_width(&self, place: usize, is_cut: bool) -> usize {
        self.texts(place, is_cut).map(|text| text.width()).max().unwrap_or(0)
    }

    /// Returns the width of the longest word of a column.
    fn word_width(&self, place: usize) -> usize {
        let longest = |text: Cow<'_, str>| text.split(' ').map(str::width).max();
        self.texts(place, false).filter_map(longest).max().unwrap_or(0)
    }

    fn grid(&self, arrangement: &Arrangement) -> String {
        let mut text = String::new();
        let headings: Vec<String> = self.columns.iter().map(|column| column.heading.clone()).collect();
        self.push_row(&headings, arrangement, false, &mut text);
        for row in &self.rows {
            self.push_row(row, arrangement, true, &mut text);
            if let Some(place) = arrangement.below {
                let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(SENTENCE));
                for line in lines_of(&self.cell(row, place, false), room) {
                    text.extend([&" ".repeat(INDENT), &line, "\n"]);
                }
            }
        }
        text
    }

    /// Adds the lines of a row.
    fn push_row(&self, row: &[String], arrangement: &Arrangement, is_painted: bool, text: &mut String) {
        let lines: Vec<Vec<String>> = arrangement
            .widths
            .iter()
            .map(|(place, width)| lines_of(&self.cell(row, *place, arrangement.is_cut), *width))
            .collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..height {
            let mut line = String::new();
            for ((place, width), lines) in arrangement.widths.iter().zip(&lines) {
                let cell = lines.get(number).map(String::as_str).unwrap_or_default();
                let fill = " ".repeat(width.saturating_sub(cell.width()));
                let is_right = self.columns.get(*place).is_some_and(|column| column.is_right);
                let cell = if is_painted { self.painted(*place, cell) } else { cell.into() };
                let gap = if line.is_empty() { " " } else { GAP };
                line.extend(if is_right { [gap, &fill, &cell] } else { [gap, &cell, &fill] });
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }

    fn painted<'t>(&self, place: usize, cell: &'t str) -> Cow<'t, str> {
        let tone = match self.columns.get(place).map_or(CellPaint::Plain, |column| column.paint) {
            CellPaint::Plain => None,
            CellPaint::Status => tone_of(cell),
            CellPaint::All(tone) => Some(tone),
        };
        tone.map_or(Cow::Borrowed(cell), |tone| self.palette.paint(tone, cell))
    }

    /// Returns each record as a block of lines: a heading and its value.
    fn blocks(&self) -> String {
        let width = self.width.unwrap_or(usize::MAX);
        let indent =
            1 + self.columns.iter().map(|column| column.heading.width()).max().unwrap_or(0) + GAP.len();
        let room = width.saturating_sub(indent);
        let mut blocks = Vec::new();
        for row in &self.rows {
            let mut block = String::new();
            for (place, column) in self.columns.iter().enumerate() {
                let whole = self.cell(row, place, false);
                let value = if whole.width() > room { self.cell(row, place, true) } else { whole };
                if value.is_empty() {
                    continue;
                }
                let lines = match column.content {
                    ColumnContent::Value | ColumnContent::FileName => vec![value.into_owned()],
                    ColumnContent::Sentence | ColumnContent::Title => lines_of(&value, room.max(SENTENCE)),
                };
                // A value that is too long beside its heading stands below it, alone.
                let is_below = lines.iter().any(|line| line.width() > room);
                let fill = " ".repeat(indent - 1 - column.heading.width());
                block.extend([" ", &column.heading, if is_below { "\n" } else { &fill }]);
                let hanging = if is_below { String::new() } else { " ".repeat(indent) };
                let lines: Vec<Cow<'_, str>> = lines.iter().map(|line| self.painted(place, line)).collect();
                block.push_str(&lines.join(&format!("\n{hanging}")));
                block.push('\n');
            }
            blocks.push(block);
        }
        blocks.join("\n")
    }
}

/// Cuts the 40 digits of the SHA-1 in the name of a package file to eight. Returns another name as it is.
pub fn without_digits(name: &str) -> Cow<'_, str> {
    let digits = PackageName::parse(name).sha1.map(|sha1| sha1.to_string());
    let place = digits.as_ref().and_then(|digits| name.to_ascii_lowercase().rfind(digits.as_str()));
    match (digits, place) {
        (Some(digits), Some(place)) => {
            format!("{}\u{2026}{}", &name[..place + DIGITS], &name[place + digits.len()..]).into()
        }
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu";
    const CUT: &str = "windows11.0-kb5086672-arm64_ec8e6985\u{2026}.msu";

    fn files(width: Option<u16>) -> String {
        let columns = [
            Column::new("#"),
            Column::new("role").importance(2),
            Column::number("size").importance(1),
            Column::sentence("checked").status(),
            Column::file_name("file"),
        ];
        let mut table = Table::new(columns, width, Palette::default());
        let cells = ["1", "target", "5.6 GB", "size sha1 sha256", NAME];
        table.row(cells.map(str::to_owned));
        table.render()
    }

    #[test]
    fn a_pipe_has_every_column_on_one_line() {
        let heading = format!(
            " #  ROLE      SIZE  CHECKED           FILE\n 1  target  5.6 GB  size sha1 sha256  {NAME}\n"
        );
        assert_eq!(files(None), heading);
        assert_eq!(files(Some(120)), heading);
    }

    #[test]
    fn a_narrow_terminal_cuts_digests_then_leaves_out_columns() {
        assert!(files(Some(90)).contains(CUT) && files(Some(90)).contains("ROLE"));
        assert_eq!(
            files(Some(66)),
            format!(" #  CHECKED           FILE\n 1  size sha1 sha256  {CUT}\n"),
            "the widest columns that fit"
        );
        assert_eq!(
            files(Some(50)),
            format!(
                " #        1\n ROLE     target\n SIZE     5.6 GB\n CHECKED  size sha1 sha256\n FILE\n{CUT}\n"
            )
        );
    }

    #[test]
    fn a_column_of_higher_importance_takes_the_room_first() {
        let columns =
            [Column::new("id"), Column::new("until").importance(1), Column::new("key").importance(2)];
        let shown = |width, key: &str| {
            let mut table = Table::new(columns.clone(), Some(width), Palette::default());
            table.row(["0123456789ABCDEF", "2027-01-01", key].map(str::to_owned));
            table.render().lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(40, "0123456789"), "ID KEY", "the less important column goes");
        assert_eq!(
            shown(40, &"0".repeat(56)),
            "ID UNTIL",
            "a column that cannot fit leaves its room to others"
        );
    }

    #[test]
    fn a_title_stands_below_its_row_on_a_narrow_terminal() {
        let title =
            "2026-03 Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems (KB5086672)";
        let shown = |width| {
            let mut table =
                Table::new([Column::new("kb"), Column::title("title")], width, Palette::default());
            table.row(["KB5086672".to_owned(), title.to_owned()]);
            table.render()
        };
        assert_eq!(shown(None), format!(" KB         TITLE\n KB5086672  {title}\n"));
        assert_eq!(
            shown(Some(60)),
            " KB         TITLE\n KB5086672  2026-03 Cumulative Update for Windows 11 Version\n            24H2 for arm64-based Systems (KB5086672)\n"
        );
        assert_eq!(
            shown(Some(50)),
            " KB\n KB5086672\n    2026-03 Cumulative Update for Windows 11\n    Version 24H2 for arm64-based Systems\n    (KB5086672)\n"
        );
    }

    #[test]
    fn only_status_words_are_painted() {
        let columns = [Column::new("check"), Column::new("verdict").status()];
        let mut table = Table::new(columns, None, Palette::new(true));
        table.row(["ok".to_owned(), "ok".to_owned()]);
        table.row(["age".to_owned(), "alarm\u{1b}".to_owned()]);
        assert_eq!(
            table.render(),
            " CHECK  VERDICT\n ok     \u{1b}[32mok\u{1b}[0m\n age    \u{1b}[31malarm\\u{1b}\u{1b}[0m\n"
        );
    }

    proptest! {
        #[test]
        fn no_word_is_broken_at_any_width(
            rows in prop::collection::vec(("[a-z0-9]{1,70}", "[a-z]{1,12}( [a-z]{1,12}){0,9}", "[0-9]{1,9}"), 0..5),
            width in 1u16..160,
        ) {
            let columns = [Column::new("id"), Column::sentence("reason"), Column::number("size").importance(1)];
            let mut table = Table::new(columns, Some(width), Palette::default());
            for (id, reason, size) in &rows {
                table.row([id.clone(), reason.clone(), size.clone()]);
            }
            let shown = table.render();
            let words: Vec<&str> = shown.split_whitespace().collect();
            for (id, reason, _) in &rows {
                let mut all = std::iter::once(id.as_str()).chain(reason.split(' '));
                prop_assert!(all.all(|word| words.contains(&word)), "{}", shown);
            }
            for line in shown.lines() {
                let is_alone = line.split_whitespace().count() <= 1;
                prop_assert!(line.width() <= usize::from(width).max(SENTENCE) || is_alone, "{}: {}", width, line);
            }
        }
    }
}
