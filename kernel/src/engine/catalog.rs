//! What is known of the live session's catalog, asked for in the background.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_cast::display::array_value_to_string;
use firesteel_session::engine::{Engine, Event, Statement};
use futures::StreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cell::name::{in_sql, quoted};
use crate::cell::{Catalog, Column, Table, Unknown};

/// How long Spark may take for one question.
const DEADLINE: Duration = Duration::from_secs(20);

/// The most rows of one answer that are taken: names beyond are not proposed.
const ROWS: u64 = 50_000;

/// The most columns of one table that are taken.
const COLUMNS: u64 = 5_000;

/// The most lines that are taken of what Spark says of a function.
const LINES: u64 = 200;

/// The most tables whose columns are kept, and schemas that were looked into.
const LOOKED_UP: usize = 1_000;

/// Bytes that names, types and descriptions take at most, about. What comes when they are used up
/// is not proposed.
const BYTES: usize = 32_000_000;

/// The longest list of a function's arguments that is shown beside its name.
const SIGNATURE: usize = 100;

/// A session to ask in the background.
#[derive(Clone)]
pub struct Background {
    /// The session's id.
    pub session: Uuid,
    /// What runs questions, none of which counts as activity.
    pub engine: Arc<dyn Engine>,
}

/// The names and columns of a session's catalog, as far as they have been learned.
#[derive(Default)]
pub struct CatalogCache {
    known: Arc<Mutex<Known>>,
    /// One question at a time is asked.
    asking: Arc<tokio::sync::Mutex<()>>,
    session: Option<Uuid>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct Known {
    catalog: Arc<Catalog>,
    /// What was looked up, found or not.
    asked: HashSet<Unknown>,
    /// What Spark says of functions, by their names.
    usages: HashMap<String, String>,
    /// What Spark tells of tables, by the parts of their names.
    told: HashMap<Vec<String>, Vec<Vec<String>>>,
    /// Functions whose arguments were asked for, told or not.
    described: HashSet<String>,
    /// Bytes that all this takes, about.
    bytes: usize,
}

impl Known {
    /// Makes room for something of so many bytes, and says whether there is any.
    fn makes_room(&mut self, bytes: usize) -> bool {
        let sum = self.bytes + bytes;
        let has = sum <= BYTES;
        if has {
            self.bytes = sum;
        }
        has
    }

    /// All names of a session's catalog.
    fn of(mut catalog: Catalog) -> Self {
        let mut known = Self::default();
        for names in [
            &mut catalog.catalogs,
            &mut catalog.schemas,
            &mut catalog.functions,
        ] {
            names.retain(|name| known.makes_room(size_of::<String>() + name.len()));
        }
        catalog
            .tables
            .retain(|table| known.makes_room(weight(table)));
        known.catalog = Arc::new(catalog);
        known
    }

    /// Puts tables in the place of those of the same name.
    fn add(&mut self, mut tables: Vec<Table>) {
        tables.retain(|table| self.makes_room(weight(table)));
        let catalog = Arc::make_mut(&mut self.catalog);
        let new: HashSet<_> = tables.iter().map(|t| (&t.schema, &t.name)).collect();
        let mut replaced = 0;
        catalog.tables.retain(|table| {
            let stays = !new.contains(&(&table.schema, &table.name));
            replaced += if stays { 0 } else { weight(table) };
            stays
        });
        catalog.tables.extend(tables);
        self.bytes -= replaced;
    }

    /// Takes note of what Spark tells of a table.
    fn tell(&mut self, name: Vec<String>, rows: &[Vec<String>]) {
        let texts = rows.iter().flatten();
        let bytes: usize = texts.map(|text| size_of::<String>() + text.len()).sum();
        if self.told.len() < LOOKED_UP && self.makes_room(bytes) {
            self.told.insert(name, rows.to_vec());
        }
    }

