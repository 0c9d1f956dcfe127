//! Our program under other names: what stands between the keeper and Java, and between Java and
//! Python. Both put one thing right and then become the program they stand for.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal};

use super::plan::{PYTHON_VARIABLE, TOKEN_VARIABLE};

/// The name under which our program becomes Java.
pub const DRIVER: &str = "firesteel-driver";

/// The name under which our program becomes Python.
pub const PYTHON_WORKER: &str = "python-worker";

/// Exit code of a stand-in that could not become its program, as of a shell.
const NOT_RUN: u8 = 127;

/// Becomes the program that `name`, the first argument of this process, stands for. Returns where it
/// stands for none, or with an exit code where that program cannot be run.
pub fn stand_in(
    name: &OsStr,
    arguments: impl Iterator<Item = std::ffi::OsString>,
) -> Option<ExitCode> {
    match Path::new(name).file_name()?.to_str()? {
        DRIVER => Some(driver(arguments)),
        PYTHON_WORKER => Some(python(arguments)),
        _ => None,
    }
}

/// Becomes Java: the arguments are the keeper's process id, `java` and what follows it.
///
/// The death signal survives `exec` and comes when the thread that started us ends; it has to be
/// asked for by the child itself, and a keeper that died before that is noticed by its id.
fn driver(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let keeper: Option<i32> = arguments.next().and_then(|id| id.to_str()?.parse().ok());
    let Some(java) = arguments.next() else {
        return ExitCode::from(NOT_RUN);
    };
    if rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).is_err()
        || rustix::process::getppid().map(Pid::as_raw_pid) != keeper
    {
        return ExitCode::from(NOT_RUN);
    }
    become_program(Command::new(java).args(arguments))
}

/// Becomes the Python that Spark's workers run on, without the driver's token.
fn python(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let Some(python) = std::env::var_os(PYTHON_VARIABLE) else {
        eprintln!("{PYTHON_VARIABLE} is not set: the driver was not started by its keeper");
        return ExitCode::from(NOT_RUN);
    };
    become_program(
        Command::new(python)
            .args(arguments)
            .env_remove(TOKEN_VARIABLE)
            .env_remove(PYTHON_VARIABLE),
    )
}

fn become_program(command: &mut Command) -> ExitCode {
    let error = command.exec();
    eprintln!("{} cannot be run: {error}", command.get_program().display());
    ExitCode::from(NOT_RUN)
}
