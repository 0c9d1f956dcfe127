//! What Spark answers about a table's columns.

use arrow::array::UInt32Array;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, FieldRef, Fields, Float64Type, Int64Type};

use super::histogram::{histogram, numbers};
use super::question::{FREQUENT, RANKS, TRACKED};
use crate::display::{ColumnSummary, Distinct, Frequent, Summary};

/// Frequent values that are shown.
const SHOWN: usize = 5;

/// Reads the answer to [`figures`](super::question::figures): a struct for each of the first
/// columns of `fields`. `of` says what it is about.
pub(super) fn summary(of: &str, fields: &Fields, batches: &[RecordBatch]) -> Summary {
    let answer = batches.iter().find(|batch| batch.num_rows() > 0);
    let rows = answer.and_then(|answer| number(answer.columns().first()?));
    let rows = rows.unwrap_or(0);
    let structs = answer.map_or(&[][..], |answer| answer.columns().get(1..).unwrap_or(&[]));
    let columns: Vec<ColumnSummary> = std::iter::zip(fields, structs)
        .filter_map(|(field, figures)| Some(column(field, figures.as_struct_opt()?, rows)))
        .collect();
    Summary {
        of: of.to_owned(),
        rows,
        left_out: fields.len() - columns.len(),
        columns,
        estimated: true,
    }
}

fn column(field: &FieldRef, figures: &StructArray, rows: u64) -> ColumnSummary {
    let told = |name: &str| figures.column_by_name(name);
    let values = told("values").and_then(number).unwrap_or(0);
    let nans = told("nans").and_then(number).unwrap_or(0);
    let there = values.saturating_sub(nans);
    let frequent = told("frequent").and_then(Counted::read);
    // An estimate may come out higher than what is possible.
    let about = told("distinct").and_then(number);
    let about = about.map(|about| about.clamp(there.min(1), there));
    let distinct = about.map(|about| match &frequent {
        Some(counted) if counted.is_all(about) => Distinct::Exactly(counted.values.len() as u64),
        _ if about <= 1 => Distinct::Exactly(about),
        _ => Distinct::About(about),
    });
    let ranked = told("ranked").and_then(items);
    let mean = told("mean").and_then(|mean| {
        let mean = mean.as_primitive_opt::<Float64Type>()?;
        mean.iter().next().flatten()
    });
    let (min, max) = (told("min"), told("max"));
    ColumnSummary {
        field: field.clone(),
        nulls: rows.saturating_sub(values),
        nans,
        distinct,
        marks: min
            .zip(max)
            .and_then(|(min, max)| marks(min, ranked.as_ref(), max)),
        mean,
        frequent: frequent.and_then(|counted| counted.certain(about.unwrap_or(0), there)),
        histogram: ranked
            .as_ref()
            .and_then(numbers)
            .map(|ranked| histogram(&ranked, there, is_whole(field.data_type())))
            .unwrap_or_default(),
    }
}

/// The number in the only row, where it is one that counts something.
fn number(column: &ArrayRef) -> Option<u64> {
    let number = column.as_primitive_opt::<Int64Type>()?.iter().next()??;
    u64::try_from(number).ok()
}

/// What the list in the only row holds.
fn items(column: &ArrayRef) -> Option<ArrayRef> {
    let list = column.as_list_opt::<i32>()?;
    (!list.is_empty() && list.is_valid(0)).then(|| list.value(0))
}

/// The minimum, the quartiles and the maximum.
fn marks(min: &ArrayRef, ranked: Option<&ArrayRef>, max: &ArrayRef) -> Option<ArrayRef> {
    let data_type: &DataType = min.data_type();
    let quartiles: Vec<ArrayRef> = (1..4)
        .map(|quarter| {
            let at = quarter * RANKS / 4;
            match ranked.filter(|ranked| ranked.len() > at) {
                Some(ranked) => ranked.slice(at, 1),
                None => new_null_array(data_type, 1),
            }
        })
        .collect();
    let mut marks: Vec<&dyn Array> = vec![min];
    marks.extend(quartiles.iter().map(|quartile| quartile as &dyn Array));
    marks.push(max);
    concat(&marks).ok()
}

/// Values as Spark counted them, most frequent first, without null and NaN.
struct Counted {
    values: ArrayRef,
    counts: Vec<u64>,
    /// Whether Spark told as many as it was asked for.
    full: bool,
}

impl Counted {
    fn read(column: &ArrayRef) -> Option<Self> {
        let told = items(column)?;
        let told = told.as_struct_opt()?;
        let items = told.column_by_name("item")?;
        let counts = told.column_by_name("count")?;
        let counts = counts.as_primitive_opt::<Int64Type>()?;
        let rows: Vec<u32> = (0..u32::try_from(items.len()).ok()?)
            .filter(|row| items.is_valid(*row as usize))
            .collect();
        let count = |row: &u32| u64::try_from(counts.value(*row as usize)).unwrap_or(0);
        Some(Self {
            counts: rows.iter().map(count).collect(),
            values: take(items, &UInt32Array::from(rows), None).ok()?,
            full: items.len() >= FREQUENT,
        })
    }

    /// Whether these are all the values there are, which are `about` so many.
    fn is_all(&self, about: u64) -> bool {
        !self.full && is_followed(about)
    }

