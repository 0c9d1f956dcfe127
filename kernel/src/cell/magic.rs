//! The magics there are: one table that parses them, explains them and offers them.

use std::time::Duration;

use firesteel_session::engine::Argument;

use super::chart::{self, ChartRequest};
use super::name;
use super::nearest::nearest;
use super::value::read_value;
use super::{Problem, SqlText, quoted};
use crate::kept::LAST;

/// An order to the kernel.
#[derive(Debug, Clone, PartialEq)]
pub enum Magic {
    /// Explain the magics, or the one of this name (without its `%`).
    Help(Option<&'static str>),
    /// List the magics.
    List,
    /// Say which profile is in use, or use another.
    Profile(Option<String>),
    /// Go through a driver's start by the profile of this name, or by the chosen one, and make
    /// nothing.
    DryRun(Option<String>),
    /// Say what runs, where.
    Session,
    /// Give the driver back now.
    Stop,
    /// Show the last lines of a log.
    Logs {
        /// Of the executor with this number; else of the driver.
        executor: Option<String>,
        /// How many.
        lines: usize,
    },
    /// Say how long the driver is kept from being given back, or keep it for so long.
    Keep(Option<Duration>),
    /// Show how Spark would run a statement, without running it; the last one where none is given.
    Explain(Option<Box<SqlText>>),
    /// Draw a kept result.
    Chart(Box<ChartRequest>),
    /// Summarise the columns of what has this name, given in its parts.
    Describe(Vec<String>),
    /// Search the names and comments of tables, views and columns.
    Tables(String),
    /// List the parameters that have a value.
    Values,
    /// Give `:name` a value in the statements that follow.
    Set {
        /// The parameter's name, without its `:`.
        name: String,
        /// Its value.
        value: Argument,
    },
    /// Take the value of a parameter back.
    Unset(String),
    /// List the results that are kept and the parameters that have a value.
    Vars,
    /// Let the kept result of this name go.
    Drop(String),
    /// Show Spark's stack trace of the last failure.
    Traceback,
    /// Say how much of a result is fetched at most, or set it for the cells that follow.
    Limit(Option<Limit>),
}

/// A limit of what is fetched of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Of its rows.
    Rows(Rows),
    /// Of its size in memory, in bytes. It cannot be lifted.
    Bytes(u64),
}

/// How many rows of a result are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// This many at most.
    AtMost(u64),
    /// All there are.
    All,
}

/// Lines that `%logs` shows when it is not told.
const LOG_LINES: usize = 50;

struct Spec {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    read: Read,
}

