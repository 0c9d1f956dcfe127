//! Searches the catalog for tables, views and columns.

mod found;

use std::time::Duration;

use arrow::array::RecordBatch;
use tokio::time::{Instant, timeout_at};

use super::failure::{self, Place};
use super::interpreter::{Cell, Outcome};
use super::limits::Limits;
use super::margin::Margin;
use super::parameters::Parameters;
use super::statement::{Ran, begin, end, fetch};
use super::view::View;
use crate::cell::name::quoted;
use crate::cell::{Catalog, Rows, SqlText};
use crate::display::{self, Facts, Remaining};
use crate::engine::{Opened, Source};
use crate::kept::size;
use found::{
    Described, Found, Pattern, Table, batch, described, listed, matching, schema_in_sql, texts,
};

/// How long a search takes at most.
const LONGEST: Duration = Duration::from_secs(10);

/// Tables that are looked at.
const MOST_TABLES: usize = 2000;

/// Rows that are shown.
const MOST_ROWS: usize = 1000;

/// What was looked at and what was not.
#[derive(Debug, Default)]
struct Looked {
    schemas: usize,
    /// Tables whose columns and comments are known.
    tables: usize,
    schemas_left: Left,
    tables_left: Left,
    /// Whether the time is over.
    late: bool,
}

/// What was not looked at, by the reason.
#[derive(Debug, Default)]
struct Left {
    refused: usize,
    late: usize,
    beyond: usize,
}

impl Left {
    /// Counts one that was not answered.
    fn add(&mut self, late: bool) {
        match late {
            true => self.late += 1,
            false => self.refused += 1,
        }
    }

    /// Each reason and how many it kept from being looked at.
    fn reasons(&self) -> Vec<(usize, String)> {
        let mut reasons = vec![
            (self.refused, "Spark refused".to_owned()),
            (self.late, format!("{} s had passed", LONGEST.as_secs())),
            (self.beyond, format!("at most {MOST_TABLES} are looked at")),
        ];
        reasons.retain(|(count, _)| *count > 0);
        reasons
    }
}

/// Searches the current catalog and shows what matches.
pub(super) async fn run(
    source: &mut dyn Source,
    pattern: &str,
    cell: &Cell,
    margin: &mut Margin,
) -> Outcome {
    let (view, opened) = match begin(source, &cell.output, margin, &cell.stop).await {
        Ok(begun) => begun,
        Err(outcome) => return outcome,
    };
    let began = Instant::now();
    let mut search = Search {
        source,
        opened: &opened,
        cell,
        view,
        until: began + LONGEST,
    };
    let mut looked = Looked::default();
    let found = search.everything(&Pattern::new(pattern), &mut looked).await;
    let (catalog, found) = match found {
        Ok(found) => found,
        Err(ran) => {
            return match end(ran, search.view, margin).await {
                Ok(_) => Outcome::Done,
                Err(outcome) => outcome,
            };
        }
    };
    let shown = &found[..found.len().min(MOST_ROWS)];
    let rows: Vec<RecordBatch> = batch(shown).into_iter().collect();
    let facts = Facts {
        remaining: Remaining::Nothing,
        rows: shown.len() as u64,
        there: None,
        bytes: rows.iter().map(size).sum(),
        elapsed: began.elapsed(),
        bytes_read: None,
    };
    let schema = rows.first().map(RecordBatch::schema);
    let mut media = match schema {
        Some(schema) => display::table(&schema, &rows, &opened.zone, &facts),
        None => display::plain("Nothing is found."),
    };
    if found.len() > shown.len() {
        let more = found.len() - shown.len();
        let said = format!("{more} more match; a longer pattern finds fewer.");
        media = display::noted(&media, &said);
    }
    media = display::noted(&media, &searched(&catalog, &looked));
    if let Some(started) = &opened.started {
        media = display::with_start(media, started, None);
    }
    margin.remember(search.view.result(media).await);
    Outcome::Done
}

/// What was searched, in a sentence or two.
fn searched(catalog: &str, looked: &Looked) -> String {
    let mut said = format!(
        "Searched {} and {} of catalog {catalog}, with their columns and comments.",
        count(looked.schemas, "schema"),
        count(looked.tables, "table"),
    );
    for (number, why) in looked.schemas_left.reasons() {
        let schemas = count(number, "schema");
        said.push_str(&format!(" Not searched: {schemas} ({why})."));
    }
    for (number, why) in looked.tables_left.reasons() {
        let tables = count(number, "table");
        let names = match number {
            1 => "name",
            _ => "names",
        };
        said.push_str(&format!(
            " Of {tables} only the {names}, not columns and comments ({why})."
        ));
    }
    said.push_str(" Other catalogs are not searched.");
    said
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// A search that is under way.
struct Search<'a> {
    source: &'a mut dyn Source,
    opened: &'a Opened,
    cell: &'a Cell,
    view: View<'a>,
    until: Instant,
}

