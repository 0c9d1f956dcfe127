//! A result as a table.

mod grid;
mod markup;
mod plain;
mod resource;

use std::borrow::Cow;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use jupyter_protocol::{Media, MediaType};

use super::bundle;
use super::facts::{Facts, footer_text, push_footer};
use super::html::{SCROLLED, STYLE, push_escaped_lines};
use super::text::visible_lines;
use super::types::{is_number, is_text, spark_type};
use super::zone::Zone;
use grid::Grid;

/// Bytes that a table takes as HTML, about. The rows that would make it larger are left out, and the
/// footer says so: a notebook with more is one that no front end opens.
const LARGEST: usize = 16_000_000;

/// Bytes of a single text that is shown as it is.
const LARGEST_TEXT: usize = 1_000_000;

/// Shows rows as an HTML table and as aligned text, and where they are few also as data. Instants
/// are shown in the zone of their column, or in `zone` where that is not known; the header names it.
///
/// Numbers stand without a sign between thousands: people copy them into SQL and into sheets, which
/// read them only so.
///
/// A single text of several lines, as `EXPLAIN` and `SHOW CREATE TABLE` answer, is shown as it is.
pub fn table(schema: &Schema, batches: &[RecordBatch], zone: &Zone, facts: &Facts) -> Media {
    let footer = |shown: usize| footer_text(shown as u64, LARGEST as u64, facts);
    drawn(schema, batches, zone, footer)
}

/// The same with another line under it.
pub(super) fn listing(
    schema: &Schema,
    batches: &[RecordBatch],
    zone: &Zone,
    footer: &str,
) -> Media {
    drawn(schema, batches, zone, |_shown| footer.to_owned())
}

fn drawn(
    schema: &Schema,
    batches: &[RecordBatch],
    zone: &Zone,
    footer: impl Fn(usize) -> String,
) -> Media {
    if let Some(text) = single_text(schema, batches) {
        return as_text(text, &footer(1));
    }
    let heads: Vec<Head> = schema
        .fields()
        .iter()
        .map(|field| Head::new(field, zone))
        .collect();
    let mut html = String::from(STYLE);
    let grid = Grid::read(schema, batches, zone, LARGEST);
    let footer = footer(grid.rows);
    markup::push_table(&mut html, &heads, &grid);
    push_footer(&mut html, &footer);
    let mut text = plain::table(&heads, &grid);
    text.push_str(&footer);
    let mut media = bundle(html, text);
    if let Some(data) = resource::of(schema, batches, zone) {
        media.content.push(MediaType::DataTable(Box::new(data)));
    }
    media
}

/// What stands over a column.
struct Head {
    name: String,
    type_name: String,
    /// Whether values line up at their right.
    number: bool,
    /// Whether a part of a value would mislead.
    whole: bool,
    /// Whether the type names the zone that values are in.
    zoned: bool,
}

impl Head {
    fn new(field: &Field, zone: &Zone) -> Self {
        let mut type_name = spark_type(field);
        let zone = zone_within(field, zone);
        let zoned = zone.is_some();
        if let Some(zone) = zone {
            type_name = format!("{type_name} ({})", zone.name());
        }
        Self {
            name: field.name().clone(),
            type_name,
            number: is_number(field.data_type()),
            whole: !field.data_type().is_nested() && !is_text(field.data_type()),
            zoned,
        }
    }
}

/// The zone of a column's instants, also of those inside other values.
fn zone_within<'a>(field: &Field, otherwise: &'a Zone) -> Option<Cow<'a, Zone>> {
    match field.data_type() {
        DataType::List(inner) | DataType::Map(inner, _) => zone_within(inner, otherwise),
        DataType::Struct(fields) => fields
            .iter()
            .find_map(|field| zone_within(field, otherwise)),
        data_type => Zone::of(data_type, otherwise),
    }
}

fn single_text<'a>(schema: &Schema, batches: &'a [RecordBatch]) -> Option<&'a str> {
    let mut full = batches.iter().filter(|batch| batch.num_rows() > 0);
    let (batch, None) = (full.next()?, full.next()) else {
        return None;
    };
    if schema.fields().len() != 1 || batch.num_rows() != 1 || batch.column(0).is_null(0) {
        return None;
    }
    let text = batch.column(0).as_string_opt::<i32>()?.value(0);
    (text.trim_end().contains('\n') && text.len() <= LARGEST_TEXT).then_some(text)
}

fn as_text(text: &str, footer: &str) -> Media {
    let text = text.trim_end();
    let mut html = String::from(STYLE);
    html.push_str(SCROLLED);
    html.push_str("<pre>");
    push_escaped_lines(&mut html, text);
    html.push_str("</pre></div>");
    push_footer(&mut html, footer);
    bundle(html, format!("{}\n\n{footer}", visible_lines(text)))
}

#[cfg(test)]
mod tests;
