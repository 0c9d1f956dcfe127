//! What Spark is asked about a table's columns.

use std::fmt::Write;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit};

/// Parts that the values of a column are cut into by their ranks. Percentiles tell the quartiles
/// and draw a histogram.
pub(super) const RANKS: usize = 100;

/// How exact ranks are: to one in so many. What a task keeps for it grows with the number.
const ACCURACY: usize = 1000;

/// How many numbers a sketch of hashes has, as a power of two: 4,096 tell how many values there are
/// to about two in a hundred.
const HASHES: usize = 12;

/// Frequent values that are asked for: where there are fewer, it is known how many there are.
pub(super) const FREQUENT: usize = 251;

/// Values of a column that are followed. Where there are more, counts are estimates: too high by up
/// to about one in 600 rows.
pub(super) const TRACKED: usize = 1000;

/// Characters of a text that are fetched and told apart by.
const LONGEST: usize = 100;

/// What can be asked of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Float,
    Number,
    /// Dates and the like.
    Time,
    Interval,
    Text,
    Boolean,
    /// Values that can be told apart and no more.
    Whole,
    /// Values that Spark does not compare.
    Opaque,
}

/// Asks for the columns of `table`, a name as SQL takes it.
pub(super) fn types(table: &str) -> String {
    format!("SELECT * FROM {table} LIMIT 0")
}

/// Asks for the figures of the first `most` of the columns: one row, in which the number of rows is
/// followed by a struct for each column. Columns are named by their place, so that whatever their
/// own names are is not part of the text.
pub(super) fn figures(table: &str, fields: &Fields, most: usize) -> String {
    // An array of literals would be a hundred expressions for each column, over which Spark goes
    // again and again: a hundred such columns took it a minute.
    let ranks = (0..=RANKS).map(|rank| (rank as f64 / RANKS as f64).to_string());
    let ranks = format!(
        "CAST(split('{}', ' ') AS ARRAY<DOUBLE>)",
        ranks.collect::<Vec<_>>().join(" ")
    );
    let mut sql = "SELECT count(*) AS rows".to_owned();
    for (at, field) in fields.iter().enumerate().take(most) {
        // Writing to a string cannot fail.
        let _ = write!(sql, ",\n  named_struct({}) AS s{at}", of(at, field, &ranks));
    }
    let _ = write!(sql, "\nFROM {table}");
    let names: Vec<String> = (0..fields.len()).map(|at| format!("c{at}")).collect();
    if !names.is_empty() {
        let _ = write!(sql, " AS t({})", names.join(", "));
    }
    sql
}

/// The names and expressions of a column's figures.
fn of(at: usize, field: &Field, ranks: &str) -> String {
    let class = class(field);
    let column = format!("c{at}");
    // NaN is greater than any number for Spark, and makes every mean one.
    let value = match (class, field.data_type()) {
        (Class::Float, DataType::Float32) => format!("nullif({column}, float('NaN'))"),
        (Class::Float, _) => format!("nullif({column}, double('NaN'))"),
        (Class::Text, _) => format!("left({column}, {LONGEST})"),
        _ => column.clone(),
    };
    let mut asked = vec![("values", format!("count({column})"))];
    if class == Class::Float {
        asked.push(("nans", format!("count_if(isnan({column}))")));
    }
    if class != Class::Opaque {
        // A sketch of hashes is for any type, nearer than approx_count_distinct, and one expression
        // where that is fifty: a hundred such columns took Spark three times as long.
        let hashes = format!("if({value} IS NULL, NULL, xxhash64({value}))");
        let distinct = format!("hll_sketch_estimate(hll_sketch_agg({hashes}, {HASHES}))");
        asked.push(("distinct", distinct));
    }
    if matches!(class, Class::Float | Class::Number) {
        asked.push(("mean", format!("avg(CAST({value} AS DOUBLE))")));
    }
    if matches!(
        class,
        Class::Float | Class::Number | Class::Time | Class::Interval
    ) {
        asked.push(("ranked", ranked(field, &value, ranks)));
    }
    if !matches!(class, Class::Boolean | Class::Whole | Class::Opaque) {
        asked.push(("min", format!("min({value})")));
        asked.push(("max", format!("max({value})")));
    }
    if !matches!(class, Class::Interval | Class::Whole | Class::Opaque) {
        asked.push((
            "frequent",
            format!("approx_top_k({value}, {FREQUENT}, {TRACKED})"),
        ));
    }
    let asked: Vec<String> = asked
        .into_iter()
        .map(|(name, sql)| format!("'{name}', {sql}"))
        .collect();
    asked.join(", ")
}

