//! From what Spark sends about an error to [`SparkError`].

use std::collections::BTreeMap;

use super::spark::{BreakingChange, Cause, Object, Position, QueryContext, SparkError};
use crate::failure::{ErrorInfo, Failure};
use crate::proto::FetchErrorDetailsResponse;
use crate::proto::fetch_error_details_response as wire;

/// More causes than this are a circle.
const MOST_CAUSES: usize = 32;

/// Reads Spark's error from the details, or from what came with the failure itself.
pub(super) fn spark_error(
    failure: &Failure,
    details: Option<FetchErrorDetailsResponse>,
) -> SparkError {
    let mut error = from_info(failure);
    let Some(details) = details else {
        return error;
    };
    let mut chain = chain(&details).into_iter();
    let Some(root) = chain.next() else {
        return error;
    };
    if !root.message.trim().is_empty() {
        error.full_message = without_stack_trace(&root.message);
    }
    error.exception = root
        .error_type_hierarchy
        .first()
        .cloned()
        .or(error.exception);
    let causes: Vec<&wire::Error> = chain.collect();
    error.stack_trace = stack_trace(root, &causes);
    // A failure within a task is wrapped in one that says only that the job failed.
    let throwable = std::iter::once(root)
        .chain(causes.iter().copied())
        .filter_map(|error| error.spark_throwable.as_ref())
        .find(|throwable| throwable.error_class.is_some());
    if let Some(throwable) = throwable {
        apply(throwable, &mut error);
    }
    error.causes = causes.into_iter().map(cause).collect();
    error.message = sentence(&error.full_message, error.class.as_deref());
    error.position = position(&error.full_message);
    error
}

/// What the status itself carries: no contexts and no causes.
fn from_info(failure: &Failure) -> SparkError {
    let info = failure.info.as_ref();
    let get = |name: &str| info.and_then(|info| info.get(name)).map(str::to_owned);
    let full_message = without_stack_trace(&failure.message);
    let class = get("errorClass");
    SparkError {
        message: sentence(&full_message, class.as_deref()),
        position: position(&full_message),
        full_message,
        class,
        sql_state: get("sqlState"),
        parameters: info.map(parameters).unwrap_or_default(),
        exception: info
            .map(|info| info.reason.clone())
            .filter(|reason| !reason.is_empty()),
        stack_trace: get("stackTrace")
            .map(|trace| {
                trace
                    .lines()
                    .map(|line| line.replace('\t', "    "))
                    .collect()
            })
            .unwrap_or_default(),
        ..SparkError::default()
    }
}

