//! From percentiles to a histogram.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, IntervalUnit, IntervalYearMonthType};

use crate::display::Bins;

/// The numbers of values in intervals of one width, as far as percentiles tell: `count` values, of
/// which between two neighbours in `ranked` there are equally many, spread evenly. `whole` says that
/// there is nothing between two whole numbers. Empty where there is nothing to draw.
pub(super) fn histogram(ranked: &[f64], count: u64, whole: bool) -> Vec<u64> {
    let finite = || ranked.iter().copied().filter(|value| value.is_finite());
    let (Some(min), Some(max)) = (finite().next(), finite().next_back()) else {
        return Vec::new();
    };
    let Some(bins) = Bins::between(min, max, whole) else {
        return Vec::new();
    };
    let mut shares = vec![0.0; bins.count()];
    for pair in ranked.windows(2) {
        let (from, to) = (bins.place(pair[0]), bins.place(pair[1]));
        if to <= from {
            shares[bins.of(pair[0])] += 1.0;
            continue;
        }
        for (bar, share) in shares.iter_mut().enumerate() {
            let within = to.min(bar as f64 + 1.0) - from.max(bar as f64);
            *share += within.max(0.0) / (to - from);
        }
    }
    let each = count as f64 / (ranked.len() - 1).max(1) as f64;
    shares
        .into_iter()
        .map(|share| (share * each).ceil() as u64)
        .collect()
}

/// Values of a type that has an order as numbers; `None` for another type. Nulls are left out.
pub(super) fn numbers(values: &ArrayRef) -> Option<Vec<f64>> {
    let whole = match values.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = values.as_primitive_opt::<IntervalYearMonthType>()?;
            return Some(months.iter().flatten().map(f64::from).collect());
        }
        DataType::Date32 => cast(values, &DataType::Int32).ok()?,
        DataType::Timestamp(..) | DataType::Time64(_) | DataType::Duration(_) => {
            cast(values, &DataType::Int64).ok()?
        }
        number if number.is_numeric() => values.clone(),
        _ => return None,
    };
    let numbers = cast(&whole, &DataType::Float64).ok()?;
    let numbers = numbers.as_primitive_opt::<Float64Type>()?;
    Some(numbers.iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Decimal128Array, StringArray, TimestampMicrosecondArray};
    use proptest::prelude::*;

    use super::*;

    /// The percentiles of values, as many as are given are one apart.
    fn ranked(values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        (0..=100)
            .map(|rank| sorted[(rank * (sorted.len() - 1)) / 100])
            .collect()
    }

    #[test]
    fn values_that_are_equally_frequent_have_bars_of_one_height() {
        let months: Vec<f64> = (0..1200).map(|at| f64::from(at % 12 + 1)).collect();
        let bars = histogram(&ranked(&months), 1200, true);
        assert_eq!(bars.len(), 12);
        assert!(bars.iter().all(|bar| (90..=112).contains(bar)), "{bars:?}");
    }

    #[test]
    fn a_histogram_shows_where_values_lie() {
        let low: Vec<f64> = (0..1000)
            .map(|at| if at < 990 { 1.0 } else { 100.0 })
            .collect();
        let bars = histogram(&ranked(&low), 1000, false);
        assert!(bars[0] >= 980, "{bars:?}");
        assert!(bars[1..].iter().sum::<u64>() <= 40, "{bars:?}");
        let even: Vec<f64> = (0..=1000).map(f64::from).collect();
        let bars = histogram(&ranked(&even), 1000, false);
        assert!(bars.iter().all(|bar| (49..=51).contains(bar)), "{bars:?}");
    }

    #[test]
    fn where_there_is_no_width_there_is_no_histogram() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let cases: [&[f64]; 6] = [
            &[],
            &[1.0],
            &[1.0, 1.0, 1.0],
            &[-inf, inf],
            &[nan, nan],
            &[f64::MIN, f64::MAX],
        ];
        for ranked in cases {
            assert!(histogram(ranked, 10, false).is_empty(), "{ranked:?}");
        }
        // What is infinite stands at the end it is nearest to.
        assert_eq!(histogram(&[-inf, 0.0, 1.0, inf], 3, false).len(), 20);
    }

    #[test]
    fn values_that_have_an_order_are_numbers() {
        let cases: [(ArrayRef, Option<&[f64]>); 4] = [
            (
                Arc::new(Date32Array::from(vec![Some(1), None])),
                Some(&[1.0]),
            ),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![-5]).with_timezone("UTC")),
                Some(&[-5.0]),
            ),
            (
                Arc::new(
                    Decimal128Array::from(vec![1250])
                        .with_precision_and_scale(10, 2)
                        .unwrap(),
                ),
                Some(&[12.5]),
            ),
            (Arc::new(StringArray::from(vec!["a"])), None),
        ];
        for (values, expected) in cases {
            assert_eq!(numbers(&values).as_deref(), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_is_lost(
            mut values in prop::collection::vec(-1e9..1e9f64, 2..200),
            whole in any::<bool>(),
        ) {
            values.sort_by(f64::total_cmp);
            let count = 10_000;
            let bars = histogram(&values, count, whole);
            let sum: u64 = bars.iter().sum();
            // Each bar is rounded up.
            prop_assert!((count..=count + bars.len() as u64).contains(&sum), "{bars:?}");
        }
    }
}
