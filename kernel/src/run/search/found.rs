//! What a search of the catalog finds.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};

use crate::cell::name::quoted;
use crate::glob;

/// What is looked for, in whatever case.
pub(super) struct Pattern {
    text: String,
    glob: bool,
}

impl Pattern {
    /// A glob where there is a `*` in it, else a part of what is found.
    pub(super) fn new(typed: &str) -> Self {
        Self {
            text: typed.to_lowercase(),
            glob: typed.contains('*'),
        }
    }

    fn is_name(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match self.glob {
            true => glob::matches(&self.text, &name),
            false => name.contains(&self.text),
        }
    }

    /// A glob may stand anywhere in a comment.
    fn is_in(&self, comment: Option<&str>) -> bool {
        comment.is_some_and(|comment| match self.glob {
            true => glob::matches(&format!("*{}*", self.text), &comment.to_lowercase()),
            false => self.is_name(comment),
        })
    }
}

/// A table or view as its schema lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Its schema; none where it is a view of the session.
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

/// What `DESCRIBE TABLE EXTENDED` tells of one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Described {
    columns: Vec<[Option<String>; 3]>,
    comment: Option<String>,
    view: bool,
}

/// One row of the answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    schema: Option<String>,
    table: String,
    kind: &'static str,
    column: Option<String>,
    type_name: Option<String>,
    comment: Option<String>,
}

/// The texts of a column, by its name.
pub(super) fn texts(batches: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let mut texts = Vec::new();
    for batch in batches {
        let column = batch.column_by_name(name);
        if let Some(column) = column.and_then(|column| column.as_string_opt::<i32>()) {
            texts.extend(column.iter().map(|text| text.map(str::to_owned)));
        }
    }
    texts
}

/// What a schema's `SHOW TABLES` lists.
pub(super) fn listed(batches: &[RecordBatch]) -> Vec<Table> {
    let schemas = texts(batches, "namespace");
    let names = texts(batches, "tableName");
    std::iter::zip(schemas, names)
        .filter_map(|(schema, name)| {
            Some(Table {
                schema: schema.filter(|schema| !schema.is_empty()),
                name: name?,
            })
        })
        .collect()
}

/// Reads the answer to `DESCRIBE TABLE EXTENDED`: columns up to an empty row or a heading, then
/// what is known of the table itself.
pub(super) fn described(batches: &[RecordBatch]) -> Described {
    let [names, types, comments] =
        ["col_name", "data_type", "comment"].map(|column| texts(batches, column));
    let rows = names.into_iter().zip(types).zip(comments);
    let mut told = Described::default();
    let mut in_columns = true;
    for ((name, type_name), comment) in rows {
        let key = name.as_deref().unwrap_or_default();
        in_columns &= !key.is_empty() && !key.starts_with("# ");
        match key {
            _ if in_columns => {
                let comment = comment.filter(|comment| !comment.is_empty());
                told.columns.push([name, type_name, comment]);
            }
            "Comment" => told.comment = type_name.filter(|comment| !comment.is_empty()),
            "Type" => told.view = type_name.is_some_and(|kind| kind.contains("VIEW")),
            _ => {}
        }
    }
    told
}

/// What of a table matches: the table itself, then its columns.
pub(super) fn matching(
    pattern: &Pattern,
    table: &Table,
    described: Option<&Described>,
) -> Vec<Found> {
    let nothing = Described::default();
    let told = described.unwrap_or(&nothing);
    let kind = match (&table.schema, described) {
        (None, _) => "temporary view",
        (_, None) => "",
        (_, Some(told)) if told.view => "view",
        _ => "table",
    };
    let found = || Found {
        schema: table.schema.clone(),
        table: table.name.clone(),
        kind,
        ..Found::default()
    };
    let itself = pattern.is_name(&table.name) || pattern.is_in(told.comment.as_deref());
    let itself = itself.then(|| Found {
        comment: told.comment.clone(),
        ..found()
    });
    let columns = told.columns.iter().filter(|[name, _, comment]| {
        let named = name.as_deref().is_some_and(|name| pattern.is_name(name));
        named || pattern.is_in(comment.as_deref())
    });
    let columns = columns.cloned().map(|[column, type_name, comment]| Found {
        column,
        type_name,
        comment,
        ..found()
    });
    itself.into_iter().chain(columns).collect()
}

