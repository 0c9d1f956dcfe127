//! A table as aligned text.

use std::borrow::Cow;

use super::super::text::{
    cut, is_printable_ascii, push_isolated, push_visible, start_of, visible, width,
};
use super::super::value::NULL;
use super::Head;
use super::grid::{Grid, Value};

/// Columns of a terminal that a table fits into.
const WIDEST: usize = 120;

/// What a column takes at most while all columns fit.
const WIDEST_COLUMN: usize = 48;

/// What a column of text is cut to before columns are left out. Numbers, dates and the like are
/// never cut, only their headers are, and those not where they name a zone.
const NARROWEST_COLUMN: usize = 10;

/// Between columns.
const GAP: &str = "  ";

/// Header, types, a rule and the rows, each on a line; then what is left out.
pub(super) fn table(heads: &[Head], grid: &Grid) -> String {
    let mut cells = Cells::new(heads, grid);
    let shown = cells.fit();
    let mut out = String::with_capacity((grid.rows + 4) * WIDEST / 2);
    cells.push_line(&mut out, shown, 0);
    cells.push_line(&mut out, shown, 1);
    for column in 0..shown {
        let gap = if column == 0 { "" } else { GAP };
        out.push_str(gap);
        out.extend(std::iter::repeat_n('─', cells.widths[column]));
    }
    if shown > 0 {
        out.push('\n');
    }
    for row in 0..grid.rows {
        cells.push_line(&mut out, shown, row + 2);
    }
    if heads.is_empty() {
        out.push_str("no columns\n");
    }
    if shown < heads.len() {
        push_left_out(&mut out, &heads[shown..]);
    }
    out
}

/// Names the columns that have no room, as many as a line holds.
fn push_left_out(out: &mut String, heads: &[Head]) {
    let noun = if heads.len() == 1 {
        "column"
    } else {
        "columns"
    };
    let mut line = format!("{} more {noun} not shown: ", heads.len());
    for (at, head) in heads.iter().enumerate().take(WIDEST) {
        if at > 0 {
            line.push_str(", ");
        }
        let name = start_of(&head.name, WIDEST).unwrap_or(&head.name);
        push_isolated(&mut line, &visible(name));
    }
    match cut(&line, WIDEST) {
        None => out.push_str(&line),
        Some(start) => {
            out.push_str(start);
            out.push('…');
        }
    }
    out.push('\n');
}

/// The lines of the table: names, types, then the rows.
struct Cells<'a> {
    heads: &'a [Head],
    grid: &'a Grid,
    /// What each column takes.
    widths: Vec<usize>,
    /// What each column takes at least.
    least: Vec<usize>,
}

impl<'a> Cells<'a> {
    fn new(heads: &'a [Head], grid: &'a Grid) -> Self {
        let mut cells = Self {
            heads,
            grid,
            widths: vec![1; heads.len()],
            least: vec![1; heads.len()],
        };
        for line in 0..grid.rows + 2 {
            for (column, head) in heads.iter().enumerate() {
                let text = cells.text(line, column);
                // A text this long is cut anyway.
                let wide = match text.len() > 4 * WIDEST {
                    true => WIDEST_COLUMN,
                    false => width(&text),
                };
                cells.widths[column] = cells.widths[column].max(wide);
                if line > 1 && head.whole || line == 1 && head.zoned {
                    cells.least[column] = cells.least[column].max(wide);
                }
            }
        }
        for least in &mut cells.least {
            *least = (*least).clamp(NARROWEST_COLUMN, WIDEST);
        }
        cells
    }

    /// A cell, everything in it visible.
    fn text(&self, line: usize, column: usize) -> Cow<'a, str> {
        let head = &self.heads[column];
        let text = match line {
            0 => return Cow::Owned(visible(&head.name)),
            1 => return Cow::Owned(visible(&head.type_name)),
            row => match self.grid.value(row - 2, column) {
                Value::Null => return Cow::Borrowed(NULL),
                Value::Text(text) | Value::Short { text, .. } => text,
            },
        };
        if text.len() <= WIDEST && is_printable_ascii(text) {
            return Cow::Borrowed(text);
        }
        let mut shown = String::new();
        let start = text.char_indices().nth(WIDEST);
        push_visible(&mut shown, start.map_or(text, |(at, _)| &text[..at]));
        if start.is_some() {
            // Wider than any column, so that it is cut with a sign.
            shown.extend(std::iter::repeat_n('…', WIDEST));
        }
        Cow::Owned(shown)
    }

    /// What a column takes where none takes more than `most` without need.
    fn narrowed(&self, column: usize, most: usize) -> usize {
        self.widths[column].min(most.max(self.least[column]))
    }

    /// Narrows the widest columns until all fit, and says how many are shown.
    fn fit(&mut self) -> usize {
        let total = |shown: usize, most: usize| -> usize {
            let columns: usize = (0..shown).map(|column| self.narrowed(column, most)).sum();
            columns + GAP.len() * shown.saturating_sub(1)
        };
        let mut shown = self.widths.len();
        while shown > 1 && total(shown, NARROWEST_COLUMN) > WIDEST {
            shown -= 1;
        }
        let most = (NARROWEST_COLUMN..=WIDEST_COLUMN)
            .rev()
            .find(|most| total(shown, *most) <= WIDEST)
            .unwrap_or(NARROWEST_COLUMN);
        self.widths = (0..shown)
            .map(|column| self.narrowed(column, most))
            .collect();
        shown
    }

    fn push_line(&self, out: &mut String, shown: usize, line: usize) {
        if shown == 0 {
            return;
        }
        for column in 0..shown {
            if column > 0 {
                out.push_str(GAP);
            }
            let whole = self.text(line, column);
            let room = self.widths[column];
            let (text, sign) = match cut(&whole, room) {
                None => (&*whole, ""),
                Some(start) => (start, "…"),
            };
            let space = room.saturating_sub(width(text) + width(sign));
            let number = self.heads[column].number;
            if number {
                push_spaces(out, space);
            }
            push_isolated(out, text);
            out.push_str(sign);
            if !number {
                push_spaces(out, space);
            }
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
}

fn push_spaces(out: &mut String, count: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = count;
    while left > 0 {
        let next = left.min(SPACES.len());
        out.push_str(&SPACES[..next]);
        left -= next;
    }
}
