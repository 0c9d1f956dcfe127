//! Cells are cut as they should be, and every statement that comes out parses in Spark.

#![allow(clippy::unwrap_used, reason = "tests fail loudly, where it is")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use firesteel_kernel::cell::{Kind, Piece, parse};
use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::Runtime;
use firesteel_tests::house::top;
use serde::Deserialize;

struct Case {
    name: String,
    cell: String,
    pieces: Vec<Expected>,
}

#[derive(Debug, PartialEq, Eq)]
struct Expected {
    /// The kind, or `magic`, and the line.
    mark: String,
    text: String,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(top().join("tests/data/split/cases.txt")).unwrap();
    text.split("\n### ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut parts = text.split("\n>>> ");
    let (name, cell) = split_line(parts.next().unwrap());
    let pieces = parts.map(|part| {
        let (mark, text) = split_line(part);
        Expected {
            mark: mark.to_owned(),
            text: text.to_owned(),
        }
    });
    Case {
        name: name.to_owned(),
        cell: cell.to_owned(),
        pieces: pieces.collect(),
    }
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// What `parse` makes of a cell, in the words of the cases.
fn pieces_of(cell: &str) -> Vec<Expected> {
    let pieces = parse(cell).unwrap();
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Sql(sql) => {
                let length = sql.text.chars().count();
                let there: String = cell.chars().skip(sql.start.offset).take(length).collect();
                assert_eq!(there, sql.text, "the text stands where it starts");
                Expected {
                    mark: format!("{:?} {}", sql.kind, sql.start.line),
                    text: sql.text,
                }
            }
            Piece::Magic(magic) => Expected {
                mark: "magic".to_owned(),
                text: format!("{magic:?}"),
            },
        })
        .collect()
}

#[test]
fn there_are_a_hundred_cases_with_names_of_their_own() {
    let mut names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    assert!(names.len() >= 100, "{} cases", names.len());
    names.sort();
    names.dedup();
    assert_eq!(names.len(), cases().len());
}

#[test]
fn cells_are_cut_as_the_cases_say() {
    for case in cases() {
        assert_eq!(pieces_of(&case.cell), case.pieces, "{}", case.name);
    }
}

#[derive(Deserialize)]
struct Verdict {
    error: Option<String>,
    writes: bool,
}

#[test]
fn every_statement_parses_in_spark_and_no_query_writes() {
    let paths = Paths::from_env(|name| std::env::var(name).ok());
    let runtime = match Runtime::locate(&paths, None, |name| std::env::var(name).ok()) {
        Ok(runtime) => runtime,
        Err(missing) => {
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("SKIPPED: no Spark to parse with. {missing}");
            return;
        }
    };
    let statements: Vec<(String, Kind, String)> = cases()
        .into_iter()
        .flat_map(|case| {
            let pieces = parse(&case.cell).unwrap();
            pieces.into_iter().filter_map(move |piece| match piece {
                Piece::Sql(sql) => Some((case.name.clone(), sql.kind, sql.text)),
                Piece::Magic(_) => None,
            })
        })
        .collect();
    let texts: Vec<&str> = statements
        .iter()
        .map(|(_, _, text)| text.as_str())
        .collect();
    let verdicts = parsed_by_spark(&runtime, &texts);
    assert_eq!(verdicts.len(), statements.len());
    let refused: Vec<String> = statements
        .iter()
        .zip(verdicts)
        .filter_map(|((name, kind, text), verdict)| match verdict.error {
            Some(error) => Some(format!("{name}:\n{text}\n{error}")),
            None if verdict.writes && !matches!(kind, Kind::Write | Kind::Unknown) => {
                Some(format!("{name}: a {kind:?} writes:\n{text}"))
            }
            None => None,
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n\n"));
}

/// Has Spark's parser read all statements, in one JVM.
fn parsed_by_spark(runtime: &Runtime, statements: &[&str]) -> Vec<Verdict> {
    let java_home = runtime.java.parent().and_then(Path::parent).unwrap();
    let mut child = Command::new(&runtime.python)
        .arg(top().join("tests/data/split/parse.py"))
        .env("SPARK_HOME", &runtime.spark_home)
        .env("JAVA_HOME", java_home)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(statements).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the parser ends well");
    serde_json::from_slice(&output.stdout).unwrap()
}
