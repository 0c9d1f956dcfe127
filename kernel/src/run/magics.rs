//! Orders to the kernel itself.

use std::collections::BTreeMap;

use firesteel_launcher::launcher::LogsOf;
use firesteel_session::engine::Argument;

use super::cells::Settings;
use super::failure;
use super::interpreter::{Cell, Failure, Outcome};
use crate::cell::{self, Magic};
use crate::display;
use crate::engine::{Source, Unavailable};

/// Carries out an order.
pub(super) async fn run(
    magic: &Magic,
    source: &mut dyn Source,
    settings: &mut Settings,
    cell: &Cell,
) -> Outcome {
    match answer(magic, source, settings).await {
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
    settings: &mut Settings,
) -> Result<String, Failure> {
    let failed = |error: Unavailable| failure::of_unavailable(&error);
    match magic {
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
