use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field};
use proptest::prelude::*;

use super::*;
use crate::display::Zone;
use crate::frame::read;

fn whole(pieces: &[&[Option<i64>]]) -> Column {
    let pieces: Vec<ArrayRef> = pieces
        .iter()
        .map(|piece| Arc::new(Int64Array::from(piece.to_vec())) as ArrayRef)
        .collect();
    read(
        &Field::new("n", DataType::Int64, true),
        &pieces,
        &Zone::utc(),
    )
    .unwrap()
}

fn fraction(pieces: &[&[Option<f64>]]) -> Column {
    let pieces: Vec<ArrayRef> = pieces
        .iter()
        .map(|piece| Arc::new(Float64Array::from(piece.to_vec())) as ArrayRef)
        .collect();
    read(
        &Field::new("v", DataType::Float64, true),
        &pieces,
        &Zone::utc(),
    )
    .unwrap()
}

fn names(pieces: &[&[Option<&str>]]) -> Names {
    let pieces: Vec<ArrayRef> = pieces
        .iter()
        .map(|piece| Arc::new(StringArray::from(piece.to_vec())) as ArrayRef)
        .collect();
    Names::read(&pieces).unwrap()
}

fn counts(tallies: &[Tally]) -> Vec<u64> {
    tallies.iter().map(|tally| tally.count).collect()
}

#[test]
fn rows_are_counted_into_the_groups_of_a_key() {
    let values = whole(&[
        &[Some(0), Some(9), None, Some(10)],
        &[Some(19), Some(20), Some(-1)],
    ]);
    let steps = Steps::cover(0.0, 19.0, 2);
    let edges = [0.0, 10.0, 20.0];
    let exact = [0.0, 20.0];
    let cases: [(Key<'_>, &[u64]); 4] = [
        (Key::Steps(&values, steps), &[2, 2]),
        (Key::Even(&values, 0.0, 10.0, 2), &[2, 2]),
        (Key::Edges(&values, &edges), &[2, 2]),
        (Key::Exact(&values, &exact), &[1, 1]),
    ];
    for (number, (key, expected)) in cases.into_iter().enumerate() {
        assert_eq!(counts(&tally(&[&key], None)), expected, "key {number}");
    }
}

#[test]
fn pairs_of_groups_sum_the_values_that_are_there() {
    let names = names(&[
        &[Some("a"), Some("b"), None],
        &[Some("b"), Some("b"), Some("c")],
    ]);
    let sides = whole(&[&[Some(1), Some(1), Some(1)], &[Some(2), Some(2), Some(2)]]);
    let values = fraction(&[
        &[Some(1.5), Some(2.5), Some(4.0)],
        &[None, Some(-8.0), Some(f64::NAN)],
    ]);
    // The third name is in no group.
    let becomes = [Some(1), Some(0), None];
    let sides_exact = [1.0, 2.0];
    let keys = [
        Key::Names(&names, &becomes),
        Key::Exact(&sides, &sides_exact),
    ];
    let found = tally(&keys.iter().collect::<Vec<_>>(), Some(&values));
    let one = |value: f64| Tally {
        count: 1,
        sum: value,
        least: value,
        most: value,
    };
    assert_eq!(found, [one(2.5), one(-8.0), one(1.5), Tally::NOTHING]);
    let rows = tally(&keys.iter().collect::<Vec<_>>(), None);
    assert_eq!(counts(&rows), [1, 2, 1, 0]);
    let both = found[0].and(found[1]);
    assert_eq!(
        (both.count, both.sum, both.least, both.most),
        (2, -5.5, -8.0, 2.5)
    );
}

#[test]
fn many_rows_are_counted_alike_by_all_cores() {
    let piece: Vec<Option<i64>> = (0..10_000).map(|row| Some(row % 24)).collect();
    let pieces = vec![piece.as_slice(); 60];
    let hours = whole(&pieces);
    let key = Key::Steps(&hours, Steps::around(0.0, 23.0));
    let found = tally(&[&key], Some(&hours));
    assert_eq!(found.len(), 24);
    for (hour, tally) in found.iter().enumerate() {
        let count = if hour < 16 { 417 * 60 } else { 416 * 60 };
        assert_eq!(tally.count, count, "hour {hour}");
        assert_eq!(tally.sum, (count * hour as u64) as f64);
    }
}

#[test]
fn values_far_outside_are_in_no_group() {
    let values = fraction(&[&[Some(f64::MAX), Some(f64::MIN), Some(-0.5), Some(2.0)]]);
    let edges = [0.0, 1.0, 2.0];
    for key in [
        Key::Steps(&values, Steps::cover(0.0, 1.0, 2)),
        Key::Even(&values, 0.0, 1.0, 2),
        Key::Edges(&values, &edges),
    ] {
        assert_eq!(counts(&tally(&[&key], None)).iter().sum::<u64>(), 0);
    }
    assert_eq!(tally(&[&Key::Exact(&values, &[])], None), []);
}

proptest! {
    #[test]
    fn a_tally_is_that_of_its_values(values in prop::collection::vec(-1e9..1e9, 1..40)) {
        let mut growing = growing::Growing::NOTHING;
        values.iter().for_each(|value| growing.take(*value));
        let tally = growing.grown();
        prop_assert_eq!(tally.count, values.len() as u64);
        prop_assert_eq!(tally.sum, values.iter().sum::<f64>());
        prop_assert_eq!(tally.least, values.iter().copied().fold(f64::INFINITY, f64::min));
        prop_assert_eq!(tally.most, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
}
