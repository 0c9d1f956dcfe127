//! What to do about the errors that people meet most.

use super::super::text::visible;
use super::SqlProblem;
use super::syntax;

/// What helps with an error.
enum Hint {
    /// The same words always.
    Text(&'static str),
    /// Words with something of the error in them; none where it does not tell enough.
    Made(fn(&SqlProblem<'_>) -> Option<String>),
}

use Hint::{Made, Text};

/// Error classes, each with all of its subclasses, and what helps.
const HINTS: &[(&str, Hint)] = &[
    ("AMBIGUOUS_REFERENCE", Made(ambiguous)),
    (
        "ARITHMETIC_OVERFLOW",
        Text(
            "A wider type has room for it, as in CAST(x AS BIGINT) + y; try_add, try_subtract and try_multiply give NULL.",
        ),
    ),
    (
        "CANNOT_MODIFY_CONFIG",
        Text(
            "This is a setting of the driver, not of a session: it stands under `conf` of a profile, and `%stop` makes \
             the next statement start a driver that has it.",
        ),
    ),
    (
        "CANNOT_PARSE_TIMESTAMP",
        Text(
            "try_to_timestamp(text, format) and try_to_date(text, format) give NULL for text of another form.",
        ),
    ),
    ("CAST_INVALID_INPUT", Made(cast)),
    (
        "CAST_OVERFLOW",
        Text("A wider type has room for it; try_cast(x AS type) gives NULL."),
    ),
    (
        "DATA_SOURCE_NOT_FOUND",
        Text("A source that Spark does not bring along comes with `packages` of a profile."),
    ),
    (
        "DIVIDE_BY_ZERO",
        Text("try_divide(a, b) and a / nullif(b, 0) give NULL where b is 0."),
    ),
    (
        "INSERT_COLUMN_ARITY_MISMATCH",
        Text("Columns that are left out are named by the others: INSERT INTO t (a, b) SELECT …"),
    ),
    (
        "INVALID_ARRAY_INDEX",
        Text("x[0] is the first element; get(x, n) gives NULL where there is none."),
    ),
    (
        "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
        Text("element_at counts from 1; try_element_at(x, n) gives NULL where there is none."),
    ),
    (
        "INVALID_WHERE_CONDITION",
        Text("A condition on an aggregate stands behind GROUP BY, in HAVING."),
    ),
    (
        "LOCATION_ALREADY_EXISTS",
        Text(
            "Files of an earlier table are there: a table's files outlive a driver whose catalog is in memory. \
             CREATE TABLE … USING … LOCATION '…' takes them up again.",
        ),
    ),
    (
        "MISSING_AGGREGATION",
        Text("A column that is not aggregated stands in GROUP BY; GROUP BY ALL names all of them."),
    ),
    (
        "MISSING_GROUP_BY",
        Text("A column that is not aggregated stands in GROUP BY; GROUP BY ALL names all of them."),
    ),
    ("PARSE_SYNTAX_ERROR", Made(syntax::hint)),
    (
        "PATH_NOT_FOUND",
        Text(
            "Paths are the driver's own. `${firesteel.here}` stands for this notebook's folder, as in \
             '${firesteel.here}/data.csv'.",
        ),
    ),
    (
        "REMAINDER_BY_ZERO",
        Text("try_mod(a, b) and a % nullif(b, 0) give NULL where b is 0."),
    ),
    (
        "SCALAR_SUBQUERY_TOO_MANY_ROWS",
        Text("IN (SELECT …) compares with all rows; max(…) or LIMIT 1 leaves one."),
    ),
    (
        "SCHEMA_NOT_FOUND",
        Text("SHOW SCHEMAS lists those of the current catalog, SHOW CATALOGS the catalogs in use."),
    ),
    (
        "TABLE_OR_VIEW_ALREADY_EXISTS",
        Text(
            "DROP TABLE name, or DROP VIEW name, makes room for a new one; INSERT OVERWRITE keeps a table and replaces its rows.",
        ),
    ),
    ("TABLE_OR_VIEW_NOT_FOUND", Made(table)),
    (
        "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
        Text("CREATE OR REPLACE TEMPORARY VIEW puts the new one in its place."),
    ),
    (
        "UNBOUND_SQL_PARAMETER",
        Text(
            "`%set NAME VALUE`, before the statement, gives :NAME a value; `%set` lists those that have one.",
        ),
    ),
    ("UNRESOLVED_COLUMN", Made(column)),
    ("UNRESOLVED_ROUTINE", Made(routine)),
    (
        "UNSUPPORTED_FEATURE.TABLE_OPERATION",
        Text(
            "Rows change in place only in tables of a format that can, such as Delta or Iceberg; elsewhere \
             CREATE TABLE … AS SELECT writes those that stay.",
        ),
    ),
    (
        "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
        Text("Behind it stands its window, as in OVER (PARTITION BY a ORDER BY b)."),
    ),
    ("WRONG_NUM_ARGS", Made(arguments)),
];

/// What stands in the messages of an error or of its causes, any of it, and what helps where its
/// class does not tell.
const MESSAGES: &[(&[&str], &str)] = &[
    (
        &["spark.driver.maxResultSize"],
        "The result is too large for the driver: `%limit 1000`, or `-n 1000` beside `-o`, fetches its first rows alone; an \
         aggregate makes it smaller.",
    ),
    (
        &[
            "AccessDeniedException: abfs",
            "AccessDeniedException: s3",
            "NoAuthWithAWSException",
            "Service: Amazon S3; Status Code: 403",
            "Service: S3, Status Code: 403",
            "This request is not authorized to perform this operation",
            "does not have storage.objects.",
        ],
        "The store refuses the credentials that the driver has, or it has none: a profile gives it others by `environment`, \
         `accounts` or `conf`, and whoever owns the bucket gives those the right.",
    ),
    (
        &[
            "ForbiddenException",
            "HiveAccessControlException",
            "INSUFFICIENT_PERMISSIONS",
            "PERMISSION_DENIED",
            "does not have privilege",
            "privilege on [",
        ],
        "The catalog does not give you this right. Whoever owns the object, or an administrator, can grant it.",
    ),
    (
        &["Permission denied: user"],
        "The user whom the message names may not do this with the path; its owner can change that.",
    ),
    (
        &[
            "(Operation not permitted)",
            "(Permission denied)",
            "Invalid directory or I/O error occurred",
            "Mkdirs failed to create",
        ],
        "The user that the driver runs as may not read or write there, whatever else the message says: on one machine that \
         is you, in a cluster the user of the image.",
    ),
];

/// What helps with this error, as far as we know.
pub(super) fn hint(problem: &SqlProblem<'_>) -> Option<String> {
    let class = problem.class.unwrap_or_default();
    let of = |name: &str| {
        let rest = class.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let known = HINTS.iter().find(|(name, _)| of(name));
    match known {
        Some((_, Text(text))) => Some((*text).to_owned()),
        Some((_, Made(make))) => make(problem),
        None => MESSAGES
            .iter()
            .find(|(parts, _)| parts.iter().any(|part| says(problem, part)))
            .map(|(_, hint)| (*hint).to_owned()),
    }
}

/// Whether the error or one of its causes says so.
fn says(problem: &SqlProblem<'_>, part: &str) -> bool {
    let causes = problem.causes.iter().map(String::as_str);
    let mut messages = causes.chain([problem.message, problem.full_message]);
    messages.any(|message| message.contains(part))
}

/// The setting and its value with which Spark's message says that the statement runs, such as
/// `If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error.`
pub(super) fn setting(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("et \"spark.")?;
    let (key, rest) = rest.split_once("\" to ")?;
    let (value, _) = rest.strip_prefix('"')?.split_once('"')?;
    let name = |ch: char| ch.is_ascii_alphanumeric() || "._-".contains(ch);
    let start = message.find("\"spark.")? + 1;
    let key = message.get(start..start + "spark.".len() + key.len())?;
    (key.chars().all(name) && value.chars().all(name)).then_some((key, value))
}

fn parameter<'a>(problem: &SqlProblem<'a>, name: &str) -> Option<&'a str> {
    problem.parameters.get(name).map(String::as_str)
}

fn ambiguous(problem: &SqlProblem<'_>) -> Option<String> {
    let names = parameter(problem, "referenceNames")?;
    let names = names.trim_start_matches('[').trim_end_matches(']');
    let names: Vec<String> = names
        .split(", ")
        .map(|name| visible(&name.replace('`', "")))
        .collect();
    Some(format!("Say which one is meant: {}.", names.join(" or ")))
}

fn cast(problem: &SqlProblem<'_>) -> Option<String> {
    let target = visible(parameter(problem, "targetType")?.trim_matches('"'));
    Some(format!(
        "try_cast(x AS {target}) gives NULL for such a value; WHERE x IS NOT NULL AND try_cast(x AS {target}) IS NULL finds them all."
    ))
}

fn table(problem: &SqlProblem<'_>) -> Option<String> {
    let name = parameter(problem, "relationName")?;
    let parts: Vec<&str> = name.trim_matches('`').split("`.`").collect();
    let last = parts.last()?;
    if last.contains(['/', '\\']) {
        return Some(format!(
            "`{}` is no format that Spark knows: csv, json, orc, parquet, text and xml are.",
            visible(parts.first()?)
        ));
    }
    Some(format!(
        "`%tables {}` searches all schemas of the current catalog. Temporary views end with their notebook's session.",
        visible(last)
    ))
}

fn column(problem: &SqlProblem<'_>) -> Option<String> {
    let name = parameter(problem, "objectName")?.trim_matches('`');
    match name.contains('`') {
        true => Some("DESCRIBE TABLE lists a table's columns.".to_owned()),
        false => Some(format!(
            "DESCRIBE TABLE lists a table's columns; a text stands in quotes, as in '{}'.",
            visible(name)
        )),
    }
}

fn routine(problem: &SqlProblem<'_>) -> Option<String> {
    let name = parameter(problem, "routineName")?.rsplit('`').nth(1)?;
    let first = name.chars().next().filter(char::is_ascii_alphabetic)?;
    Some(format!(
        "SHOW FUNCTIONS LIKE '{}*' lists the functions that begin so.",
        first.to_ascii_lowercase()
    ))
}

fn arguments(problem: &SqlProblem<'_>) -> Option<String> {
    let name = visible(parameter(problem, "functionName")?.trim_matches('`'));
    Some(format!("DESCRIBE FUNCTION {name} shows what it takes."))
}
