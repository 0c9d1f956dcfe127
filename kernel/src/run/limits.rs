//! How much of a result is fetched and shown.

use std::fmt;

use arrow::array::RecordBatch;

use crate::cell::{Limit, Rows, SqlText};
use crate::display::{self, Remaining};
use crate::kept::{ONE_BYTES, size};

/// Rows of a result that are shown where nothing else is asked for.
const DEFAULT_ROWS: u64 = 1000;

/// Bytes of a result that are fetched where nothing else is asked for: more than anybody reads,
/// and little beside what a kernel may take.
const DEFAULT_BYTES: u64 = 64_000_000;

/// What is fetched of a result at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) rows: Rows,
    /// Of the decoded rows in memory. The batch that passes the limit is the last that is taken.
    pub(super) bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: Rows::AtMost(DEFAULT_ROWS),
            bytes: DEFAULT_BYTES,
        }
    }
}

impl Limits {
    pub(super) fn set(&mut self, limit: Limit) {
        match limit {
            Limit::Rows(rows) => self.rows = rows,
            Limit::Bytes(bytes) => self.bytes = bytes,
        }
    }

    /// How many rows are asked of Spark: one more than is shown tells whether there are more.
    pub(super) fn rows_to_fetch(&self) -> Option<u64> {
        match self.rows {
            Rows::AtMost(count) => Some(count.saturating_add(1)),
            Rows::All => None,
        }
    }
}

impl Limits {
    /// Those of one statement's fetch. A result that is kept by name is fetched whole, as far as it
    /// can be kept.
    pub(super) fn of(self, statement: &SqlText) -> Self {
        match statement.keep {
            None => Self {
                rows: statement.rows.unwrap_or(self.rows),
                ..self
            },
            Some(_) => Self {
                rows: statement.rows.unwrap_or(Rows::All),
                bytes: ONE_BYTES,
            },
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rows {
            Rows::AtMost(count) => write!(f, "Results show at most {}", display::rows(count))?,
            Rows::All => write!(f, "Results show all their rows")?,
        }
        write!(f, " and fetch at most {}.", display::bytes(self.bytes))
    }
}

/// The rows of a result as they come, within limits.
#[derive(Debug)]
pub(super) struct Fetched {
    limits: Limits,
    batches: Vec<RecordBatch>,
    rows: u64,
    bytes: u64,
    full: bool,
}

impl Fetched {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
            full: false,
        }
    }

    /// Takes the next rows, or as many of them as the limit of bytes has room for, and says whether
    /// more are wanted.
    pub(super) fn take(&mut self, batch: &RecordBatch) -> bool {
        let size = size(batch);
        let left = self.limits.bytes.saturating_sub(self.bytes);
        let rows = batch.num_rows();
        let (taken, bytes) = if size <= left {
            (rows, size)
        } else {
            self.full = true;
            // Rows are taken to be of one size: to measure each is not worth it.
            let part = |of: u64| u128::from(of) * u128::from(left) / u128::from(size);
            let taken = usize::try_from(part(rows as u64)).unwrap_or(rows).min(rows);
            let bytes = size * taken as u64 / (rows as u64).max(1);
            (taken, bytes)
        };
        self.rows += taken as u64;
        self.bytes += bytes;
        self.batches.push(batch.slice(0, taken));
        !self.full
    }

    /// How many rows were taken.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Their size in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The rows within the limit of rows, and whether there are others.
    pub(super) fn within(&self) -> (Vec<RecordBatch>, Remaining) {
        let batches = first(&self.batches, self.limits.rows);
        let remaining = if matches!(self.limits.rows, Rows::AtMost(most) if self.rows > most) {
            Remaining::OverRows
        } else if self.full {
            Remaining::OverBytes(self.limits.bytes)
        } else {
            Remaining::Nothing
        };
        (batches, remaining)
    }
}

