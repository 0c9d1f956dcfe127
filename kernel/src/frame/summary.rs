//! The figures of a result's columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::{concat, interleave, max, min};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use polars::prelude::{IdxCa, Series, SortOptions};

use super::column::Kind;
use super::read::read;
use crate::display::{Bins, ColumnSummary, Distinct, Frequent, Zone};

/// Frequent values that are told.
const FREQUENT: usize = 5;

/// Microseconds of a day.
const DAY: f64 = 86_400_000_000.0;

/// The figures of the column at a place. Values that cannot be counted have none but their nulls.
pub fn summary(field: &FieldRef, batches: &[RecordBatch], at: usize) -> ColumnSummary {
    let pieces = batches.iter().filter_map(|batch| batch.columns().get(at));
    let pieces: Vec<ArrayRef> = pieces.map(Arc::clone).collect();
    let nulls: usize = pieces.iter().map(Array::logical_null_count).sum();
    let known = counted(field, &pieces, nulls);
    known.unwrap_or_else(|| ColumnSummary {
        field: Arc::clone(field),
        nulls: nulls as u64,
        nans: 0,
        distinct: None,
        marks: None,
        mean: None,
        frequent: None,
        histogram: Vec::new(),
    })
}

fn counted(field: &FieldRef, pieces: &[ArrayRef], nulls: usize) -> Option<ColumnSummary> {
    // Instants are counted as such: in an hour of autumn clocks show the same time twice.
    let plain = match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            Field::new(field.name(), DataType::Timestamp(*unit, None), true)
        }
        _ => field.as_ref().clone(),
    };
    let column = read(&plain, pieces, &Zone::utc())?;
    let sorted = Sorted::new(&column.series, nulls)?;
    let runs = sorted.runs()?;
    let distinct = match is_exact(pieces) {
        true => Distinct::Exactly(runs.distinct),
        false => Distinct::About(runs.distinct),
    };
    Some(ColumnSummary {
        field: Arc::clone(field),
        nulls: nulls as u64,
        nans: sorted.nans as u64,
        distinct: Some(distinct),
        marks: match column.kind {
            Kind::Truth => None,
            Kind::Text => sorted.ends(pieces),
            _ => sorted.quartiles(pieces),
        },
        mean: match column.kind.is_number() {
            true => sorted.values.mean(),
            false => None,
        },
        frequent: sorted.frequent(&runs, pieces),
        histogram: sorted.histogram(column.kind),
    })
}

/// Whether values that differ are told apart: decimals are by their first 15 digits.
fn is_exact(pieces: &[ArrayRef]) -> bool {
    const DIGITS: std::ops::Range<i128> = -999_999_999_999_999..1_000_000_000_000_000;
    let decimals = pieces
        .iter()
        .filter_map(|piece| piece.as_primitive_opt::<Decimal128Type>());
    let ends = decimals.flat_map(|piece| [min(piece), max(piece)]);
    ends.flatten().all(|end| DIGITS.contains(&end))
}

/// A column's values in their order, without null and NaN.
struct Sorted {
    values: Series,
    /// The row of each value.
    rows: Vec<usize>,
    nans: usize,
}

/// Equal values, which stand side by side.
struct Runs {
    distinct: u64,
    /// Where the longest begin, and how long they are; the longest first.
    longest: Vec<(usize, u64)>,
}

impl Sorted {
    fn new(series: &Series, nulls: usize) -> Option<Self> {
        let options = SortOptions::default().with_nulls_last(true);
        let order: IdxCa = series.arg_sort(options);
        let values = series.take(&order).ok()?.rechunk();
        let there = values.len().checked_sub(nulls)?;
        // NaN is greater than any number.
        let numbers = match values.f64() {
            Ok(floats) => {
                let numbers = floats
                    .iter()
                    .take(there)
                    .take_while(|value| !value.is_some_and(f64::is_nan));
                numbers.count()
            }
            Err(_other) => there,
        };
        let rows = order.iter().flatten().take(numbers).map(|row| row as usize);
        Some(Self {
            values: values.slice(0, numbers),
            rows: rows.collect(),
            nans: there - numbers,
        })
    }