/// The percentiles of a column.
fn ranked(field: &Field, value: &str, ranks: &str) -> String {
    let of = |value: &str| format!("approx_percentile({value}, {ranks}, {ACCURACY})");
    match field.data_type() {
        // Spark ranks decimals as doubles, and sends one that is no decimal any more as a null where
        // it says that there is none.
        DataType::Decimal128(precision, scale) => format!(
            "transform({}, x -> try_cast(x AS DECIMAL({precision}, {scale})))",
            of(&format!("CAST({value} AS DOUBLE)"))
        ),
        _ => of(value),
    }
}

fn class(field: &Field) -> Class {
    match field.data_type() {
        DataType::Float32 | DataType::Float64 => Class::Float,
        number if number.is_numeric() => Class::Number,
        DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_) => Class::Time,
        DataType::Interval(IntervalUnit::YearMonth) | DataType::Duration(_) => Class::Interval,
        DataType::Utf8 | DataType::LargeUtf8 => Class::Text,
        DataType::Boolean => Class::Boolean,
        _ if is_whole(field) => Class::Whole,
        _ => Class::Opaque,
    }
}

/// Whether values of the type can be told apart. Spark marks what it sends as a struct and is none,
/// such as a variant.
fn is_whole(field: &Field) -> bool {
    match field.data_type() {
        DataType::Binary | DataType::LargeBinary => true,
        DataType::List(item) => is_known(item),
        DataType::Struct(fields) => fields
            .iter()
            .all(|field| field.metadata().is_empty() && is_known(field)),
        _ => false,
    }
}

fn is_known(field: &Field) -> bool {
    class(field) != Class::Opaque
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use arrow::datatypes::TimeUnit;

    use super::*;

    fn field(data_type: DataType) -> Field {
        Field::new("x` OR 1", data_type, true)
    }

    /// The names of the figures that a column is asked for.
    fn asked(field: &Field) -> Vec<String> {
        let sql = of(0, field, "0.5");
        let named = sql.split('\'').skip(1).step_by(2);
        let figures = named.filter(|name| *name != "NaN");
        figures.map(str::to_owned).collect()
    }

    #[test]
    fn a_type_is_asked_for_what_it_has() {
        let all = "values distinct mean ranked min max frequent";
        let variant = Field::new("value", DataType::Binary, false)
            .with_metadata(HashMap::from([("variant".to_owned(), "true".to_owned())]));
        let variant = DataType::Struct(vec![variant].into());
        let map = DataType::Map(Arc::new(field(DataType::Null)), false);
        let list = |item: &DataType| DataType::List(Arc::new(field(item.clone())));
        let of = |data_type: &DataType| DataType::Struct(vec![field(data_type.clone())].into());
        let cases = [
            (DataType::Int8, all),
            (DataType::Decimal128(38, 2), all),
            (
                DataType::Float64,
                "values nans distinct mean ranked min max frequent",
            ),
            (DataType::Date32, "values distinct ranked min max frequent"),
            (
                DataType::Timestamp(TimeUnit::Microsecond, None),
                "values distinct ranked min max frequent",
            ),
            (
                DataType::Interval(IntervalUnit::YearMonth),
                "values distinct ranked min max",
            ),
            (DataType::Utf8, "values distinct min max frequent"),
            (DataType::Boolean, "values distinct frequent"),
            (DataType::Binary, "values distinct"),
            (list(&DataType::Utf8), "values distinct"),
            (of(&list(&DataType::Int32)), "values distinct"),
            (map.clone(), "values"),
            (list(&map), "values"),
            (of(&map), "values"),
            (variant.clone(), "values"),
            (list(&variant), "values"),
            (of(&variant), "values"),
            (DataType::Interval(IntervalUnit::MonthDayNano), "values"),
            (DataType::Null, "values"),
        ];
        for (data_type, expected) in cases {
            assert_eq!(
                asked(&field(data_type.clone())).join(" "),
                expected,
                "{data_type}"
            );
        }
    }

    #[test]
    fn no_name_of_a_column_is_part_of_the_question() {
        let fields: Fields = (0..5).map(|_| field(DataType::Boolean)).collect();
        let sql = figures("`t`", &fields, 2);
        assert_eq!(
            sql,
            "SELECT count(*) AS rows,\n  \
             named_struct('values', count(c0), 'distinct', \
             hll_sketch_estimate(hll_sketch_agg(if(c0 IS NULL, NULL, xxhash64(c0)), 12)), 'frequent', approx_top_k(c0, 251, 1000)) AS s0,\n  \
             named_struct('values', count(c1), 'distinct', \
             hll_sketch_estimate(hll_sketch_agg(if(c1 IS NULL, NULL, xxhash64(c1)), 12)), 'frequent', approx_top_k(c1, 251, 1000)) AS s1\n\
             FROM `t` AS t(c0, c1, c2, c3, c4)"
        );
        assert_eq!(
            figures("`t`", &Fields::empty(), 2),
            "SELECT count(*) AS rows\nFROM `t`"
        );
    }
}