/// What one question brought.
enum Told {
    Rows(Vec<RecordBatch>),
    /// Spark refused it; others may be answered.
    Refused(Ran),
    /// The time for all of them is over.
    Late,
}

impl Search<'_> {
    /// Everything that matches, and the catalog. Fails as the first question that has to be
    /// answered does.
    async fn everything(
        &mut self,
        pattern: &Pattern,
        looked: &mut Looked,
    ) -> Result<(String, Vec<Found>), Ran> {
        let catalog = self.must("SELECT current_catalog() AS catalog").await?;
        let catalog = texts(&catalog, "catalog").into_iter().flatten().next();
        let catalog = catalog.unwrap_or_default();
        let schemas = format!("SHOW SCHEMAS IN {}", quoted(&catalog));
        let schemas = texts(&self.must(&schemas).await?, "namespace");
        let tables = self.tables(&catalog, schemas, looked).await?;
        let mut found = Vec::new();
        for (asked, table) in tables.into_iter().enumerate() {
            let told = match asked < MOST_TABLES {
                true => self.describe(&catalog, &table, looked).await?,
                false => None,
            };
            match &told {
                Some(_) => looked.tables += 1,
                None if asked < MOST_TABLES => looked.tables_left.add(looked.late),
                None => looked.tables_left.beyond += 1,
            }
            found.extend(matching(pattern, &table, told.as_ref()));
        }
        Ok((catalog, found))
    }

    /// The tables of these schemas, each view of the session once.
    async fn tables(
        &mut self,
        catalog: &str,
        schemas: Vec<Option<String>>,
        looked: &mut Looked,
    ) -> Result<Vec<Table>, Ran> {
        let mut tables: Vec<Table> = Vec::new();
        let mut own: Vec<Table> = Vec::new();
        for schema in schemas.into_iter().flatten() {
            let sql = format!(
                "SHOW TABLES IN {}.{}",
                quoted(catalog),
                schema_in_sql(&schema)
            );
            let Some(rows) = self.may(&sql, looked).await? else {
                looked.schemas_left.add(looked.late);
                continue;
            };
            looked.schemas += 1;
            let listed = listed(&rows).into_iter();
            let (views, others): (Vec<_>, Vec<_>) = listed.partition(|t| t.schema.is_none());
            tables.extend(others);
            own = views;
        }
        own.extend(tables);
        Ok(own)
    }

    async fn describe(
        &mut self,
        catalog: &str,
        table: &Table,
        looked: &mut Looked,
    ) -> Result<Option<Described>, Ran> {
        let name = match &table.schema {
            Some(schema) => {
                let schema = schema_in_sql(schema);
                format!("{}.{schema}.{}", quoted(catalog), quoted(&table.name))
            }
            None => quoted(&table.name),
        };
        let sql = format!("DESCRIBE TABLE EXTENDED {name}");
        Ok(self.may(&sql, looked).await?.as_deref().map(described))
    }

    /// The answer to a question without which there is no search.
    async fn must(&mut self, sql: &str) -> Result<Vec<RecordBatch>, Ran> {
        match self.ask(sql).await? {
            Told::Rows(rows) => Ok(rows),
            Told::Refused(ran) => Err(ran),
            Told::Late => {
                let value = format!("The catalog did not answer within {} s.", LONGEST.as_secs());
                Err(Ran::Failed(failure::of_search(&value)))
            }
        }
    }

    /// The answer to a question that others may do without.
    async fn may(
        &mut self,
        sql: &str,
        looked: &mut Looked,
    ) -> Result<Option<Vec<RecordBatch>>, Ran> {
        if looked.late {
            return Ok(None);
        }
        match self.ask(sql).await? {
            Told::Rows(rows) => Ok(Some(rows)),
            Told::Refused(_) => Ok(None),
            Told::Late => {
                looked.late = true;
                Ok(None)
            }
        }
    }

    /// Asks Spark. Fails where no other question would be answered either.
    async fn ask(&mut self, sql: &str) -> Result<Told, Ran> {
        if self.cell.stop.is_cancelled() {
            return Err(Ran::Interrupted);
        }
        let statement = SqlText::query(sql.to_owned());
        let parameters = Parameters::default();
        let place = Place {
            statement: &statement,
            parameters: &parameters,
            number: (1, 1),
            known: &Catalog::default(),
        };
        let limits = Limits {
            rows: Rows::All,
            ..Limits::default()
        };
        let fetched = fetch(
            &mut *self.source,
            self.opened,
            place,
            limits,
            &mut self.view,
            &self.cell.output,
            &self.cell.stop,
        );
        match timeout_at(self.until, fetched).await {
            Err(_elapsed) => Ok(Told::Late),
            Ok(Ran::Done(answer)) => Ok(Told::Rows(answer.fetched.within().0)),
            Ok(Ran::Interrupted) => Err(Ran::Interrupted),
            Ok(Ran::Failed(lost)) if lost.name == failure::LOST => Err(Ran::Failed(lost)),
            Ok(refused) => Ok(Told::Refused(refused)),
        }
    }
}
