//! A kernel in a process of its own, to be killed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The process, as its test sees it. It is killed when it is dropped.
pub struct Attacher {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Attacher {
    /// Starts the program `attacher`, which attaches to the profile `local` of the machine in
    /// `root`; once it is ready, it runs `sql`, if that is not empty.
    pub fn start(program: &str, root: &Path, sql: &str) -> Self {
        let mut child = Command::new(program)
            .arg(root)
            .arg(sql)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        Self {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Waits until it says a line that begins with `word`, and gives the rest.
    ///
    /// # Panics
    /// When it does not within `deadline`.
    pub async fn says(&mut self, word: &str, deadline: Duration) -> String {
        let said = tokio::time::timeout(deadline, async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if let Some(rest) = line.strip_prefix(word) {
                    return rest.trim().to_owned();
                }
            }
            panic!("the attacher ended and never said {word}");
        });
        said.await
            .unwrap_or_else(|_| panic!("the attacher did not say {word} in time"))
    }
}
