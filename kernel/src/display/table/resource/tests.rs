use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::IntervalMonthDayNano;
use serde_json::json;

use super::*;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn resource(batch: &RecordBatch) -> Option<Value> {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    let resource = of(&batch.schema(), std::slice::from_ref(batch), &zone)?;
    Some(serde_json::to_value(resource).unwrap())
}

fn map(keys: ArrayRef, values: ArrayRef) -> MapArray {
    let fields = vec![
        Arc::new(Field::new("key", keys.data_type().clone(), false)),
        Arc::new(Field::new("value", values.data_type().clone(), true)),
    ];
    let offsets = OffsetBuffer::from_lengths([keys.len()]);
    let entries = StructArray::new(fields.into(), vec![keys, values], None);
    let field = Field::new("entries", entries.data_type().clone(), false);
    MapArray::new(Arc::new(field), offsets, entries, None, false)
}

fn pair(names: [&str; 2], values: [i32; 2]) -> StructArray {
    let column = |name: &str, value| {
        let field = Arc::new(Field::new(name, DataType::Int32, true));
        (field, Arc::new(Int32Array::from(vec![value])) as ArrayRef)
    };
    StructArray::from(vec![
        column(names[0], values[0]),
        column(names[1], values[1]),
    ])
}

#[test]
fn a_small_table_is_given_as_data_with_its_schema() {
    let batch = batch(vec![
        (
            "carrier",
            Arc::new(StringArray::from(vec![Some("9E"), Some(""), None])),
        ),
        (
            "flights",
            Arc::new(Int32Array::from(vec![Some(18_460), None, Some(0)])),
        ),
    ]);
    assert_eq!(
        resource(&batch),
        Some(json!({
            "profile": "tabular-data-resource",
            "schema": {
                "fields": [
                    {"name": "carrier", "description": "string", "type": "string"},
                    {"name": "flights", "description": "int", "type": "integer"},
                ],
                "missingValues": [],
            },
            "data": [
                {"carrier": "9E", "flights": 18_460},
                {"carrier": "", "flights": null},
                {"carrier": null, "flights": 0},
            ],
        }))
    );
}