    /// Takes note of what Spark says of a function.
    fn describe(&mut self, name: &str, usage: &str) {
        let signature = signature(name, usage);
        let bytes = 2 * name.len() + usage.len() + signature.len();
        if self.usages.len() < LOOKED_UP && self.makes_room(bytes) {
            self.usages.insert(name.to_owned(), usage.to_owned());
            let catalog = Arc::make_mut(&mut self.catalog);
            catalog.signatures.insert(name.to_owned(), signature);
        }
    }
}

/// Bytes that a table takes, about.
fn weight(table: &Table) -> usize {
    let columns = table.columns.iter().flatten();
    let columns =
        columns.map(|column| size_of::<Column>() + column.name.len() + column.data_type.len());
    let schema = table.schema.as_ref().map_or(0, String::len);
    size_of::<Table>() + schema + table.name.len() + columns.sum::<usize>()
}

/// The arguments of a function, `(expr, d)`, from what Spark says of it; empty where it says none.
fn signature(name: &str, usage: &str) -> String {
    let told = usage
        .split_once("Usage:")
        .map_or("", |(_, told)| told.trim_start());
    let arguments = told
        .get(..name.len())
        .filter(|told| told.eq_ignore_ascii_case(name));
    let arguments = arguments.map_or("", |_name| &told[name.len()..]);
    let mut depth = 0_usize;
    for (at, ch) in arguments.char_indices().take(SIGNATURE) {
        depth = match ch {
            '(' => depth + 1,
            ')' if depth == 1 => return arguments[..=at].to_owned(),
            ')' => depth - 1,
            '\n' => break,
            _ if depth == 0 => break,
            _ => depth,
        };
    }
    String::new()
}

impl CatalogCache {
    /// What is known now.
    pub fn snapshot(&self) -> Arc<Catalog> {
        Arc::clone(&lock(&self.known).catalog)
    }

    /// Learns all names anew where a statement may have `changed` them or the session is another,
    /// without waiting for it. Without a session everything is forgotten.
    pub fn refresh(&mut self, live: Option<Background>, changed: bool) {
        let session = live.as_ref().map(|live| live.session);
        if session == self.session && !changed {
            return;
        }
        self.tasks.abort_all();
        while self.tasks.try_join_next().is_some() {}
        if session != self.session {
            *lock(&self.known) = Known::default();
            self.session = session;
        }
        if let Some(Background { engine, .. }) = live {
            let known = Arc::clone(&self.known);
            let asking = Arc::clone(&self.asking);
            self.tasks.spawn(async move {
                let _turn = asking.lock().await;
                let catalog = Known::of(names(&*engine).await);
                *lock(&known) = catalog;
            });
        }
    }

    /// Spark's own description of a function, asked for once; `None` where it is not told in time.
    pub async fn usage(
        &mut self,
        live: &Background,
        name: &str,
        patience: Duration,
    ) -> Option<String> {
        if let Some(usage) = lock(&self.known).usages.get(name) {
            return Some(usage.clone());
        }
        let (known, engine) = (Arc::clone(&self.known), Arc::clone(&live.engine));
        let name = name.to_owned();
        let question = async move {
            let usage = described(&*engine, &name).await;
            if usage.is_empty() {
                return None;
            }
            lock(&known).describe(&name, &usage);
            Some(usage)
        };
        self.wait(question, patience).await
    }

    /// What `DESCRIBE TABLE EXTENDED` answers of a table or view, asked for once; `None` where it is
    /// not told in time.
    pub async fn about(
        &mut self,
        live: &Background,
        name: &[String],
        patience: Duration,
    ) -> Option<Vec<Vec<String>>> {
        if let Some(rows) = lock(&self.known).told.get(name) {
            return Some(rows.clone());
        }
        let (known, engine) = (Arc::clone(&self.known), Arc::clone(&live.engine));
        let name = name.to_vec();
        let question = async move {
            let sql = format!("DESCRIBE TABLE EXTENDED {}", in_sql(&name));
            let rows = ask(&*engine, &sql, COLUMNS).await;
            if rows.is_empty() {
                return None;
            }
            lock(&known).tell(name, &rows);
            Some(rows)
        };
        self.wait(question, patience).await
    }

    /// The answer to a question, unless it takes longer than `patience`: it is then answered without
    /// anybody waiting, and known when it is asked again.
    async fn wait<T: Send + 'static>(
        &mut self,
        question: impl Future<Output = Option<T>> + Send + 'static,
        patience: Duration,
    ) -> Option<T> {
        while self.tasks.try_join_next().is_some() {}
        let asking = Arc::clone(&self.asking);
        let (done, told) = tokio::sync::oneshot::channel();
        self.tasks.spawn(async move {
            let _turn = asking.lock().await;
            if let Some(answer) = question.await {
                // Who waited may have lost patience.
                let _ = done.send(answer);
            }
        });
        tokio::time::timeout(patience, told).await.ok()?.ok()
    }

