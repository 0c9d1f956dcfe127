//! Executes cells of SQL and magics, and answers questions about their text.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use firesteel_session::engine::Argument;
use jupyter_protocol::Media;

use super::completion::Asks;
use super::failure::{self, Place};
use super::folder::Folders;
use super::interpreter::{Cell, Completeness, Completions, Failure, Interpreter, Outcome};
use super::limits::Limits;
use super::margin::Margin;
use super::{explain, inspection, magics, statement};
use crate::cell::{self, Catalog, Piece, SqlText};
use crate::display::error::not_run;
use crate::engine::{Aside, CatalogCache, Source};
use crate::kept::Shelf;

/// What cells leave for those that follow.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) limits: Limits,
    /// The values of parameters that `%set` gave, by their names.
    pub(super) values: BTreeMap<String, Argument>,
    /// The results that are kept.
    pub(super) shelf: Shelf,
    /// Lines of Spark's stack trace of the last failure, where it had one.
    pub(super) stack: Vec<String>,
    /// The names of the catalog, as far as they were known when the cell began.
    pub(super) known: Arc<Catalog>,
}

/// The interpreter of SQL cells.
pub struct Cells {
    source: Box<dyn Source>,
    settings: Settings,
    /// The statement that ran last, for `%explain`.
    last: Option<SqlText>,
    margin: Margin,
    catalog: CatalogCache,
    folders: Folders,
}

impl Cells {
    /// Cells whose statements run on sessions from `source`.
    pub fn new(source: Box<dyn Source>) -> Self {
        Self {
            source,
            settings: Settings::default(),
            last: None,
            margin: Margin::default(),
            catalog: CatalogCache::default(),
            folders: Folders::default(),
        }
    }

    async fn run(&mut self, pieces: &[Piece], cell: &Cell) -> Outcome {
        let statements = pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Sql(_)))
            .count();
        let busy = Busy::new(&mut *self.source);
        // What is said of an end is taken back by what runs now, or told by it.
        self.margin.clear().await;
        self.settings.known = self.catalog.snapshot();
        let mut number = 0;
        for (at, piece) in pieces.iter().enumerate() {
            if cell.stop.is_cancelled() {
                return Outcome::Interrupted;
            }
            let outcome = match piece {
                Piece::Magic(magic) => {
                    let (settings, last) = (&mut self.settings, self.last.as_ref());
                    let margin = &mut self.margin;
                    magics::run(magic, &mut *busy.0, settings, last, cell, margin).await
                }
                Piece::Sql(text) => {
                    number += 1;
                    self.last = Some(explain::apart(text));
                    let parameters = self.settings.parameters(text);
                    let known = Arc::clone(&self.settings.known);
                    let place = Place {
                        statement: text,
                        parameters: &parameters,
                        number: (number, statements),
                        known: &known,
                    };
                    let (settings, margin) = (&mut self.settings, &mut self.margin);
                    statement::run(&mut *busy.0, place, settings, cell, margin).await
                }
            };
            match outcome {
                Outcome::Done => {}
                Outcome::Interrupted => return Outcome::Interrupted,
                Outcome::Failed(mut failure) => {
                    let rest = not_run(&pieces[at + 1..], number, statements);
                    failure.traceback.extend(rest);
                    self.settings.stack = std::mem::take(&mut failure.stack);
                    return Outcome::Failed(failure);
                }
            }
        }
        Outcome::Done
    }
}

/// The source while a cell runs: however that ends, it is told.
struct Busy<'a>(&'a mut dyn Source);

impl<'a> Busy<'a> {
    fn new(source: &'a mut dyn Source) -> Self {
        source.busy(true);
        Self(source)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy(false);
    }
}

#[async_trait]
impl Interpreter for Cells {
    async fn execute(&mut self, source: &str, cell: Cell) -> Outcome {
        match cell::parse(source) {
            // A front end that asks from time to time whether we live is nobody who works.
            Ok(pieces) if pieces.is_empty() => Outcome::Done,
            Ok(pieces) => {
                let outcome = self.run(&pieces, &cell).await;
                // Who holds it makes whoever adds to it copy all of it.
                self.settings.known = Arc::default();
                let changes =
                    |piece: &Piece| matches!(piece, Piece::Sql(sql) if !sql.kind.is_pure());
                let changed = pieces.iter().any(changes);
                self.catalog.refresh(self.source.background(), changed);
                outcome
            }
            Err(error) => Outcome::Failed(failure::of_cell(&error)),
        }
    }

    async fn evaluate(&mut self, _expression: &str) -> Result<Media, Failure> {
        let value = "SQL cells have no expressions to evaluate beside the cell".to_owned();
        Err(Failure {
            name: "NotSupported".to_owned(),
            traceback: vec![value.clone()],
            value,
            ..Failure::default()
        })
    }

    fn is_complete(&self, source: &str) -> Completeness {
        match cell::completeness(source) {
            cell::Completeness::Complete => Completeness::Complete,
            cell::Completeness::Incomplete { indent } => Completeness::Incomplete { indent },
            cell::Completeness::Invalid => Completeness::Invalid,
        }
    }

    async fn complete(&mut self, source: &str, cursor: usize) -> Completions {
        let mut asks = Asks {
            source: &*self.source,
            settings: &self.settings,
            catalog: &mut self.catalog,
            folders: &self.folders,
        };
        asks.complete(source, cursor).await
    }

    async fn inspect(&mut self, source: &str, cursor: usize, _detail: u8) -> Option<Media> {
        let (source, text) = (&*self.source, source);
        inspection::inspect(source, &mut self.catalog, text, cursor).await
    }

    async fn between(&mut self) {
        loop {
            match self.source.aside().await {
                Aside::Soon(line) => self.margin.write(&line).await,
                Aside::Over(line) => {
                    self.margin.write(&line).await;
                    self.margin.leave();
                }
                Aside::Nothing => self.margin.clear().await,
            }
        }
    }

    async fn end(&mut self, _restart: bool) {
        self.source.close().await;
    }
}

#[cfg(test)]
mod tests;