/// Reads what stands behind a magic's name; the error says in words what is expected there.
#[derive(Clone, Copy)]
enum Read {
    Words(fn(&[&str]) -> Result<Magic, &'static str>),
    /// The line as it stands.
    Text(fn(&str) -> Result<Magic, &'static str>),
}

/// The cell magic that is not in the table: it says what its cell is, and is no order.
const SQL: (&str, &str, &str) = (
    "%%sql",
    "%%sql [-o NAME] [-n ROWS]",
    "on the first line: the cell is Spark SQL (as is any other); -o keeps the last result of the cell under a name, all of its rows; -n limits the rows of its results, `-n all` fetches all",
);

/// The magic that is followed by a statement.
pub(super) const EXPLAIN: &str = "%explain";

/// How [`EXPLAIN`] is written.
pub(super) const EXPLAIN_USAGE: &str = "%explain [STATEMENT]";

const TABLE: &[Spec] = &[
    Spec {
        name: "chart",
        usage: "%chart [NAME] [MARK] [x=COLUMN] [y=COLUMN] [color=COLUMN]",
        about: "draw the last result, or the one kept as NAME, as `bar`, `line`, `area`, `scatter`, `hist` or `heatmap`; what is not said is chosen by the types of its columns; `y=sum(delay)`, `mean`, `min`, `max` or `y=count` put rows together",
        read: Read::Text(|text| chart::read(text).map(|request| Magic::Chart(Box::new(request)))),
    },
    Spec {
        name: "describe",
        usage: "%describe NAME",
        about: "summarise each column of a kept result, or of a table or view by one query over all of it: nulls, distinct values, quartiles, top values, a histogram; `%describe _` is about the last result",
        read: Read::Text(|text| name::parts(text).map(Magic::Describe).ok_or(TABLE_NAME)),
    },
    Spec {
        name: "dryrun",
        usage: "%dryrun [NAME]",
        about: "say what would be made for a driver of the profile in use, or of another, and what would refuse it, without making anything",
        read: Read::Words(|words| one_or_none(words).map(Magic::DryRun)),
    },
    Spec {
        name: "explain",
        usage: EXPLAIN_USAGE,
        about: "show how Spark would run the statement that follows, on its line or below it, or the last one, without running it",
        read: Read::Words(|words| alone(words, Magic::Explain(None))),
    },
    Spec {
        name: "help",
        usage: "%help [MAGIC]",
        about: "explain the magics, or one of them",
        read: Read::Words(|words| match words {
            [] => Ok(Magic::Help(None)),
            [name] => {
                let bare = name.trim_start_matches('%');
                names()
                    .map(|name| name.trim_start_matches('%'))
                    .find(|known| *known == bare)
                    .map(|known| Magic::Help(Some(known)))
                    .ok_or("give it the name of a magic that `%lsmagic` lists")
            }
            _ => Err("give it one name or nothing"),
        }),
    },
    Spec {
        name: "keep",
        usage: "%keep [TIME]",
        about: "do not give the driver back for being idle for so long, such as `2h` or `90m`; `off` takes it back",
        read: Read::Words(|words| match words {
            [] => Ok(Magic::Keep(None)),
            ["off"] => Ok(Magic::Keep(Some(Duration::ZERO))),
            [time] => keep(time).map(|time| Magic::Keep(Some(time))),
            _ => Err(TIME),
        }),
    },
    Spec {
        name: "limit",
        usage: "%limit [[rows] N|all] [bytes SIZE]",
        about: "say how much of a result is fetched and shown, or set it: `%limit 5000`, `%limit rows all`, `%limit bytes 200MB`",
        read: Read::Words(limit),
    },
    Spec {
        name: "logs",
        usage: "%logs [executor NUMBER] [LINES]",
        about: "show the end of the driver's log, or of an executor's; `%session` lists them",
        read: Read::Words(logs),
    },
    Spec {
        name: "lsmagic",
        usage: "%lsmagic",
        about: "list the magics",
        read: Read::Words(|words| alone(words, Magic::List)),
    },
    Spec {
        name: "profile",
        usage: "%profile [NAME]",
        about: "say which profile drivers are started from, or choose another",
        read: Read::Words(|words| one_or_none(words).map(Magic::Profile)),
    },
    Spec {
        name: "session",
        usage: "%session",
        about: "say which driver and session this notebook uses, and what runs",
        read: Read::Words(|words| alone(words, Magic::Session)),
    },
    Spec {
        name: "set",
        usage: "%set [NAME [VALUE]]",
        about: "give `:NAME` a value in later statements: `%set year 2013`, `%set carrier 'UA'`, `%set day DATE '2013-01-31'`; without a value take it back, without a name list them",
        read: Read::Text(set),
    },
    Spec {
        name: "stop",
        usage: "%stop",
        about: "give the driver back now; the next statement starts a new one",
        read: Read::Words(|words| alone(words, Magic::Stop)),
    },
    Spec {
        name: "tables",
        usage: "%tables PATTERN",
        about: "search the names and comments of tables, views and columns in all schemas of the current catalog",
        read: Read::Words(|words| match words {
            [] => Err(PATTERN),
            words => Ok(Magic::Tables(words.join(" "))),
        }),
    },
    Spec {
        name: "tb",
        usage: "%tb",
        about: "show Spark's own stack trace of the last error",
        read: Read::Words(|words| alone(words, Magic::Traceback)),
    },
    Spec {
        name: "vars",
        usage: "%vars [drop NAME]",
        about: "list the results that are kept, `_` is the last one, and the values of parameters; `drop` lets a result go",
        read: Read::Words(|words| match words {
            [] => Ok(Magic::Vars),
            ["drop", name] => Ok(Magic::Drop((*name).to_owned())),
            _ => Err("give it nothing, or `drop` and the name of a kept result"),
        }),
    },
];

fn set(text: &str) -> Result<Magic, &'static str> {
    let (name, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let name = name.strip_prefix(':').unwrap_or(name);
    match (name, value.trim()) {
        ("", "") => Ok(Magic::Values),
        (LAST, _) => Err("`:_` is the last result; give it another name, and a value"),
        _ if own_name(name).is_none() => {
            Err("give it a name of letters, digits and `_`, and a value")
        }
        (name, "") => Ok(Magic::Unset(name.to_owned())),
        (name, value) => Ok(Magic::Set {
            name: name.to_owned(),
            value: read_value(value),
        }),
    }
}

/// The word, where it is a name that a value or a result can be given.
fn own_name(word: &str) -> Option<&str> {
    let legal = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let digit = word.starts_with(|c: char| c.is_ascii_digit());
    (legal && !digit && !word.is_empty() && word != LAST).then_some(word)
}

const NAME: &str = "a result is kept under a name of letters, digits and `_`, other than `_`, which is the last result";

const TABLE_NAME: &str =
    "give it the name of a kept result, a table or a view, in backticks where it is an odd one";

const PATTERN: &str = "give it a part of a name or a comment; `*` stands for anything";

const ROWS: &str = "give it a number of rows or `all`";

const LIMIT: &str = "give it a number of rows or `all`, or `bytes` and a size up to 2GB such as `200MB`, or nothing";

/// The largest limit of bytes: a result is held in the kernel's memory.
const LARGEST_LIMIT: u64 = 2_000_000_000;

const LINES: &str = "give it a number of lines, and before it `executor` and a number, or nothing";

const TIME: &str = "give it a time up to a day such as `2h` or `90m`, `off` or nothing";

/// The longest that a driver is kept.
const LONGEST_KEPT: Duration = Duration::from_secs(24 * 3600);

fn logs(words: &[&str]) -> Result<Magic, &'static str> {
    let (executor, rest) = match words {
        ["executor", number, rest @ ..] if number.parse::<u32>().is_ok() => {
            (Some((*number).to_owned()), rest)
        }
        ["executor", ..] => return Err(LINES),
        rest => (None, rest),
    };
    let lines = match rest {
        [] => LOG_LINES,
        [count] => count.parse().map_err(|_wrong| LINES)?,
        _ => return Err(LINES),
    };
    Ok(Magic::Logs { executor, lines })
}

/// A time as people write it, `90s`, `30m`, `2h` or `1d`.
fn keep(word: &str) -> Result<Duration, &'static str> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = word.split_at(digits);
    let unit = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(TIME),
    };
    let count: u64 = count.parse().map_err(|_wrong| TIME)?;
    let time = count.checked_mul(unit).map(Duration::from_secs);
    time.filter(|time| *time <= LONGEST_KEPT && !time.is_zero())
        .ok_or(TIME)
}