/// The rows as a table; `None` where they make none.
pub(super) fn batch(found: &[Found]) -> Option<RecordBatch> {
    let column = |text: fn(&Found) -> Option<&str>| -> ArrayRef {
        Arc::new(found.iter().map(text).collect::<StringArray>())
    };
    let kind = |found: &Found| Some(found.kind).filter(|kind| !kind.is_empty());
    let kinds: StringArray = found.iter().map(kind).collect();
    let columns = [
        ("schema", column(|found| found.schema.as_deref())),
        ("table", column(|found| Some(&found.table))),
        ("kind", Arc::new(kinds)),
        ("column", column(|found| found.column.as_deref())),
        ("type", column(|found| found.type_name.as_deref())),
        ("comment", column(|found| found.comment.as_deref())),
    ];
    RecordBatch::try_from_iter(columns).ok()
}

/// A schema's name as Spark writes it, `a` or `` `odd name`.b ``, as Spark's SQL takes it.
pub(super) fn schema_in_sql(written: &str) -> String {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for ch in written.chars() {
        inside ^= ch == '`';
        match parts.last_mut() {
            Some(part) if inside || ch != '.' => part.push(ch),
            _ => parts.push(String::new()),
        }
    }
    let parts = parts.iter().map(|part| {
        let bare = part
            .strip_prefix('`')
            .and_then(|part| part.strip_suffix('`'));
        quoted(&bare.map_or_else(|| part.clone(), |bare| bare.replace("``", "`")))
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn answer(rows: &[[&str; 3]]) -> Vec<RecordBatch> {
        let column = |at: usize| strings(&rows.iter().map(|row| row[at]).collect::<Vec<_>>());
        let columns = [
            ("col_name", column(0)),
            ("data_type", column(1)),
            ("comment", column(2)),
        ];
        vec![RecordBatch::try_from_iter(columns).unwrap()]
    }

    fn flights() -> Described {
        described(&answer(&[
            ["carrier", "string", "Who flies"],
            ["month", "int", ""],
            ["# Partition Information", "", ""],
            ["# col_name", "data_type", "comment"],
            ["month", "int", ""],
            ["", "", ""],
            ["# Detailed Table Information", "", ""],
            ["Type", "VIEW", ""],
            ["Comment", "All departures 100%", ""],
        ]))
    }

    #[test]
    fn a_description_is_read_up_to_its_headings() {
        let told = flights();
        let names: Vec<_> = told
            .columns
            .iter()
            .map(|[name, ..]| name.as_deref())
            .collect();
        assert_eq!(names, [Some("carrier"), Some("month")]);
        assert_eq!(told.columns[1][2], None);
        assert_eq!(told.comment.as_deref(), Some("All departures 100%"));
        assert!(told.view);
    }

    #[test]
    fn names_and_comments_are_searched_in_whatever_case() {
        let table = Table {
            schema: Some("air".to_owned()),
            name: "Flights".to_owned(),
        };
        let told = flights();
        let cases: [(&str, &[Option<&str>]); 12] = [
            ("flight", &[None]),
            ("FLIGHTS", &[None]),
            ("f*s", &[None, Some("carrier")]),
            ("flight*", &[None]),
            ("*light", &[]),
            ("dep*res", &[None]),
            ("100%", &[None]),
            ("mon", &[Some("month")]),
            ("who flies", &[Some("carrier")]),
            ("who*ies", &[Some("carrier")]),
            ("*", &[None, Some("carrier"), Some("month")]),
            ("nope", &[]),
        ];
        for (typed, expected) in cases {
            let found = matching(&Pattern::new(typed), &table, Some(&told));
            let columns: Vec<_> = found.iter().map(|found| found.column.as_deref()).collect();
            assert_eq!(columns, expected, "{typed}");
        }
        let unknown = matching(&Pattern::new("mon"), &table, None);
        assert_eq!(unknown, []);
        let unknown = matching(&Pattern::new("light"), &table, None);
        assert_eq!((unknown.len(), unknown[0].kind), (1, ""));
    }

    #[test]
    fn a_schema_is_quoted_whatever_is_in_it() {
        for (written, expected) in [
            ("default", "`default`"),
            ("a.b", "`a`.`b`"),
            ("`a b`.c", "`a b`.`c`"),
            ("`a``.b`", "`a``.b`"),
            ("`; DROP", "```; DROP`"),
        ] {
            assert_eq!(schema_in_sql(written), expected);
        }
    }

    #[test]
    fn what_is_found_is_one_table() {
        let table = Table {
            schema: None,
            name: "v".to_owned(),
        };
        let found = matching(&Pattern::new("*"), &table, Some(&flights()));
        let batch = batch(&found).unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (3, 6));
        assert_eq!(
            texts(&[batch], "kind")[0].as_deref(),
            Some("temporary view")
        );
    }
}
