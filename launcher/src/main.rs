//! The keeper's program. Under other names it becomes the programs that a keeper starts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use firesteel_launcher::{driver, keeper};

/// Keeps Spark drivers for Firesteel.
#[derive(Debug, Parser)]
#[command(name = "firesteel-launcher", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keeps one driver, as the order on the standard input says, until nobody uses it. Kernels
    /// start this themselves.
    Keep,
    /// Keeps the driver of the pod that it is process 1 of. The Jobs that kernels make start this.
    KeepPod {
        /// Where the pod's folders are.
        #[arg(long, default_value = "/", hide = true)]
        root: PathBuf,
    },
    /// Makes the archive of the classes of the Spark that the order on the standard input names.
    /// Kernels and `firesteel runtime` start this.
    Archive {
        /// Wait for another process that makes it, and stay in the foreground.
        #[arg(long)]
        wait: bool,
    },
    /// Copies this program into a folder. The Jobs that kernels make start this.
    Install {
        /// The folder.
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if let Some(name) = arguments.next()
        && let Some(code) = driver::exec::stand_in(&name, arguments)
    {
        return code;
    }
    match Arguments::parse().command {
        Command::Keep => keeper::main(),
        Command::KeepPod { root } => keeper::main_in_pod(&root),
        Command::Archive { wait } => keeper::main_of_archive(wait),
        Command::Install { folder } => keeper::install(&folder),
    }
}
