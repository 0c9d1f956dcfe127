//! What is known of the session's catalog when something is to be completed.

use std::collections::BTreeMap;

/// A snapshot of a catalog. It may be incomplete: completion offers what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Names of the catalogs.
    pub catalogs: Vec<String>,
    /// Names of the current catalog's schemas.
    pub schemas: Vec<String>,
    /// The current schema, where it is known.
    pub schema: Option<String>,
    /// Tables and views.
    pub tables: Vec<Table>,
    /// Names of the functions.
    pub functions: Vec<String>,
    /// The arguments of functions, by the functions' names, as far as they were asked for:
    /// `(expr, d)`.
    pub signatures: BTreeMap<String, String>,
}

/// A table or view of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema; `None` for a temporary view.
    pub schema: Option<String>,
    /// Its name, without quotes.
    pub name: String,
    /// Its columns, where they are known.
    pub columns: Option<Vec<Column>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, without quotes.
    pub name: String,
    /// Its type in Spark's words; empty where it is not known.
    pub data_type: String,
}

/// Something that a catalog does not tell. Names are without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// The tables of a schema.
    Tables(String),
    /// The columns of a table or view.
    Columns {
        /// The schema, unless the table is a temporary view or of the current schema.
        schema: Option<String>,
        /// The table.
        name: String,
    },
}

impl Catalog {
    /// The table that a name of one or more parts means, without quotes.
    pub fn table(&self, parts: &[String]) -> Option<&Table> {
        let (name, before) = parts.split_last()?;
        let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
        match before.last() {
            Some(schema) => self.tables.iter().find(|table| {
                same(&table.name, name) && table.schema.as_deref().is_some_and(|s| same(s, schema))
            }),
            // A temporary view hides a table of its name.
            None => {
                let of = |schema: Option<&str>| {
                    self.tables
                        .iter()
                        .find(|table| same(&table.name, name) && table.schema.as_deref() == schema)
                };
                of(None).or_else(|| self.schema.as_deref().and_then(|schema| of(Some(schema))))
            }
        }
    }
}
