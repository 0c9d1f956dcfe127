//! The figures of a column as text, the same for page and terminal.

use arrow::array::{Array, Float64Array};
use arrow::datatypes::{DataType, Field};

use super::super::facts::count;
use super::super::text::width;
use super::super::types::{is_number, is_text, spark_type};
use super::super::value::Column;
use super::super::zone::Zone;
use super::{ColumnSummary, Distinct};

/// How many values stand in [`ColumnSummary::marks`].
pub(super) const MARKS: usize = 5;

/// A column's name and figures, as they came or as they are said.
pub(super) struct Figures {
    pub(super) name: String,
    pub(super) type_name: String,
    /// Whether the type names the zone that values are in.
    pub(super) zoned: bool,
    pub(super) missing: String,
    pub(super) distinct: String,
    pub(super) marks: [String; MARKS],
    pub(super) mean: String,
    /// Values and in how many rows each stands.
    pub(super) frequent: Vec<(String, String)>,
    /// The heights of the bars, each from 0 to [`TALLEST`].
    pub(super) bars: Vec<usize>,
    /// The same of at most [`FEW`] bars.
    pub(super) few_bars: Vec<usize>,
    pub(super) number: bool,
    /// Whether it is a time, of which minimum and maximum say more than the frequent values.
    pub(super) time: bool,
}

/// What a number takes at most that stands in a column with others.
const WIDEST_NUMBER: usize = 14;

/// Bars that a line of text has room for.
const FEW: usize = 10;

/// The height of the tallest bar.
pub(super) const TALLEST: usize = 16;

impl Figures {
    pub(super) fn new(column: &ColumnSummary, rows: u64, zone: &Zone) -> Self {
        let mut type_name = spark_type(&column.field);
        let named = Zone::of(column.field.data_type(), zone);
        let zoned = named.is_some();
        if let Some(zone) = named {
            type_name = format!("{type_name} ({})", zone.name());
        }
        let distinct = column.distinct.map(|distinct| match distinct {
            Distinct::Exactly(number) => count(number),
            Distinct::About(number) => format!("≈ {}", count(number)),
        });
        Self {
            name: column.field.name().clone(),
            type_name,
            zoned,
            missing: missing(column, rows),
            distinct: distinct.unwrap_or_default(),
            marks: marks(column, zone),
            mean: column.mean.map(mean).unwrap_or_default(),
            frequent: frequent(column, zone),
            bars: bars(&column.histogram),
            few_bars: bars(&fewer(&column.histogram)),
            number: is_number(column.field.data_type()),
            time: column.field.data_type().is_temporal(),
        }
    }

    /// Whether the figures are numbers that stand in columns with those of others. A single wide
    /// number would take the room of all.
    pub(super) fn in_columns(&self) -> bool {
        let texts = || self.marks.iter().chain([&self.mean]);
        let short = texts().all(|text| width(text) <= WIDEST_NUMBER);
        self.number && short && texts().any(|text| !text.is_empty())
    }

    /// The minimum and the maximum, with an ellipsis between them; empty where there are none.
    pub(super) fn range(&self, short: impl Fn(&str) -> String) -> String {
        let [min, .., max] = &self.marks;
        match (min.is_empty() && max.is_empty(), min == max) {
            (true, _) => String::new(),
            (_, true) => short(min),
            _ => format!("{} … {}", short(min), short(max)),
        }
    }
}

/// `8,255 (2.5 %)`, and `8,255 (2.5 %) + 3 NaN` where there are such.
fn missing(column: &ColumnSummary, rows: u64) -> String {
    let nulls = match column.nulls {
        0 => "0".to_owned(),
        nulls => format!("{} ({})", count(nulls), percent(nulls, rows)),
    };
    match column.nans {
        0 => nulls,
        nans => format!("{nulls} + {} NaN", count(nans)),
    }
}

/// A share in percent, never 0 or 100 where it is not.
fn percent(part: u64, whole: u64) -> String {
    let tenths = (u128::from(part) * 1000 + u128::from(whole) / 2) / u128::from(whole.max(1));
    match tenths {
        0 => "< 0.1 %".to_owned(),
        1000 if part < whole => "> 99.9 %".to_owned(),
        tenths if tenths % 10 == 0 => format!("{} %", tenths / 10),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

fn marks(column: &ColumnSummary, zone: &Zone) -> [String; MARKS] {
    let mut texts = <[String; MARKS]>::default();
    if let Some(values) = &column.marks {
        for (text, value) in std::iter::zip(&mut texts, values_of(&column.field, values, zone)) {
            *text = value.unwrap_or_default();
        }
    }
    texts
}

/// Values as a table of results shows them, all with the same number of decimals.
fn values_of(field: &Field, values: &dyn Array, zone: &Zone) -> Vec<Option<String>> {
    let column = Column::new(field, values, zone);
    let decimals = column.decimals(&mut String::new());
    let text = |row: usize| {
        let mut text = String::new();
        column.push(&mut text, &mut String::new(), row, decimals);
        text
    };
    (0..values.len())
        .map(|row| (!column.is_null(row)).then(|| text(row)))
        .collect()
}

/// A mean to four digits, and two decimals at least.
fn mean(mean: f64) -> String {
    let field = Field::new("mean", DataType::Float64, false);
    let values = Float64Array::from(vec![mean]);
    let zone = Zone::utc();
    let decimals = match mean.abs() {
        0.0 => 1,
        10.0.. => 2,
        1.0.. => 3,
        0.1.. => 4,
        _ => 6,
    };
    let mut text = String::new();
    Column::new(&field, &values, &zone).push(&mut text, &mut String::new(), 0, decimals);
    text
}

fn frequent(column: &ColumnSummary, zone: &Zone) -> Vec<(String, String)> {
    let Some(frequent) = &column.frequent else {
        return Vec::new();
    };
    let values = values_of(&column.field, &frequent.values, zone);
    let said = |value: Option<String>| match value {
        Some(value) if value.is_empty() && is_text(column.field.data_type()) => "''".to_owned(),
        value => value.unwrap_or_default(),
    };
    std::iter::zip(values, &frequent.counts)
        .map(|(value, number)| (said(value), count(*number)))
        .collect()
}

/// Bars as high as their share of the tallest one; one that is not empty is never 0.
fn bars(histogram: &[u64]) -> Vec<usize> {
    let most = u128::from(histogram.iter().copied().max().unwrap_or(0)).max(1);
    let bar = |number: &u64| {
        let height = (u128::from(*number) * TALLEST as u128).div_ceil(most);
        usize::try_from(height).unwrap_or(TALLEST)
    };
    histogram.iter().map(bar).collect()
}

/// Neighbours put together until few are left.
fn fewer(histogram: &[u64]) -> Vec<u64> {
    let together = histogram.len().div_ceil(FEW).max(1);
    histogram
        .chunks(together)
        .map(|part| part.iter().sum())
        .collect()
}

/// The bars in signs of text: `▁` where there is nothing.
pub(super) fn blocks(bars: &[usize]) -> String {
    const SIGNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = SIGNS.len() - 1;
    let sign = |bar: &usize| match bar {
        0 => SIGNS[0],
        bar => SIGNS[((bar * highest + TALLEST / 2) / TALLEST).clamp(1, highest)],
    };
    bars.iter().map(sign).collect()
}
