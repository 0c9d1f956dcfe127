use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use proptest::prelude::*;

use super::*;
use crate::cell::{Magic, Piece, parse};
use crate::display::chart::{Layer, Place};

fn draw_batch(batch: &RecordBatch, asked: &str) -> Result<Chart, Refusal> {
    let pieces = parse(&format!("%chart {asked}")).unwrap();
    let [Piece::Magic(Magic::Chart(request))] = pieces.as_slice() else {
        panic!("{pieces:?}");
    };
    // In two batches, as results come in several, and one of no rows.
    let middle = batch.num_rows() / 3;
    let batches = [
        batch.slice(0, middle),
        batch.slice(0, 0),
        batch.slice(middle, batch.num_rows() - middle),
    ];
    draw(&batch.schema(), &batches, &Zone::utc(), request, None)
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn floats(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// The bars' places, ends and colours.
fn bars(chart: &Chart) -> Vec<(Place, f64, f64, usize)> {
    let Layer::Bars { bars, .. } = &chart.layer else {
        panic!("{chart:?}");
    };
    let bar = |bar: &crate::display::chart::Bar| (bar.place, bar.from, bar.to, bar.color);
    bars.iter().map(bar).collect()
}

fn names(scale: &Scale) -> Vec<&str> {
    match scale {
        Scale::Names(names) => names.iter().map(String::as_str).collect(),
        other => panic!("{other:?}"),
    }
}

fn flights() -> RecordBatch {
    batch([
        (
            "carrier",
            texts(&[
                Some("UA"),
                Some("AA"),
                Some("UA"),
                None,
                Some("DL"),
                Some("AA"),
            ]),
        ),
        (
            "delay",
            floats(&[
                Some(10.0),
                Some(1.0),
                Some(20.0),
                Some(99.0),
                None,
                Some(2.0),
            ]),
        ),
    ])
}

#[test]
fn bars_are_means_of_many_rows_and_the_values_of_single_ones() {
    let chart = draw_batch(&flights(), "").unwrap();
    assert_eq!(chart.title, "mean(delay) by carrier");
    assert_eq!(chart.x.title, "mean(delay)");
    assert_eq!(chart.y.title, "carrier");
    assert_eq!(names(&chart.y.scale), ["UA", "AA"]);
    assert_eq!(
        bars(&chart),
        [
            (Place::Name(0), 0.0, 15.0, 0),
            (Place::Name(1), 0.0, 1.5, 0)
        ]
    );
    assert_eq!(
        chart.notes,
        ["2 rows without a value of carrier or delay are left out"]
    );
    let cases: [(&str, &str, &[f64]); 4] = [
        ("y=sum(delay)", "sum(delay) by carrier", &[30.0, 3.0]),
        ("y=max(delay)", "max(delay) by carrier", &[20.0, 2.0]),
        ("y=min(delay)", "min(delay) by carrier", &[10.0, 1.0]),
        ("y=count", "count by carrier", &[2.0, 2.0, 1.0]),
    ];
    for (asked, title, heights) in cases {
        let chart = draw_batch(&flights(), asked).unwrap();
        assert_eq!(chart.title, title);
        let drawn: Vec<f64> = bars(&chart).iter().map(|bar| bar.2).collect();
        assert_eq!(drawn, heights, "{asked}");
    }
    let single = flights().slice(0, 2);
    let chart = draw_batch(&single, "").unwrap();
    assert_eq!(chart.title, "delay by carrier");
    assert_eq!(chart.x.title, "delay");
}

#[test]
fn names_that_are_counted_are_those_that_are_there() {
    let both = batch([
        ("day", texts(&[Some("Mo"), Some("Mo"), Some("Tu")])),
        ("tail", texts(&[Some("N1"), None, Some("N2")])),
    ]);
    let chart = draw_batch(&both, "bar x=day y=count(tail)").unwrap();
    assert_eq!(chart.title, "count(tail) by day");
    let drawn: Vec<f64> = bars(&chart).iter().map(|bar| bar.2).collect();
    assert_eq!(drawn, [1.0, 1.0]);
}

#[test]
fn only_the_greatest_of_many_bars_are_shown_and_the_others_are_told() {
    let many: Vec<String> = (0..30).map(|number| format!("n{number}")).collect();
    let many = batch([
        (
            "name",
            texts(&many.iter().map(|n| Some(n.as_str())).collect::<Vec<_>>()),
        ),
        (
            "v",
            floats(&(0..30).map(|v| Some(f64::from(v))).collect::<Vec<_>>()),
        ),
    ]);
    let chart = draw_batch(&many, "").unwrap();
    assert_eq!(bars(&chart).len(), 20);
    assert_eq!(names(&chart.y.scale)[0], "n29");
    assert_eq!(
        chart.notes,
        ["the 20 greatest of 30 values of name; the others hold 45"]
    );
    let chart = draw_batch(&many, "y=mean(v)").unwrap();
    assert_eq!(chart.notes, ["the 20 greatest of 30 values of name"]);
}

#[test]
fn coloured_bars_stand_on_each_other_where_they_add_up_and_else_side_by_side() {
    let rows = batch([
        (
            "day",
            texts(&[Some("Mo"), Some("Mo"), Some("Tu"), Some("Mo")]),
        ),
        ("kind", texts(&[Some("a"), Some("b"), Some("b"), Some("b")])),
        ("v", floats(&[Some(1.0), Some(2.0), Some(-4.0), Some(6.0)])),
    ]);
    let chart = draw_batch(&rows, "bar color=kind y=sum(v)").unwrap();
    assert_eq!(
        bars(&chart),
        [
            (Place::Name(0), 0.0, 1.0, 0),
            (Place::Name(0), 1.0, 9.0, 1),
            (Place::Name(1), 0.0, -4.0, 1),
        ]
    );
    assert_eq!(chart.colors.as_ref().unwrap().names, ["a", "b"]);
    let chart = draw_batch(&rows, "bar color=kind y=mean(v)").unwrap();
    assert!(matches!(
        chart.layer,
        Layer::Bars {
            side_by_side: true,
            ..
        }
    ));
    assert_eq!(bars(&chart)[1], (Place::Name(0), 0.0, 4.0, 1));
}

#[test]
fn a_histogram_counts_values_between_round_edges() {
    let values: Vec<Option<f64>> = [0.0, 0.1, 0.3, 0.3, 0.95]
        .into_iter()
        .map(Some)
        .chain([None, Some(f64::NAN), Some(f64::INFINITY)])
        .collect();
    let chart = draw_batch(&batch([("share", floats(&values))]), "").unwrap();
    assert_eq!(chart.title, "count by share");
    assert_eq!(chart.x.title, "share");
    assert_eq!(
        bars(&chart),
        [
            (Place::Span(0.0, 0.05), 0.0, 1.0, 0),
            (Place::Span(0.1, 0.15), 0.0, 1.0, 0),
            (Place::Span(0.3, 0.35), 0.0, 2.0, 0),
            (Place::Span(0.95, 1.0), 0.0, 1.0, 0),
        ]
    );
    assert_eq!(
        chart.notes,
        ["3 rows without a value of share are left out"]
    );
    let wholes: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 2, 4]));
    let chart = draw_batch(&batch([("n", wholes)]), "").unwrap();
    assert_eq!(
        bars(&chart),
        [
            (Place::Span(0.5, 1.5), 0.0, 1.0, 0),
            (Place::Span(1.5, 2.5), 0.0, 2.0, 0),
            (Place::Span(3.5, 4.5), 0.0, 1.0, 0),
        ]
    );
}

