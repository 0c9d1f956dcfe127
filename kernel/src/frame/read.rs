//! Columns of Arrow as columns of Polars.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::{max, min};
use arrow::datatypes::{
    ArrowNativeType, ArrowPrimitiveType, DataType, Date32Type, Field, Float64Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};
use arrow_cast::cast;
use polars::prelude::{
    BooleanChunked, ChunkedArray, Float64Chunked, Int64Chunked, IntoSeries, PlSmallStr,
    PolarsDataType, Series, StringChunked,
};
use polars_arrow::array::{
    ArrayCollectIterExt, BooleanArray, PrimitiveArray as Values, Utf8ViewArray,
};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::ArrowDataType;
use polars_arrow::types::NativeType;
use polars_buffer::Buffer;

use super::column::{Column, Kind, ends};
use super::parts::in_parts;
use crate::display::Zone;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// What the values of a column are; `None` for those that can be neither counted nor drawn, such
/// as arrays, binary values and intervals.
pub fn kind(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Kind::Whole,
        DataType::Float32
        | DataType::Float64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => Kind::Fraction,
        DataType::Boolean => Kind::Truth,
        DataType::Utf8 | DataType::LargeUtf8 => Kind::Text,
        DataType::Date32 => Kind::Date,
        DataType::Timestamp(TimeUnit::Microsecond, _) => Kind::Time,
        _ => return None,
    })
}

/// Reads a column's values, which come in pieces; instants in the zone that `field` names or else in
/// `zone`. Whole numbers and floats of 64 bits are not copied. `None` where [`kind`] knows none.
pub fn read(field: &Field, pieces: &[ArrayRef], zone: &Zone) -> Option<Column> {
    let kind = kind(field.data_type())?;
    let name = PlSmallStr::from_str(field.name());
    let series = match kind {
        Kind::Whole => whole(name, pieces)?.into_series(),
        Kind::Fraction => fraction(name, pieces)?,
        Kind::Truth => truth(name, pieces)?,
        Kind::Text => text(name, pieces)?,
        Kind::Date => {
            let days = pieces.iter().map(|piece| {
                let days = piece.as_primitive_opt::<Date32Type>()?;
                let micros = days
                    .values()
                    .iter()
                    .map(|day| i64::from(*day).saturating_mul(DAY));
                values(micros.collect::<Vec<_>>().into(), days.nulls())
            });
            let days: Int64Chunked = chunked(name, days)?;
            days.into_series()
        }
        Kind::Time => {
            let zone = Zone::of(field.data_type(), zone);
            clocks(name, pieces, zone.as_deref())?.into_series()
        }
    };
    Some(Column {
        name: field.name().clone(),
        kind,
        series,
    })
}

/// The array as one of another type; itself where it has that already.
fn as_type<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<PrimitiveArray<T>> {
    match array.as_primitive_opt::<T>() {
        Some(same) => Some(same.clone()),
        None => cast(array, &T::DATA_TYPE)
            .ok()?
            .as_primitive_opt::<T>()
            .cloned(),
    }
}

fn whole(name: PlSmallStr, pieces: &[ArrayRef]) -> Option<Int64Chunked> {
    let pieces = pieces.iter().map(|piece| {
        let piece = as_type::<Int64Type>(piece)?;
        values(shared(piece.values().clone()), piece.nulls())
    });
    chunked(name, pieces)
}

fn fraction(name: PlSmallStr, pieces: &[ArrayRef]) -> Option<Series> {
    let pieces = pieces.iter().map(|piece| {
        let piece = as_type::<Float64Type>(piece)?;
        values(shared(piece.values().clone()), piece.nulls())
    });
    let numbers: Float64Chunked = chunked(name, pieces)?;
    Some(numbers.into_series())
}

fn truth(name: PlSmallStr, pieces: &[ArrayRef]) -> Option<Series> {
    let pieces = pieces.iter().map(|piece| {
        let truths = piece.as_boolean_opt()?;
        let bits = Bitmap::from_u8_slice(truths.values().sliced(), truths.len());
        BooleanArray::try_new(ArrowDataType::Boolean, bits, validity(truths.nulls())).ok()
    });
    Some(BooleanChunked::from_chunk_iter(name, pieces.collect::<Option<Vec<_>>>()?).into_series())
}

fn text(name: PlSmallStr, pieces: &[ArrayRef]) -> Option<Series> {
    let pieces = pieces.iter().map(|piece| -> Option<Utf8ViewArray> {
        Some(match piece.as_string_opt::<i32>() {
            Some(texts) => texts.iter().collect_arr(),
            None => piece.as_string_opt::<i64>()?.iter().collect_arr(),
        })
    });
    Some(StringChunked::from_chunk_iter(name, pieces.collect::<Option<Vec<_>>>()?).into_series())
}

