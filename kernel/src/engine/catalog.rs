//! What is known of the live session's catalog, asked for in the background.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_cast::display::array_value_to_string;
use firesteel_session::engine::{Engine, Event, Statement};
use futures::StreamExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cell::name::quoted;
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
                let catalog = Arc::new(names(&*engine).await);
                *lock(&known) = Known {
                    catalog,
                    ..Known::default()
                };
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
        while self.tasks.try_join_next().is_some() {}
        let (known, asking) = (Arc::clone(&self.known), Arc::clone(&self.asking));
        let engine = Arc::clone(&live.engine);
        let name = name.to_owned();
        let (done, told) = tokio::sync::oneshot::channel();
        self.tasks.spawn(async move {
            let _turn = asking.lock().await;
            let full: Vec<String> = name.split('.').map(quoted).collect();
            let sql = format!("DESCRIBE FUNCTION EXTENDED {}", full.join("."));
            let usage = ask(&*engine, &sql, LINES).await.concat().join("\n");
            if usage.is_empty() {
                return;
            }
            let mut known = lock(&known);
            if known.usages.len() < LOOKED_UP {
                known.usages.insert(name, usage.clone());
            }
            // Who waited may have lost patience.
            let _ = done.send(usage);
        });
        tokio::time::timeout(patience, told).await.ok()?.ok()
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
                add(&known, tables);
            }
            // Who waited may have lost patience.
            let _ = done.send(());
        });
        // Either way what is known by then is used.
        let _ = tokio::time::timeout(patience, learned).await;
    }
}

/// Puts tables in the place of those of the same name.
fn add(known: &Mutex<Known>, tables: Vec<Table>) {
    let mut known = lock(known);
    let catalog = Arc::make_mut(&mut known.catalog);
    for table in tables {
        let same = |other: &&mut Table| other.name == table.name && other.schema == table.schema;
        match catalog.tables.iter_mut().find(same) {
            Some(there) => *there = table,
            None => catalog.tables.push(table),
        }
    }
}

async fn names(engine: &dyn Engine) -> Catalog {
    let first = |rows: Vec<Vec<String>>| -> Vec<String> {
        rows.into_iter()
            .filter_map(|row| row.into_iter().next())
            .collect()
    };
    Catalog {
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