#[test]
fn few_whole_numbers_have_a_bar_each_in_their_order() {
    let rows = batch([
        (
            "year",
            Arc::new(Int64Array::from(vec![2015, 2013, 2015])) as ArrayRef,
        ),
        ("v", floats(&[Some(1.0), Some(5.0), Some(3.0)])),
    ]);
    let chart = draw_batch(&rows, "bar x=year y=v").unwrap();
    assert_eq!(names(&chart.x.scale), ["2013", "2015"]);
    assert_eq!(bars(&chart)[1], (Place::Name(1), 0.0, 2.0, 0));
}

/// The points of each line.
fn lines(chart: &Chart) -> Vec<Vec<(f64, f64)>> {
    let Layer::Lines { lines, .. } = &chart.layer else {
        panic!("{chart:?}");
    };
    let points =
        |line: &crate::display::chart::Line| line.points.iter().map(|p| (p.0, p.2)).collect();
    lines.iter().map(points).collect()
}

const DAY: f64 = 86_400_000_000.0;

#[test]
fn a_line_goes_through_the_values_where_they_are_few() {
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(2), Some(-1), None, Some(0)]));
    let rows = batch([
        ("day", days),
        ("v", floats(&[Some(3.0), Some(1.0), Some(9.0), Some(2.0)])),
    ]);
    let chart = draw_batch(&rows, "").unwrap();
    assert_eq!(chart.title, "v by day");
    assert_eq!(lines(&chart), [[(-DAY, 1.0), (0.0, 2.0), (2.0 * DAY, 3.0)]]);
    assert_eq!(
        chart.x.scale,
        Scale::Times {
            from: -DAY,
            to: 2.0 * DAY
        }
    );
    assert_eq!(chart.notes, ["1 row without a value of day is left out"]);
}

