//! The values of a result, read once for both of its forms.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::super::value::Column;
use super::super::zone::Zone;

/// Characters of a value that are kept for its title.
const LONGEST: usize = 10_000;

/// All cells of a table, row by row, in one text.
pub(super) struct Grid {
    text: String,
    cells: Vec<Cell>,
    /// What is longer than its cell shows, by the index of the cell, in rising order.
    wholes: Vec<(usize, String)>,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

#[derive(Clone, Copy)]
struct Cell {
    end: usize,
    null: bool,
}

/// One value of a table.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Null,
    /// Its text as it came, with whatever is in it.
    Text(&'a str),
    /// A text that stands for a longer one.
    Short {
        text: &'a str,
        whole: &'a str,
    },
}

impl Grid {
    pub(super) fn read(schema: &Schema, batches: &[RecordBatch], zone: &Zone) -> Self {
        let columns = schema.fields().len();
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let mut grid = Self {
            text: String::with_capacity(rows * columns * 8),
            cells: Vec::with_capacity(rows * columns),
            wholes: Vec::new(),
            columns,
            rows,
        };
        let readers: Vec<Vec<Column<'_>>> = batches
            .iter()
            .map(|batch| {
                std::iter::zip(schema.fields(), batch.columns())
                    .map(|(field, array)| Column::new(field, array.as_ref(), zone))
                    .collect()
            })
            .collect();
        let mut scratch = String::new();
        let decimals: Vec<usize> = (0..columns)
            .map(|column| {
                let own = readers.iter().filter_map(|batch| batch.get(column));
                own.map(|reader| reader.decimals(&mut scratch))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for (batch, readers) in std::iter::zip(batches, &readers) {
            for row in 0..batch.num_rows() {
                for (reader, decimals) in std::iter::zip(readers, &decimals) {
                    grid.read_cell(reader, row, *decimals);
                }
            }
        }
        grid
    }

    fn read_cell(&mut self, reader: &Column<'_>, row: usize, decimals: usize) {
        let null = reader.is_null(row);
        if !null && reader.push(&mut self.text, row, decimals) {
            let mut whole = String::new();
            reader.push_whole(&mut whole, row);
            self.wholes.push((self.cells.len(), whole));
        }
        let end = self.text.len();
        self.cells.push(Cell { end, null });
    }

    pub(super) fn value(&self, row: usize, column: usize) -> Value<'_> {
        let index = row * self.columns + column;
        let Some(cell) = self.cells.get(index) else {
            return Value::Null;
        };
        if cell.null {
            return Value::Null;
        }
        let start = index
            .checked_sub(1)
            .and_then(|before| self.cells.get(before))
            .map_or(0, |before| before.end);
        let text = self.text.get(start..cell.end).unwrap_or_default();
        match self.wholes.binary_search_by_key(&index, |(cell, _)| *cell) {
            Ok(found) => Value::Short {
                text,
                whole: &self.wholes[found].1,
            },
            Err(_) => Value::Text(text),
        }
    }
}

/// The start of a text that fits into a title, and how many characters are left out of it.
pub(super) fn for_title(text: &str) -> (&str, usize) {
    match text.char_indices().nth(LONGEST) {
        None => (text, 0),
        Some((end, _)) => (&text[..end], text[end..].chars().count()),
    }
}
