//! The keys of a profile, by their paths, and layers of them.
//!
//! Layers are joined and locked as the trees they are written as, so that a new key of
//! [`Values`] needs nothing here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value as Tree;

use super::values::Values;

/// A key of a profile, such as `memory`; or of a part of it, such as `kubernetes.driver.memory`.
/// A key with parts stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Key {
    /// The key at the path, which is one of a profile's.
    pub(super) fn of(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// Every key there is.
    pub fn all() -> &'static BTreeSet<Self> {
        static ALL: LazyLock<BTreeSet<Key>> = LazyLock::new(|| {
            let settings = SchemaSettings::default().with(|settings| {
                settings.inline_subschemas = true;
            });
            let schema = settings.into_generator().into_root_schema_for::<Values>();
            let mut keys = BTreeSet::new();
            collect("", schema.as_value(), &mut keys);
            keys
        });
        &ALL
    }
}

fn collect(path: &str, schema: &Tree, keys: &mut BTreeSet<Key>) {
    if let Some(properties) = schema.get("properties").and_then(Tree::as_object) {
        for (name, schema) in properties {
            let path = below(path, name);
            collect(&path, schema, keys);
            keys.insert(Key(path));
        }
    }
    // What may also be missing is a choice between itself and nothing.
    let choices = schema.get("anyOf").and_then(Tree::as_array);
    for choice in choices.into_iter().flatten() {
        collect(path, choice, keys);
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let key = Self(path);
        if Self::all().contains(&key) {
            Ok(key)
        } else {
            Err(format!("`{key}` is no key of a profile"))
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl JsonSchema for Key {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A key of a profile; one with parts stands for all of them.",
            "type": "string",
            "enum": Self::all(),
        })
    }
}

/// What is said, without what is not.
pub(super) fn tree(values: &Values) -> Result<Tree, serde_json::Error> {
    let mut tree = serde_json::to_value(values)?;
    prune(&mut tree);
    Ok(tree)
}

fn prune(tree: &mut Tree) {
    if let Tree::Object(parts) = tree {
        parts.retain(|_, part| !part.is_null());
        parts.values_mut().for_each(prune);
    }
}

/// Which keys a tree says something about, and the keys that these are parts of.
pub(super) fn said(tree: &Tree) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    descend("", tree, &mut |path, _| {
        let key = Key(path.to_owned());
        // What is below a key of any name, such as a setting of Spark, is no key itself.
        if Key::all().contains(&key) {
            keys.insert(key);
        }
    });
    keys
}

/// Calls `visit` with everything in the tree, and with its path.
pub(super) fn descend(path: &str, tree: &Tree, visit: &mut impl FnMut(&str, &Tree)) {
    if let Tree::Object(parts) = tree {
        for (name, part) in parts {
            let path = below(path, name);
            visit(&path, part);
            descend(&path, part, visit);
        }
    }
}

/// `lower` with `upper` over it: what `upper` says counts, and what has parts is joined by them.
pub(super) fn join(lower: &mut Tree, upper: Tree) {
    match (lower, upper) {
        (Tree::Object(lower), Tree::Object(upper)) => {
            for (name, part) in upper {
                join(lower.entry(name).or_insert(Tree::Null), part);
            }
        }
        (lower, upper) => *lower = upper,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_known_by_their_paths() {
        for path in [
            "share",
            "conf",
            "kubernetes",
            "kubernetes.namespace",
            "kubernetes.driver.memory",
            "kubernetes.placement.executors.nodes",
        ] {
            assert!(Key::try_from(path.to_owned()).is_ok(), "{path}");
        }
        for path in [
            "",
            "kubernetes.",
            "kubernetes.memory",
            "namespace",
            "conf.spark.sql.x",
        ] {
            assert!(Key::try_from(path.to_owned()).is_err(), "{path}");
        }
    }

    #[test]
    fn what_is_said_names_its_keys_and_what_they_are_parts_of() {
        let values: Values = serde_json::from_value(json!({
            "conf": {"spark.sql.x": 1},
            "kubernetes": {"driver": {"memory": "1g"}, "images": {"4.3": "a"}},
        }))
        .unwrap();
        let said: Vec<String> = said(&tree(&values).unwrap())
            .into_iter()
            .map(String::from)
            .collect();
        assert_eq!(
            said,
            [
                "conf",
                "kubernetes",
                "kubernetes.driver",
                "kubernetes.driver.memory",
                "kubernetes.images",
            ]
        );
        assert!(super::said(&tree(&Values::default()).unwrap()).is_empty());
    }

    #[test]
    fn what_has_parts_is_joined_and_the_rest_replaced() {
        let mut lower = json!({"a": {"x": 1, "y": [1, 2]}, "b": "old", "c": {"z": 1}});
        join(
            &mut lower,
            json!({"a": {"y": [3]}, "b": {"new": true}, "c": "flat", "d": 4}),
        );
        assert_eq!(
            lower,
            json!({"a": {"x": 1, "y": [3]}, "b": {"new": true}, "c": "flat", "d": 4})
        );
    }
}
