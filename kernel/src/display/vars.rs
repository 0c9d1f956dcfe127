//! What is kept in the kernel's memory, as a list.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array as _, ArrayRef, AsArray as _, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use jupyter_protocol::Media;

use super::facts::bytes;
use super::table::listing;
use super::types::spark_type;
use super::{Zone, plain};

/// Something that has a name.
#[derive(Debug, Clone)]
pub struct Var<'a> {
    /// The name, without the `:` of a parameter.
    pub name: &'a str,
    /// The result that is kept under it; none where it is a parameter alone.
    pub result: Option<Held<'a>>,
    /// The parameter that stands for it, with its value.
    pub parameter: Option<String>,
}

/// A kept result.
#[derive(Debug, Clone)]
pub struct Held<'a> {
    /// How many rows it has.
    pub rows: u64,
    /// Where it was cut, where these are not all: `at 384.0 MB`.
    pub cut: Option<String>,
    /// Bytes that it holds.
    pub bytes: u64,
    /// Its columns.
    pub schema: &'a Schema,
    /// How long ago it was fetched.
    pub age: Duration,
}

/// Lists what has a name, and says under it how much memory is held, of so much at `most`.
pub fn vars(vars: &[Var<'_>], held: u64, most: u64) -> Media {
    let Some(rows) = batch(vars) else {
        return plain(
            "Nothing is kept. `%%sql -o NAME` on a cell's first line keeps its result, and `%set NAME VALUE` a value.",
        );
    };
    let said = format!(
        "Kept results hold {} of at most {}; `%vars drop NAME` lets one go.",
        bytes(held),
        bytes(most)
    );
    listing(&rows.schema(), &[rows], &Zone::utc(), &said)
}

fn batch(vars: &[Var<'_>]) -> Option<RecordBatch> {
    if vars.is_empty() {
        return None;
    }
    let texts = |text: fn(&Var<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(
            vars.iter()
                .map(|var| Some(text(var).unwrap_or_default()))
                .collect::<StringArray>(),
        )
    };
    let rows: Int64Array = vars
        .iter()
        .map(|var| i64::try_from(var.result.as_ref()?.rows).ok())
        .collect();
    let columns = [
        ("name", texts(|var| Some(var.name.to_owned()))),
        ("rows", Arc::new(rows) as ArrayRef),
        ("cut", texts(|var| var.result.as_ref()?.cut.clone())),
        ("size", texts(|var| Some(bytes(var.result.as_ref()?.bytes)))),
        ("kept", texts(|var| Some(ago(var.result.as_ref()?.age)))),
        ("parameter", texts(|var| var.parameter.clone())),
        (
            "columns",
            texts(|var| Some(columns(var.result.as_ref()?.schema))),
        ),
    ];
    // What nothing is said in leaves room for the rest.
    let said = columns
        .into_iter()
        .filter(|(_, values)| match values.as_string_opt::<i32>() {
            Some(texts) => texts.iter().flatten().any(|text| !text.is_empty()),
            None => values.null_count() < values.len(),
        });
    let nullable = said.map(|(name, values)| (name, values, true));
    RecordBatch::try_from_iter_with_nullable(nullable).ok()
}

/// `carrier string, delay double`.
fn columns(schema: &Schema) -> String {
    let columns = schema.fields().iter();
    let columns = columns.map(|field| format!("{} {}", field.name(), spark_type(field)));
    columns.collect::<Vec<_>>().join(", ")
}

fn ago(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds => format!("{} h ago", seconds / 3600),
    }
}