/// The first rows, as many as are wanted.
pub(super) fn first(batches: &[RecordBatch], rows: Rows) -> Vec<RecordBatch> {
    let mut left = match rows {
        Rows::AtMost(count) => usize::try_from(count).unwrap_or(usize::MAX),
        Rows::All => usize::MAX,
    };
    let first = batches.iter().map(|batch| {
        let taken = batch.num_rows().min(left);
        left -= taken;
        batch.slice(0, taken)
    });
    first.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let ids: ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
        RecordBatch::try_from_iter([("id", ids)]).unwrap()
    }

    #[test]
    fn one_row_more_is_fetched_than_is_shown() {
        for (rows, expected) in [
            (Rows::AtMost(1000), Some(1001)),
            (Rows::AtMost(u64::MAX), Some(u64::MAX)),
            (Rows::All, None),
        ] {
            let limits = Limits {
                rows,
                ..Limits::default()
            };
            assert_eq!(limits.rows_to_fetch(), expected);
        }
    }

    #[test]
    fn limits_are_said_in_words() {
        let mut limits = Limits::default();
        for (set, expected) in [
            (
                None,
                "Results show at most 1,000 rows and fetch at most 64.0 MB.",
            ),
            (
                Some(Limit::Rows(Rows::AtMost(1))),
                "Results show at most 1 row and fetch at most 64.0 MB.",
            ),
            (
                Some(Limit::Bytes(2_000_000_000)),
                "Results show at most 1 row and fetch at most 2.0 GB.",
            ),
            (
                Some(Limit::Rows(Rows::All)),
                "Results show all their rows and fetch at most 2.0 GB.",
            ),
        ] {
            if let Some(set) = set {
                limits.set(set);
            }
            assert_eq!(limits.to_string(), expected);
        }
    }

    #[test]
    fn what_is_over_a_limit_is_cut_and_said() {
        use Remaining::{Nothing, OverBytes, OverRows};
        let most = Rows::AtMost;
        // Rows of eight bytes, limits, rows shown and fetched, and whether more was wanted.
        type Case = (
            &'static [i64],
            (Rows, u64),
            &'static [usize],
            u64,
            bool,
            Remaining,
        );
        let cases: [Case; 11] = [
            (&[3, 4], (most(7), 1000), &[3, 4], 7, true, Nothing),
            (&[3, 4], (most(6), 1000), &[3, 3], 7, true, OverRows),
            (&[3, 4], (most(3), 1000), &[3, 0], 7, true, OverRows),
            (&[], (most(3), 1000), &[], 0, true, Nothing),
            (&[2], (most(0), 1000), &[0], 2, true, OverRows),
            (&[3, 4], (Rows::All, 56), &[3, 4], 7, true, Nothing),
            (&[3, 4], (Rows::All, 55), &[3, 3], 6, false, OverBytes(55)),
            (&[3, 4], (Rows::All, 24), &[3, 0], 3, false, OverBytes(24)),
            (&[3], (Rows::All, 1), &[0], 0, false, OverBytes(1)),
            (&[3, 4], (most(2), 40), &[2, 0], 5, false, OverRows),
            (&[3, 4], (most(5), 40), &[3, 2], 5, false, OverBytes(40)),
        ];
        for (batches, (rows, bytes), shown, taken, wanted, expected) in cases {
            let mut fetched = Fetched::new(Limits { rows, bytes });
            let more = batches.iter().all(|rows| fetched.take(&batch(*rows)));
            let (within, remaining) = fetched.within();
            let sizes: Vec<_> = within.iter().map(RecordBatch::num_rows).collect();
            let name = format!("{batches:?} within {rows:?} and {bytes} bytes");
            assert_eq!(sizes, shown, "{name}");
            assert_eq!((more, remaining), (wanted, expected), "{name}");
            assert_eq!(
                (fetched.rows(), fetched.bytes()),
                (taken, taken * 8),
                "{name}"
            );
        }
    }
}
