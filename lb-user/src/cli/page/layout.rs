//! Which columns of a table have room, and where the others go.

use textwrap::core::display_width;

use super::{Column, Line, Table};

/// Columns that a table's last cells get at least, if they are words: else they begin a line.
const WORDS: usize = 16;

/// Columns as they are placed.
pub(super) struct Layout {
    /// Not as in a file: what is wider than its column has a line of its own.
    pub(super) is_narrow: bool,
    /// How wide each is, and whether it begins a line; none for those left out.
    pub(super) places: Vec<Option<(usize, bool)>>,
}

impl Table<'_> {
    /// As in a file.
    pub(super) fn whole(&self) -> Layout {
        let columns = self.columns.iter().zip(self.widths());
        let width = |(column, widest): (&Column, usize)| match column.fits {
            true => column.least.max(widest).max(display_width(column.title)),
            false => column.least,
        };
        Layout {
            is_narrow: false,
            places: columns.map(|it| Some((width(it), false))).collect(),
        }
    }

    /// Columns of the screen for all but the last cells, and some of those.
    pub(super) fn needs(&self, layout: &Layout) -> usize {
        let fixed = layout.places.iter().zip(self.widths()).rev().skip(1);
        let width = |(place, widest): (&Option<(usize, bool)>, usize)| {
            place.map_or(0, |(width, _)| width.max(widest) + self.gap)
        };
        fixed.map(width).sum::<usize>() + self.last()
    }

    /// As wide as needed. Where the first column's widest cells alone are too much, they have lines of their own;
    /// else all columns without room are in the next line.
    pub(super) fn narrow(&self, screen: usize) -> Layout {
        let columns = self.columns.iter().zip(self.widths());
        let mut widths: Vec<Option<usize>> = columns
            .map(|(column, widest)| Some(display_width(column.short?).max(widest)))
            .collect();
        let last = widths.len() - 1;
        widths[last] = Some(self.last());
        let others = widths.iter().skip(1).flatten();
        let others: usize = others.map(|width| self.gap + width).sum();
        let room = screen.saturating_sub(others);
        let title = self.columns[0].short.map_or(0, display_width);
        widths[0] = widths[0].map(|it| if room < title { it } else { it.min(room) });
        let mut at = 0;
        let mut place = |width: usize| {
            let is_first = at > 0 && at + width > screen;
            at = if is_first { self.indent } else { at } + width + self.gap;
            (width, is_first)
        };
        Layout {
            is_narrow: true,
            places: widths.into_iter().map(|it| it.map(&mut place)).collect(),
        }
    }

    /// Of each column, the widest cell.
    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for cells in self.rows() {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = display_width(cell).max(*width);
            }
        }
        widths
    }

    /// What the last cells need: room for their first words.
    fn last(&self) -> usize {
        let cells = self.rows().filter_map(|cells| cells.last());
        let needed = |cell: &String| {
            let first = cell.split(' ').next().unwrap_or_default();
            display_width(first).max(display_width(cell).min(WORDS))
        };
        cells.map(needed).max().unwrap_or(0)
    }

    fn rows(&self) -> impl Iterator<Item = &Vec<String>> {
        self.lines.iter().filter_map(|line| match line {
            Line::Row(cells) => Some(cells),
            Line::Words(_) => None,
        })
    }
}
