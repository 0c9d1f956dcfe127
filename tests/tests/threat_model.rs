//! What `deploy/threat-model.md` says of tests is true.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The names of all tests, in Rust and in Python.
fn names(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let hidden = path.file_name().unwrap().to_string_lossy().starts_with('.');
        if path.is_dir() && !hidden && !path.ends_with("target") {
            names(&path, into);
        }
        let begins = match path.extension().and_then(|end| end.to_str()) {
            Some("rs") => "fn ",
            Some("py") => "def ",
            _ => continue,
        };
        let text = fs::read_to_string(&path).unwrap();
        into.extend(text.lines().filter_map(|line| {
            let (_, rest) = line.split_once(begins)?;
            Some(rest.split('(').next()?.to_owned())
        }));
    }
}

/// What has to be learned from, as those call it who had it: the leaks of control planes for Spark and
/// notebooks, and the vulnerabilities of their kind.
const LESSONS: [&str; 33] = [
    "SPARK-23146",
    "SPARK-37856",
    "spark-operator 2961",
    "spark-operator 2492",
    "stackable 701",
    "berkeley 116",
    "JEG 827",
    "JEG 671",
    "JEG 931",
    "KubeSpawner 697",
    "z2jh 3229",
    "Kyuubi 7290",
    "Kyuubi 1960",
    "LIVY-727",
    "LIVY-240",
    "ZEPPELIN-4691",
    "CVE-2026-44181",
    "CVE-2025-60012",
    "CVE-2025-66518",
    "CVE-2026-62391",
    "CVE-2023-22946",
    "CVE-2022-33891",
    "-2018-8024",
    "-2020-9480",
    "-2018-17190",
    "-2018-11770",
    "-2018-1334",
    "CVE-2024-39928",
    "CVE-2020-15110",
    "CVE-2020-26261",
    "CVE-2023-48311",
    "CVE-2021-41247",
    "CVE-2026-40110",
];

#[test]
fn each_lesson_names_tests_that_are_there() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = fs::read_to_string(root.join("deploy/threat-model.md")).unwrap();
    let (_, learned) = model.split_once("## What others have learned").unwrap();
    let lessons = learned.lines().filter(|line| line.starts_with("| "));
    let mut tests = BTreeSet::new();
    for folder in ["kernel", "launcher", "session", "tests"] {
        names(&root.join(folder), &mut tests);
    }
    for lesson in lessons.skip(1) {
        let (_, held_by) = lesson
            .trim_end_matches([' ', '|'])
            .rsplit_once('|')
            .unwrap();
        let named: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{lesson}");
        for name in named {
            assert!(tests.contains(name), "no test is called {name}: {lesson}");
        }
    }
    for lesson in LESSONS {
        assert!(learned.contains(lesson), "nothing is said of {lesson}");
    }
}
