//! Catalogs of tables, as settings of Spark.

use std::collections::BTreeMap;

use super::values::cluster::{Catalog, CatalogType};

/// The class of Iceberg's catalogs.
const ICEBERG: &str = "org.apache.iceberg.spark.SparkCatalog";

/// The settings that make the catalogs. A catalog that only says a part of itself, in one layer, has
/// settings for that part.
pub(super) fn settings(catalogs: &BTreeMap<String, Catalog>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for (name, catalog) in catalogs {
        let root = format!("spark.sql.catalog.{name}");
        let class = catalog.class.as_deref();
        let class = class.or_else(|| catalog.kind.map(|_| ICEBERG));
        let parts = [
            ("type", catalog.kind.map(CatalogType::name)),
            ("uri", catalog.uri.as_deref()),
            ("warehouse", catalog.warehouse.as_deref()),
        ];
        for (key, value) in catalog.properties.iter().flatten() {
            settings.insert(format!("{root}.{key}"), value.to_string());
        }
        for (key, value) in parts {
            if let Some(value) = value {
                settings.insert(format!("{root}.{key}"), value.to_owned());
            }
        }
        if let Some(class) = class {
            settings.insert(root, class.to_owned());
        }
    }
    settings
}

/// What is wrong with a catalog once all layers are taken together.
pub(super) fn check(catalogs: &BTreeMap<String, Catalog>) -> Result<(), String> {
    for (name, catalog) in catalogs {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!(
                "`kubernetes.catalogs` has `{name}`; a catalog's name has letters, digits and _"
            ));
        }
        let said = match (catalog.kind, &catalog.class) {
            (None, None) => "neither",
            (Some(_), Some(_)) => "both",
            _ => continue,
        };
        return Err(format!(
            "`kubernetes.catalogs.{name}` has {said} `type` and `class`; write one of them"
        ));
    }
    Ok(())
}

impl CatalogType {
    fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Hive => "hive",
            Self::Hadoop => "hadoop",
            Self::Glue => "glue",
            Self::Jdbc => "jdbc",
            Self::Nessie => "nessie",
        }
    }
}
