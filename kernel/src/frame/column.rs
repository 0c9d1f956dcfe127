//! A column of a result.

use polars::prelude::Series;
use polars_arrow::bitmap::Bitmap;

use super::even;
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

impl Range {
    /// Of no value.
    const NOTHING: Self = Self {
        from: f64::INFINITY,
        to: f64::NEG_INFINITY,
    };

    /// Of the values of both.
    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }
}

/// Values compared side by side: a processor then need not wait for one before it takes the next.
const LANES: usize = 8;

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

    /// The least and the greatest of the values that are there and finite.
    fn range(self) -> Range {
        match self {
            Self::Whole(values, None) if !values.is_empty() => {
                let (from, to) = ends(values, (i64::MAX, i64::MIN));
                Range {
                    from: from as f64,
                    to: to as f64,
                }
            }
            Self::Fraction(values, None) => {
                let (from, to) = ends(values, (f64::INFINITY, f64::NEG_INFINITY));
                match from == f64::NEG_INFINITY || to == f64::INFINITY {
                    // Seldom, and slow.
                    true => self.finite_range(),
                    false => Range { from, to },
                }
            }
            _ => self.finite_range(),
        }
    }

    fn finite_range(self) -> Range {
        let mut range = Range::NOTHING;
        self.each(|_, value| {
            range.from = if value < range.from {
                value
            } else {
                range.from
            };
            range.to = if value > range.to { value } else { range.to };
        });
        range
    }

    /// Writes the number of each value that is there; `number` is given values that are not finite too.
    #[inline]
    pub(super) fn number(self, numbers: &mut [u32], mut number: impl FnMut(f64) -> u32) {
        match self {
            Self::Whole(values, None) => {
                for (place, value) in numbers.iter_mut().zip(values) {
                    *place = number(*value as f64);
                }
            }
            Self::Fraction(values, None) => {
                for (place, value) in numbers.iter_mut().zip(values) {
                    *place = number(*value);
                }
            }
            Self::Whole(values, Some(valid)) => {
                for ((place, value), valid) in numbers.iter_mut().zip(values).zip(valid) {
                    if valid {
                        *place = number(*value as f64);
                    }
                }
            }
            Self::Fraction(values, Some(valid)) => {
                for ((place, value), valid) in numbers.iter_mut().zip(values).zip(valid) {
                    if valid {
                        *place = number(*value);
                    }
                }
            }
        }
    }

    /// Counts the values into even steps, where none is missing and [`even::count`] does it.
    #[inline]
    pub(super) fn count(self, counts: &mut [u64], distance: impl Fn(f64) -> f64) -> bool {
        match self {
            Self::Whole(values, None) => {
                even::count(values, counts, |value| distance(value as f64))
            }
            Self::Fraction(values, None) => even::count(values, counts, distance),
            Self::Whole(_, Some(_)) | Self::Fraction(_, Some(_)) => false,
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

/// The least and the greatest of these values; `nothing` where there are none. What is neither less
/// nor more than others, as NaN, is left out.
pub(super) fn ends<T: Copy + PartialOrd>(values: &[T], nothing: (T, T)) -> (T, T) {
    let less = |one: T, other: T| if one < other { one } else { other };
    let more = |one: T, other: T| if one > other { one } else { other };
    let (mut least, mut most) = ([nothing.0; LANES], [nothing.1; LANES]);
    let (rows, rest) = values.as_chunks::<LANES>();
    for row in rows {
        // One after the other: together they are not done side by side.
        for (least, value) in least.iter_mut().zip(row) {
            *least = less(*value, *least);
        }
        for (most, value) in most.iter_mut().zip(row) {
            *most = more(*value, *most);
        }
    }
    let rest = rest.iter().map(|value| (*value, *value));
    let lanes = least.into_iter().zip(most).chain(rest);
    lanes.fold(nothing, |all, next| {
        (less(next.0, all.0), more(next.1, all.1))
    })
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
            let pieces = pieces[stretch].iter();
            pieces.fold(Range::NOTHING, |all, piece| all.and(piece.range()))
        });
        let range = ranges.into_iter().fold(Range::NOTHING, Range::and);
        (range.from <= range.to).then_some(range)
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

#[cfg(test)]
mod tests {
    use polars::prelude::NamedFrom;
    use proptest::prelude::*;

    use super::*;

    fn range(kind: Kind, values: Series) -> Option<(f64, f64)> {
        let column = Column {
            name: "c".to_owned(),
            kind,
            series: values,
        };
        column.range().map(|range| (range.from, range.to))
    }

    proptest! {
        #[test]
        fn a_range_holds_all_that_is_finite(mut values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 0..40), whole in prop::bool::ANY) {
            if whole {
                values = values.into_iter().map(|value| Some(value.unwrap_or(f64::NAN))).collect();
            }
            let finite = values.iter().flatten().filter(|value| value.is_finite());
            let expected = finite.clone().copied().reduce(f64::min).zip(finite.copied().reduce(f64::max));
            prop_assert_eq!(range(Kind::Fraction, Series::new("c".into(), &values)), expected);
        }

        #[test]
        fn a_range_of_whole_numbers_is_theirs(values in prop::collection::vec(prop::num::i64::ANY, 0..40)) {
            let expected = values.iter().min().zip(values.iter().max());
            let expected = expected.map(|(from, to)| (*from as f64, *to as f64));
            prop_assert_eq!(range(Kind::Whole, Series::new("c".into(), &values)), expected);
        }
    }
}