    /// Learns the arguments of functions, without waiting for it.
    pub fn describe(&mut self, live: &Background, mut functions: Vec<String>) {
        {
            let mut known = lock(&self.known);
            let room = LOOKED_UP.saturating_sub(known.described.len());
            functions.truncate(room);
            functions.retain(|name| known.described.insert(name.clone()));
        }
        if functions.is_empty() {
            return;
        }
        while self.tasks.try_join_next().is_some() {}
        let (known, asking) = (Arc::clone(&self.known), Arc::clone(&self.asking));
        let engine = Arc::clone(&live.engine);
        self.tasks.spawn(async move {
            for name in functions {
                // Between two of them somebody may ask who waits.
                let _turn = asking.lock().await;
                let usage = described(&*engine, &name).await;
                lock(&known).describe(&name, &usage);
            }
        });
    }

    /// Learns what a completion lacked and waits for it as long as `patience`; later ones find it.
    pub async fn learn(&mut self, live: &Background, unknown: Vec<Unknown>, patience: Duration) {
        let unknown: Vec<Unknown> = {
            let mut known = lock(&self.known);
            let room = LOOKED_UP.saturating_sub(known.asked.len());
            let fresh = unknown.into_iter().take(room);
            fresh
                .filter(|one| known.asked.insert(one.clone()))
                .collect()
        };
        if unknown.is_empty() {
            return;
        }
        while self.tasks.try_join_next().is_some() {}
        let known = Arc::clone(&self.known);
        let asking = Arc::clone(&self.asking);
        let engine = Arc::clone(&live.engine);
        let (done, learned) = tokio::sync::oneshot::channel();
        self.tasks.spawn(async move {
            let _turn = asking.lock().await;
            for one in unknown {
                let tables = look_up(&*engine, &one).await;
                lock(&known).add(tables);
            }
            // Who waited may have lost patience.
            let _ = done.send(());
        });
        // Either way what is known by then is used.
        let _ = tokio::time::timeout(patience, learned).await;
    }
}

/// What Spark says of a function; nothing where it does not tell.
async fn described(engine: &dyn Engine, name: &str) -> String {
    let full: Vec<String> = name.split('.').map(quoted).collect();
    let sql = format!("DESCRIBE FUNCTION EXTENDED {}", full.join("."));
    ask(engine, &sql, LINES).await.concat().join("\n")
}

async fn names(engine: &dyn Engine) -> Catalog {
    let first = |rows: Vec<Vec<String>>| -> Vec<String> {
        rows.into_iter()
            .filter_map(|row| row.into_iter().next())
            .collect()
    };
    Catalog {
        signatures: BTreeMap::new(),
        catalogs: first(ask(engine, "SHOW CATALOGS", ROWS).await),
        schemas: first(ask(engine, "SHOW SCHEMAS", ROWS).await),
        // A query would need an executor; this is answered by the driver.
        schema: ask(engine, "SHOW CURRENT SCHEMA", 1)
            .await
            .pop()
            .and_then(|row| row.into_iter().nth(1)),
        tables: tables(ask(engine, "SHOW TABLES", ROWS).await),
        functions: first(ask(engine, "SHOW FUNCTIONS", ROWS).await),
    }
}

/// The answer to `SHOW TABLES`: namespace, name, whether it is temporary.
fn tables(rows: Vec<Vec<String>>) -> Vec<Table> {
    let table = |row: Vec<String>| {
        let [schema, name, ..] = <[String; 3]>::try_from(row).ok()?;
        Some(Table {
            schema: Some(schema).filter(|schema| !schema.is_empty()),
            name,
            columns: None,
        })
    };
    rows.into_iter().filter_map(table).collect()
}

async fn look_up(engine: &dyn Engine, unknown: &Unknown) -> Vec<Table> {
    match unknown {
        Unknown::Tables(schema) => {
            let sql = format!("SHOW TABLES IN {}", quoted(schema));
            let found = tables(ask(engine, &sql, ROWS).await);
            found
                .into_iter()
                .filter(|table| table.schema.is_some())
                .collect()
        }
        Unknown::Columns { schema, name } => {
            let parts = schema.iter().chain(std::iter::once(name));
            let full: Vec<String> = parts.map(|part| quoted(part)).collect();
            let rows = ask(
                engine,
                &format!("DESCRIBE TABLE {}", full.join(".")),
                COLUMNS,
            )
            .await;
            if rows.is_empty() {
                return Vec::new();
            }
            vec![Table {
                schema: schema.clone(),
                name: name.clone(),
                columns: Some(columns(rows)),
            }]
        }
    }
}

