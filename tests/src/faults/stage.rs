//! A kernel at every moment of its driver's life.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::tell;
use crate::drivers::{Machine, eventually, processes};
use crate::jupyter::client::{Done, execution};
use crate::jupyter::{Channel, Process, within};

/// A silent kernel is given up soon, and a driver nobody uses sooner.
pub const PROFILES: &str =
    "profiles: {local: {compiler: quick, grace: 1s, away: 6s, memory: 512m, cores: 2}}";

/// The lease of [`PROFILES`].
pub const AWAY: Duration = Duration::from_secs(6);

/// No cell hangs for longer after something happened to it.
pub const NO_HANG: Duration = Duration::from_secs(30);

/// Nothing is left after it.
pub const NOTHING_LEFT: Duration = Duration::from_secs(60);

/// A statement that works where there is a driver.
const ANSWER: &str = "SELECT 40 + 2 AS answer";

/// A statement that takes long, and does nothing for that time.
pub const LONG: &str = "SELECT count(*) FROM range(100000000000) WHERE sqrt(id) * sqrt(id + 1) < 0";

/// Forty rows, each from a task of its own that takes a while. The first are there long before the
/// last.
const SLOW: &str =
    "SELECT id, reflect('java.lang.Thread', 'sleep', 250L) AS slept FROM range(0, 40, 1, 40)";

/// A moment of a driver's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A driver is there and does nothing.
    Idle,
    /// A driver was asked for, and Java runs.
    Starting,
    /// A statement has no rows yet.
    Running,
    /// The first rows of a statement were sent.
    Fetching,
    /// A statement has written a part of what it writes.
    Writing,
    /// A statement was interrupted, and the driver has not heard of it.
    Cancelling,
    /// The driver was told to end, and has not heard of it; or, where the kernel is killed, the
    /// kernel was.
    Ending,
}

/// In an order in which each finds the driver that it needs: the first none.
pub const MOMENTS: [Moment; 7] = [
    Moment::Starting,
    Moment::Idle,
    Moment::Running,
    Moment::Fetching,
    Moment::Writing,
    Moment::Cancelling,
    Moment::Ending,
];

impl Moment {
    /// What the names may be of the error of a cell that lost its keeper or driver at this moment.
    pub fn errors(self) -> &'static [&'static str] {
        match self {
            Self::Idle => &[],
            Self::Starting | Self::Ending => &["SparkUnavailable"],
            Self::Running | Self::Fetching | Self::Writing => &["DriverLost"],
            Self::Cancelling => &["DriverLost", "KeyboardInterrupt"],
        }
    }
}

/// A machine and a kernel on it.
pub struct Stage {
    /// The machine.
    pub machine: Machine,
    /// The kernel.
    pub kernel: Process,
}

/// Where a moment was reached.
#[derive(Debug)]
pub struct Reached {
    /// The cell that is under way, if one is.
    pub cell: Option<String>,
    /// The keeper's process.
    pub keeper: u32,
    /// The driver's process. Where it is not to hear of something, it is frozen.
    pub driver: u32,
}

impl Stage {
    /// A machine without a driver, and a kernel; `None` where there is no Spark and that is allowed.
    pub async fn new() -> Option<Self> {
        let machine = Machine::with_spark(PROFILES).await?;
        let kernel = Process::start(&machine).await;
        Some(Self { machine, kernel })
    }

    /// Brings the kernel to this moment. For all but the first of [`MOMENTS`] it makes a driver where
    /// there is none.
    pub async fn reach(&mut self, moment: Moment) -> Reached {
        if moment == Moment::Starting {
            // From then on the kernel stands with the keeper; of one that died before, it makes another.
            let waits = |progress: &str| progress.contains("waiting for Spark");
            let cell = Some(self.under_way(ANSWER, waits).await);
            let (keeper, driver) = self.machine.keeper_and_driver().await;
            return Reached {
                cell,
                keeper,
                driver,
            };
        }
        self.works().await;
        let (keeper, driver) = self.machine.keeper_and_driver().await;
        let cell = match moment {
            Moment::Starting | Moment::Idle => None,
            Moment::Running => Some(self.under_way(LONG, runs).await),
            Moment::Fetching => Some(self.under_way(SLOW, is_sent).await),
            Moment::Writing => {
                let folder = self.written();
                // That of a point before; a task that is ending may still write there.
                let _absent = fs::remove_dir_all(&folder);
                let folder = folder.display();
                let sql = format!("INSERT OVERWRITE DIRECTORY '{folder}' USING csv {SLOW}");
                Some(self.under_way(&sql, is_sent).await)
            }
            Moment::Cancelling => {
                let cell = self.under_way(LONG, runs).await;
                processes::signal(driver, Signal::STOP);
                let asked = (Channel::Control, "interrupt_request");
                within(
                    "the interrupt",
                    self.kernel.ask(asked.0, asked.1, json!({})),
                )
                .await;
                Some(cell)
            }
            Moment::Ending => {
                processes::signal(driver, Signal::STOP);
                let cell = self.send("%stop").await;
                eventually(NO_HANG, async || {
                    let told = processes::awaits(driver, Signal::TERM);
                    told.then_some(())
                        .ok_or("the driver is not told".to_owned())
                })
                .await;
                Some(cell)
            }
        };
        Reached {
            cell,
            keeper,
            driver,
        }
    }

