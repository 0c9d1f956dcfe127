//! The command line: what a person types, and what a front end starts.

/// Prints a line. When nobody reads any more (`| head`), there is nothing left to do.
macro_rules! say {
    () => { $crate::cli::print_line(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::print_line(format_args!($($text)*)) };
}

mod demo;
mod doctor;
mod drivers;
mod kernel;
mod kernelspec;
mod log;
mod profiles;
mod runtime;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A Jupyter kernel for interactive Apache Spark.
#[derive(Debug, Parser)]
#[command(name = "firesteel", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one notebook; front ends start this.
    Kernel(kernel::Kernel),
    /// Install a kernelspec, so that Jupyter finds this kernel.
    Install(kernelspec::Install),
    /// Remove an installed kernelspec.
    Uninstall(kernelspec::Uninstall),
    /// Say whether notebooks will run here, and how to mend what is wrong.
    Doctor(doctor::Doctor),
    /// Run the example notebook on a real Spark, setting up what is missing.
    Demo(demo::Demo),
    /// The Spark, Java and Python that drivers on this machine are made of.
    #[command(subcommand)]
    Runtime(runtime::Runtime),
    /// What drivers can look like.
    Profiles(profiles::Profiles),
    /// The drivers that run on this machine.
    #[command(subcommand)]
    Drivers(drivers::Drivers),
}

/// What a command answers with: its exit code, or an error that is printed with its causes.
type Answer = Result<ExitCode, Box<dyn Error>>;

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let answer = match arguments.command {
        Command::Kernel(kernel) => block_on(kernel.run()),
        Command::Install(install) => install.run(),
        Command::Uninstall(uninstall) => uninstall.run(),
        Command::Doctor(doctor) => block_on(doctor.run()),
        Command::Profiles(profiles) => profiles.run(),
        Command::Drivers(drivers) => block_on(drivers.run()),
        Command::Demo(demo) => demo.run(),
        Command::Runtime(runtime) => block_on(runtime.run()),
    };
    answer.unwrap_or_else(|error| {
        eprintln!("firesteel: {}", with_causes(error.as_ref()));
        ExitCode::FAILURE
    })
}

/// Runs a command that waits for things.
fn block_on(command: impl Future<Output = Answer>) -> Answer {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let answer = runtime.block_on(command);
    // What still runs has no one to answer to.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    answer
}

/// An environment variable, where it is set and is text.
fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What `say!` does.
fn print_line(line: std::fmt::Arguments<'_>) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// An error and its causes, on one line.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