/// The columns in an answer to `DESCRIBE TABLE`, which goes on with what is no column.
fn columns(rows: Vec<Vec<String>>) -> Vec<Column> {
    let column = |row: Vec<String>| {
        let mut row = row.into_iter();
        Some(Column {
            name: row.next()?,
            data_type: row.next()?,
        })
    };
    rows.into_iter()
        .map_while(column)
        .take_while(|column| !column.name.is_empty() && !column.name.starts_with("# "))
        .collect()
}

/// The rows of an answer as text; none where Spark refuses or takes too long.
async fn ask(engine: &dyn Engine, sql: &str, rows: u64) -> Vec<Vec<String>> {
    let statement = Statement {
        sql: sql.to_owned(),
        rows: Some(rows),
        pure: true,
        ..Statement::default()
    };
    let mut events = engine.run(statement, CancellationToken::new());
    let all = async {
        let mut found = Vec::new();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Batch(batch)) => found.extend(texts(&batch.rows)),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, sql, "the catalog does not tell");
                    return Vec::new();
                }
            }
        }
        found
    };
    tokio::time::timeout(DEADLINE, all)
        .await
        .unwrap_or_default()
}

fn texts(rows: &RecordBatch) -> Vec<Vec<String>> {
    let row = |at: usize| {
        let cells = rows.columns().iter();
        cells
            .map(|column| array_value_to_string(column, at).unwrap_or_default())
            .collect()
    };
    (0..rows.num_rows()).map(row).collect()
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: usize) -> Table {
        let column = |at: usize| Column {
            name: format!("column_{at}"),
            data_type: "string".to_owned(),
        };
        Table {
            schema: Some("s".to_owned()),
            name: name.to_owned(),
            columns: (columns > 0).then(|| (0..columns).map(column).collect()),
        }
    }

    #[test]
    fn a_table_takes_the_place_of_one_of_its_name() {
        let mut known = Known::of(Catalog {
            tables: vec![table("a", 0), table("b", 0)],
            ..Catalog::default()
        });
        let before = known.bytes;
        known.add(vec![table("a", 3)]);
        let tables = &known.catalog.tables;
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(
            known.bytes - before,
            weight(&table("a", 3)) - weight(&table("a", 0))
        );
        known.add(vec![table("a", 0)]);
        assert_eq!(known.bytes, before);
    }

    #[test]
    fn what_is_known_has_an_end() {
        let wide = || table("wide", 5000);
        let mut known = Known::of(Catalog {
            tables: (0..1000).map(|_| wide()).collect(),
            functions: vec!["f".repeat(BYTES)],
            ..Catalog::default()
        });
        assert_eq!(known.catalog.functions, Vec::<String>::new());
        let room = BYTES / weight(&wide());
        assert_eq!(known.catalog.tables.len(), room);
        known.add(vec![table("one more", 5000)]);
        assert_eq!(known.catalog.tables.len(), room);
        known.describe("f", &"u".repeat(BYTES));
        assert_eq!(known.usages.len(), 0);
        assert!(known.bytes <= BYTES);
    }

    #[test]
    fn a_functions_arguments_are_read_from_what_spark_says_of_it() {
        for (name, usage, expected) in [
            (
                "round",
                "Function: round\nClass: org.Round\nUsage: round(expr, d) - Returns `expr`.",
                "(expr, d)",
            ),
            (
                "concat",
                "Function: concat\nUsage: \n    concat(col1, ..., colN) - Joins them.",
                "(col1, ..., colN)",
            ),
            (
                "transform",
                "Usage: transform(expr, func(x)) - Each.",
                "(expr, func(x))",
            ),
            ("count", "Usage:\n    COUNT(*) - Returns", "(*)"),
            ("%", "Usage: expr1 % expr2 - Returns", ""),
            ("mod", "Usage: expr1 % expr2, or mod(a, b) - Returns", ""),
            ("open", "Usage: open(a, b - Returns\n)", ""),
            ("größe", "Usage: größe(ä) - Returns", "(ä)"),
            ("gr", "Usage: größe(ä) - Returns", ""),
            ("now", "nothing", ""),
            ("now", "", ""),
        ] {
            assert_eq!(signature(name, usage), expected, "{usage}");
        }
    }
}
