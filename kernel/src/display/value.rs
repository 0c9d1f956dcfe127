//! Values as text, written into a string that is used again and again.

mod json;

use std::borrow::Cow;
use std::fmt::Write;

use arrow::array::{
    Array, AsArray, BooleanArray, FixedSizeBinaryArray, GenericBinaryArray, GenericStringArray,
    PrimitiveArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Field, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
};
use arrow_cast::display::{ArrayFormatter, FormatOptions};

use super::facts::bytes;
use super::time::{
    fraction_digits, push_calendar, push_date, push_micros, push_months, push_time_of_day,
    push_timestamp,
};
use super::types::is_variant;
use super::zone::Zone;

/// How a null is written where nothing else tells it from text.
pub(super) const NULL: &str = "NULL";

/// Bytes of a binary value that are shown.
const FIRST_BYTES: usize = 8;

/// Decimals of a float that are shown; the whole number stands in the title.
const MOST_DECIMALS: usize = 6;

/// Reads the values of one column of one batch.
pub(super) struct Column<'a> {
    array: &'a dyn Array,
    reader: Reader<'a>,
}

enum Reader<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a PrimitiveArray<Int8Type>),
    Int16(&'a PrimitiveArray<Int16Type>),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    Decimal(&'a PrimitiveArray<Decimal128Type>, i8),
    Text(&'a GenericStringArray<i32>),
    LargeText(&'a GenericStringArray<i64>),
    Binary(&'a GenericBinaryArray<i32>),
    LargeBinary(&'a GenericBinaryArray<i64>),
    FixedBinary(&'a FixedSizeBinaryArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Instant(&'a PrimitiveArray<TimestampMicrosecondType>, Cow<'a, Zone>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    Time(&'a PrimitiveArray<Time64NanosecondType>),
    Months(&'a PrimitiveArray<IntervalYearMonthType>),
    Micros(&'a PrimitiveArray<DurationMicrosecondType>),
    Calendar(&'a PrimitiveArray<IntervalMonthDayNanoType>),
    List(&'a OffsetBuffer<i32>, Box<Column<'a>>),
    Struct(Vec<(&'a str, Column<'a>)>),
    Map(&'a OffsetBuffer<i32>, Box<(Column<'a>, Column<'a>)>),
    Variant(Box<Column<'a>>),
    /// Types that Spark does not send today.
    Other(Option<ArrayFormatter<'a>>),
}

impl<'a> Column<'a> {
    /// Reads `array`, instants in the zone that `field` names or else in `zone`.
    pub(super) fn new(field: &'a Field, array: &'a dyn Array, zone: &'a Zone) -> Self {
        Self {
            array,
            reader: reader(field, array, zone).unwrap_or_else(|| {
                let options = FormatOptions::new().with_display_error(true);
                // Arrow's options are borrowed for as long as the formatter; ours are constant.
                Reader::Other(ArrayFormatter::try_new(array, &options).ok())
            }),
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row) || matches!(self.reader, Reader::Null)
    }

    /// Appends the value of a row that is not null, floats and timestamps with `decimals`.
    /// Says whether the text is shorter than the value, all of which is then appended to `whole`.
    pub(super) fn push(
        &self,
        out: &mut String,
        whole: &mut String,
        row: usize,
        decimals: usize,
    ) -> bool {
        match &self.reader {
            Reader::Float64(values) => push_float(out, whole, values.value(row), decimals),
            Reader::Float32(values) => push_float(out, whole, values.value(row), decimals),
            Reader::Instant(values, zone) => {
                push_timestamp(out, values.value(row), Some(zone), decimals);
                false
            }
            Reader::Timestamp(values) => {
                push_timestamp(out, values.value(row), None, decimals);
                false
            }
            _ => {
                self.push_whole(out, row);
                false
            }
        }
    }

    /// Appends all of the value of a row that is not null.
    pub(super) fn push_whole(&self, out: &mut String, row: usize) {
        // Writing to a string cannot fail.
        let _ = match &self.reader {
            Reader::Null => write!(out, "{NULL}"),
            Reader::Other(Some(formatter)) => write!(out, "{}", formatter.value(row)),
            Reader::Other(None) => write!(out, "?"),
            _ => {
                self.push_long(out, row);
                Ok(())
            }
        };
    }

    fn push_long(&self, out: &mut String, row: usize) {
        match &self.reader {
            Reader::Boolean(values) => out.push_str(match values.value(row) {
                true => "true",
                false => "false",
            }),
            Reader::Int8(values) => push_integer(out, values.value(row)),
            Reader::Int16(values) => push_integer(out, values.value(row)),
            Reader::Int32(values) => push_integer(out, values.value(row)),
            Reader::Int64(values) => push_integer(out, values.value(row)),
            Reader::Decimal(values, scale) => push_decimal(out, values.value(row), *scale),
            Reader::Float64(values) => push_shortest(out, values.value(row)),
            Reader::Float32(values) => push_shortest(out, values.value(row)),
            Reader::Text(values) => out.push_str(values.value(row)),
            Reader::LargeText(values) => out.push_str(values.value(row)),
            Reader::Binary(values) => push_binary(out, values.value(row)),
            Reader::LargeBinary(values) => push_binary(out, values.value(row)),
            Reader::FixedBinary(values) => push_binary(out, values.value(row)),
            Reader::Date(values) => push_date(out, i64::from(values.value(row))),
            Reader::Instant(values, zone) => {
                let micros = values.value(row);
                push_timestamp(out, micros, Some(zone), fraction_digits(micros));
            }
            Reader::Timestamp(values) => {
                let micros = values.value(row);
                push_timestamp(out, micros, None, fraction_digits(micros));
            }
            Reader::Time(values) => push_time_of_day(out, values.value(row)),
            Reader::Months(values) => push_months(out, i64::from(values.value(row))),
            Reader::Micros(values) => push_micros(out, values.value(row)),
            Reader::Calendar(values) => {
                let value = values.value(row);
                push_calendar(out, value.months, value.days, value.nanoseconds);
            }
            Reader::List(offsets, items) => {
                out.push('[');
                separated(out, range(offsets, row), |out, item| {
                    items.push_nested(out, item);
                });
                out.push(']');
            }
            Reader::Map(offsets, entries) => {
                out.push('{');
                separated(out, range(offsets, row), |out, entry| {
                    entries.0.push_nested(out, entry);
                    out.push_str(": ");
                    entries.1.push_nested(out, entry);
                });
                out.push('}');
            }
            Reader::Struct(fields) => {
                out.push('{');
                separated(out, 0..fields.len(), |out, field| {
                    let (name, values) = &fields[field];
                    out.push_str(name);
                    out.push_str(": ");
                    values.push_nested(out, row);
                });
                out.push('}');
            }
            Reader::Variant(value) => {
                out.push_str("variant of ");
                value.push_nested(out, row);
            }
            _ => {}
        }
    }

    /// Appends a value inside another: nulls are named and text is quoted.
    fn push_nested(&self, out: &mut String, row: usize) {
        if self.is_null(row) {
            out.push_str(NULL);
            return;
        }
        if !matches!(self.reader, Reader::Text(_) | Reader::LargeText(_)) {
            self.push_whole(out, row);
            return;
        }
        out.push('"');
        let start = out.len();
        self.push_whole(out, row);
        if out[start..].contains('"') {
            let quoted = out[start..].replace('"', "\\\"");
            out.truncate(start);
            out.push_str(&quoted);
        }
        out.push('"');
    }

    /// Decimals that show all values of this column in one alignment.
    pub(super) fn decimals(&self, scratch: &mut String) -> usize {
        let rows = || (0..self.array.len()).filter(|row| !self.array.is_null(*row));
        match &self.reader {
            Reader::Float64(values) => most_decimals(rows().map(|row| values.value(row)), scratch),
            Reader::Float32(values) => most_decimals(rows().map(|row| values.value(row)), scratch),
            Reader::Instant(values, _) | Reader::Timestamp(values) => rows()
                .map(|row| fraction_digits(values.value(row)))
                .max()
                .unwrap_or(0),
            _ => 0,
        }
    }
}

fn reader<'a>(field: &'a Field, array: &'a dyn Array, zone: &'a Zone) -> Option<Reader<'a>> {
    Some(match field.data_type() {
        DataType::Null => Reader::Null,
        DataType::Boolean => Reader::Boolean(array.as_boolean_opt()?),
        DataType::Int8 => Reader::Int8(array.as_primitive_opt()?),
        DataType::Int16 => Reader::Int16(array.as_primitive_opt()?),
        DataType::Int32 => Reader::Int32(array.as_primitive_opt()?),
        DataType::Int64 => Reader::Int64(array.as_primitive_opt()?),
        DataType::Float32 => Reader::Float32(array.as_primitive_opt()?),
        DataType::Float64 => Reader::Float64(array.as_primitive_opt()?),
        DataType::Decimal128(_, scale) => Reader::Decimal(array.as_primitive_opt()?, *scale),
        DataType::Utf8 => Reader::Text(array.as_string_opt()?),
        DataType::LargeUtf8 => Reader::LargeText(array.as_string_opt()?),
        DataType::Binary => Reader::Binary(array.as_binary_opt()?),
        DataType::LargeBinary => Reader::LargeBinary(array.as_binary_opt()?),
        DataType::FixedSizeBinary(_) => Reader::FixedBinary(array.as_fixed_size_binary_opt()?),
        DataType::Date32 => Reader::Date(array.as_primitive_opt()?),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Reader::Instant(
            array.as_primitive_opt()?,
            Zone::of(field.data_type(), zone)?,
        ),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Reader::Timestamp(array.as_primitive_opt()?)
        }
        DataType::Time64(TimeUnit::Nanosecond) => Reader::Time(array.as_primitive_opt()?),
        DataType::Interval(IntervalUnit::YearMonth) => Reader::Months(array.as_primitive_opt()?),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            Reader::Calendar(array.as_primitive_opt()?)
        }
        DataType::Duration(TimeUnit::Microsecond) => Reader::Micros(array.as_primitive_opt()?),
        DataType::List(item) => {
            let list = array.as_list_opt::<i32>()?;
            let items = Column::new(item, list.values().as_ref(), zone);
            Reader::List(list.offsets(), Box::new(items))
        }
        DataType::Map(entries, _) => {
            let map = array.as_map_opt()?;
            let DataType::Struct(pair) = entries.data_type() else {
                return None;
            };
            let keys = Column::new(pair.first()?, map.keys().as_ref(), zone);
            let values = Column::new(pair.get(1)?, map.values().as_ref(), zone);
            Reader::Map(map.offsets(), Box::new((keys, values)))
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct_opt()?.columns();
            let mut columns = std::iter::zip(fields, columns)
                .map(|(field, column)| {
                    let values = Column::new(field, column.as_ref(), zone);
                    (field.name().as_str(), values)
                })
                .collect::<Vec<_>>();
            match columns.iter().position(|(name, _)| *name == "value") {
                Some(value) if is_variant(field) => {
                    Reader::Variant(Box::new(columns.swap_remove(value).1))
                }
                _ => Reader::Struct(columns),
            }
        }
        _ => return None,
    })
}

fn range(offsets: &OffsetBuffer<i32>, row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).map_or(0, |offset| *offset as usize);
    at(row)..at(row + 1)
}

fn separated(out: &mut String, items: std::ops::Range<usize>, push: impl Fn(&mut String, usize)) {
    let first = items.start;
    for item in items {
        if item > first {
            out.push_str(", ");
        }
        push(out, item);
    }
}

/// `3 bytes: 0a ff 00`, or the first of them.
fn push_binary(out: &mut String, value: &[u8]) {
    out.push_str(&bytes(value.len() as u64));
    for (at, byte) in value.iter().take(FIRST_BYTES).enumerate() {
        let _ = write!(out, "{}{byte:02x}", if at == 0 { ": " } else { " " });
    }
    if value.len() > FIRST_BYTES {
        out.push_str(" …");
    }
}

fn push_integer(out: &mut String, value: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(value));
}

fn push_decimal(out: &mut String, value: i128, scale: i8) {
    let digits = value.unsigned_abs();
    if value < 0 {
        out.push('-');
    }
    let Ok(scale) = usize::try_from(scale) else {
        let _ = write!(out, "{digits}e{}", -i32::from(scale));
        return;
    };
    let start = out.len();
    let _ = write!(out, "{digits:0width$}", width = scale + 1);
    if scale > 0 {
        let point = (out.len() - scale).max(start);
        out.insert(point, '.');
    }
}

/// Both widths of floats, of which the narrow one must not be widened before it is written.
trait Float: Copy + std::fmt::Display + std::fmt::LowerExp + zmij::Float {
    fn wide(self) -> f64;
}

impl Float for f64 {
    fn wide(self) -> f64 {
        self
    }
}

impl Float for f32 {
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

/// Whether the number is written without an exponent.
fn is_plain(value: f64) -> bool {
    value == 0.0 || (1e-4..1e15).contains(&value.abs())
}

/// Appends the shortest text that reads back as the same number.
fn push_shortest(out: &mut String, value: impl Float) {
    let wide = value.wide();
    let _ = if wide.is_nan() {
        write!(out, "NaN")
    } else if wide.is_infinite() {
        write!(out, "{}Infinity", if wide < 0.0 { "-" } else { "" })
    } else if is_plain(wide) {
        // Of this size it is written without an exponent.
        out.push_str(zmij::Buffer::new().format_finite(value));
        Ok(())
    } else {
        write!(out, "{value:e}")
    };
}

/// Appends the number with so many decimals. Says whether that is not all of it, which `whole` then
/// gets.
fn push_float(out: &mut String, whole: &mut String, value: impl Float, decimals: usize) -> bool {
    let wide = value.wide();
    if !wide.is_finite() || !is_plain(wide) {
        push_shortest(out, value);
        return false;
    }
    let start = out.len();
    push_shortest(out, value);
    let own = decimals_of(&out[start..]);
    if own <= decimals {
        out.extend(std::iter::repeat_n('0', decimals - own));
        return false;
    }
    whole.push_str(&out[start..]);
    out.truncate(start);
    let _ = write!(out, "{value:.decimals$}");
    true
}

/// How many digits stand behind the point of a number.
fn decimals_of(number: &str) -> usize {
    let mut digits = number.bytes().rev();
    digits.position(|byte| byte == b'.').unwrap_or(0)
}

fn most_decimals<T: Float>(values: impl Iterator<Item = T>, scratch: &mut String) -> usize {
    let mut most = 1;
    for value in values {
        if value.wide().is_finite() && is_plain(value.wide()) {
            scratch.clear();
            push_shortest(scratch, value);
            most = most.max(decimals_of(scratch));
        }
        if most >= MOST_DECIMALS {
            return MOST_DECIMALS;
        }
    }
    most
}

#[cfg(test)]
mod tests;