/// What the clocks of a zone show at these instants.
fn clocks(name: PlSmallStr, pieces: &[ArrayRef], zone: Option<&Zone>) -> Option<Int64Chunked> {
    let pieces: Option<Vec<_>> = pieces
        .iter()
        .map(|piece| piece.as_primitive_opt::<TimestampMicrosecondType>())
        .collect();
    let pieces = pieces?;
    let offsets = zone.map_or_else(|| vec![(i64::MIN, 0)], |zone| offsets(&pieces, zone));
    if let [(_, 0)] = offsets.as_slice() {
        let same =
            |piece: &PrimitiveArray<_>| values(shared(piece.values().clone()), piece.nulls());
        return chunked(name, pieces.into_iter().map(same));
    }
    let lengths: Vec<_> = pieces.iter().map(|piece| Array::len(*piece)).collect();
    let moved = in_parts(&lengths, |stretch| {
        let mut moved = Vec::new();
        for piece in &pieces[stretch] {
            let mut held = (0..0, 0);
            let micros = piece.values().iter().map(|micros| {
                if !held.0.contains(micros) {
                    held = holds(*micros, &offsets);
                }
                micros.saturating_add(held.1)
            });
            moved.push(micros.collect::<Vec<_>>());
        }
        moved
    });
    let moved = moved.into_iter().flatten().zip(pieces);
    chunked(
        name,
        moved.map(|(micros, piece)| values(micros.into(), piece.nulls())),
    )
}

/// The offsets of a zone that hold for these instants, as [`Zone::offsets`] gives them.
fn offsets(pieces: &[&PrimitiveArray<TimestampMicrosecondType>], zone: &Zone) -> Vec<(i64, i64)> {
    if zone.is_fixed() {
        return zone.offsets(0, 0);
    }
    let lengths: Vec<_> = pieces.iter().map(|piece| Array::len(*piece)).collect();
    const NOTHING: (i64, i64) = (i64::MAX, i64::MIN);
    let both = |a: (i64, i64), b: (i64, i64)| (a.0.min(b.0), a.1.max(b.1));
    let bounds = in_parts(&lengths, |stretch| {
        let bounds = pieces[stretch].iter();
        let bounds = bounds.map(|piece| match piece.nulls() {
            None => ends(piece.values(), NOTHING),
            Some(_) => min(*piece).zip(max(*piece)).unwrap_or(NOTHING),
        });
        bounds.fold(NOTHING, both)
    });
    match bounds.into_iter().fold(NOTHING, both) {
        NOTHING => zone.offsets(0, 0),
        (least, most) => zone.offsets(least.div_euclid(1_000_000), most.div_euclid(1_000_000) + 1),
    }
}

/// The instants around one for which one offset holds, and that offset; in microseconds.
fn holds(micros: i64, offsets: &[(i64, i64)]) -> (Range<i64>, i64) {
    let second = micros.div_euclid(1_000_000);
    let after = offsets.partition_point(|(from, _)| *from <= second);
    let from = offsets.get(after.saturating_sub(1));
    let to = offsets.get(after);
    let micros = |second: i64| second.saturating_mul(1_000_000);
    (
        from.map_or(i64::MIN, |(from, _)| micros(*from))
            ..to.map_or(i64::MAX, |(to, _)| micros(*to)),
        from.map_or(0, |(_, offset)| micros(*offset)),
    )
}

fn chunked<T, V>(
    name: PlSmallStr,
    pieces: impl Iterator<Item = Option<Values<V>>>,
) -> Option<ChunkedArray<T>>
where
    T: PolarsDataType<Array = Values<V>>,
    V: NativeType,
{
    let pieces = pieces.collect::<Option<Vec<_>>>()?;
    Some(ChunkedArray::from_chunk_iter(name, pieces))
}

fn values<V: NativeType>(buffer: Buffer<V>, nulls: Option<&NullBuffer>) -> Option<Values<V>> {
    Values::try_new(V::PRIMITIVE.into(), buffer, validity(nulls)).ok()
}

fn validity(nulls: Option<&NullBuffer>) -> Option<Bitmap> {
    nulls.map(|nulls| Bitmap::from_u8_slice(nulls.inner().sliced(), nulls.len()))
}

/// Values that Arrow and Polars both read.
struct Shared<T: ArrowNativeType>(ScalarBuffer<T>);

impl<T: ArrowNativeType> AsRef<[T]> for Shared<T> {
    fn as_ref(&self) -> &[T] {
        &self.0
    }
}