#[test]
fn a_line_of_many_rows_is_put_together_by_pieces_of_time() {
    // A row a minute for 100 days, from the first of January 1970.
    let minutes = 100 * 24 * 60;
    let times: ArrayRef = Arc::new(
        (0..minutes)
            .map(|minute| Some(minute * 60_000_000))
            .collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC"),
    );
    let values: ArrayRef = Arc::new(
        (0..minutes)
            .map(|m| Some(m as f64))
            .collect::<Float64Array>(),
    );
    let kinds: ArrayRef = Arc::new(
        (0..minutes)
            .map(|m| Some(m % 2 == 0))
            .collect::<BooleanArray>(),
    );
    let rows = batch([("at", times), ("v", values), ("even", kinds)]);
    let chart = draw_batch(&rows, "color=even y=mean(v)").unwrap();
    assert_eq!(chart.title, "mean(v) by 6 hours of at");
    assert_eq!(chart.x.title, "at (UTC)");
    let drawn = lines(&chart);
    assert_eq!(drawn.iter().map(Vec::len).collect::<Vec<_>>(), [400, 400]);
    // The mean of the even minutes of the second quarter of a day.
    assert_eq!(drawn[0][1], (DAY / 4.0, 539.0));
    assert_eq!(chart.colors.unwrap().names, ["true", "false"]);
    let chart = draw_batch(&rows, "area y=count color=even").unwrap();
    let Layer::Lines {
        lines,
        filled: true,
    } = &chart.layer
    else {
        panic!("{chart:?}");
    };
    assert_eq!(lines[1].points[3].1, 180.0);
    assert_eq!(lines[1].points[3].2, 360.0);
    let refusal = draw_batch(&rows, "area y=mean(v) color=even").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "An area of several colours needs amounts that add up; mean(v) does not. `%chart line` draws it, and `y=sum(…)` adds up."
    );
}

#[test]
fn months_are_as_long_as_they_are() {
    let days: ArrayRef = Arc::new((0..30_000).map(Some).collect::<Date32Array>());
    let chart = draw_batch(&batch([("day", days)]), "").unwrap();
    assert_eq!(chart.title, "count by quarter of day");
    let points = &lines(&chart)[0];
    assert_eq!(
        points[..3],
        [(0.0, 90.0), (90.0 * DAY, 91.0), (181.0 * DAY, 92.0)]
    );
    assert_eq!(points.len(), 329);
}

#[test]
fn rows_are_points_and_many_rows_are_fields() {
    let pairs = |count: i64| {
        let x: ArrayRef = Arc::new(
            (0..count)
                .map(|n| (n % 100) as f64)
                .collect::<Float64Array>(),
        );
        let y: ArrayRef = Arc::new((0..count).map(|n| Some(n / 100)).collect::<Int64Array>());
        batch([("x", x), ("y", y)])
    };
    let chart = draw_batch(&pairs(2000), "").unwrap();
    let Layer::Points(points) = &chart.layer else {
        panic!("{chart:?}");
    };
    assert_eq!(
        (points.len(), points[101].x, points[101].y),
        (2000, 1.0, 1.0)
    );
    let chart = draw_batch(&pairs(10_000), "").unwrap();
    let Layer::Tiles {
        tiles,
        title,
        by_ratio: true,
    } = &chart.layer
    else {
        panic!("{chart:?}");
    };
    assert_eq!(chart.title, "y by x");
    assert_eq!(title, "count");
    assert_eq!(chart.notes, ["10,000 rows, counted in fields"]);
    assert_eq!(tiles.len(), 400);
    assert!(tiles.iter().all(|tile| tile.amount == 25.0));
    assert_eq!(tiles[1].x, Place::Span(0.0, 5.0));
    assert_eq!(tiles[1].y, Place::Span(5.0, 10.0));
}

