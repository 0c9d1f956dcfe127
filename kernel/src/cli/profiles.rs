//! `firesteel profiles`: what drivers can look like.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use firesteel_launcher::environment::Environment;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::profile::{self, Layer, Profiles as Known};

use super::{Answer, var};

/// `firesteel profiles …`.
#[derive(Debug, Args)]
pub(super) struct Profiles {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the JSON Schema of a profile file.
    Schema,
    /// Say what is wrong with the profiles, if anything is.
    Check {
        /// A file that is not yet in its place; checked by itself.
        file: Option<PathBuf>,
    },
}

impl Profiles {
    pub(super) fn run(&self) -> Answer {
        let paths = Paths::from_env(var);
        let environment = Environment::of_process();
        match &self.command {
            None => {
                let known = Known::load(&paths, &environment)?;
                for name in known.names() {
                    let mark = if name == known.default_name() {
                        "*"
                    } else {
                        " "
                    };
                    say!("{mark} {name}");
                }
            }
            Some(Command::Schema) => say!("{:#}", profile::schema()),
            Some(Command::Check { file }) => {
                let known = match file {
                    None => Known::load(&paths, &environment)?,
                    Some(file) => {
                        let layer = Layer::parse(file, &std::fs::read_to_string(file)?)?;
                        Known::new(paths.etc.clone(), None, Some(layer), &environment)?
                    }
                };
                for name in known.names() {
                    known.get(&name)?;
                    say!("{name}: good");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