    /// The values of the pieces that stand at these places of the order.
    fn pick(&self, pieces: &[ArrayRef], places: &[usize]) -> Option<ArrayRef> {
        let ends: Vec<usize> = pieces
            .iter()
            .scan(0, |end, piece| {
                *end += piece.len();
                Some(*end)
            })
            .collect();
        let places: Option<Vec<(usize, usize)>> = places
            .iter()
            .map(|place| {
                let row = *self.rows.get(*place)?;
                let piece = ends.partition_point(|end| *end <= row);
                let start = piece.checked_sub(1).map_or(0, |before| ends[before]);
                Some((piece, row - start))
            })
            .collect();
        let pieces: Vec<&dyn Array> = pieces.iter().map(|piece| piece as &dyn Array).collect();
        interleave(&pieces, &places?).ok()
    }

    /// Minimum, quartiles and maximum: the least values that so many are not above.
    fn quartiles(&self, pieces: &[ArrayRef]) -> Option<ArrayRef> {
        let last = self.rows.len().checked_sub(1)?;
        let rank = |quarter: usize| (self.rows.len() * quarter).div_ceil(4) - 1;
        self.pick(pieces, &[0, rank(1), rank(2), rank(3), last])
    }

    /// Minimum and maximum, with nulls between them.
    fn ends(&self, pieces: &[ArrayRef]) -> Option<ArrayRef> {
        let last = self.rows.len().checked_sub(1)?;
        let ends = self.pick(pieces, &[0, last])?;
        let between = new_null_array(ends.data_type(), 3);
        concat(&[&ends.slice(0, 1), &between, &ends.slice(1, 1)]).ok()
    }

    fn runs(&self) -> Option<Runs> {
        if let Ok(wholes) = self.values.i64() {
            return Some(runs(wholes.iter()));
        }
        if let Ok(floats) = self.values.f64() {
            return Some(runs(floats.iter()));
        }
        if let Ok(texts) = self.values.str() {
            return Some(runs(texts.iter()));
        }
        Some(runs(self.values.bool().ok()?.iter()))
    }

    /// The most frequent values, unless all are different.
    fn frequent(&self, runs: &Runs, pieces: &[ArrayRef]) -> Option<Frequent> {
        let places: Vec<usize> = runs.longest.iter().map(|(start, _)| *start).collect();
        let most = runs.longest.first()?.1;
        let values = self.pick(pieces, &places).filter(|_| most > 1)?;
        let counts = runs.longest.iter().map(|(_, length)| *length).collect();
        Some(Frequent { values, counts })
    }

    fn histogram(&self, kind: Kind) -> Vec<u64> {
        let numbers: Vec<f64> = match (kind, self.values.i64(), self.values.f64()) {
            (Kind::Date, Ok(days), _) => {
                days.iter().flatten().map(|day| day as f64 / DAY).collect()
            }
            (_, Ok(wholes), _) => wholes.iter().flatten().map(|value| value as f64).collect(),
            (_, _, Ok(floats)) => floats.iter().flatten().collect(),
            _ => return Vec::new(),
        };
        let finite = || numbers.iter().copied().filter(|value| value.is_finite());
        let ends = finite().next().zip(finite().next_back());
        let whole = matches!(kind, Kind::Whole | Kind::Date);
        let Some(bins) = ends.and_then(|(min, max)| Bins::between(min, max, whole)) else {
            return Vec::new();
        };
        let mut bars = vec![0; bins.count()];
        for number in &numbers {
            bars[bins.of(*number)] += 1;
        }
        bars
    }
}