#[test]
fn values_of_every_type_are_exact() {
    let decimal = |value: i128| {
        let array = Decimal128Array::from(vec![value]);
        array.with_precision_and_scale(38, 10).unwrap()
    };
    let strings = |values: &[&str]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
    let ints = |values: &[i32]| -> ArrayRef { Arc::new(Int32Array::from(values.to_vec())) };
    let mut list = ListBuilder::new(Float64Builder::new());
    list.append_value([Some(0.5), None]);
    let micros = 1_500_000;
    type Case = (ArrayRef, (&'static str, Option<&'static str>), Value);
    let cases: Vec<Case> = vec![
        (Arc::new(NullArray::new(1)), ("any", None), json!(null)),
        (
            Arc::new(BooleanArray::from(vec![true])),
            ("boolean", None),
            json!(true),
        ),
        (
            Arc::new(Int8Array::from(vec![-128])),
            ("integer", None),
            json!(-128),
        ),
        (
            Arc::new(Int16Array::from(vec![-32_768])),
            ("integer", None),
            json!(-32_768),
        ),
        (
            Arc::new(Int32Array::from(vec![i32::MIN])),
            ("integer", None),
            json!(i32::MIN),
        ),
        (
            Arc::new(Int64Array::from(vec![9_007_199_254_740_991])),
            ("integer", None),
            json!(9_007_199_254_740_991_i64),
        ),
        (
            Arc::new(Int64Array::from(vec![9_007_199_254_740_993])),
            ("integer", None),
            json!("9007199254740993"),
        ),
        (
            Arc::new(Int64Array::from(vec![i64::MIN])),
            ("integer", None),
            json!("-9223372036854775808"),
        ),
        (
            Arc::new(Float32Array::from(vec![0.1])),
            ("number", None),
            json!(0.1),
        ),
        (
            Arc::new(Float64Array::from(vec![0.1 + 0.2])),
            ("number", None),
            json!(0.300_000_000_000_000_04),
        ),
        (
            Arc::new(Float64Array::from(vec![1e-7])),
            ("number", None),
            json!(1e-7),
        ),
        (
            Arc::new(Float64Array::from(vec![f64::NAN])),
            ("number", None),
            json!("NaN"),
        ),
        (
            Arc::new(Float64Array::from(vec![f64::INFINITY])),
            ("number", None),
            json!("INF"),
        ),
        (
            Arc::new(Float32Array::from(vec![f32::NEG_INFINITY])),
            ("number", None),
            json!("-INF"),
        ),
        (
            Arc::new(decimal(99_999_999_999_999_999_999_999_999_999_999_999_999)),
            ("number", None),
            json!("9999999999999999999999999999.9999999999"),
        ),
        (
            strings(&["<b>\u{1b}é"]),
            ("string", None),
            json!("<b>\u{1b}é"),
        ),
        (
            Arc::new(BinaryArray::from(vec![&[0, 255, 1][..]])),
            ("string", Some("binary")),
            json!("AP8B"),
        ),
        (
            Arc::new(Date32Array::from(vec![0])),
            ("date", None),
            json!("1970-01-01"),
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC")),
            ("datetime", Some("any")),
            json!("1970-01-01T00:00:01.500Z"),
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![micros])),
            ("datetime", Some("any")),
            json!("1970-01-01T00:00:01.500"),
        ),
        (
            Arc::new(Time64NanosecondArray::from(vec![45_296_500_000_000])),
            ("time", Some("any")),
            json!("12:34:56.5"),
        ),
        (
            Arc::new(IntervalYearMonthArray::from(vec![14])),
            ("string", None),
            json!("1-2"),
        ),
        (
            Arc::new(DurationMicrosecondArray::from(vec![93_784_500_000])),
            ("string", None),
            json!("1 02:03:04.5"),
        ),
        (
            Arc::new(IntervalMonthDayNanoArray::from(vec![
                IntervalMonthDayNano::new(1, 2, 0),
            ])),
            ("string", None),
            json!("1 months 2 days"),
        ),
        (Arc::new(list.finish()), ("array", None), json!([0.5, null])),
        (
            Arc::new(map(strings(&["k", "l"]), ints(&[1, 2]))),
            ("object", None),
            json!({"k": 1, "l": 2}),
        ),
        (
            Arc::new(map(ints(&[7]), strings(&["v"]))),
            ("object", None),
            json!({"7": "v"}),
        ),
        (
            Arc::new(pair(["x", "y"], [1, 2])),
            ("object", None),
            json!({"x": 1, "y": 2}),
        ),
        (
            Arc::new(pair(["x", "x"], [1, 2])),
            ("object", None),
            json!([["x", 1], ["x", 2]]),
        ),
    ];
    for (array, (kind, format), expected) in cases {
        let name = format!("{}: {expected}", array.data_type());
        let resource = resource(&batch(vec![("c", array)])).unwrap();
        let field = &resource["schema"]["fields"][0];
        assert_eq!(field["type"], kind, "{name}");
        assert_eq!(
            field.get("format").and_then(Value::as_str),
            format,
            "{name}"
        );
        assert_eq!(resource["data"][0]["c"], expected, "{name}");
    }
}

#[test]
fn columns_that_share_a_name_keep_their_values() {
    let one = |value| -> ArrayRef { Arc::new(Int32Array::from(vec![value])) };
    let columns = vec![("a", one(1)), ("a", one(2)), ("a_2", one(3)), ("a", one(4))];
    let resource = resource(&batch(columns)).unwrap();
    assert_eq!(
        resource["data"],
        json!([{"a": 1, "a_2": 2, "a_2_2": 3, "a_3": 4}])
    );
    let fields = resource["schema"]["fields"].as_array().unwrap();
    let titles: Vec<_> = fields.iter().map(|field| field["title"].as_str()).collect();
    assert_eq!(titles, [None, Some("a"), Some("a_2"), Some("a")]);
}

#[test]
fn a_large_table_is_not_given_as_data() {
    let ids = |rows| -> ArrayRef { Arc::new(Int32Array::from(vec![0; rows])) };
    let text = |length| -> ArrayRef { Arc::new(StringArray::from(vec!["x".repeat(length)])) };
    let cases = [
        (vec![("a", ids(MOST_CELLS))], true),
        (vec![("a", ids(MOST_CELLS + 1))], false),
        (
            vec![("a", ids(MOST_CELLS / 2)), ("b", ids(MOST_CELLS / 2))],
            true,
        ),
        (
            vec![
                ("a", ids(MOST_CELLS / 2 + 1)),
                ("b", ids(MOST_CELLS / 2 + 1)),
            ],
            false,
        ),
        (vec![("a", text(MOST_BYTES - 100))], true),
        (vec![("a", text(MOST_BYTES + 1))], false),
        (vec![("a", ids(0))], true),
    ];
    for (columns, expected) in cases {
        let batch = batch(columns);
        let name = format!("{} × {}", batch.num_rows(), batch.num_columns());
        assert_eq!(resource(&batch).is_some(), expected, "{name}");
    }
    assert!(of(&Schema::empty(), &[], &Zone::utc()).is_none());
}
