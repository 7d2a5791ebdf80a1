//! Tables: columns, and rows as they are laid out.

use std::iter::repeat_n;

use textwrap::core::display_width;

use super::{Page, layout::Layout};

/// A column of a table; the last is as wide as what is in it.
#[derive(Clone, Copy)]
pub struct Column {
    pub title: &'static str,
    /// Where there is no room for the whole. None: every row says the same, and it is left out.
    pub short: Option<&'static str>,
    /// Columns of the screen that it has at least, where there is room.
    pub least: usize,
    /// Whether it is as wide as its widest cell; else that moves what follows it.
    pub fits: bool,
    pub is_number: bool,
}

pub enum Line {
    /// A cell for each column.
    Row(Vec<String>),
    /// Across all columns.
    Words(String),
}

pub struct Table<'a> {
    pub columns: &'a [Column],
    pub lines: &'a [Line],
    /// Between two columns.
    pub gap: usize,
    /// Before what has no room in its line.
    pub indent: usize,
}

impl Column {
    /// Words or names.
    pub const fn text(title: &'static str, least: usize) -> Self {
        Self {
            title,
            short: Some(title),
            least,
            fits: false,
            is_number: false,
        }
    }

    pub const fn number(title: &'static str, least: usize) -> Self {
        let is_number = true;
        Self {
            is_number,
            ..Self::text(title, least)
        }
    }

    pub const fn fitting(self) -> Self {
        let fits = true;
        Self { fits, ..self }
    }

    pub const fn short(self, short: Option<&'static str>) -> Self {
        Self { short, ..self }
    }
}

impl Page {
    pub fn table(&mut self, table: &Table<'_>) {
        let whole = table.whole();
        let titles = |column: &Column| column.title.to_owned();
        let shorts = |column: &Column| column.short.unwrap_or_default().to_owned();
        let (layout, titles): (_, Vec<String>) = match self.width {
            Some(width) if table.needs(&whole) > width => {
                let titles = table.columns.iter().map(shorts).collect();
                (table.narrow(width), titles)
            }
            _ => (whole, table.columns.iter().map(titles).collect()),
        };
        self.row(table, &layout, &titles);
        for line in table.lines {
            match line {
                Line::Row(cells) => self.row(table, &layout, cells),
                Line::Words(words) => self.line(table.indent, words),
            }
        }
    }

    fn row(&mut self, table: &Table<'_>, layout: &Layout, cells: &[String]) {
        let mut line = String::new();
        let placed = layout.places.iter().zip(table.columns).zip(cells);
        let placed =
            placed.filter_map(|((place, column), cell)| Some((*place.as_ref()?, column, cell)));
        let mut placed: Vec<_> = placed.collect();
        let last = placed.pop();
        for ((width, is_first), column, cell) in placed {
            if is_first {
                self.end(&mut line, table.indent);
            }
            let mut space = width.saturating_sub(display_width(cell));
            if layout.is_narrow && display_width(cell) > width {
                self.whole(&format!("{line}{cell}"));
                line.clear();
                space = width;
            } else if column.is_number {
                line.extend(repeat_n(' ', space));
                line += cell;
                space = 0;
            } else {
                line += cell;
            }
            line.extend(repeat_n(' ', space + table.gap));
        }
        let Some(((_, is_first), _, cell)) = last else {
            return;
        };
        if cell.is_empty() {
            return self.whole(line.trim_end());
        }
        if is_first {
            self.end(&mut line, table.indent);
        }
        self.put(&line, table.indent, cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::text("name", 12),
        Column::text("way", 5).short(None),
        Column::number("packets", 9).short(Some("pkts")),
        Column::text("state", 0),
    ];

    fn shown(width: Option<usize>) -> String {
        let row = |cells: [&str; 4]| Line::Row(cells.map(String::from).to_vec());
        let lines = [
            row(["a", "same", "7", "\x1b[32mup\x1b[0m"]),
            Line::Words("words across all of the columns".to_owned()),
            row(["a-longer-name", "same", "123456", "down: it is said why"]),
            row(["b", "same", "8", ""]),
        ];
        let mut page = Page::new(width);
        page.table(&Table {
            columns: &COLUMNS,
            lines: &lines,
            gap: 1,
            indent: 4,
        });
        page.text().replace("\x1b[32m", "").replace("\x1b[0m", "")
    }

    #[test]
    fn a_file_has_the_whole() {
        let whole = "\
name         way     packets state
a            same          7 up
words across all of the columns
a-longer-name same     123456 down: it is said why
b            same          8
";
        assert_eq!(shown(None), whole);
        assert_eq!(shown(Some(80)), whole);
    }

    #[test]
    fn a_terminal_has_lines_that_fit() {
        // Without the column that says the same everywhere, and words go on below.
        let narrow = "\
name            pkts state
a                  7 up
words across all of the columns
a-longer-name 123456 down: it is said
    why
b                  8
";
        assert_eq!(shown(Some(37)), narrow);
        // The long name has a line of its own.
        let narrow = "\
name       pkts state
a             7 up
words across all of the columns
a-longer-name
         123456 down: it is said
    why
b             8
";
        assert_eq!(shown(Some(32)), narrow);
        // There is not even room for the title of it.
        let narrow = "\
name            pkts
    state
a                  7
    up
words across all of
    the columns
a-longer-name 123456
    down: it is said
    why
b                  8
";
        assert_eq!(shown(Some(20)), narrow);
    }
}