#[test]
fn a_heat_map_has_a_field_for_each_pair() {
    let rows = batch([
        ("a", texts(&[Some("p"), Some("q"), Some("p"), Some("p")])),
        ("b", texts(&[Some("s"), Some("s"), Some("r"), Some("s")])),
        ("v", floats(&[Some(1.0), Some(5.0), Some(7.0), Some(3.0)])),
    ]);
    let chart = draw_batch(&rows, "").unwrap();
    assert_eq!(chart.title, "mean(v) by a and b");
    let Layer::Tiles { tiles, .. } = &chart.layer else {
        panic!("{chart:?}");
    };
    let found: Vec<_> = tiles
        .iter()
        .map(|tile| (tile.x, tile.y, tile.amount))
        .collect();
    assert_eq!(
        found,
        [
            (Place::Name(0), Place::Name(0), 2.0),
            (Place::Name(0), Place::Name(1), 7.0),
            (Place::Name(1), Place::Name(0), 5.0),
        ]
    );
    assert_eq!(
        (names(&chart.x.scale), names(&chart.y.scale)),
        (vec!["p", "q"], vec!["s", "r"])
    );
}

#[test]
fn more_colours_than_can_be_told_apart_become_others() {
    let kinds: Vec<String> = (0..30).map(|row| format!("k{}", row % 10)).collect();
    let kinds: Vec<_> = kinds.iter().map(|kind| Some(kind.as_str())).collect();
    let days: ArrayRef = Arc::new((0..30).map(|row| Some(row / 10)).collect::<Date32Array>());
    let rows = batch([("day", days), ("kind", texts(&kinds))]);
    assert_eq!(draw_batch(&rows, "").unwrap().colors, None);
    let chart = draw_batch(&rows, "color=kind").unwrap();
    let colors = chart.colors.as_ref().unwrap();
    assert_eq!(colors.names, ["k0", "k1", "k2", "k3", "k4", "k5", "others"]);
    let last = lines(&chart).pop().unwrap();
    assert_eq!(last, [(0.0, 4.0), (DAY, 4.0), (2.0 * DAY, 4.0)]);
}

#[test]
fn what_holds_nothing_is_refused_and_a_part_is_said() {
    let nothing = flights().slice(0, 0);
    assert_eq!(draw_batch(&nothing, "").unwrap_err(), Refusal::NoRows);
    let nan = batch([("v", floats(&[Some(f64::NAN)]))]);
    assert_eq!(
        draw_batch(&nan, "").unwrap_err(),
        Refusal::NoValues("v".to_owned())
    );
    let apart = batch([
        ("c", texts(&[Some("a"), None])),
        ("v", floats(&[None, Some(1.0)])),
    ]);
    assert_eq!(
        draw_batch(&apart, "").unwrap_err(),
        Refusal::NoValues("v".to_owned())
    );
    let request = ChartRequest::default();
    let (zone, flights) = (Zone::utc(), flights());
    let part = Some("the first 6 rows");
    let chart = draw(&flights.schema(), &[flights], &zone, &request, part).unwrap();
    assert_eq!(
        chart.title,
        "mean(delay) by carrier – of the first 6 rows alone"
    );
}

/// How many marks a chart has.
fn marks(chart: &Chart) -> usize {
    match &chart.layer {
        Layer::Bars { bars, .. } => bars.len(),
        Layer::Lines { lines, .. } => lines.iter().map(|line| line.points.len()).sum(),
        Layer::Points(points) => points.len(),
        Layer::Tiles { tiles, .. } => tiles.len(),
    }
}

proptest! {
    #[test]
    fn a_chart_is_small_and_finite_whatever_it_is_made_of(
        rows in proptest::collection::vec(
            (any::<Option<f64>>(), any::<Option<i64>>(), "[a-z]{0,2}", any::<Option<i32>>(), any::<Option<bool>>()),
            1..150,
        ),
        // More rows than are drawn one by one.
        times in proptest::sample::select(vec![1, 1, 20]),
        asked in proptest::sample::select(vec![
            "", "bar", "line", "area", "scatter", "hist", "heatmap", "hist x=w", "line x=w",
            "bar x=f color=t", "area x=d color=b y=sum(f)", "heatmap x=d y=w", "bar x=d", "scatter x=d y=w",
        ]),
    ) {
        let rows: Vec<_> = std::iter::repeat_n(rows, times).flatten().collect();
        let f: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Float64Array>());
        let w: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
        let t: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.2.as_str())).collect::<StringArray>());
        let d: ArrayRef = Arc::new(rows.iter().map(|row| row.3).collect::<Date32Array>());
        let b: ArrayRef = Arc::new(rows.iter().map(|row| row.4).collect::<BooleanArray>());
        let batch = batch([("f", f), ("w", w), ("t", t), ("d", d), ("b", b)]);
        if let Ok(chart) = draw_batch(&batch, asked) {
            prop_assert!((1..=MOST_POINTS).contains(&marks(&chart)), "{} marks", marks(&chart));
            let media = crate::display::chart::chart(&chart);
            prop_assert_eq!(media.content.len(), 3);
        }
    }
}
