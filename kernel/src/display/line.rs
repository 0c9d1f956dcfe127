//! The line that answers a statement without a result to show.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema};
use jupyter_protocol::Media;

use super::facts::{Facts, cost, push_footer, rows};
use super::html::{STYLE, push_escaped};
use super::text::visible;
use super::{Zone, bundle, table};
use crate::cell::{Kind, Manner, SqlText, Subject, Thing};

/// How long tables of the current catalog live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// For good: a catalog outside the driver holds them.
    Kept,
    /// As long as the driver: its catalog is in memory.
    Driver,
}

/// Shows what Spark answered to a statement: rows as a table; no rows of a statement that does
/// something as one line that says what it did.
pub fn answer(
    statement: &SqlText,
    schema: &Schema,
    batches: &[RecordBatch],
    zone: &Zone,
    facts: &Facts,
    lifetime: Lifetime,
) -> Media {
    match sentence(&statement.subject, schema, batches, lifetime) {
        Some(said) if statement.kind != Kind::Query => one_line(&said, facts),
        None if schema.fields().is_empty() => one_line("Done.", facts),
        _ => table(schema, batches, zone, facts),
    }
}

fn one_line(said: &str, facts: &Facts) -> Media {
    let said = visible(said);
    let cost = cost(facts);
    let mut html = String::from(STYLE);
    html.push_str("<div>");
    push_escaped(&mut html, &said);
    html.push_str("</div>");
    push_footer(&mut html, &cost);
    bundle(html, format!("{said} {cost}"))
}

/// What a statement did, where its answer is no table of its own.
fn sentence(
    subject: &Subject,
    schema: &Schema,
    batches: &[RecordBatch],
    lifetime: Lifetime,
) -> Option<String> {
    let rows = affected(schema, batches);
    if *subject == Subject::Set {
        let (key, value) = key_and_value(schema, batches)?;
        return Some(format!("{} is `{value}`.", quoted(key)));
    }
    if rows.is_none() && !schema.fields().is_empty() {
        return None;
    }
    let count = rows.map(|rows| format!(" {} {}", self::rows(rows), "affected."));
    let said = said(subject, lifetime)?;
    Some(format!("{said}{}", count.unwrap_or_default()))
}

fn said(subject: &Subject, lifetime: Lifetime) -> Option<String> {
    Some(match subject {
        Subject::Created {
            thing,
            name,
            manner,
        } => {
            let what = format!("{} {}", word(*thing), quoted(name));
            let done = match manner {
                Manner::New => format!("Created {what}."),
                Manner::OrReplace => format!("Created or replaced {what}."),
                Manner::IfNotExists => format!("There is a {what} now, if there was none before."),
            };
            match (thing, lifetime) {
                (Thing::Table, Lifetime::Driver) => {
                    format!("{done} It lives as long as this driver, whose catalog is in memory.")
                }
                _ => done,
            }
        }
        Subject::Dropped {
            thing,
            name,
            if_exists,
        } => {
            let what = format!("{} {}", word(*thing), quoted(name));
            match if_exists {
                true => format!("There is no {what} any more."),
                false => format!("Dropped {what}."),
            }
        }
        Subject::Altered { thing, name } => format!("Altered {} {}.", word(*thing), quoted(name)),
        Subject::Inserted(name) => format!("Inserted into {}.", quoted(name)),
        Subject::Overwritten(name) => format!("Overwrote {}.", quoted(name)),
        Subject::Updated(name) => format!("Updated {}.", quoted(name)),
        Subject::Deleted(name) => format!("Deleted from {}.", quoted(name)),
        Subject::Merged(name) => format!("Merged into {}.", quoted(name)),
        Subject::Truncated(name) => format!("Truncated {}.", quoted(name)),
        Subject::Used(name) => format!("Now using {}.", quoted(name)),
        Subject::VariableSet => "Set.".to_owned(),
        Subject::Reset => "Reset.".to_owned(),
        Subject::Cached(name) => format!("Cached {}.", quoted(name)),
        Subject::Uncached(name) => format!("No longer cached: {}.", quoted(name)),
        Subject::Set | Subject::Other => return None,
    })
}

fn word(thing: Thing) -> &'static str {
    match thing {
        Thing::Table => "table",
        Thing::View => "view",
        Thing::TemporaryView => "temporary view",
        Thing::GlobalTemporaryView => "global temporary view",
        Thing::Schema => "schema",
        Thing::Function => "function",
        Thing::TemporaryFunction => "temporary function",
        Thing::Variable => "variable",
    }
}

fn quoted(name: &str) -> String {
    match name.contains('`') {
        true => name.to_owned(),
        false => format!("`{name}`"),
    }
}

/// The number of rows that a write says it changed; table formats that count them answer with
/// these columns.
fn affected(schema: &Schema, batches: &[RecordBatch]) -> Option<u64> {
    let index = ["num_affected_rows", "num_inserted_rows"]
        .iter()
        .find_map(|name| schema.index_of(name).ok())?;
    let batch = batches.iter().find(|batch| batch.num_rows() == 1)?;
    let values = batch.column(index).as_primitive_opt::<Int64Type>()?;
    u64::try_from(values.value(0)).ok()
}

fn key_and_value<'a>(schema: &Schema, batches: &'a [RecordBatch]) -> Option<(&'a str, &'a str)> {
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let mut full = batches.iter().filter(|batch| batch.num_rows() > 0);
    let (batch, None) = (full.next()?, full.next()) else {
        return None;
    };
    if names != ["key", "value"] || batch.num_rows() != 1 {
        return None;
    }
    let text = |column: usize| {
        let values = batch.column(column).as_string_opt::<i32>()?;
        (!values.is_null(0)).then(|| values.value(0))
    };
    Some((text(0)?, text(1)?))
}
