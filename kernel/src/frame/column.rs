//! A column of a result.

use polars::prelude::Series;
use polars_arrow::bitmap::Bitmap;

use super::parts::in_parts;

/// A column as Polars holds it, in one of the few types that counting needs.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name in the result, which need not be unique there.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// The values; [`Kind`] says in which type.
    pub series: Series,
}

/// What the values of a column are, and the type that holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers, as `Int64`.
    Whole,
    /// Numbers with decimals, as `Float64`: also decimals, of which the first 15 digits are right.
    Fraction,
    /// True or false, as `Boolean`.
    Truth,
    /// Text, as `String`.
    Text,
    /// Days, as the microseconds from 1970-01-01 to their midnight, `Int64`.
    Date,
    /// What a clock shows, as microseconds since 1970-01-01 00:00, `Int64`: instants as the clocks
    /// of their zone show them.
    Time,
}

impl Kind {
    /// Whether its values are numbers.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Fraction)
    }

    /// Whether its values are points in time.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Time)
    }

    /// Whether its values are names that things have, rather than amounts.
    pub fn is_name(self) -> bool {
        matches!(self, Self::Text | Self::Truth)
    }
}

/// The least and the greatest value of a column, those that are not finite left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least.
    pub from: f64,
    /// The greatest.
    pub to: f64,
}

/// The values of one batch, without a copy.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    Whole(&'a [i64], Option<&'a Bitmap>),
    Fraction(&'a [f64], Option<&'a Bitmap>),
}

impl Piece<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Whole(values, _) => values.len(),
            Self::Fraction(values, _) => values.len(),
        }
    }

    /// Gives every value there is, with its row; those that are no finite numbers are left out.
    #[inline]
    pub(super) fn each(self, mut give: impl FnMut(usize, f64)) {
        match self {
            Self::Whole(values, None) => {
                for (row, value) in values.iter().enumerate() {
                    give(row, *value as f64);
                }
            }
            Self::Fraction(values, None) => {
                for (row, value) in values.iter().enumerate() {
                    if value.is_finite() {
                        give(row, *value);
                    }
                }
            }
            Self::Whole(values, Some(valid)) => {
                for ((row, value), valid) in values.iter().enumerate().zip(valid) {
                    if valid {
                        give(row, *value as f64);
                    }
                }
            }
            Self::Fraction(values, Some(valid)) => {
                for ((row, value), valid) in values.iter().enumerate().zip(valid) {
                    if valid && value.is_finite() {
                        give(row, *value);
                    }
                }
            }
        }
    }
}

impl Column {
    /// Its numbers or times, batch by batch; none where it holds neither.
    pub(super) fn pieces(&self) -> Vec<Piece<'_>> {
        if let Ok(whole) = self.series.i64() {
            let piece = |array| -> Piece<'_> {
                let array: &polars_arrow::array::PrimitiveArray<i64> = array;
                Piece::Whole(array.values().as_slice(), array.validity())
            };
            return whole.downcast_iter().map(piece).collect();
        }
        let piece = |array| -> Piece<'_> {
            let array: &polars_arrow::array::PrimitiveArray<f64> = array;
            Piece::Fraction(array.values().as_slice(), array.validity())
        };
        match self.series.f64() {
            Ok(fractions) => fractions.downcast_iter().map(piece).collect(),
            Err(_other) => Vec::new(),
        }
    }

    /// Its numbers or times, row by row; `None` for those that are missing or not finite.
    pub fn values(&self) -> Vec<Option<f64>> {
        let mut values = Vec::with_capacity(self.series.len());
        for piece in self.pieces() {
            let start = values.len();
            values.resize(start + piece.len(), None);
            piece.each(|row, value| values[start + row] = Some(value));
        }
        values
    }

    /// The least and the greatest; `None` where there is no finite one.
    pub fn range(&self) -> Option<Range> {
        let pieces = self.pieces();
        let lengths: Vec<_> = pieces.iter().map(Piece::len).collect();
        let ranges = in_parts(&lengths, |stretch| {
            let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
            for piece in &pieces[stretch] {
                piece.each(|_, value| {
                    from = if value < from { value } else { from };
                    to = if value > to { value } else { to };
                });
            }
            Range { from, to }
        });
        let range = ranges.into_iter().reduce(|a, b| Range {
            from: a.from.min(b.from),
            to: a.to.max(b.to),
        });
        range.filter(|range| range.from <= range.to)
    }

    /// The different values in order; `None` where there are more than `most`.
    pub fn distinct(&self, most: usize) -> Option<Vec<f64>> {
        let pieces = self.pieces();
        let lengths: Vec<_> = pieces.iter().map(Piece::len).collect();
        let found = in_parts(&lengths, |stretch| {
            let mut found: Vec<f64> = Vec::new();
            let mut last = f64::NAN;
            for piece in &pieces[stretch] {
                piece.each(|_, value| {
                    if value != last && found.len() <= most {
                        last = value;
                        let place = found.partition_point(|known| *known < value);
                        if found.get(place) != Some(&value) {
                            found.insert(place, value);
                        }
                    }
                });
                if found.len() > most {
                    return None;
                }
            }
            Some(found)
        });
        let mut all = found.into_iter().collect::<Option<Vec<_>>>()?.concat();
        all.sort_by(f64::total_cmp);
        // Both zeros are one.
        all.dedup_by(|a, b| a == b);
        (all.len() <= most).then_some(all)
    }
}
