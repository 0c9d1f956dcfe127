//! Finds a Java that Spark 4.3 runs on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Missing;

/// The oldest Java that Spark 4 runs on (Spark's documentation, "Downloading").
pub const OLDEST_JAVA: u32 = 17;

/// A Java that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// Its `java` program, with links resolved.
    pub program: PathBuf,
    /// Its major version.
    pub major: u32,
}

impl Java {
    /// The first that is new enough of: the `chosen` one, `$JAVA_HOME`, the one on `$PATH`, the one
    /// that was installed `along` with Spark. A chosen one that does not do is an error, never
    /// passed over.
    ///
    /// # Errors
    /// When none does: what was found, and how to get one.
    pub fn find(
        chosen: Option<&Path>,
        along: Option<&Path>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Missing> {
        if let Some(chosen) = chosen {
            return Self::chosen(chosen);
        }
        let mut too_old = None;
        for candidate in named(var).chain(along.map(Path::to_owned)) {
            match Self::probe(&candidate) {
                Some(java) if java.major >= OLDEST_JAVA => return Ok(java),
                Some(java) => too_old = too_old.or(Some(java)),
                None => {}
            }
        }
        let what = match too_old {
            Some(old) => format!(
                "The Java found ({}) is version {}; Spark needs {OLDEST_JAVA} or newer",
                old.program.display(),
                old.major
            ),
            None => "No Java was found; Spark needs one".to_owned(),
        };
        Err(Missing {
            what,
            remedy: format!(
                "Install Java {OLDEST_JAVA} or newer, or run `firesteel runtime install --with-java`, which brings one and needs no root."
            ),
        })
    }

    /// The others that `$JAVA_HOME` and `$PATH` name, each once, where `used` was found and a profile
    /// has not `chosen` it.
    pub fn passed_over(
        used: &Path,
        chosen: Option<&Path>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Vec<Self> {
        let mut others: Vec<Self> = Vec::new();
        if chosen.is_none() {
            for other in named(var).filter_map(|program| Self::probe(&program)) {
                if other.program != used && !others.contains(&other) {
                    others.push(other);
                }
            }
        }
        others
    }

    fn chosen(chosen: &Path) -> Result<Self, Missing> {
        let program = if chosen.is_dir() {
            chosen.join("bin/java")
        } else {
            chosen.to_owned()
        };
        let remedy = "Correct `java` in the profile, or leave it out to use the machine's.";
        let missing = |what: String| Missing {
            what,
            remedy: remedy.to_owned(),
        };
        let java = Self::probe(&program).ok_or_else(|| {
            missing(format!(
                "The profile's Java, {}, cannot be run",
                program.display()
            ))
        })?;
        if java.major < OLDEST_JAVA {
            return Err(missing(format!(
                "The profile's Java, {}, is version {}; Spark needs {OLDEST_JAVA} or newer",
                program.display(),
                java.major
            )));
        }
        Ok(java)
    }

    /// What `program` is, if it is a Java: from the `release` file beside it, which costs nothing,
    /// else by asking it, which costs the start of a JVM.
    fn probe(program: &Path) -> Option<Self> {
        let program = fs::canonicalize(program).ok()?;
        let home = program.parent()?.parent()?;
        let major = fs::read_to_string(home.join("release"))
            .ok()
            .and_then(|text| major_of_release(&text))
            .or_else(|| ask(&program))?;
        Some(Self { program, major })
    }
}

/// The programs that `$JAVA_HOME` and `$PATH` name, whether they are there or not.
fn named(var: impl Fn(&str) -> Option<String>) -> impl Iterator<Item = PathBuf> {
    let home = var("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let on_path = var("PATH").into_iter().flat_map(|path| {
        std::env::split_paths(&path)
            .map(|dir| dir.join("java"))
            .collect::<Vec<_>>()
    });
    home.into_iter().chain(on_path)
}

fn ask(program: &Path) -> Option<u32> {
    let out = Command::new(program)
        .args(["-XshowSettings:properties", "-version"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("java.version = "))?;
    major(line)
}

fn major_of_release(text: &str) -> Option<u32> {
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
    major(version.trim_matches('"'))
}

/// The major number of a Java version: `17.0.15`, `25`, and `1.8.0_392`, which is 8.
fn major(version: &str) -> Option<u32> {
    let mut parts = version.split(['.', '_', '-', '+']);
    let first = parts.next()?.parse().ok()?;
    if first == 1 {
        return parts.next()?.parse().ok();
    }
    Some(first)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn java(dir: &Path, version: &str) -> PathBuf {
        let program = dir.join("bin/java");
        fs::create_dir_all(dir.join("bin")).unwrap();
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.join("release"), format!("JAVA_VERSION=\"{version}\"\n")).unwrap();
        fs::canonicalize(program).unwrap()
    }

    #[test]
    fn versions_of_all_ages_are_read() {
        for (text, expected) in [
            ("17.0.15", Some(17)),
            ("25", Some(25)),
            ("25-ea", Some(25)),
            ("1.8.0_392", Some(8)),
            ("11.0.2+9", Some(11)),
            ("", None),
            ("seventeen", None),
        ] {
            assert_eq!(major(text), expected, "{text}");
        }
    }

    #[test]
    fn java_home_comes_before_the_path_and_an_old_one_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        java(&dir.path().join("old"), "11.0.2");
        let good = java(&dir.path().join("good"), "21.0.1");
        let var = |name: &str| {
            let path = |part: &str| dir.path().join(part).to_string_lossy().into_owned();
            match name {
                "JAVA_HOME" => Some(path("old")),
                "PATH" => Some(path("good/bin")),
                _ => None,
            }
        };
        let found = Java::find(None, None, var).unwrap();
        assert_eq!((found.program, found.major), (good, 21));
    }

    #[test]
    fn only_an_old_java_is_named_with_its_version() {
        let dir = tempfile::tempdir().unwrap();
        java(dir.path(), "11.0.2");
        let home = dir.path().to_string_lossy().into_owned();
        let missing = Java::find(None, None, |name| {
            (name == "JAVA_HOME").then(|| home.clone())
        })
        .unwrap_err();
        assert!(missing.what.contains("version 11"), "{missing}");
    }

    #[test]
    fn a_chosen_java_that_is_not_there_is_an_error_even_where_another_would_do() {
        let dir = tempfile::tempdir().unwrap();
        java(dir.path(), "17.0.1");
        let home = dir.path().to_string_lossy().into_owned();
        let var = |name: &str| (name == "JAVA_HOME").then(|| home.clone());
        let missing = Java::find(Some(Path::new("/nowhere/java")), None, var).unwrap_err();
        assert!(missing.what.contains("/nowhere/java"), "{missing}");
    }
}
