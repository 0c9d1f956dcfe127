//! Rows counted into groups.

mod growing;
#[cfg(test)]
mod tests;

use super::column::{Column, Piece};
use super::names::{Code, Names};
use super::parts::in_parts;
use crate::display::chart::Steps;
use growing::Growing;

/// Stands for a row that is in no group.
const NONE: u32 = u32::MAX;

/// What tells the groups of rows apart, each of which has a number.
pub enum Key<'a> {
    /// The name in a column, by what its number becomes; names that become [`None`] are in no group.
    Names(&'a Names, &'a [Option<usize>]),
    /// The step that a value lies in.
    Steps(&'a Column, Steps),
    /// The step of one width that a value lies in, counted from a first edge.
    Even(&'a Column, f64, f64, usize),
    /// The last of these edges, in order, that is not beyond a value; the last edge ends the last group.
    Edges(&'a Column, &'a [f64]),
    /// The one of these values, in order, that a value is.
    Exact(&'a Column, &'a [f64]),
}

/// What is counted of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally {
    /// How many rows it has.
    pub count: u64,
    /// The sum of their values.
    pub sum: f64,
    /// The least of their values.
    pub least: f64,
    /// The greatest of their values.
    pub most: f64,
}

impl Tally {
    /// Of no row.
    pub const NOTHING: Self = Self {
        count: 0,
        sum: 0.0,
        least: f64::INFINITY,
        most: f64::NEG_INFINITY,
    };

    /// Of the rows of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    /// Of so many rows whose values are not looked at.
    fn of_rows(count: u64) -> Self {
        Self {
            count,
            ..Self::NOTHING
        }
    }
}

/// Counts rows into the groups of one key, or of each pair of two: the groups of the second key for
/// the first group of the first, then those for its second. Rows without a value, and those whose
/// value is not finite, are in no group; without `of` rows alone are counted.
pub fn tally(keys: &[&Key<'_>], of: Option<&Column>) -> Vec<Tally> {
    let groups: usize = keys.iter().map(|key| key.count()).product();
    let columns: Vec<_> = keys.iter().map(|key| key.pieces()).collect();
    let values = of.map(Column::pieces);
    let lengths: Vec<_> = match columns.first() {
        Some(pieces) => pieces.iter().map(Codes::len).collect(),
        None => Vec::new(),
    };
    let parts = in_parts(&lengths, |stretch| {
        let (with_values, without) = match of {
            Some(_) => (groups, 0),
            None => (0, groups),
        };
        let mut found = vec![Growing::NOTHING; with_values];
        let mut counts = vec![0_u64; without];
        let (mut codes, mut more) = (Vec::new(), Vec::new());
        for piece in stretch {
            if let [key] = keys
                && of.is_none()
                && key.count_alone(&columns[0][piece], &mut counts)
            {
                continue;
            }
            codes.clear();
            codes.resize(lengths[piece], NONE);
            let mut numbered = keys.iter().zip(&columns);
            if let Some((key, column)) = numbered.next() {
                key.number(&column[piece], &mut codes);
            }
            for (key, column) in numbered {
                more.clear();
                more.resize(lengths[piece], NONE);
                key.number(&column[piece], &mut more);
                let count = key.count() as u32;
                for (code, next) in codes.iter_mut().zip(&more) {
                    *code = match *code == NONE || *next == NONE {
                        true => NONE,
                        false => *code * count + next,
                    };
                }
            }
            match values.as_ref().map(|values| values[piece]) {
                Some(values) => values.each(|row, value| {
                    if let Some(tally) = found.get_mut(codes[row] as usize) {
                        tally.take(value);
                    }
                }),
                None => {
                    for code in &codes {
                        if let Some(count) = counts.get_mut(*code as usize) {
                            *count += 1;
                        }
                    }
                }
            }
        }
        match of {
            Some(_) => found.into_iter().map(Growing::grown).collect::<Vec<_>>(),
            None => counts.into_iter().map(Tally::of_rows).collect(),
        }
    });
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_else(|| vec![Tally::NOTHING; groups]);
    parts.fold(first, |all, part| {
        let both = all.into_iter().zip(part);
        both.map(|(one, other)| one.and(other)).collect()
    })
}

/// What a key reads of one batch.
enum Codes<'a> {
    Names(&'a [Code]),
    Values(Piece<'a>),
}

impl Codes<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Names(codes) => codes.len(),
            Self::Values(piece) => piece.len(),
        }
    }
}

