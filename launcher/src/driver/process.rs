//! The process of a driver.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, PipeReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal};
use tokio::sync::oneshot;

use super::exec::DRIVER;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "ended with exit code {code}"),
            Self::Signal(signal) => write!(f, "was killed by signal {signal}"),
        }
    }
}

/// A running Java.
#[derive(Debug)]
pub(crate) struct Jvm {
    pid: Pid,
    exit: oneshot::Receiver<Exit>,
    ended: Option<Exit>,
}

impl Jvm {
    /// Starts `java` with an argument file, in `folder`, with this environment and no other. What it
    /// prints comes out of the pipe.
    ///
    /// The driver dies with its keeper: it asks for a signal at the end of the thread that started
    /// it. So that thread does nothing else, and lives until the driver has ended.
    pub(crate) fn spawn(
        java: &Path,
        arguments: &Path,
        folder: &Path,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<(Self, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0(DRIVER)
            .arg(std::process::id().to_string())
            .arg(java)
            .arg(format!("@{}", arguments.display()))
            .current_dir(folder)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let (started, start) = mpsc::channel::<io::Result<Pid>>();
        let (ended, exit) = oneshot::channel();
        thread::Builder::new()
            .name("driver-parent".to_owned())
            .spawn(move || {
                let child = command.spawn();
                // With it go our ends of the pipe, so that the reader sees the driver's end.
                drop(command);
                match child {
                    Ok(child) => {
                        let pid = Pid::from_child(&child);
                        let _waits = started.send(Ok(pid));
                        let _nobody_waits = ended.send(wait(child));
                    }
                    Err(error) => {
                        let _waits = started.send(Err(error));
                    }
                }
            })?;
        let pid = start
            .recv()
            .map_err(|_gone| io::Error::other("the thread that starts the driver is gone"))??;
        let jvm = Self {
            pid,
            exit,
            ended: None,
        };
        Ok((jvm, reader))
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// Waits for its end. Cancel-safe; may be asked again.
    pub(crate) async fn exit(&mut self) -> Exit {
        if let Some(exit) = self.ended {
            return exit;
        }
        let exit = (&mut self.exit).await.unwrap_or(Exit::Signal(0));
        self.ended = Some(exit);
        exit
    }

    /// Sends a signal, unless its end is known already: then the id may be another's.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            // It may have ended a moment ago; the thread that waits for it has not told yet.
            let _gone = rustix::process::kill_process(self.pid, signal);
        }
    }
}

fn wait(mut child: Child) -> Exit {
    child.wait().map_or(Exit::Signal(0), Exit::from)
}
