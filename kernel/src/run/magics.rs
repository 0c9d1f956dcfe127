//! Orders to the kernel itself.

use firesteel_launcher::launcher::LogsOf;

use super::failure;
use super::interpreter::{Cell, Failure, Outcome};
use crate::cell::{self, Magic, Rows};
use crate::display;
use crate::engine::{Source, Unavailable};

/// Carries out an order.
pub(super) async fn run(
    magic: &Magic,
    source: &mut dyn Source,
    limit: &mut Rows,
    cell: &Cell,
) -> Outcome {
    match answer(magic, source, limit).await {
        Ok(text) => {
            cell.output.result(cell.count, display::plain(text)).await;
            Outcome::Done
        }
        Err(failure) => Outcome::Failed(failure),
    }
}

async fn answer(
    magic: &Magic,
    source: &mut dyn Source,
    limit: &mut Rows,
) -> Result<String, Failure> {
    let failed = |error: Unavailable| failure::of_unavailable(&error);
    match magic {
        Magic::Help(name) => Ok(cell::help(*name)),
        Magic::List => Ok(cell::lsmagic()),
        Magic::Limit(rows) => {
            if let Some(rows) = rows {
                *limit = *rows;
            }
            Ok(limit_in_words(*limit))
        }
        Magic::Profile(None) => Ok(source.profiles()),
        Magic::Profile(Some(name)) => source.choose(name).await.map_err(failed),
        Magic::Session => Ok(source.describe().await),
        Magic::Logs { executor, lines } => {
            let of = match executor {
                Some(executor) => LogsOf::Executor(executor.clone()),
                None => LogsOf::Driver,
            };
            source.logs(of, *lines).await.map_err(failed)
        }
        Magic::Keep(time) => Ok(source.keep(*time).await),
        Magic::Stop => source.stop().await.map_err(failed),
    }
}

fn limit_in_words(limit: Rows) -> String {
    match limit {
        Rows::AtMost(1) => "Results show at most 1 row.".to_owned(),
        Rows::AtMost(count) => format!("Results show at most {count} rows."),
        Rows::All => "Results show all their rows.".to_owned(),
    }
}
