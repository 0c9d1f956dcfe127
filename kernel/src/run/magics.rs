//! Orders to the kernel itself.

use std::collections::BTreeMap;

use firesteel_launcher::launcher::LogsOf;
use firesteel_session::engine::Argument;

use super::cells::Settings;
use super::interpreter::{Cell, Failure, Outcome};
use super::margin::Margin;
use super::{explain, failure, search};
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
            return explain::run(source, statement, &settings.values, cell, margin).await;
        }
        Magic::Tables(pattern) => return search::run(source, pattern, cell, margin).await,
        Magic::Help(name) => Ok(cell::help(*name)),
        Magic::List => Ok(cell::lsmagic()),
        Magic::Limit(limit) => {
            if let Some(limit) = limit {
                settings.limits.set(*limit);
            }
            Ok(settings.limits.to_string())
        }
        Magic::Values => Ok(values_in_words(&settings.values)),
        Magic::Set { name, value } => {
            let text = display::parameter(name, value);
            settings.values.insert(name.clone(), value.clone());
            Ok(text)
        }
        Magic::Unset(name) => match settings.values.remove(name) {
            Some(_) => Ok(format!("`:{name}` has no value any more.")),
            None => Ok(format!("`:{name}` had no value.")),
        },
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
    };
    match answer {
        Ok(text) => {
            cell.output.result(cell.count, display::plain(text)).await;
            Outcome::Done
        }
        Err(failure) => Outcome::Failed(failure),
    }
}

fn values_in_words(values: &BTreeMap<String, Argument>) -> String {
    if values.is_empty() {
        return "No parameter has a value; `%set NAME VALUE` gives `:NAME` one.".to_owned();
    }
    let lines = values
        .iter()
        .map(|(name, value)| display::parameter(name, value));
    lines.collect::<Vec<_>>().join("\n")
}
