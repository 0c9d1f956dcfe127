//! Values as JSON, exact: what a JSON number would round is written as its digits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::super::time::{fraction_digits, push_timestamp};
use super::{Column, Float, Reader, push_shortest, range};

/// The integers that every reader of JSON keeps: those of a double.
const SAFE: std::ops::RangeInclusive<i64> = -9_007_199_254_740_991..=9_007_199_254_740_991;

impl Column<'_> {
    /// The value of a row. Instants are in universal time, dates and times as ISO 8601 writes them,
    /// bytes in Base64, decimals and integers beyond 2^53 as text; `NaN`, `INF` and `-INF` as Table
    /// Schema names them.
    pub(in super::super) fn json(&self, row: usize) -> Value {
        if self.is_null(row) {
            return Value::Null;
        }
        match &self.reader {
            Reader::Boolean(values) => Value::Bool(values.value(row)),
            Reader::Int8(values) => values.value(row).into(),
            Reader::Int16(values) => values.value(row).into(),
            Reader::Int32(values) => values.value(row).into(),
            Reader::Int64(values) if SAFE.contains(&values.value(row)) => values.value(row).into(),
            Reader::Float32(values) => float(values.value(row)),
            Reader::Float64(values) => float(values.value(row)),
            Reader::Binary(values) => STANDARD.encode(values.value(row)).into(),
            Reader::LargeBinary(values) => STANDARD.encode(values.value(row)).into(),
            Reader::FixedBinary(values) => STANDARD.encode(values.value(row)).into(),
            Reader::Instant(values, _) => iso(values.value(row), "Z"),
            Reader::Timestamp(values) => iso(values.value(row), ""),
            Reader::List(offsets, items) => {
                range(offsets, row).map(|item| items.json(item)).collect()
            }
            Reader::Map(offsets, entries) => {
                let entries = range(offsets, row).map(|entry| {
                    let mut key = String::new();
                    entries.0.push_whole(&mut key, entry);
                    (key, entries.1.json(entry))
                });
                object(entries)
            }
            Reader::Struct(fields) => object(
                fields
                    .iter()
                    .map(|(name, values)| ((*name).to_owned(), values.json(row))),
            ),
            _ => {
                let mut text = String::new();
                self.push_whole(&mut text, row);
                text.into()
            }
        }
    }
}

/// An object; where two of its members would share a name, an array of pairs.
fn object(members: impl Iterator<Item = (String, Value)>) -> Value {
    let members: Vec<(String, Value)> = members.collect();
    let object: Map<String, Value> = members.iter().cloned().collect();
    if object.len() == members.len() {
        return object.into();
    }
    let pair = |(name, value)| Value::Array(vec![Value::String(name), value]);
    members.into_iter().map(pair).collect()
}

fn float(value: impl Float) -> Value {
    let wide = value.wide();
    if wide.is_nan() {
        return "NaN".into();
    }
    if wide.is_infinite() {
        return if wide < 0.0 { "-INF" } else { "INF" }.into();
    }
    // A narrow float has more digits once it is widened than it ever had.
    let mut text = String::new();
    push_shortest(&mut text, value);
    text.parse().map_or(wide, |read: f64| read).into()
}

fn iso(micros: i64, zone: &str) -> Value {
    let mut text = String::new();
    push_timestamp(&mut text, micros, None, fraction_digits(micros));
    let mut text = text.replacen(' ', "T", 1);
    text.push_str(zone);
    text.into()
}
