//! What a session holds that is gone with its driver, so that its loss can be told.

use std::collections::BTreeSet;
use std::fmt;

use crate::cell::{Subject, Thing};

/// What the user made in a session by the statements that succeeded.
///
/// Temporary views, functions and variables, settings, the current schema and, where the catalog
/// lives in the driver's memory, its tables too: all this is in the driver alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    views: BTreeSet<String>,
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
    variables: BTreeSet<String>,
    settings: bool,
    schema: Option<String>,
}

impl Ledger {
    /// Takes note of a statement that succeeded. `catalog_in_memory` says whether tables, views
    /// and functions that are not temporary are lost with the driver as well.
    pub fn record(&mut self, subject: &Subject, catalog_in_memory: bool) {
        match subject {
            Subject::Created { thing, name, .. } => {
                if let Some(names) = self.place(*thing, catalog_in_memory) {
                    names.insert(name.clone());
                }
            }
            Subject::Dropped { thing, name, .. } => {
                if let Some(names) = self.place(*thing, catalog_in_memory) {
                    names.remove(name);
                }
                // `DROP VIEW` drops temporary views as well.
                if *thing == Thing::View {
                    self.views.remove(name);
                }
            }
            Subject::Used(schema) => self.schema = Some(schema.clone()),
            Subject::Set => self.settings = true,
            Subject::Reset => self.settings = false,
            _ => {}
        }
    }

    fn place(&mut self, thing: Thing, catalog_in_memory: bool) -> Option<&mut BTreeSet<String>> {
        match thing {
            Thing::TemporaryView | Thing::GlobalTemporaryView => Some(&mut self.views),
            Thing::TemporaryFunction => Some(&mut self.functions),
            Thing::Variable => Some(&mut self.variables),
            Thing::View if catalog_in_memory => Some(&mut self.views),
            Thing::Table if catalog_in_memory => Some(&mut self.tables),
            Thing::Function if catalog_in_memory => Some(&mut self.functions),
            _ => None,
        }
    }

    /// Whether losing the session loses nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Ledger {
    /// The things by kind: `views a, b; settings`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (one, many, names) in [
            ("view", "views", &self.views),
            ("table", "tables", &self.tables),
            ("function", "functions", &self.functions),
            ("variable", "variables", &self.variables),
        ] {
            let kind = if names.len() == 1 { one } else { many };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if !names.is_empty() {
                parts.push(format!("{kind} {}", names.join(", ")));
            }
        }
        if self.settings {
            parts.push("the settings made with SET".to_owned());
        }
        if let Some(schema) = &self.schema {
            parts.push(format!("the current schema {schema}"));
        }
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Manner;

    fn created(thing: Thing, name: &str) -> Subject {
        Subject::Created {
            thing,
            name: name.to_owned(),
            manner: Manner::New,
        }
    }

    fn dropped(thing: Thing, name: &str) -> Subject {
        Subject::Dropped {
            thing,
            name: name.to_owned(),
            if_exists: false,
        }
    }

    fn after(subjects: &[Subject], catalog_in_memory: bool) -> String {
        let mut ledger = Ledger::default();
        for subject in subjects {
            ledger.record(subject, catalog_in_memory);
        }
        ledger.to_string()
    }

    #[test]
    fn what_was_made_and_not_dropped_is_told_by_kind() {
        let subjects = [
            created(Thing::TemporaryView, "flights"),
            created(Thing::TemporaryView, "airlines"),
            created(Thing::TemporaryView, "airlines"),
            created(Thing::Table, "t"),
            created(Thing::Table, "gone"),
            dropped(Thing::Table, "gone"),
            Subject::Set,
            Subject::Used("sales".to_owned()),
        ];
        assert_eq!(
            after(&subjects, true),
            "views airlines, flights; table t; the settings made with SET; the current schema sales"
        );
    }

    #[test]
    fn tables_of_a_lasting_catalog_are_not_lost() {
        let subjects = [created(Thing::Table, "t"), created(Thing::View, "v")];
        assert_eq!(after(&subjects, false), "");
        assert_eq!(after(&subjects, true), "view v; table t");
    }

    #[test]
    fn a_temporary_view_is_dropped_by_drop_view() {
        let subjects = [
            created(Thing::TemporaryView, "v"),
            dropped(Thing::View, "v"),
        ];
        assert_eq!(after(&subjects, false), "");
    }

    #[test]
    fn a_reset_forgets_the_settings() {
        assert_eq!(after(&[Subject::Set, Subject::Reset], true), "");
    }
}
