//! Finds a Python that an environment can be made from.

use std::path::PathBuf;
use std::process::Command;

use super::Missing;

/// The oldest Python that PySpark 4.3 runs on.
pub const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// A Python that is there and can make virtual environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The program.
    pub program: PathBuf,
    /// Its version, major and minor.
    pub version: (u32, u32),
}

impl Python {
    /// The first of `python3` and the newer versions by name on the search path that is new enough
    /// and has `venv`.
    ///
    /// # Errors
    /// When none does: what was found, and what to install.
    pub fn find() -> Result<Self, Missing> {
        let (major, minor) = OLDEST_PYTHON;
        let needed = format!("{major}.{minor}");
        let mut seen = None;
        for name in [
            "python3",
            "python3.14",
            "python3.13",
            "python3.12",
            "python3.11",
        ] {
            match probe(name) {
                Some((version, venv)) if version >= OLDEST_PYTHON && venv => {
                    return Ok(Self {
                        program: PathBuf::from(name),
                        version,
                    });
                }
                Some(found) => seen = seen.or(Some(found)),
                None => {}
            }
        }
        let (what, remedy) = match seen {
            None => (
                "No Python 3 was found".to_owned(),
                format!("Install Python {needed} or newer."),
            ),
            Some((version, _)) if version < OLDEST_PYTHON => (
                format!("The Python found is {}.{}", version.0, version.1),
                format!("Install Python {needed} or newer."),
            ),
            Some(_) => (
                "The Python found cannot make virtual environments".to_owned(),
                "Install its venv module (on Debian and Ubuntu: python3-venv).".to_owned(),
            ),
        };
        Err(Missing { what, remedy })
    }
}

/// Version of a Python, and whether it has `venv` whole (Debian's packages split off `ensurepip`).
fn probe(name: &str) -> Option<((u32, u32), bool)> {
    const ASK: &str = "import sys; from importlib.util import find_spec as f; \
        print(*sys.version_info[:2], int(bool(f('venv') and f('ensurepip'))))";
    let out = Command::new(name).args(["-I", "-c", ASK]).output().ok()?;
    parse(&String::from_utf8_lossy(&out.stdout))
}

fn parse(line: &str) -> Option<((u32, u32), bool)> {
    let mut words = line.split_whitespace().map(str::parse::<u32>);
    let mut next = || words.next()?.ok();
    Some(((next()?, next()?), next()? == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_says_of_itself_is_read() {
        assert_eq!(parse("3 11 1\n"), Some(((3, 11), true)));
        assert_eq!(parse("3 12 0"), Some(((3, 12), false)));
        assert_eq!(parse("pyenv: command not found"), None);
        assert_eq!(parse(""), None);
    }
}
