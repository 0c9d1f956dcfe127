//! Values counted into few steps of one width, without a number written down for each.

/// Steps at most: with two more places this is a power of two.
const MOST: usize = 62;

/// Places of a table of counts.
const PLACES: usize = MOST + 2;

/// Added to a number from zero to [`PLACES`], it leaves the whole part in the highest bits of the
/// mantissa: that is faster than to convert it, of which the processor does one at a time.
const SHIFT: f64 = PLACES as f64;

/// Tables that are counted into by turns: one that was just written is slow to be read again.
const TURNS: usize = 4;

/// Adds to `counts`, which has one for each step, the values of which `distance` says how many steps
/// they lie behind the first edge. Others are left out. What lies nearer to an edge than a 10¹³th of
/// a step counts as behind it. `false` where the steps are too many for this; then nothing was counted.
#[inline]
pub(super) fn count<T: Copy>(
    values: &[T],
    counts: &mut [u64],
    distance: impl Fn(T) -> f64,
) -> bool {
    if counts.len() > MOST {
        return false;
    }
    let steps = counts.len() as f64;
    let outside = (MOST + 1) as f64;
    let place = |value: T| {
        let distance = distance(value);
        let inside = distance >= 0.0 && distance < steps;
        let distance = if inside { distance } else { outside };
        let bits = (distance + SHIFT).to_bits() >> (f64::MANTISSA_DIGITS - 1 - PLACES.ilog2());
        bits as usize % PLACES
    };
    let mut tables = [[0_u32; PLACES]; TURNS];
    let (rows, rest) = values.as_chunks::<TURNS>();
    for row in rows {
        let places = row.map(place);
        for (table, place) in tables.iter_mut().zip(places) {
            table[place] += 1;
        }
    }
    for value in rest {
        tables[0][place(*value)] += 1;
    }
    let last = counts.len().saturating_sub(1);
    for table in tables {
        // One was nearer to the last edge than can be told, from before it.
        for (step, found) in table.into_iter().take(counts.len() + 1).enumerate() {
            if let Some(count) = counts.get_mut(step.min(last)) {
                *count += u64::from(found);
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_that_lies_within_is_counted_where_it_lies(
            tenths in prop::collection::vec(-100_i32..1000, 0..200),
            steps in 1..=MOST,
        ) {
            let values: Vec<f64> = tenths.iter().map(|tenth| f64::from(*tenth) / 10.0).collect();
            let mut counts = vec![0; steps];
            prop_assert!(count(&values, &mut counts, |value| value));
            let expected: Vec<u64> = (0..steps)
                .map(|step| tenths.iter().filter(|tenth| tenth.div_euclid(10) == step as i32).count() as u64)
                .collect();
            prop_assert_eq!(counts, expected);
        }
    }

    #[test]
    fn what_is_hard_to_place_is_left_out_or_within() {
        let below = |value: f64| f64::from_bits(value.to_bits() - 1);
        for steps in [1, 30, MOST] {
            let end = steps as f64;
            let values = [
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                -f64::MIN_POSITIVE,
                end,
                f64::MAX,
                -0.0,
                below(end),
            ];
            let mut counts = vec![0; steps];
            assert!(count(&values, &mut counts, |value| value));
            let mut expected = vec![0; steps];
            expected[0] += 1;
            expected[steps - 1] += 1;
            assert_eq!(counts, expected);
        }
        let mut many = vec![0; MOST + 1];
        assert!(!count(&[1.0], &mut many, |value| value));
        assert!(count(&[1.0], &mut [], |value| value));
    }
}
