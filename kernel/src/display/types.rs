//! Spark's names of types.

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

/// The name that Spark gives the type of a result's column, such as `decimal(10,2)` or
/// `map<string,int>`. Types that Spark does not send keep Arrow's name.
pub fn spark_type(field: &Field) -> String {
    let element = |field: &Field| spark_type(field);
    match field.data_type() {
        DataType::Null => "void".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "binary".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp_ntz".to_owned(),
        DataType::Time64(_) => "time".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month".to_owned(),
        DataType::Duration(TimeUnit::Microsecond) => "interval day to second".to_owned(),
        DataType::Interval(_) => "interval".to_owned(),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("array<{}>", element(item))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                format!("map<{},{}>", element(&pair[0]), element(&pair[1]))
            }
            _ => "map".to_owned(),
        },
        DataType::Struct(_) if is_variant(field) => "variant".to_owned(),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}:{}", field.name(), spark_type(field)))
                .collect();
            format!("struct<{}>", fields.join(","))
        }
        other => other.to_string(),
    }
}

/// Whether the column holds variants, which Spark sends as a struct with a marked field.
pub(super) fn is_variant(field: &Field) -> bool {
    match field.data_type() {
        DataType::Struct(fields) => fields.iter().any(|field| {
            field
                .metadata()
                .get("variant")
                .is_some_and(|mark| mark == "true")
        }),
        _ => false,
    }
}

/// Whether values of the type line up at their right.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Whether values of the type are text or bytes, of any length.
pub(super) fn is_text(data_type: &DataType) -> bool {
    data_type.is_string() || data_type.is_binary()
}
