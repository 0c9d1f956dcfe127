//! What a session holds that is gone with its driver, so that its loss can be told.

use std::collections::BTreeSet;
use std::fmt;

/// What the user made in a session by the statements that succeeded.
///
/// Temporary views, settings, the current schema and the tables of a catalog in memory live in the
/// driver alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    views: BTreeSet<String>,
    settings: BTreeSet<String>,
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
    schema: Option<String>,
}

impl Ledger {
    /// A temporary view was made or replaced.
    pub fn view_made(&mut self, name: &str) {
        self.views.insert(name.to_owned());
    }

    /// A view was dropped.
    pub fn view_dropped(&mut self, name: &str) {
        self.views.remove(name);
    }

    /// A table was made.
    pub fn table_made(&mut self, name: &str) {
        self.tables.insert(name.to_owned());
    }

    /// A table was dropped.
    pub fn table_dropped(&mut self, name: &str) {
        self.tables.remove(name);
    }

    /// A function was made.
    pub fn function_made(&mut self, name: &str) {
        self.functions.insert(name.to_owned());
    }

    /// A setting was given a value.
    pub fn set(&mut self, key: &str) {
        self.settings.insert(key.to_owned());
    }

    /// One setting went back to its default, or all did.
    pub fn reset(&mut self, key: Option<&str>) {
        match key {
            Some(key) => {
                self.settings.remove(key);
            }
            None => self.settings.clear(),
        }
    }

    /// Another schema or catalog became the current one.
    pub fn used(&mut self, schema: &str) {
        self.schema = Some(schema.to_owned());
    }

    /// Whether losing the session loses nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Ledger {
    /// The things by kind: `temporary views a, b; setting c`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (one, many, names) in [
            ("temporary view", "temporary views", &self.views),
            ("table", "tables", &self.tables),
            ("function", "functions", &self.functions),
            ("setting", "settings", &self.settings),
        ] {
            if names.is_empty() {
                continue;
            }
            let kind = if names.len() == 1 { one } else { many };
            write!(f, "{separator}{kind} ")?;
            for (i, name) in names.iter().enumerate() {
                let comma = if i == 0 { "" } else { ", " };
                write!(f, "{comma}{name}")?;
            }
            separator = "; ";
        }
        if let Some(schema) = &self.schema {
            write!(f, "{separator}the current schema {schema}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_and_not_dropped_is_told_by_kind() {
        let mut ledger = Ledger::default();
        assert!(ledger.is_empty());
        ledger.view_made("flights");
        ledger.view_made("airlines");
        ledger.view_made("airlines");
        ledger.table_made("t");
        ledger.table_made("gone");
        ledger.table_dropped("gone");
        ledger.set("spark.sql.shuffle.partitions");
        ledger.used("sales");
        assert_eq!(
            ledger.to_string(),
            "temporary views airlines, flights; table t; \
             setting spark.sql.shuffle.partitions; the current schema sales"
        );
    }

    #[test]
    fn a_reset_forgets_one_setting_or_all() {
        let mut ledger = Ledger::default();
        ledger.set("a");
        ledger.set("b");
        ledger.set("c");
        ledger.reset(Some("a"));
        assert_eq!(ledger.to_string(), "settings b, c");
        ledger.reset(None);
        assert!(ledger.is_empty());
    }
}
