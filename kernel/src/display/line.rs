//! The line that answers a statement without a result to show.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, Schema};
use jupyter_protocol::Media;

use super::facts::{Facts, Remaining, cost, push_footer, rows};
use super::html::{STYLE, push_prose};
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
    let said = sentence(&statement.subject, schema, batches, lifetime);
    match said.filter(|_| statement.kind != Kind::Query) {
        Some(said) => one_line(&said, facts),
        None if schema.fields().is_empty() && statement.kind == Kind::Query => {
            one_line(&without_columns(facts), facts)
        }
        None if schema.fields().is_empty() => one_line("Done.", facts),
        None => table(schema, batches, zone, facts),
    }
}

/// Whether Spark answered to a statement with rows, be they none, and not only with what it did.
pub fn is_table(statement: &SqlText, schema: &Schema, batches: &[RecordBatch]) -> bool {
    let said = || sentence(&statement.subject, schema, batches, Lifetime::Kept);
    !schema.fields().is_empty() && (statement.kind == Kind::Query || said().is_none())
}

/// What is left of a result to show that has rows and nothing in them.
fn without_columns(facts: &Facts) -> String {
    let more = match facts.remaining {
        Remaining::Nothing | Remaining::NotShown => "",
        Remaining::OverRows | Remaining::OverBytes(_) => " and more",
    };
    format!("{}{more}, without columns.", rows(facts.rows))
}

fn one_line(said: &str, facts: &Facts) -> Media {
    let said = visible(said);
    let cost = cost(facts);
    let mut html = String::from(STYLE);
    html.push_str("<div>");
    push_prose(&mut html, &said);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use arrow::datatypes::Field;
    use jupyter_protocol::MediaType;

    use super::*;
    use crate::cell::{Piece, parse};

    fn statement(sql: &str) -> SqlText {
        match parse(sql).unwrap().remove(0) {
            Piece::Sql(statement) => statement,
            Piece::Magic(magic) => panic!("{magic:?}"),
        }
    }

    fn answered(sql: &str, columns: Vec<(&str, ArrayRef)>, lifetime: Lifetime) -> String {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, values)| Field::new(*name, values.data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, values)| values).collect();
        let batches = match arrays.is_empty() {
            true => vec![],
            false => vec![RecordBatch::try_new(schema.clone(), arrays).unwrap()],
        };
        let facts = Facts {
            remaining: Remaining::Nothing,
            rows: 0,
            there: None,
            bytes: 0,
            elapsed: Duration::from_millis(120),
            bytes_read: None,
        };
        let media = answer(
            &statement(sql),
            &schema,
            &batches,
            &Zone::utc(),
            &facts,
            lifetime,
        );
        match media.content.as_slice() {
            [MediaType::Html(html), MediaType::Plain(plain), ..] => {
                assert!(!html.contains("<b>"), "{html}");
                plain.clone()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_has_no_rows_answers_with_one_line() {
        let cases = [
            (
                "CREATE TEMP VIEW x AS SELECT 1",
                "Created temporary view `x`. 0.12 s",
            ),
            (
                "CREATE OR REPLACE VIEW x AS SELECT 1",
                "Created or replaced view `x`. 0.12 s",
            ),
            (
                "CREATE SCHEMA IF NOT EXISTS s",
                "There is a schema `s` now, if there was none before. 0.12 s",
            ),
            ("CREATE TABLE t (a INT)", "Created table `t`. 0.12 s"),
            (
                "DROP TABLE IF EXISTS `a b`.t",
                "There is no table `a b`.t any more. 0.12 s",
            ),
            ("DROP VIEW v", "Dropped view `v`. 0.12 s"),
            (
                "ALTER TABLE t ADD COLUMN b INT",
                "Altered table `t`. 0.12 s",
            ),
            ("INSERT INTO t VALUES (1)", "Inserted into `t`. 0.12 s"),
            ("INSERT OVERWRITE t VALUES (1)", "Overwrote `t`. 0.12 s"),
            ("USE s", "Now using `s`. 0.12 s"),
            ("SET VAR x = 1", "Set. 0.12 s"),
            ("RESET", "Reset. 0.12 s"),
            ("CACHE TABLE t", "Cached `t`. 0.12 s"),
            (
                "SELECT * EXCEPT (id) FROM range(0)",
                "0 rows, without columns. 0.12 s",
            ),
            ("REFRESH TABLE t", "Done. 0.12 s"),
            ("BEGIN END", "Done. 0.12 s"),
            (
                "CREATE VIEW `<b>\u{1b}` AS SELECT 1",
                "Created view `<b>\\u{1b}`. 0.12 s",
            ),
        ];
        for (sql, expected) in cases {
            assert_eq!(answered(sql, vec![], Lifetime::Kept), expected, "{sql}");
        }
    }

    #[test]
    fn a_table_of_a_catalog_in_memory_says_how_long_it_lives() {
        assert_eq!(
            answered("CREATE TABLE t (a INT)", vec![], Lifetime::Driver),
            "Created table `t`. It lives as long as this driver, whose catalog is in memory. 0.12 s"
        );
        assert_eq!(
            answered("CREATE VIEW v AS SELECT 1", vec![], Lifetime::Driver),
            "Created view `v`. 0.12 s"
        );
    }

    #[test]
    fn rows_that_were_changed_are_counted_where_the_answer_says_so() {
        let counted: Vec<(&str, ArrayRef)> = vec![
            ("num_affected_rows", Arc::new(Int64Array::from(vec![1200]))),
            ("num_inserted_rows", Arc::new(Int64Array::from(vec![1200]))),
        ];
        assert_eq!(
            answered("INSERT INTO t SELECT 1", counted, Lifetime::Kept),
            "Inserted into `t`. 1,200 rows affected. 0.12 s"
        );
    }

    #[test]
    fn a_setting_says_its_value() {
        let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let answer = vec![("key", text("a.b")), ("value", text("x"))];
        assert_eq!(
            answered("SET a.b = x", answer.clone(), Lifetime::Kept),
            "`a.b` is `x`. 0.12 s"
        );
        let asked = answered("SET a.b", answer, Lifetime::Kept);
        assert!(asked.starts_with("key     value"), "{asked}");
    }

    #[test]
    fn rows_are_a_table_whatever_the_statement_was() {
        let rows = vec![("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef)];
        for sql in ["SELECT 1", "CALL f()", "CREATE TABLE t AS SELECT 1"] {
            let shown = answered(sql, rows.clone(), Lifetime::Kept);
            assert!(shown.ends_with("1 row · 0 bytes · 0.12 s"), "{shown}");
        }
    }
}
