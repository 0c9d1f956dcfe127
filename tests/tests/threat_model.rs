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

#[test]
fn each_test_that_is_named_is_there() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = fs::read_to_string(root.join("deploy/threat-model.md")).unwrap();
    let (_, learned) = model.split_once("## What others have learned").unwrap();
    let lessons = learned.lines().filter(|line| line.starts_with("| "));
    let mut tests = BTreeSet::new();
    for folder in ["kernel", "launcher", "session", "tests"] {
        names(&root.join(folder), &mut tests);
    }
    let mut count = 0;
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
        count += 1;
    }
    assert!(count > 20, "{count} lessons");
}
