//! From a statement's text to a plan.
//!
//! The text is the plan's root relation, under a limit where there is one: one round trip, in which
//! Spark runs commands as well, once. Tried on Spark 4.3 with DDL, INSERT, CREATE TABLE AS, SET,
//! USE, SHOW, EXPLAIN, CACHE, EXECUTE IMMEDIATE and compound statements; none needs `SqlCommand`,
//! which takes a second round trip for the rows.

use std::collections::BTreeMap;

use crate::engine::{Argument, Statement};
use crate::proto;

/// A plan, and how many of its rows are wanted where the plan itself does not say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limited {
    pub(super) plan: proto::Plan,
    pub(super) rows: Option<u64>,
}

/// The plan of a statement.
pub(super) fn plan(statement: &Statement) -> Limited {
    // Under a limit Spark 4.3 refuses a compound statement, as if it knew none of its variables.
    let compound = is_compound(&statement.sql);
    let limit = statement.rows.filter(|_| !compound);
    Limited {
        plan: root(&statement.sql, limit, &statement.arguments),
        rows: statement.rows.filter(|_| compound),
    }
}

/// The plan that a statement is sent as.
pub fn plan_of(statement: &Statement) -> proto::Plan {
    plan(statement).plan
}

/// A text as the root relation, under a limit where there is one.
pub(super) fn root(
    sql: &str,
    rows: Option<u64>,
    arguments: &BTreeMap<String, Argument>,
) -> proto::Plan {
    use proto::plan::OpType;
    use proto::relation::RelType;

    let relation = |rel_type: RelType| proto::Relation {
        common: None,
        rel_type: Some(rel_type),
    };
    let text = relation(RelType::Sql(proto::Sql {
        query: sql.to_owned(),
        named_arguments: arguments
            .iter()
            .map(|(name, value)| (name.clone(), expression(value)))
            .collect(),
        ..proto::Sql::default()
    }));
    let root = match rows {
        None => text,
        Some(rows) => relation(RelType::Limit(Box::new(proto::Limit {
            input: Some(Box::new(text)),
            limit: i32::try_from(rows).unwrap_or(i32::MAX),
        }))),
    };
    proto::Plan {
        op_type: Some(OpType::Root(root)),
    }
}

/// A value as a literal.
fn expression(value: &Argument) -> proto::Expression {
    use proto::data_type::{Kind, Null};
    use proto::expression::literal::{Decimal, LiteralType};
    use proto::expression::{ExprType, Literal};

    let literal = match value {
        Argument::Null => LiteralType::Null(proto::DataType {
            kind: Some(Kind::Null(Null::default())),
        }),
        Argument::Boolean(value) => LiteralType::Boolean(*value),
        Argument::Byte(value) => LiteralType::Byte((*value).into()),
        Argument::Short(value) => LiteralType::Short((*value).into()),
        Argument::Integer(value) => LiteralType::Integer(*value),
        Argument::Long(value) => LiteralType::Long(*value),
        Argument::Decimal(digits) => LiteralType::Decimal(Decimal {
            value: digits.clone(),
            precision: None,
            scale: None,
        }),
        Argument::Float(value) => LiteralType::Float(*value),
        Argument::Double(value) => LiteralType::Double(*value),
        Argument::String(text) => LiteralType::String(text.clone()),
        Argument::Date(days) => LiteralType::Date(*days),
        Argument::Timestamp(micros) => LiteralType::Timestamp(*micros),
        Argument::TimestampNtz(micros) => LiteralType::TimestampNtz(*micros),
    };
    proto::Expression {
        common: None,
        expr_type: Some(ExprType::Literal(Literal {
            literal_type: Some(literal),
            data_type: None,
        })),
    }
}

/// Whether a statement is a block, `BEGIN … END`, perhaps under a label.
fn is_compound(sql: &str) -> bool {
    let (first, rest) = word(sql);
    if first.eq_ignore_ascii_case("BEGIN") {
        return true;
    }
    let Some(rest) = skip(rest).strip_prefix(':').filter(|_| !first.is_empty()) else {
        return false;
    };
    word(rest).0.eq_ignore_ascii_case("BEGIN")
}

/// The first word of a text, behind white space and comments, and what follows it.
fn word(sql: &str) -> (&str, &str) {
    let sql = skip(sql);
    if let Some(quoted) = sql.strip_prefix('`') {
        return quoted.split_once('`').unwrap_or(("", ""));
    }
    let end = sql.find(|c: char| !c.is_alphanumeric() && c != '_');
    sql.split_at(end.unwrap_or(sql.len()))
}

/// The text behind white space and comments; those in `/* */` may be nested.
fn skip(sql: &str) -> &str {
    let mut sql = sql.trim_start();
    loop {
        if let Some(comment) = sql.strip_prefix("--") {
            sql = comment.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(comment) = sql.strip_prefix("/*") {
            sql = behind(comment);
        } else {
            return sql;
        }
        sql = sql.trim_start();
    }
}

/// What follows the end of a comment that has begun.
fn behind(comment: &str) -> &str {
    let mut depth = 1;
    let mut rest = comment;
    while depth > 0 {
        let (open, close) = (rest.find("/*"), rest.find("*/"));
        let Some(close) = close else { return "" };
        match open {
            Some(open) if open < close => {
                depth += 1;
                rest = &rest[open + 2..];
            }
            _ => {
                depth -= 1;
                rest = &rest[close + 2..];
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_statement_is_told_by_how_it_begins() {
        let cases = [
            ("BEGIN SELECT 1; END", true),
            ("  -- why\n begin\nEND", true),
            ("/* a /* b */ c */ Begin END", true),
            ("again: BEGIN END again", true),
            ("`my label` /* x */ : BEGIN END", true),
            ("BEGINNING", false),
            ("SELECT 1 -- BEGIN", false),
            ("SELECT 1", false),
            (": BEGIN END", false),
            ("/* BEGIN", false),
            ("-- BEGIN", false),
            ("", false),
        ];
        for (sql, expected) in cases {
            assert_eq!(is_compound(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_compound_statement_is_limited_by_us_and_others_by_spark() {
        let cases = [("BEGIN END", None, Some(5)), ("SELECT 1", Some(5), None)];
        for (sql, by_spark, by_us) in cases {
            let statement = Statement {
                sql: sql.to_owned(),
                rows: Some(5),
                ..Statement::default()
            };
            let expected = Limited {
                plan: root(sql, by_spark, &BTreeMap::new()),
                rows: by_us,
            };
            assert_eq!(plan(&statement), expected, "{sql}");
        }
    }

    #[test]
    fn a_limit_beyond_what_spark_counts_to_is_the_greatest_it_counts_to() {
        use crate::proto::plan::OpType;
        use crate::proto::relation::RelType;

        for (rows, expected) in [(0, 0), (1000, 1000), (u64::MAX, i32::MAX)] {
            let Some(OpType::Root(root)) = root("SELECT 1", Some(rows), &BTreeMap::new()).op_type
            else {
                panic!("the plan has no root");
            };
            let Some(RelType::Limit(limit)) = root.rel_type else {
                panic!("the root is no limit");
            };
            assert_eq!(limit.limit, expected);
        }
    }
}