fn runs<T: PartialEq>(values: impl Iterator<Item = T>) -> Runs {
    let mut runs = Runs {
        distinct: 0,
        longest: Vec::with_capacity(FREQUENT + 1),
    };
    let mut values = values.enumerate().peekable();
    while let Some((start, value)) = values.next() {
        let mut length = 1;
        while values.next_if(|(_, next)| *next == value).is_some() {
            length += 1;
        }
        runs.distinct += 1;
        let place = runs.longest.partition_point(|(_, other)| *other >= length);
        if place < FREQUENT {
            runs.longest.insert(place, (start, length));
            runs.longest.truncate(FREQUENT);
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
        NullArray, StringArray, TimestampMicrosecondArray,
    };
    use arrow::datatypes::{Float64Type, Int64Type, Schema, TimeUnit};
    use proptest::prelude::*;

    use super::*;

    /// The figures of values that came in two batches.
    fn of(values: ArrayRef) -> ColumnSummary {
        let field = Field::new("a", values.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field]));
        let batch = RecordBatch::try_new(schema.clone(), vec![values]).unwrap();
        let middle = batch.num_rows() / 3;
        let batches = [
            batch.slice(0, middle),
            batch.slice(middle, batch.num_rows() - middle),
        ];
        summary(&schema.fields()[0], &batches, 0)
    }

    fn wholes(array: &ArrayRef) -> Vec<Option<i64>> {
        array.as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn whole_numbers_are_counted_and_ranked() {
        let values = vec![
            Some(5),
            None,
            Some(1),
            Some(5),
            Some(9),
            Some(2),
            None,
            Some(5),
        ];
        let column = of(Arc::new(Int64Array::from(values)));
        assert_eq!((column.nulls, column.nans), (2, 0));
        assert_eq!(column.distinct, Some(Distinct::Exactly(4)));
        assert_eq!(column.mean, Some(4.5));
        let marks = [Some(1), Some(2), Some(5), Some(5), Some(9)];
        assert_eq!(wholes(&column.marks.unwrap()), marks);
        assert_eq!(column.histogram, [1, 1, 0, 0, 3, 0, 0, 0, 1]);
        let frequent = column.frequent.unwrap();
        assert_eq!(
            wholes(&frequent.values),
            [Some(5), Some(1), Some(2), Some(9)]
        );
        assert_eq!(frequent.counts, [3, 1, 1, 1]);
    }

    #[test]
    fn nan_is_counted_apart_and_what_is_infinite_is_not_lost() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let values = vec![Some(nan), Some(1.0), None, Some(nan), Some(2.0), Some(inf)];
        let column = of(Arc::new(Float64Array::from(values)));
        assert_eq!((column.nulls, column.nans), (1, 2));
        assert_eq!(column.distinct, Some(Distinct::Exactly(3)));
        let marks = column.marks.unwrap();
        let marks = marks.as_primitive::<Float64Type>().values().to_vec();
        assert_eq!(marks, [1.0, 1.0, 2.0, inf, inf]);
        assert_eq!(column.histogram.iter().sum::<u64>(), 3);
        assert!(column.frequent.is_none());
        let nothing = of(Arc::new(Float64Array::from(vec![
            Some(nan),
            None,
            Some(nan),
        ])));
        assert_eq!((nothing.nulls, nothing.nans), (1, 2));
        assert_eq!(nothing.distinct, Some(Distinct::Exactly(0)));
        assert!(nothing.marks.is_none() && nothing.mean.is_none() && nothing.histogram.is_empty());
    }

    #[test]
    fn texts_and_truths_have_their_frequent_values() {
        let values = vec![Some("b"), Some(""), None, Some("b"), Some("<b>")];
        let column = of(Arc::new(StringArray::from(values)));
        assert_eq!(column.distinct, Some(Distinct::Exactly(3)));
        let marks = column.marks.unwrap();
        let marks: Vec<_> = marks.as_string::<i32>().iter().collect();
        assert_eq!(marks, [Some(""), None, None, None, Some("b")]);
        assert_eq!(column.frequent.unwrap().counts, [2, 1, 1]);
        assert!(column.histogram.is_empty() && column.mean.is_none());

        let truths = of(Arc::new(BooleanArray::from(vec![true, false, true])));
        assert_eq!(truths.distinct, Some(Distinct::Exactly(2)));
        assert!(truths.marks.is_none());
        let frequent = truths.frequent.unwrap();
        let values: Vec<_> = frequent.values.as_boolean().iter().collect();
        assert_eq!(
            (values, frequent.counts),
            (vec![Some(true), Some(false)], vec![2, 1])
        );
    }

    #[test]
    fn values_keep_their_type_and_what_cannot_be_counted_has_its_nulls() {
        // In Berlin both are half past two, on the same morning.
        let twice =
            TimestampMicrosecondArray::from(vec![1_382_833_800_000_000, 1_382_837_400_000_000]);
        let zoned = of(Arc::new(twice.with_timezone("Europe/Berlin")));
        assert_eq!(zoned.distinct, Some(Distinct::Exactly(2)));
        let berlin = DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Berlin".into()));
        assert_eq!(zoned.marks.unwrap().data_type(), &berlin);

        let days = of(Arc::new(Date32Array::from(vec![-1, 0, 1])));
        assert_eq!(days.marks.unwrap().data_type(), &DataType::Date32);
        assert_eq!(days.histogram, [1, 1, 1]);

        let decimals = Decimal128Array::from(vec![Some(125), None, Some(-5)]);
        let decimals = of(Arc::new(decimals.with_precision_and_scale(38, 2).unwrap()));
        assert_eq!(decimals.distinct, Some(Distinct::Exactly(2)));
        assert_eq!(
            decimals.marks.unwrap().data_type(),
            &DataType::Decimal128(38, 2)
        );
        assert_eq!(decimals.mean, Some(0.6));

        let long = Decimal128Array::from(vec![1_000_000_000_000_000, 1]);
        let long = of(Arc::new(long.with_precision_and_scale(38, 2).unwrap()));
        assert_eq!(long.distinct, Some(Distinct::About(2)));

        let binary = of(Arc::new(BinaryArray::from(vec![
            Some(b"ab".as_slice()),
            None,
        ])));
        assert_eq!((binary.nulls, binary.distinct), (1, None));
        assert_eq!(of(Arc::new(NullArray::new(3))).nulls, 3);
        let empty = of(Arc::new(Int64Array::from(Vec::<i64>::new())));
        assert_eq!(
            (empty.nulls, empty.distinct),
            (0, Some(Distinct::Exactly(0)))
        );
        assert!(empty.marks.is_none() && empty.frequent.is_none());
    }

    proptest! {
        #[test]
        fn figures_are_those_of_the_values(values in prop::collection::vec(prop::option::of(-20..20i64), 0..60)) {
            let column = of(Arc::new(Int64Array::from(values.clone())));
            let mut there: Vec<i64> = values.iter().flatten().copied().collect();
            there.sort_unstable();
            prop_assert_eq!(column.nulls as usize, values.len() - there.len());
            let mut different = there.clone();
            different.dedup();
            prop_assert_eq!(column.distinct, Some(Distinct::Exactly(different.len() as u64)));
            let bars: u64 = column.histogram.iter().sum();
            prop_assert!(bars == there.len() as u64 || column.histogram.is_empty());
            if let Some(marks) = column.marks {
                for (quarter, mark) in wholes(&marks).into_iter().enumerate() {
                    let mark = mark.unwrap();
                    let up_to = there.iter().filter(|value| **value <= mark).count();
                    let below = there.iter().filter(|value| **value < mark).count();
                    prop_assert!(up_to * 4 >= there.len() * quarter && below * 4 <= there.len() * quarter);
                }
            }
            if let Some(frequent) = column.frequent {
                for (value, count) in std::iter::zip(wholes(&frequent.values), &frequent.counts) {
                    let number = there.iter().filter(|other| Some(**other) == value).count();
                    prop_assert_eq!(number as u64, *count);
                }
                let most = different.iter().map(|v| there.iter().filter(|o| *o == v).count()).max();
                prop_assert_eq!(most.map(|most| most as u64), frequent.counts.first().copied());
            }
        }
    }
}
