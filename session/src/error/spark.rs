//! Spark's own errors, in parts that a front end can show.

use std::collections::BTreeMap;
use std::fmt;

/// An error that Spark raised for a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SparkError {
    /// Spark's error class with its subclass, such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`.
    pub class: Option<String>,
    /// The SQLSTATE, such as `42703`.
    pub sql_state: Option<String>,
    /// What happened, in a sentence or two: without the class before it, and without the SQLSTATE,
    /// the excerpt, the plan or the stack trace behind it.
    pub message: String,
    /// All of Spark's own wording, but for Java's stack trace.
    pub full_message: String,
    /// What the message was made of.
    pub parameters: BTreeMap<String, String>,
    /// Where in the statement it happened, innermost first. A statement that cannot be parsed has
    /// none, but a [`position`](Self::position).
    pub contexts: Vec<QueryContext>,
    /// Where in the statement's text it begins, where the message says so.
    pub position: Option<Position>,
    /// The Java class of the exception, such as `org.apache.spark.sql.AnalysisException`.
    pub exception: Option<String>,
    /// What caused it, outermost first.
    pub causes: Vec<Cause>,
    /// What to change when a newer Spark behaves differently on purpose.
    pub breaking_change: Option<BreakingChange>,
    /// Java's stack trace with those of the causes, a line each; empty when the server gives none.
    pub stack_trace: Vec<String>,
}

/// The message alone.
impl fmt::Display for SparkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SparkError {}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The place in the line, counted from 0 in Unicode code points.
    pub column: usize,
}

/// A piece of a statement that an error is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryContext {
    /// First character of the piece, counted from 0 in Unicode code points; `None` when unknown.
    pub start: Option<usize>,
    /// Last character of the piece, inclusive, counted likewise.
    pub stop: Option<usize>,
    /// The piece itself, as Spark cuts it: by UTF-16 units, so it is off behind characters outside
    /// the basic plane. Better cut the statement by `start` and `stop`.
    pub fragment: String,
    /// What the piece belongs to when it is not the statement itself, such as a view.
    pub object: Option<Object>,
    /// Where in a program it was asked for; empty for SQL.
    pub call_site: String,
    /// Spark's own rendering of all this.
    pub summary: String,
}

/// Something stored that has text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its type, such as `VIEW`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// One exception in the chain of causes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// Its Java class.
    pub exception: String,
    /// Its message.
    pub message: String,
}

/// A change of behaviour that Spark warns of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BreakingChange {
    /// How to adapt, in sentences.
    pub migration: Vec<String>,
    /// A setting and its value that bring the old behaviour back.
    pub mitigation: Option<(String, String)>,
    /// Whether results should be checked by a person.
    pub needs_audit: bool,
}