    /// Those that are frequent for certain, of a column with `about` so many different values.
    fn certain(&self, about: u64, values: u64) -> Option<Frequent> {
        let least = match is_followed(about) {
            true => 1,
            false => values / 100,
        };
        let shown = self.counts.iter().take(SHOWN);
        let counts: Vec<u64> = shown.copied().take_while(|count| *count >= least).collect();
        // Of values that are all different none is frequent.
        counts
            .first()
            .is_some_and(|most| *most > 1)
            .then(|| Frequent {
                values: self.values.slice(0, counts.len()),
                counts,
            })
    }
}

/// Whether each of `about` so many different values was followed from the start. What is estimated
/// to be so many is less than twice as many.
fn is_followed(about: u64) -> bool {
    about <= TRACKED as u64 / 2
}

/// Whether there is nothing between two neighbouring values.
fn is_whole(data_type: &DataType) -> bool {
    data_type.is_integer() || *data_type == DataType::Date32
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, ListArray, StringArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::Field;

    use super::*;

    fn one(number: i64) -> ArrayRef {
        Arc::new(Int64Array::from(vec![number]))
    }

    /// A list in one row.
    fn list(items: ArrayRef) -> ArrayRef {
        let field = Arc::new(Field::new("item", items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths([items.len()]);
        Arc::new(ListArray::new(field, offsets, items, None))
    }

    fn structure(columns: Vec<(&str, ArrayRef)>) -> ArrayRef {
        Arc::new(StructArray::try_from(columns).unwrap())
    }

    fn counted(values: &[Option<&str>], counts: Vec<i64>) -> ArrayRef {
        let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        let counts: ArrayRef = Arc::new(Int64Array::from(counts));
        list(structure(vec![("item", values), ("count", counts)]))
    }

    /// The summary of one column in 1,000 rows.
    fn of(data_type: DataType, figures: Vec<(&str, ArrayRef)>) -> ColumnSummary {
        let fields = Fields::from(vec![Field::new("a", data_type, true)]);
        let columns = [("rows", one(1000)), ("s0", structure(figures))];
        let answer = RecordBatch::try_from_iter(columns).unwrap();
        let mut summary = summary("t", &fields, &[answer]);
        assert_eq!((summary.rows, summary.left_out), (1000, 0));
        summary.columns.remove(0)
    }

    #[test]
    fn a_number_has_all_figures() {
        let ranked: ArrayRef = Arc::new((0..=100).map(|rank| rank * 2).collect::<Int64Array>());
        let column = of(
            DataType::Int64,
            vec![
                ("values", one(990)),
                ("distinct", one(2000)),
                ("mean", Arc::new(Float64Array::from(vec![99.5]))),
                ("ranked", list(ranked)),
                ("min", one(-1)),
                ("max", one(201)),
            ],
        );
        assert_eq!((column.nulls, column.nans), (10, 0));
        assert_eq!(column.distinct, Some(Distinct::About(990)));
        assert_eq!(column.mean, Some(99.5));
        let marks = column.marks.unwrap();
        let marks: Vec<_> = marks.as_primitive::<Int64Type>().values().to_vec();
        assert_eq!(marks, [-1, 50, 100, 150, 201]);
        assert_eq!(column.histogram.len(), 19);
        assert!(column.frequent.is_none());
    }

    #[test]
    fn values_are_counted_exactly_where_all_were_followed() {
        use Distinct::{About, Exactly};
        let many: Vec<String> = (0..FREQUENT).map(|at| at.to_string()).collect();
        let many: Vec<Option<&str>> = many.iter().map(|text| Some(text.as_str())).collect();
        // Values and counts, what is estimated, and then what is made of it.
        type Case<'a> = (&'a [Option<&'a str>], Vec<i64>, i64, Distinct, usize);
        let cases: [Case<'_>; 8] = [
            (&[Some("a"), Some("b")], vec![5, 1], 3, Exactly(2), 2),
            (&[None, Some("a")], vec![9, 5], 1, Exactly(1), 1),
            (&[Some("a"), Some("b")], vec![1, 1], 2, Exactly(2), 0),
            (&[Some("a"), Some("b")], vec![50, 8], 800, About(800), 1),
            (&[Some("a")], vec![8], 800, About(800), 0),
            (&many, vec![2; FREQUENT], 260, About(260), SHOWN),
            (&[], vec![], 0, Exactly(0), 0),
            (&[], vec![], 900, About(900), 0),
        ];
        for (values, counts, about, expected, frequent) in cases {
            let name = format!("{} values of about {about}", values.len());
            let column = of(
                DataType::Utf8,
                vec![
                    ("values", one(950)),
                    ("distinct", one(about)),
                    ("frequent", counted(values, counts)),
                ],
            );
            assert_eq!(column.distinct, Some(expected), "{name}");
            let told = column.frequent.map_or(0, |told| told.values.len());
            assert_eq!(told, frequent, "{name}");
        }
    }

    #[test]
    fn what_is_not_told_is_left_out() {
        let column = of(DataType::Null, vec![("values", one(0))]);
        assert_eq!(
            (column.nulls, column.distinct, column.mean),
            (1000, None, None)
        );
        assert!(column.marks.is_none() && column.histogram.is_empty());
        let fields = Fields::from(vec![Field::new("a", DataType::Null, true)]);
        let nothing = summary("t", &fields, &[]);
        assert_eq!(
            (nothing.rows, nothing.columns.len(), nothing.left_out),
            (0, 0, 1)
        );
    }
}
