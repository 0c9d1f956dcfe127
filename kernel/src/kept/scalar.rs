//! A kept result of one value as a parameter of later statements.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType,
};
use firesteel_session::engine::Argument;

use super::Kept;
use crate::display::{rows, spark_type};

/// Why a kept result is no value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoScalar {
    /// It has not exactly one row and one column.
    #[error("it has {}, and a parameter is one value: a result of one row and one column", shape(*.rows, *.columns))]
    Shape {
        /// How many rows it has.
        rows: u64,
        /// How many columns it has.
        columns: usize,
    },
    /// It has more rows than the one that a limit let through.
    #[error(
        "it is the first row of more, and a parameter is one value: a result of one row and one column"
    )]
    Part,
    /// Its value is of a type that Spark Connect has no parameters of.
    #[error(
        "its value is of type {0}, of which no parameter can be; CAST(… AS STRING), say, makes one of it"
    )]
    Type(String),
}

fn shape(count: u64, columns: usize) -> String {
    let s = if columns == 1 { "" } else { "s" };
    format!("{} and {columns} column{s}", rows(count))
}

impl Kept {
    /// Its value, where it is exactly one.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn scalar(&self) -> Result<Argument, NoScalar> {
        let fields = self.schema.fields();
        let (1, 1, Some(batch)) = (fields.len(), self.rows, self.batches.first()) else {
            return Err(NoScalar::Shape {
                rows: self.rows,
                columns: fields.len(),
            });
        };
        if self.cut.is_some() {
            return Err(NoScalar::Part);
        }
        value(batch.column(0).as_ref()).ok_or_else(|| NoScalar::Type(spark_type(&fields[0])))
    }
}

/// The first value of a column, with its type; `None` where there is no such parameter.
fn value(column: &dyn Array) -> Option<Argument> {
    if column.is_null(0) {
        return Some(Argument::Null);
    }
    Some(match column.data_type() {
        DataType::Null => Argument::Null,
        DataType::Boolean => Argument::Boolean(column.as_boolean().value(0)),
        DataType::Int8 => Argument::Byte(column.as_primitive::<Int8Type>().value(0)),
        DataType::Int16 => Argument::Short(column.as_primitive::<Int16Type>().value(0)),
        DataType::Int32 => Argument::Integer(column.as_primitive::<Int32Type>().value(0)),
        DataType::Int64 => Argument::Long(column.as_primitive::<Int64Type>().value(0)),
        DataType::Float32 => Argument::Float(column.as_primitive::<Float32Type>().value(0)),
        DataType::Float64 => Argument::Double(column.as_primitive::<Float64Type>().value(0)),
        DataType::Decimal128(..) => {
            Argument::Decimal(column.as_primitive::<Decimal128Type>().value_as_string(0))
        }
        DataType::Utf8 => Argument::String(column.as_string::<i32>().value(0).to_owned()),
        DataType::LargeUtf8 => Argument::String(column.as_string::<i64>().value(0).to_owned()),
        DataType::Date32 => Argument::Date(column.as_primitive::<Date32Type>().value(0)),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(0);
            match zone {
                Some(_) => Argument::Timestamp(micros),
                None => Argument::TimestampNtz(micros),
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array,
        Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, NullArray, RecordBatch,
        StringArray, TimestampMicrosecondArray,
    };

    use super::super::Cut;
    use super::*;
    use crate::display::Zone;

    fn kept(columns: Vec<ArrayRef>) -> Kept {
        let named = columns
            .into_iter()
            .enumerate()
            .map(|(at, column)| (format!("c{at}"), column));
        let batch = RecordBatch::try_from_iter_with_nullable(
            named.map(|(name, column)| (name, column, true)),
        );
        let batch = batch.unwrap();
        Kept::new(batch.schema(), vec![batch], None, Zone::utc())
    }

    #[test]
    fn one_value_is_a_parameter_of_its_type() {
        let decimal = Decimal128Array::from(vec![-1250]);
        let decimal = decimal.with_precision_and_scale(10, 2).unwrap();
        let instant = TimestampMicrosecondArray::from(vec![-1]);
        let cases: [(ArrayRef, Argument); 15] = [
            (
                Arc::new(BooleanArray::from(vec![true])),
                Argument::Boolean(true),
            ),
            (Arc::new(Int8Array::from(vec![-1])), Argument::Byte(-1)),
            (Arc::new(Int16Array::from(vec![2])), Argument::Short(2)),
            (Arc::new(Int32Array::from(vec![3])), Argument::Integer(3)),
            (Arc::new(Int64Array::from(vec![4])), Argument::Long(4)),
            (
                Arc::new(Float32Array::from(vec![0.5])),
                Argument::Float(0.5),
            ),
            (
                Arc::new(Float64Array::from(vec![0.1])),
                Argument::Double(0.1),
            ),
            (Arc::new(decimal), Argument::Decimal("-12.50".to_owned())),
            (
                Arc::new(StringArray::from(vec!["it's"])),
                Argument::String("it's".to_owned()),
            ),
            (Arc::new(Date32Array::from(vec![-1])), Argument::Date(-1)),
            (
                Arc::new(instant.clone().with_timezone("Europe/Berlin")),
                Argument::Timestamp(-1),
            ),
            (Arc::new(instant), Argument::TimestampNtz(-1)),
            (Arc::new(NullArray::new(1)), Argument::Null),
            (Arc::new(Int32Array::from(vec![None])), Argument::Null),
            (Arc::new(BinaryArray::from(vec![None])), Argument::Null),
        ];
        for (column, expected) in cases {
            let of = column.data_type().clone();
            assert_eq!(kept(vec![column]).scalar(), Ok(expected), "{of}");
        }
    }

    #[test]
    fn what_is_no_value_says_why() {
        let ids = |rows: i64| -> ArrayRef { Arc::new((0..rows).collect::<Int64Array>()) };
        for (columns, expected) in [
            (
                vec![ids(2)],
                "it has 2 rows and 1 column, and a parameter is one value: a result of one row and one column",
            ),
            (
                vec![ids(0)],
                "it has 0 rows and 1 column, and a parameter is one value: a result of one row and one column",
            ),
            (
                vec![ids(1), ids(1)],
                "it has 1 row and 2 columns, and a parameter is one value: a result of one row and one column",
            ),
            (
                vec![Arc::new(BinaryArray::from(vec![b"x".as_slice()])) as ArrayRef],
                "its value is of type binary, of which no parameter can be; CAST(… AS STRING), say, makes one of it",
            ),
        ] {
            let said = kept(columns).scalar().unwrap_err().to_string();
            assert_eq!(said, expected);
        }
        let first = Kept {
            cut: Some(Cut::Rows),
            ..kept(vec![ids(1)])
        };
        assert_eq!(first.scalar(), Err(NoScalar::Part));
    }
}
