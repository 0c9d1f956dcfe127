use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, NullArray, StringArray};

use super::*;

/// Rows of eight bytes.
fn numbers(rows: usize) -> RecordBatch {
    let ids: ArrayRef = Arc::new((0..rows as i64).collect::<Int64Array>());
    RecordBatch::try_from_iter([("id", ids)]).unwrap()
}

fn kept(batches: Vec<RecordBatch>) -> Kept {
    let schema = batches[0].schema();
    Kept::new(schema, batches, None, Zone::utc())
}

/// A result that holds about so many thousands of bytes.
fn large(kilobytes: usize) -> Kept {
    kept(vec![numbers(kilobytes * 125)])
}

fn names(shelf: &Shelf) -> Vec<&str> {
    shelf.list().map(|(name, _)| name).collect()
}

#[test]
fn memory_is_counted_once_and_a_small_part_of_a_batch_is_copied() {
    let whole = numbers(100_000);
    let twice = kept(vec![whole.slice(0, 50_000), whole.slice(50_000, 50_000)]);
    assert_eq!(twice.rows, 100_000);
    assert!((800_000..801_000).contains(&twice.bytes), "{}", twice.bytes);
    let part = kept(vec![whole.slice(500, 1000), whole.slice(0, 0)]);
    assert_eq!(part.batches, [whole.slice(500, 1000)]);
    assert!((8_000..9_000).contains(&part.bytes), "{}", part.bytes);
}

#[test]
fn a_batch_is_as_large_as_its_own_rows() {
    let whole = numbers(1000);
    assert_eq!(size(&whole), 8000);
    assert_eq!(size(&whole.slice(10, 5)), 40);
}

#[test]
fn all_columns_of_a_part_are_copied() {
    let text: ArrayRef = Arc::new(StringArray::from_iter(
        (0..100_000).map(|n| (n % 3 > 0).then(|| format!("text {n}"))),
    ));
    let nothing: ArrayRef = Arc::new(NullArray::new(100_000));
    let batch = RecordBatch::try_from_iter([("text", text), ("nothing", nothing)]).unwrap();
    let part = kept(vec![batch.slice(7, 10)]);
    assert_eq!(part.batches, [batch.slice(7, 10)]);
    assert!(part.bytes < 1_000, "{}", part.bytes);
}

#[test]
fn what_is_over_a_limit_is_cut_to_its_first_rows() {
    let thousand = || kept(vec![numbers(600), numbers(400)]);
    let whole = thousand().bytes;
    for (most, least_rows, most_rows) in [
        (whole, 1000, 1000),
        (whole - 1, 900, 999),
        (5_000, 600, 625),
        (4_800, 550, 600),
        (100, 0, 12),
        (0, 0, 0),
    ] {
        let cut = thousand().within(most);
        assert!(cut.bytes <= most, "{most}: {}", cut.bytes);
        assert!(
            (least_rows..=most_rows).contains(&cut.rows),
            "{most}: {}",
            cut.rows
        );
        let expected = (most < whole).then_some(Cut::Bytes(most));
        assert_eq!(cut.cut, expected, "{most}");
        let ids: Vec<i64> = cut
            .batches
            .iter()
            .flat_map(|batch| batch.column(0).as_any().downcast_ref::<Int64Array>())
            .flat_map(|ids| ids.values().iter().copied())
            .collect();
        let all: Vec<i64> = (0..600).chain(0..400).collect();
        assert_eq!(ids, all[..ids.len()], "{most}");
    }
}

#[test]
fn a_part_is_said_in_words() {
    for (rows, cut, expected) in [
        (1000, None, None),
        (1000, Some(Cut::Rows), Some("the first 1,000 rows")),
        (1, Some(Cut::Rows), Some("the first row")),
        (
            2,
            Some(Cut::Bytes(64_000_000)),
            Some("the first 2 rows, up to 64.0 MB"),
        ),
    ] {
        let kept = Kept {
            cut,
            ..kept(vec![numbers(rows)])
        };
        assert_eq!(kept.part().as_deref(), expected);
    }
}

#[test]
fn the_oldest_name_makes_room_and_the_last_result_pushes_nothing_out() {
    let mut shelf = Shelf::of(Room {
        one: 320_000,
        named: 384_000,
        all: 512_000,
    });
    assert_eq!(shelf.put("a", large(150)), []);
    assert_eq!(shelf.put("b", large(150)), []);
    assert_eq!(names(&shelf), ["a", "b", "_"]);
    // What takes a name anew is the youngest.
    assert_eq!(shelf.put("a", large(150)), []);
    assert_eq!(names(&shelf), ["b", "a", "_"]);
    let dropped = shelf.put("c", large(150));
    let told: Vec<_> = dropped.iter().map(|gone| gone.name.as_str()).collect();
    assert_eq!(told, ["b"]);
    assert!(dropped[0].bytes >= 150_000);
    shelf.put_last(large(300));
    assert_eq!(names(&shelf), ["a", "c", "_"]);
    let last = shelf.get(LAST).unwrap();
    assert!(matches!(last.cut, Some(Cut::Bytes(_))));
    let all: u64 = shelf.list().map(|(_, kept)| kept.bytes).sum();
    assert!((511_900..=512_000).contains(&all), "{all}");
    let dropped = shelf.put("d", large(400));
    assert_eq!(dropped.len(), 2);
    assert!(shelf.get("d").unwrap().bytes <= 320_000);
    assert_eq!(names(&shelf), ["d", "_"]);
    // The largest leaves room for others.
    assert_eq!(shelf.put("e", large(60)), []);
}

#[test]
fn what_is_removed_is_gone_under_all_its_names() {
    let mut shelf = Shelf::default();
    shelf.put("a", large(1));
    assert!(shelf.remove("A").is_none());
    assert_eq!(shelf.remove("a").unwrap().rows, 125);
    assert_eq!(names(&shelf), Vec::<&str>::new());
    shelf.put("a", large(1));
    shelf.put_last(large(2));
    assert_eq!(shelf.remove("a").unwrap().rows, 125);
    assert_eq!(names(&shelf), ["_"]);
    shelf.put("a", large(1));
    shelf.remove(LAST);
    assert_eq!(names(&shelf), ["a"]);
}