impl Key<'_> {
    /// How many groups there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Names(_, becomes) => {
                let numbers = becomes.iter().flatten();
                numbers.max().map_or(0, |most| most + 1)
            }
            Self::Steps(_, steps) => steps.count,
            Self::Even(.., count) => *count,
            Self::Edges(_, edges) => edges.len().saturating_sub(1),
            Self::Exact(_, values) => values.len(),
        }
    }

    fn pieces(&self) -> Vec<Codes<'_>> {
        match self {
            Self::Names(names, _) => names
                .codes
                .iter()
                .map(|codes| Codes::Names(codes))
                .collect(),
            Self::Steps(column, _)
            | Self::Even(column, ..)
            | Self::Edges(column, _)
            | Self::Exact(column, _) => column.pieces().into_iter().map(Codes::Values).collect(),
        }
    }

    /// Counts the rows of a batch, where that is quicker than to number them first. Whether it was done.
    fn count_alone(&self, piece: &Codes<'_>, counts: &mut [u64]) -> bool {
        match (self, piece) {
            (Self::Steps(_, steps), Codes::Values(values)) => {
                values.count(counts, |value| steps.distance(value))
            }
            (Self::Even(_, from, width, _), Codes::Values(values)) => {
                values.count(counts, |value| (value - from) / width)
            }
            _ => false,
        }
    }

    /// Numbers the rows of a batch; `numbers` hold [`NONE`] before.
    fn number(&self, piece: &Codes<'_>, numbers: &mut [u32]) {
        let count = self.count();
        // A number from zero on is cut to its whole part: that is many times faster than to round down.
        let groups = count as f64;
        let within = |place: f64| match place >= 0.0 && place < groups {
            true => place as u32,
            false => NONE,
        };
        match (self, piece) {
            (Self::Names(_, becomes), Codes::Names(codes)) => {
                let becomes: Vec<u32> = becomes
                    .iter()
                    .map(|new| new.map_or(NONE, |new| new as u32))
                    .collect();
                for (number, code) in numbers.iter_mut().zip(*codes) {
                    *number = becomes.get(*code as usize).copied().unwrap_or(NONE);
                }
            }
            (Self::Steps(_, steps), Codes::Values(values)) => {
                values.number(numbers, |value| within(steps.distance(value)));
            }
            (Self::Even(_, from, width, _), Codes::Values(values)) => {
                values.number(numbers, |value| within((value - from) / width));
            }
            (Self::Edges(_, edges), Codes::Values(values)) => {
                let mut last = 0;
                values.number(numbers, |value| {
                    let begun = edges.get(last).is_some_and(|edge| *edge <= value);
                    let open = edges.get(last + 1).is_some_and(|edge| value < *edge);
                    if !(begun && open) {
                        let after = edges.partition_point(|edge| *edge <= value);
                        if after == 0 || after > count {
                            return NONE;
                        }
                        last = after - 1;
                    }
                    last as u32
                });
            }
            (Self::Exact(_, exact), Codes::Values(values)) => {
                let mut last = 0;
                values.number(numbers, |value| {
                    if exact.get(last) != Some(&value) {
                        let place = exact.partition_point(|known| *known < value);
                        if exact.get(place) != Some(&value) {
                            return NONE;
                        }
                        last = place;
                    }
                    last as u32
                });
            }
            _ => {}
        }
    }
}
