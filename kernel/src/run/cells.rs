//! Executes cells of SQL and magics, and answers questions about their text.

use async_trait::async_trait;
use jupyter_protocol::Media;

use super::failure::{self, Place};
use super::interpreter::{
    Cell, Completeness, Completion, Completions, Failure, Interpreter, Outcome,
};
use super::{magics, statement};
use crate::cell::{self, Piece, ProposalKind, Rows};
use crate::display;
use crate::engine::Source;

/// Rows of a result that are shown where nothing else is asked for.
const DEFAULT_ROWS: u64 = 1000;

/// The interpreter of SQL cells.
pub struct Cells {
    source: Box<dyn Source>,
    limit: Rows,
}

impl Cells {
    /// Cells whose statements run on sessions from `source`.
    pub fn new(source: Box<dyn Source>) -> Self {
        Self {
            source,
            limit: Rows::AtMost(DEFAULT_ROWS),
        }
    }

    async fn run(&mut self, pieces: &[Piece], cell: &Cell) -> Outcome {
        let statements = pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Sql(_)))
            .count();
        let mut number = 0;
        for piece in pieces {
            if cell.stop.is_cancelled() {
                return Outcome::Interrupted;
            }
            let outcome = match piece {
                Piece::Magic(magic) => {
                    magics::run(magic, &mut *self.source, &mut self.limit, cell).await
                }
                Piece::Sql(text) => {
                    number += 1;
                    let place = Place {
                        statement: text,
                        number: (number, statements),
                    };
                    let rows = text.rows.unwrap_or(self.limit);
                    statement::run(&mut *self.source, place, rows, &cell.output, &cell.stop).await
                }
            };
            if outcome != Outcome::Done {
                return outcome;
            }
        }
        Outcome::Done
    }
}

#[async_trait]
impl Interpreter for Cells {
    async fn execute(&mut self, source: &str, cell: Cell) -> Outcome {
        match cell::parse(source) {
            Ok(pieces) => {
                self.source.busy(true);
                let outcome = self.run(&pieces, &cell).await;
                self.source.busy(false);
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
        let found = cell::complete(source, cursor);
        let matches = found.matches.into_iter().map(|proposal| Completion {
            text: proposal.text,
            kind: match proposal.kind {
                ProposalKind::Magic => "magic",
                ProposalKind::Keyword => "keyword",
            },
        });
        Completions {
            matches: matches.collect(),
            start: found.start,
            end: found.end,
        }
    }

    async fn inspect(&mut self, source: &str, cursor: usize, _detail: u8) -> Option<Media> {
        cell::help_at(source, cursor).map(display::plain)
    }

    async fn end(&mut self, _restart: bool) {
        self.source.close().await;
    }
}