    /// The folder that a statement writes at [`Moment::Writing`].
    fn written(&self) -> PathBuf {
        self.machine.root().join("written")
    }

    /// Whether that statement came to its end.
    pub fn wrote(&self) -> bool {
        self.written().join("_SUCCESS").exists()
    }

    /// Sends a cell.
    pub async fn send(&mut self, code: &str) -> String {
        let content = execution(code);
        let channel = Channel::Shell;
        self.kernel.send(channel, "execute_request", content).await
    }

    /// Sends a cell and waits until its progress is so.
    pub async fn under_way(&mut self, code: &str, is_so: fn(&str) -> bool) -> String {
        let cell = self.send(code).await;
        let shown = self.kernel.published(|message| {
            let text = message.content["data"]["text/plain"].as_str();
            message.parent_id() == cell && text.is_some_and(is_so)
        });
        shown.await;
        cell
    }

    /// What became of a cell.
    pub async fn end_of(&mut self, cell: &str) -> Done {
        within("the cell's end", self.kernel.done(Channel::Shell, cell)).await
    }

    /// Runs a cell that goes well where there can be a driver.
    pub async fn run(&mut self) -> Done {
        self.kernel.execute(ANSWER).await
    }

    /// Runs a cell, which has to go well.
    pub async fn works(&mut self) -> Done {
        let done = self.run().await;
        answers(&done);
        done
    }

    /// Asks the kernel to end. The answer comes before the end.
    pub async fn shut_down(&mut self) {
        let content = json!({"restart": false});
        let channel = Channel::Control;
        let asked = self.kernel.send(channel, "shutdown_request", content).await;
        self.kernel.reply(channel, &asked).await;
    }

    /// Waits until the kernel has ended, and nothing is left: no process, file or socket.
    ///
    /// # Panics
    /// When something is after a minute.
    pub async fn nothing_is_left(&mut self) {
        self.kernel.ended().await;
        self.machine.wait_until_gone(NOTHING_LEFT).await;
        assert_eq!(self.machine.left_behind(), Vec::<PathBuf>::new());
        let sockets = processes::sockets(self.machine.root());
        assert_eq!(sockets, Vec::<PathBuf>::new());
    }
}

/// Whether the progress says that a task runs.
pub fn runs(progress: &str) -> bool {
    progress.contains("tasks, ") && !progress.contains(" 0 running")
}

/// Whether the progress says that several tasks are done, and not all of them.
fn is_sent(progress: &str) -> bool {
    let before = progress
        .split_once(" of 40 tasks")
        .map(|(before, _)| before);
    let done = before.and_then(|text| text.rsplit(' ').next()?.parse::<u32>().ok());
    done.is_some_and(|done| (2..40).contains(&done))
}

/// Checks that a cell gave the one row of [`ANSWER`], or of a statement that gives the same.
///
/// # Panics
/// When it did not.
pub fn answers(done: &Done) {
    assert_eq!(done.reply.content["status"], "ok", "{done:?}");
    assert!(shows(done, "42"), "{done:?}");
}

/// Whether a cell displayed this.
pub fn shows(done: &Done, what: &str) -> bool {
    let texts = done
        .published
        .iter()
        .map(|message| &message.content["data"]["text/plain"]);
    let mut texts = texts.filter_map(Value::as_str);
    texts.any(|text| text.contains(what))
}

/// Checks that a cell failed with one error of these names, in words for a person.
///
/// # Panics
/// When it did not.
pub fn told(done: &Done, names: &[&str], point: &impl Debug) {
    let errors = done.published.iter().filter(|m| m.kind() == "error");
    assert_eq!(errors.count(), 1, "{point:?}: {done:?}");
    let content = &done.reply.content;
    let name = content["ename"].as_str().unwrap_or_default();
    assert!(names.contains(&name), "{point:?}: {content}");
    let said = content["evalue"].as_str().unwrap_or_default();
    let lines = content["traceback"].as_array().map_or(0, Vec::len);
    // An interrupt needs no words: who asked for it knows.
    let in_words = said.contains(' ') && !said.contains("Error {") && lines >= 2;
    assert!(
        in_words || name == "KeyboardInterrupt",
        "{point:?}: {content}"
    );
    tell(format_args!("{point:?}: {name}: {said}"));
}