fn shared<T>(values: ScalarBuffer<T>) -> Buffer<T>
where
    T: ArrowNativeType + Send + Sync,
{
    Buffer::from_owner(Shared(values))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
        Int8Array, Int64Array, LargeStringArray, StringArray, TimestampMicrosecondArray,
    };
    use arrow::datatypes::IntervalUnit;
    use proptest::prelude::*;

    use super::*;

    fn read_one(array: impl Array + 'static, zone: &Zone) -> Option<Column> {
        let field = Field::new("c", array.data_type().clone(), true);
        let array: ArrayRef = Arc::new(array);
        // Two pieces, the second of which begins within a byte of the nulls.
        let middle = array.len() / 2;
        let pieces = [
            array.slice(0, middle),
            array.slice(middle, array.len() - middle),
        ];
        read(&field, &pieces, zone)
    }

    #[test]
    fn every_type_that_can_be_counted_is_read_with_its_nulls() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let micros = vec![Some(-1), None, Some(1_720_000_000_000_000)];
        let local = [Some(3_600_000_000 - 1), None, Some(1_720_007_200_000_000)];
        let wholes = |series: &Series| series.i64().unwrap().iter().collect::<Vec<_>>();
        let cases: [(Column, Kind, Vec<Option<i64>>); 6] = [
            (
                read_one(Int8Array::from(vec![Some(1), None, Some(-3)]), &berlin).unwrap(),
                Kind::Whole,
                vec![Some(1), None, Some(-3)],
            ),
            (
                read_one(Int64Array::from(vec![i64::MIN, 0, i64::MAX]), &berlin).unwrap(),
                Kind::Whole,
                vec![Some(i64::MIN), Some(0), Some(i64::MAX)],
            ),
            (
                read_one(Date32Array::from(vec![Some(-1), None, Some(1)]), &berlin).unwrap(),
                Kind::Date,
                vec![Some(-DAY), None, Some(DAY)],
            ),
            (
                read_one(TimestampMicrosecondArray::from(micros.clone()), &berlin).unwrap(),
                Kind::Time,
                micros.clone(),
            ),
            (
                // A zone that Spark does not name: the session's counts.
                read_one(
                    TimestampMicrosecondArray::from(micros.clone()).with_timezone("Mars/Olympus"),
                    &berlin,
                )
                .unwrap(),
                Kind::Time,
                local.to_vec(),
            ),
            (
                read_one(
                    TimestampMicrosecondArray::from(micros).with_timezone("Europe/Berlin"),
                    &Zone::utc(),
                )
                .unwrap(),
                Kind::Time,
                local.to_vec(),
            ),
        ];
        for (column, kind, expected) in cases {
            assert_eq!(column.kind, kind, "{column:?}");
            assert_eq!(wholes(&column.series), expected, "{column:?}");
        }
    }

    proptest! {
        #[test]
        fn clocks_show_every_instant_in_their_zone(seconds in prop::collection::vec(prop::option::of(-3_000_000_000..6_000_000_000_i64), 0..40)) {
            for name in ["Europe/Berlin", "Africa/Casablanca", "+05:30", "UTC"] {
                let zone = Zone::parse(name).unwrap();
                let micros = seconds.iter().map(|second| second.map(|second| second * 1_000_000 - 1));
                let array: TimestampMicrosecondArray = micros.clone().collect();
                let column = read_one(array.with_timezone(name), &Zone::utc()).unwrap();
                let expected = micros.map(|micros| {
                    micros.map(|micros| micros + zone.offset(micros.div_euclid(1_000_000)) * 1_000_000)
                });
                let shown: Vec<_> = column.series.i64().unwrap().iter().collect();
                prop_assert_eq!(shown, expected.collect::<Vec<_>>(), "{}", name);
            }
        }
    }

    #[test]
    fn decimals_floats_truths_and_texts_are_read() {
        let utc = Zone::utc();
        let floats = |column: Column| {
            assert_eq!(column.kind, Kind::Fraction);
            column.series.f64().unwrap().iter().collect::<Vec<_>>()
        };
        let decimals = Decimal128Array::from(vec![Some(12_345), None, Some(-5)]);
        let decimals = decimals.with_precision_and_scale(38, 2).unwrap();
        assert_eq!(
            floats(read_one(decimals, &utc).unwrap()),
            [Some(123.45), None, Some(-0.05)]
        );
        let singles = Float32Array::from(vec![Some(0.5), None]);
        assert_eq!(floats(read_one(singles, &utc).unwrap()), [Some(0.5), None]);
        let doubles =
            floats(read_one(Float64Array::from(vec![f64::NAN, f64::INFINITY]), &utc).unwrap());
        assert!(doubles[0].unwrap().is_nan() && doubles[1] == Some(f64::INFINITY));

        let truths = BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]);
        let truths = read_one(truths.slice(1, 3), &utc).unwrap();
        assert_eq!(truths.kind, Kind::Truth);
        let read: Vec<_> = truths.series.bool().unwrap().iter().collect();
        assert_eq!(read, [None, Some(false), Some(true)]);

        let long = "longer than what a view holds itself";
        let expected = [Some(""), None, Some(long)];
        let small = read_one(StringArray::from(expected.to_vec()), &utc).unwrap();
        let large = read_one(LargeStringArray::from(expected.to_vec()), &utc).unwrap();
        for texts in [small, large] {
            assert_eq!(texts.kind, Kind::Text);
            let read: Vec<_> = texts.series.str().unwrap().iter().collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn what_cannot_be_counted_is_not_read_and_nothing_is_read_as_nothing() {
        let utc = Zone::utc();
        assert!(read_one(BinaryArray::from(vec![b"ab".as_slice()]), &utc).is_none());
        assert_eq!(kind(&DataType::Interval(IntervalUnit::YearMonth)), None);
        assert_eq!(kind(&DataType::Null), None);
        for data_type in [
            DataType::Int32,
            DataType::Utf8,
            DataType::Date32,
            DataType::Boolean,
        ] {
            let empty = read(&Field::new("c", data_type, true), &[], &utc).unwrap();
            assert_eq!(empty.series.len(), 0);
        }
    }
}