fn limit(words: &[&str]) -> Result<Magic, &'static str> {
    let limit = match words {
        [] => return Ok(Magic::Limit(None)),
        ["bytes", number, unit] => size(&format!("{number}{unit}")).map(Limit::Bytes),
        ["bytes", size] => self::size(size).map(Limit::Bytes),
        ["rows", count] | [count] => rows(count).ok().map(Limit::Rows),
        _ => None,
    };
    limit.map(|limit| Magic::Limit(Some(limit))).ok_or(LIMIT)
}

/// A size as people write it, `500kB`, `64 MB` or `1GiB`, in bytes.
fn size(word: &str) -> Option<u64> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = word.split_at(digits);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    let size = count.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=LARGEST_LIMIT).contains(&size).then_some(size)
}

fn one_or_none(words: &[&str]) -> Result<Option<String>, &'static str> {
    match words {
        [] => Ok(None),
        [name] => Ok(Some((*name).to_owned())),
        _ => Err("give it one name or nothing"),
    }
}

fn alone(words: &[&str], magic: Magic) -> Result<Magic, &'static str> {
    match words {
        [] => Ok(magic),
        _ => Err("it takes nothing"),
    }
}

fn rows(word: &str) -> Result<Rows, &'static str> {
    match word {
        "all" => Ok(Rows::All),
        number => match number.parse() {
            Ok(count) => Ok(Rows::AtMost(count)),
            Err(_) => Err(ROWS),
        },
    }
}

/// The magics' names with their `%` or `%%`, cell magics first.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(SQL.0).chain(
        TABLE
            .iter()
            .map(|spec| spec.usage.split(' ').next().unwrap_or(spec.usage)),
    )
}