/// The parameters in the status, which Spark cuts when they are long: what then is no JSON is as
/// if it were not there.
fn parameters(info: &ErrorInfo) -> BTreeMap<String, String> {
    info.get("messageParameters")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The error and its causes, outermost first.
fn chain(details: &FetchErrorDetailsResponse) -> Vec<&wire::Error> {
    let mut chain = Vec::new();
    let mut next = details.root_error_idx;
    while let Some(error) = next
        .and_then(|index| usize::try_from(index).ok())
        .and_then(|index| details.errors.get(index))
        .filter(|_| chain.len() < MOST_CAUSES)
    {
        chain.push(error);
        next = error.cause_idx;
    }
    chain
}

fn apply(throwable: &wire::SparkThrowable, error: &mut SparkError) {
    let throwable = throwable.clone();
    error.class = throwable.error_class.or(error.class.take());
    error.sql_state = throwable.sql_state.or(error.sql_state.take());
    error.parameters = throwable.message_parameters.into_iter().collect();
    error.contexts = throwable.query_contexts.into_iter().map(context).collect();
    error.breaking_change = throwable.breaking_change_info.map(|change| BreakingChange {
        migration: change.migration_message,
        mitigation: change
            .mitigation_config
            .map(|config| (config.key, config.value)),
        needs_audit: change.needs_audit.unwrap_or(false),
    });
}

fn context(context: wire::QueryContext) -> QueryContext {
    let sql = context.context_type() == wire::query_context::ContextType::Sql;
    let index = |index: i32| usize::try_from(index).ok().filter(|_| sql);
    let object = Object {
        kind: context.object_type,
        name: context.object_name,
    };
    QueryContext {
        start: index(context.start_index),
        stop: index(context.stop_index),
        fragment: context.fragment,
        object: Some(object).filter(|object| !object.name.is_empty()),
        call_site: context.call_site,
        summary: context.summary,
    }
}

fn cause(error: &wire::Error) -> Cause {
    Cause {
        exception: error
            .error_type_hierarchy
            .first()
            .cloned()
            .unwrap_or_default(),
        message: without_stack_trace(&error.message),
    }
}

/// The stack trace with those of the causes, as Java prints them, but for the plans in a message.
fn stack_trace(root: &wire::Error, causes: &[&wire::Error]) -> Vec<String> {
    let mut lines = thrown("", root);
    lines.extend(causes.iter().flat_map(|error| thrown("Caused by: ", error)));
    lines
}

fn thrown(before: &str, error: &wire::Error) -> Vec<String> {
    if error.stack_trace.is_empty() {
        return Vec::new();
    }
    let Cause { exception, message } = cause(error);
    let said = message.lines().next().unwrap_or_default();
    let head = format!("{before}{exception}: {said}");
    let frames = error.stack_trace.iter().map(frame);
    std::iter::once(head).chain(frames).collect()
}

/// One frame, as Java writes it.
fn frame(frame: &wire::StackTraceElement) -> String {
    let method = format!("{}.{}", frame.declaring_class, frame.method_name);
    match frame.file_name.as_deref() {
        Some(file) if frame.line_number > 0 => {
            format!("    at {method}({file}:{})", frame.line_number)
        }
        Some(file) => format!("    at {method}({file})"),
        None => format!("    at {method}(Unknown Source)"),
    }
}

/// The text before Java's stack trace, which some messages have in them.
fn without_stack_trace(message: &str) -> String {
    let is_trace = |line: &&str| {
        line.starts_with("\tat ") || *line == "JVM stacktrace:" || *line == "Driver stacktrace:"
    };
    let lines: Vec<&str> = message.lines().take_while(|line| !is_trace(line)).collect();
    lines.join("\n").trim().to_owned()
}

/// What happened, without all that Spark puts around it: `[CLASS] What happened. SQLSTATE: 42601
/// (line 1, pos 0)`, then an excerpt, or `; line 1 pos 7;` and a plan.
fn sentence(full: &str, class: Option<&str>) -> String {
    let mut text = full;
    if let Some(class) = class
        && let Some(start) = text.find(&format!("[{class}]"))
    {
        text = &text[start + class.len() + 2..];
    }
    for end in [" SQLSTATE: ", "\n== SQL", "\n\n== SQL"] {
        text = text.split(end).next().unwrap_or(text);
    }
    text.trim().to_owned()
}

/// The place that a message names as `(line 1, pos 0)` or `; line 1 pos 7`, behind its SQLSTATE.
fn position(full: &str) -> Option<Position> {
    let (_, after) = full.split_once(" SQLSTATE: ")?;
    let (_, after) = after.lines().next()?.split_once("line ")?;
    let (line, after) = after.split_once([',', ' '])?;
    let (_, column) = after.split_once("pos ")?;
    let digits = column.find(|c: char| !c.is_ascii_digit());
    Some(Position {
        line: line.parse().ok()?,
        column: column[..digits.unwrap_or(column.len())].parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::failure::Kind;

    fn failure(message: &str, facts: &[(&str, &str)]) -> Failure {
        let metadata = facts.iter().map(|&(k, v)| (k.to_owned(), v.to_owned()));
        Failure {
            kind: Kind::Spark,
            code: tonic::Code::Internal,
            message: message.to_owned(),
            info: Some(ErrorInfo {
                reason: "org.apache.spark.sql.AnalysisException".to_owned(),
                domain: "org.apache.spark".to_owned(),
                metadata: metadata.collect(),
            }),
            retry_after: None,
        }
    }

    #[test]
    fn a_message_is_freed_of_what_spark_puts_around_it() {
        let cases = [
            (
                "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'SELEC'. SQLSTATE: 42601 (line 1, pos 0)\n\n== SQL ==\nSELEC 1\n^^^\n",
                "PARSE_SYNTAX_ERROR",
                "Syntax error at or near 'SELEC'.",
                Some((1, 0)),
            ),
            (
                "[UNRESOLVED_COLUMN.X] No `a`. SQLSTATE: 42703; line 12 pos 7;\n'Project ['a]\n+- OneRow",
                "UNRESOLVED_COLUMN.X",
                "No `a`.",
                Some((12, 7)),
            ),
            (
                "[DIVIDE_BY_ZERO] Zero. SQLSTATE: 22012\n== SQL (line 3, position 8) ==\nSELECT 1/0",
                "DIVIDE_BY_ZERO",
                "Zero.",
                None,
            ),
            (
                "Job aborted: Lost task (x): e: [A.B] Bad\n\tat a.b.C(D.java)\nDriver stacktrace:\n\tat e",
                "A.B",
                "Bad",
                None,
            ),
            ("plain words", "", "plain words", None),
        ];
        for (text, class, message, place) in cases {
            let error = spark_error(&failure(text, &[("errorClass", class)]), None);
            assert_eq!(error.message, message);
            let found = error.position.map(|place| (place.line, place.column));
            assert_eq!(found, place, "{text}");
            assert!(!error.full_message.contains("\tat "), "{text}");
        }
    }

    #[test]
    fn without_details_the_status_alone_tells_class_state_and_parameters() {
        let facts = [
            ("errorClass", "TABLE_OR_VIEW_NOT_FOUND"),
            ("sqlState", "42P01"),
            ("messageParameters", r#"{"relationName":"`t`"}"#),
        ];
        let error = spark_error(&failure("[TABLE_OR_VIEW_NOT_FOUND] No `t`.", &facts), None);
        assert_eq!(error.class.as_deref(), Some("TABLE_OR_VIEW_NOT_FOUND"));
        assert_eq!(error.sql_state.as_deref(), Some("42P01"));
        assert_eq!(error.parameters["relationName"], "`t`");
        assert_eq!(
            error.exception.as_deref(),
            Some("org.apache.spark.sql.AnalysisException")
        );
    }

    #[test]
    fn cut_parameters_are_as_if_they_were_not_there() {
        let error = spark_error(&failure("x", &[("messageParameters", "{\"a\":\"b")]), None);
        assert!(error.parameters.is_empty());
    }

    fn wire(message: &str, cause: Option<i32>, class: Option<&str>) -> wire::Error {
        wire::Error {
            error_type_hierarchy: vec![format!("java.{message}"), "java.lang.Throwable".to_owned()],
            message: message.to_owned(),
            stack_trace: vec![wire::StackTraceElement {
                declaring_class: "a.B".to_owned(),
                method_name: "c".to_owned(),
                file_name: Some("B.java".to_owned()),
                line_number: 7,
            }],
            cause_idx: cause,
            spark_throwable: class.map(|class| wire::SparkThrowable {
                error_class: Some(class.to_owned()),
                message_parameters: HashMap::from([("p".to_owned(), "v".to_owned())]),
                sql_state: Some("42000".to_owned()),
                query_contexts: vec![wire::QueryContext {
                    start_index: 3,
                    stop_index: 5,
                    fragment: "abc".to_owned(),
                    object_type: "VIEW".to_owned(),
                    object_name: "v".to_owned(),
                    ..wire::QueryContext::default()
                }],
                breaking_change_info: Some(wire::BreakingChangeInfo {
                    migration_message: vec!["adapt".to_owned()],
                    mitigation_config: Some(wire::MitigationConfig {
                        key: "k".to_owned(),
                        value: "v".to_owned(),
                    }),
                    needs_audit: Some(true),
                }),
            }),
        }
    }

    #[test]
    fn details_bring_contexts_causes_and_the_stack_trace_apart() {
        let details = FetchErrorDetailsResponse {
            root_error_idx: Some(1),
            errors: vec![
                wire("inner", None, None),
                wire("outer", Some(0), Some("A.B")),
            ],
            ..FetchErrorDetailsResponse::default()
        };
        let error = spark_error(&failure("cut", &[]), Some(details));
        assert_eq!(error.class.as_deref(), Some("A.B"));
        assert_eq!(error.message, "outer");
        let trace = [
            "java.outer: outer",
            "    at a.B.c(B.java:7)",
            "Caused by: java.inner: inner",
            "    at a.B.c(B.java:7)",
        ];
        assert_eq!(error.stack_trace, trace);
        let context = &error.contexts[0];
        assert_eq!((context.start, context.stop), (Some(3), Some(5)));
        assert_eq!(context.object.as_ref().map(|o| o.name.as_str()), Some("v"));
        let cause = Cause {
            exception: "java.inner".to_owned(),
            message: "inner".to_owned(),
        };
        assert_eq!(error.causes, [cause]);
        let change = error.breaking_change.expect("a breaking change");
        assert_eq!(change.mitigation, Some(("k".to_owned(), "v".to_owned())));
        assert!(change.needs_audit);
    }

    #[test]
    fn causes_in_a_circle_end() {
        let details = FetchErrorDetailsResponse {
            root_error_idx: Some(0),
            errors: vec![wire("a", Some(1), None), wire("b", Some(0), None)],
            ..FetchErrorDetailsResponse::default()
        };
        let error = spark_error(&failure("x", &[]), Some(details));
        assert_eq!(error.causes.len(), MOST_CAUSES - 1);
    }
}
