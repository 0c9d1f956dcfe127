//! The values of a result, read once for both of its forms.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::super::html::LONGEST_TITLE;
use super::super::value::Column;
use super::super::zone::Zone;

/// Bytes that a cell takes as HTML besides its text, about.
const AROUND: usize = 24;

/// All cells of a table, row by row, in one text.
pub(super) struct Grid {
    text: String,
    cells: Vec<Cell>,
    /// All that is longer than its cell shows, in one text.
    wholes: String,
    /// Where each of them ends.
    whole_ends: Vec<usize>,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

#[derive(Clone, Copy)]
struct Cell {
    end: usize,
    holds: Holds,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    All,
    /// A text that stands for the longer one of this number.
    Short(u32),
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
    /// Reads rows until their markup would be `largest` bytes long, about.
    pub(super) fn read(
        schema: &Schema,
        batches: &[RecordBatch],
        zone: &Zone,
        largest: usize,
    ) -> Self {
        let columns = schema.fields().len();
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let cells = (rows * columns).min(largest / AROUND);
        let mut grid = Self {
            text: String::with_capacity(cells * 8),
            cells: Vec::with_capacity(cells),
            wholes: String::new(),
            whole_ends: Vec::new(),
            columns,
            rows: 0,
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
        let mut left = largest;
        for (batch, readers) in std::iter::zip(batches, &readers) {
            for row in 0..batch.num_rows() {
                let mut size = AROUND;
                for (reader, decimals) in std::iter::zip(readers, &decimals) {
                    size += grid.read_cell(reader, row, *decimals);
                }
                // One row there is always.
                if size > left && grid.rows > 0 {
                    grid.forget_row();
                    return grid;
                }
                left = left.saturating_sub(size);
                grid.rows += 1;
            }
        }
        grid
    }

    /// Forgets the cells behind the last whole row.
    fn forget_row(&mut self) {
        let kept = self.rows * self.columns;
        self.cells.truncate(kept);
        self.text
            .truncate(self.cells.last().map_or(0, |cell| cell.end));
        let mut shorts = self.cells.iter().rev().filter_map(|cell| match cell.holds {
            Holds::Short(number) => Some(number as usize + 1),
            Holds::Nothing | Holds::All => None,
        });
        self.whole_ends.truncate(shorts.next().unwrap_or(0));
        self.wholes
            .truncate(self.whole_ends.last().copied().unwrap_or(0));
    }

    /// Reads one more cell, and says how long its markup is, about.
    fn read_cell(&mut self, reader: &Column<'_>, row: usize, decimals: usize) -> usize {
        let start = self.text.len();
        let holds = if reader.is_null(row) {
            Holds::Nothing
        } else if reader.push(&mut self.text, &mut self.wholes, row, decimals) {
            let number = self.whole_ends.len() as u32;
            self.whole_ends.push(self.wholes.len());
            Holds::Short(number)
        } else {
            Holds::All
        };
        let end = self.text.len();
        self.cells.push(Cell { end, holds });
        // A text too long for its title is cut there.
        AROUND + (end - start).min(LONGEST_TITLE)
    }

    pub(super) fn value(&self, row: usize, column: usize) -> Value<'_> {
        let index = row * self.columns + column;
        let Some(cell) = self.cells.get(index) else {
            return Value::Null;
        };
        let start = match index {
            0 => 0,
            _ => self.cells[index - 1].end,
        };
        let text = &self.text[start..cell.end];
        match cell.holds {
            Holds::Nothing => Value::Null,
            Holds::All => Value::Text(text),
            Holds::Short(number) => Value::Short {
                text,
                whole: self.whole(number as usize),
            },
        }
    }

    fn whole(&self, number: usize) -> &str {
        let start = match number {
            0 => 0,
            _ => self.whole_ends[number - 1],
        };
        &self.wholes[start..self.whole_ends[number]]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn batch(texts: &[usize]) -> RecordBatch {
        let texts: StringArray = texts
            .iter()
            .map(|length| Some("x".repeat(*length)))
            .collect();
        RecordBatch::try_from_iter([("c", Arc::new(texts) as ArrayRef)]).unwrap()
    }

    #[test]
    fn rows_are_read_until_their_markup_would_be_too_large() {
        // A row of one cell takes its text and what is around row and cell.
        let row = |text: usize| 2 * AROUND + text;
        let cases: [(&[&[usize]], usize, usize); 8] = [
            (&[], 0, 0),
            (&[&[10, 10]], 2 * row(10), 2),
            (&[&[10, 10]], 2 * row(10) - 1, 1),
            (&[&[10], &[10, 10]], 2 * row(10), 2),
            (&[&[10, 500, 10]], 3 * row(10), 1),
            (&[&[20_000, 10]], row(LONGEST_TITLE) + row(10), 2),
            (&[&[500, 10]], 0, 1),
            (&[&[0, 0]], 2 * row(0), 2),
        ];
        for (texts, largest, expected) in cases {
            let batches: Vec<RecordBatch> = texts.iter().map(|texts| batch(texts)).collect();
            let schema = batch(&[]).schema();
            let grid = Grid::read(&schema, &batches, &Zone::utc(), largest);
            let name = format!("{texts:?} within {largest}");
            assert_eq!(grid.rows, expected, "{name}");
            let lengths = texts.iter().copied().flatten().take(expected);
            let text: usize = lengths.sum();
            assert_eq!(
                (grid.cells.len(), grid.text.len()),
                (expected, text),
                "{name}"
            );
        }
    }

    #[test]
    fn a_row_that_is_left_out_leaves_nothing_behind() {
        use arrow::array::Float64Array;
        let values = Float64Array::from(vec![0.123_456_789, 0.123_456_789, 0.123_456_789]);
        let batch = RecordBatch::try_from_iter([("c", Arc::new(values) as ArrayRef)]).unwrap();
        let grid = Grid::read(
            &batch.schema(),
            std::slice::from_ref(&batch),
            &Zone::utc(),
            2 * 60,
        );
        assert_eq!(
            (
                grid.rows,
                grid.cells.len(),
                grid.whole_ends.len(),
                grid.wholes.len()
            ),
            (2, 2, 2, 22)
        );
        assert!(matches!(
            grid.value(1, 0),
            Value::Short {
                text: "0.123457",
                whole: "0.123456789"
            }
        ));
    }
}
