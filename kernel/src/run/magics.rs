//! Orders to the kernel itself.

use std::time::SystemTime;

use firesteel_launcher::launcher::LogsOf;

use super::cells::Settings;
use super::interpreter::{Cell, Failure, Outcome};
use super::margin::Margin;
use super::{chart, describe, explain, failure, search, vars};
use crate::cell::{self, Magic, SqlText};
use crate::display;
use crate::engine::{Source, Unavailable};

/// Carries out an order. `last` is the statement that ran last.
pub(super) async fn run(
    magic: &Magic,
    source: &mut dyn Source,
    settings: &mut Settings,
    last: Option<&SqlText>,
    cell: &Cell,
    margin: &mut Margin,
) -> Outcome {
    let failed = |error: Unavailable| failure::of_unavailable(&error);
    let answer: Result<String, Failure> = match magic {
        Magic::Explain(statement) => {
            let statement = statement.as_deref().or(last);
            return explain::run(source, statement, settings, cell, margin).await;
        }
        Magic::Chart(request) => return chart::run(request, settings, cell).await,
        Magic::Describe(name) => {
            return describe::run(source, name, settings, cell, margin).await;
        }
        Magic::DryRun(profile) => return dry_run(source, profile.as_deref(), cell).await,
        Magic::Tables(pattern) => return search::run(source, pattern, cell, margin).await,
        Magic::Vars => {
            let listed = vars::list(settings, SystemTime::now());
            cell.output.result(cell.count, listed).await;
            return Outcome::Done;
        }
        Magic::Drop(name) => vars::drop(settings, name),
        Magic::Help(name) => Ok(cell::help(*name)),
        Magic::List => Ok(cell::lsmagic()),
        Magic::Limit(limit) => {
            if let Some(limit) = limit {
                settings.limits.set(*limit);
            }
            Ok(settings.limits.to_string())
        }
        Magic::Values => Ok(vars::values(settings)),
        Magic::Set { name, value } => Ok(vars::set(settings, name, value)),
        Magic::Unset(name) => Ok(vars::unset(settings, name)),
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
        Magic::Traceback if settings.stack.is_empty() => {
            Ok("Spark has given no stack trace: no statement failed, or not in Spark.".to_owned())
        }
        Magic::Traceback => Ok(settings.stack.join("\n")),
        Magic::Keep(time) => Ok(source.keep(*time).await),
        Magic::Stop => source.stop().await.map_err(failed),
    };
    match answer {
        Ok(text) => {
            cell.output.result(cell.count, display::plain(text)).await;
            Outcome::Done
        }
        Err(failure) => Outcome::Failed(failure),
    }
}

/// Shows what would be made for a driver, and what would refuse it. Who asks a cluster waits for it.
async fn dry_run(source: &dyn Source, profile: Option<&str>, cell: &Cell) -> Outcome {
    let rehearsed = tokio::select! {
        biased;
        () = cell.stop.cancelled() => return Outcome::Interrupted,
        rehearsed = source.rehearse(profile) => rehearsed,
    };
    match rehearsed {
        Ok(rehearsed) => {
            let shown = display::rehearsal(&rehearsed);
            cell.output.result(cell.count, shown).await;
            Outcome::Done
        }
        Err(error) => Outcome::Failed(failure::of_unavailable(&error)),
    }
}