/// Reads a line that starts with `%`.
pub(super) fn read_line(line: &str) -> Result<Magic, Problem> {
    let (name, arguments) = name_and_rest(line);
    if name == SQL.0 {
        return Err(Problem::NotFirst {
            name: name.to_owned(),
        });
    }
    let found = name
        .strip_prefix('%')
        .and_then(|bare| TABLE.iter().find(|spec| spec.name == bare));
    let Some(spec) = found else {
        return Err(unknown(name));
    };
    let read = match spec.read {
        Read::Words(read) => read(&arguments.split_whitespace().collect::<Vec<_>>()),
        Read::Text(read) => read(arguments),
    };
    read.map_err(|expected| Problem::Arguments {
        usage: spec.usage,
        expected,
        got: quoted(arguments),
    })
}

/// What a `%%sql` line says of its cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct First {
    /// What the cell's results are limited to.
    pub(super) rows: Option<Rows>,
    /// The name that its last result is kept under.
    pub(super) keep: Option<String>,
}

/// Reads a cell's first line that starts with `%%`.
pub(super) fn read_first_line(line: &str) -> Result<First, Problem> {
    let (name, arguments) = name_and_rest(line);
    if name != SQL.0 {
        return Err(unknown(name));
    }
    let words: Vec<&str> = arguments.split_whitespace().collect();
    first(&words).map_err(|expected| not_so(arguments, expected))
}

/// That what a `%%sql` line says is not what is `expected` there.
pub(super) fn not_so(arguments: &str, expected: &'static str) -> Problem {
    Problem::Arguments {
        usage: SQL.1,
        expected,
        got: quoted(arguments),
    }
}

fn first(mut words: &[&str]) -> Result<First, &'static str> {
    let mut first = First::default();
    loop {
        words = match words {
            [] => return Ok(first),
            ["-n", count, rest @ ..] if first.rows.is_none() => {
                first.rows = Some(rows(count)?);
                rest
            }
            ["-o", name, rest @ ..] if first.keep.is_none() => {
                first.keep = Some(own_name(name).ok_or(NAME)?.to_owned());
                rest
            }
            ["-n"] => return Err("`-n` is followed by a number of rows or `all`"),
            ["-o"] => return Err("`-o` is followed by a name to keep the result under"),
            _ => return Err("`-o NAME` and `-n ROWS` may stand on the line, and the SQL below it"),
        };
    }
}

fn name_and_rest(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (name, rest.trim())
}

fn unknown(name: &str) -> Problem {
    let bare = name.trim_start_matches('%');
    let known = nearest(bare, names().map(|name| name.trim_start_matches('%')));
    Problem::Unknown {
        name: quoted(name),
        nearest: known.and_then(|bare| names().find(|name| name.trim_start_matches('%') == bare)),
    }
}

/// How each magic is written, and what it does.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once((SQL.1, SQL.2)).chain(TABLE.iter().map(|spec| (spec.usage, spec.about)))
}

/// What `%help` answers: all magics, or the one of this name (without its `%`).
pub fn help(of: Option<&str>) -> String {
    let lines: Vec<(&str, &str)> = match of {
        Some(name) => all()
            .filter(|(usage, _)| usage.trim_start_matches('%').split(' ').next() == Some(name))
            .collect(),
        None => all().collect(),
    };
    let width = lines
        .iter()
        .map(|(usage, _)| usage.len())
        .max()
        .unwrap_or(0);
    let mut text: String = lines
        .iter()
        .map(|(usage, about)| format!("{usage:width$}  {about}\n"))
        .collect();
    if of.is_none() {
        text.push_str("\nAnything else is Spark SQL; `;` stands between statements.\n");
    }
    text
}

/// How the magic at `cursor`, an offset in Unicode code points, is written and what it does; nothing
/// where there is none.
pub fn help_at(source: &str, cursor: usize) -> Option<(&'static str, &'static str)> {
    let mut start = 0;
    let line = source.split('\n').find(|line| {
        let end = start + line.chars().count();
        let found = (start..=end).contains(&cursor);
        start = end + 1;
        found
    })?;
    let (name, _) = name_and_rest(line);
    all().find(|(usage, _)| usage.split(' ').next() == Some(name))
}

/// What `%lsmagic` answers.
pub fn lsmagic() -> String {
    names().collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests;
