//! Reads the house itself: its sources and who depends on whom.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository's top folder.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests have a parent folder")
        .to_owned()
}

/// One hand-written source file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path below the top folder.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// The text up to the inline test module.
    pub fn production(&self) -> &str {
        self.text
            .split_once("#[cfg(test)]\nmod tests {")
            .map_or(self.text.as_str(), |(production, _)| production)
    }

    /// Whether it is part of what users run, rather than of the tests.
    pub fn is_production(&self) -> bool {
        !self.path.starts_with("tests")
            && !self
                .path
                .components()
                .any(|part| part.as_os_str() == "tests")
            && self.path.file_name().is_some_and(|name| name != "tests.rs")
    }
}

/// Every Rust file of the house, sorted by path.
pub fn sources() -> Vec<Source> {
    let top = top();
    let mut found = Vec::new();
    for member in ["kernel", "launcher", "notebooks", "session", "tests"] {
        collect(&top.join(member), &mut found);
    }
    found.sort();
    found
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).expect("a source file is text"),
            path: path
                .strip_prefix(&top)
                .expect("it is below the top")
                .to_owned(),
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}
