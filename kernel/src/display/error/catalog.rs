//! Names of the catalog that are near to one that Spark does not know.

use super::SqlProblem;
use super::near::parts;
use crate::cell::name::{as_typed, part_as_typed};
use crate::cell::{Catalog, nearest};

/// The name that may have been meant, as one would type it. What is known of the catalog may be
/// little, or old: nothing is asked for it.
pub(super) fn near(problem: &SqlProblem<'_>) -> Option<String> {
    let parameter = |name: &str| problem.parameters.get(name).map(|text| parts(text));
    match problem.class? {
        "TABLE_OR_VIEW_NOT_FOUND" => table(problem.known, &parameter("relationName")?),
        "SCHEMA_NOT_FOUND" => schema(problem.known, &parameter("schemaName")?),
        "UNRESOLVED_ROUTINE" => function(problem.known, &parameter("routineName")?),
        _ => None,
    }
}

fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The nearest of other names.
fn other<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest(typed, names.filter(|name| !same(name, typed)))
}

/// A table of the same schema; else one of the same name in another schema, or in one whose name is
/// near.
fn table(known: &Catalog, typed: &[String]) -> Option<String> {
    let (name, before) = typed.split_last()?;
    let schema = before.last();
    let inside = known.tables.iter().filter(|table| match schema {
        Some(schema) => table.schema.as_deref().is_some_and(|s| same(s, schema)),
        None => table.schema.is_none() || table.schema == known.schema,
    });
    if let Some(near) = other(name, inside.map(|table| table.name.as_str())) {
        return Some(beside(before, near));
    }
    let elsewhere = known.tables.iter().find_map(|table| {
        let other = table.schema.as_deref()?;
        let is_other = !schema.is_some_and(|schema| same(schema, other))
            && known.schema.as_deref() != Some(other);
        (is_other && same(&table.name, name)).then(|| [other, &table.name])
    });
    if let Some(elsewhere) = elsewhere.filter(|_| before.len() < 2) {
        return Some(as_typed(&elsewhere.map(str::to_owned)));
    }
    let schema = other_schema(known, schema?)?;
    let catalog = &before[..before.len() - 1];
    Some(format!(
        "{}.{}",
        beside(catalog, schema),
        part_as_typed(name)
    ))
}

fn schema(known: &Catalog, typed: &[String]) -> Option<String> {
    let (name, before) = typed.split_last()?;
    Some(beside(before, other_schema(known, name)?))
}

/// A near schema of the current catalog, where the typed one is not known.
fn other_schema<'a>(known: &'a Catalog, typed: &str) -> Option<&'a str> {
    let there = known.schemas.iter().any(|schema| same(schema, typed));
    let near = || other(typed, known.schemas.iter().map(String::as_str));
    if there { None } else { near() }
}

fn function(known: &Catalog, typed: &[String]) -> Option<String> {
    let near = other(typed.last()?, known.functions.iter().map(String::as_str))?;
    Some(near.to_owned())
}

/// A name behind the parts that were typed before it.
fn beside(before: &[String], name: &str) -> String {
    match before {
        [] => part_as_typed(name),
        before => format!("{}.{}", as_typed(before), part_as_typed(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Table;

    fn known() -> Catalog {
        let table = |schema: Option<&str>, name: &str| Table {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            columns: None,
        };
        Catalog {
            schema: Some("default".to_owned()),
            schemas: ["default", "sales", "odd name"].map(str::to_owned).to_vec(),
            tables: vec![
                table(None, "flights"),
                table(Some("default"), "airports"),
                table(Some("default"), "a`b"),
                table(Some("sales"), "orders"),
                table(Some("sales"), "airlines"),
            ],
            functions: ["count", "concat", "default.own"]
                .map(str::to_owned)
                .to_vec(),
            ..Catalog::default()
        }
    }

    #[test]
    fn what_may_have_been_meant_is_found_in_what_is_known() {
        let known = known();
        type Near = fn(&Catalog, &[String]) -> Option<String>;
        let cases: [(Near, &str, Option<&str>); 20] = [
            (table, "`flihgts`", Some("flights")),
            (table, "`FLIGTS`", Some("flights")),
            (table, "`airport`", Some("airports")),
            (table, "`default`.`airport`", Some("default.airports")),
            (table, "`c`.`sales`.`order`", Some("c.sales.orders")),
            (table, "`a``c`", Some("`a``b`")),
            // A temporary view is of no schema.
            (table, "`default`.`flihgts`", None),
            (table, "`orders`", Some("sales.orders")),
            (table, "`default`.`orders`", Some("sales.orders")),
            (table, "`sale`.`orders`", Some("sales.orders")),
            (table, "`c`.`sale`.`what`", Some("c.sales.what")),
            (table, "`odd nam`.`what`", Some("`odd name`.what")),
            (table, "`sales`.`what`", None),
            // What is known may be old.
            (table, "`flights`", None),
            (table, "`nothing_like_it`", None),
            (schema, "`c`.`sale`", Some("c.sales")),
            (schema, "`sales`", None),
            (function, "`conut`", Some("count")),
            (function, "`s`.`concta`", Some("concat")),
            (function, "`nothing_like_it`", None),
        ];
        for (near, typed, expected) in cases {
            assert_eq!(near(&known, &parts(typed)).as_deref(), expected, "{typed}");
            assert_eq!(near(&Catalog::default(), &parts(typed)), None);
        }
    }
}
