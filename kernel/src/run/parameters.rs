//! What the parameters of a statement stand for.

use std::collections::BTreeMap;

use firesteel_session::engine::Argument;

use super::cells::Settings;
use crate::cell::SqlText;

/// The values of a statement's parameters.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    pub(super) values: BTreeMap<String, Argument>,
    /// Why kept results that a parameter names are no values, in sentences.
    pub(super) refused: Vec<String>,
}

impl Settings {
    /// The values of the names that stand behind a `:` in the statement: what `%set` gave, and else
    /// a kept result of one value. What is kept later takes the place of what was set.
    pub(super) fn parameters(&self, statement: &SqlText) -> Parameters {
        let mut parameters = Parameters::default();
        for name in &statement.parameters {
            let value = match (self.values.get(name), self.shelf.get(name)) {
                (Some(value), _) => Ok(value.clone()),
                (None, Some(kept)) => kept.scalar(),
                (None, None) => continue,
            };
            match value {
                Ok(value) => {
                    parameters.values.insert(name.clone(), value);
                }
                Err(no) => {
                    let refused = format!("`{name}` is a kept result, but {no}.");
                    parameters.refused.push(refused);
                }
            }
        }
        parameters
    }
}
