//! An interpreter that does what each line of a cell says, and whose steps a test can hold.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use firesteel_kernel::run::interpreter::{
    Cell, Completeness, Completion, Completions, Failure, Interpreter, Outcome,
};
use firesteel_kernel::wire::iopub::{DisplayId, Output};
use jupyter_protocol::{Media, MediaType};
use serde_json::json;
use tokio::sync::watch;

use super::{DEADLINE, within};

/// A flood that does not go on for so long is held back.
const HELD: Duration = Duration::from_millis(300);

/// What a test sees of the interpreter, and how it lets go of what the interpreter holds.
#[derive(Clone)]
pub struct Remote {
    released: watch::Sender<bool>,
    failed: watch::Sender<u32>,
    flooded: watch::Sender<usize>,
    ended: watch::Sender<Option<bool>>,
    blocked: Arc<(Mutex<bool>, Condvar)>,
}

impl Default for Remote {
    fn default() -> Self {
        Self {
            released: watch::Sender::new(false),
            failed: watch::Sender::new(0),
            flooded: watch::Sender::new(0),
            ended: watch::Sender::new(None),
            blocked: Arc::new((Mutex::new(true), Condvar::new())),
        }
    }
}

impl Remote {
    /// Lets go of `hold` and `late`.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Lets go of `block`.
    pub fn unblock(&self) {
        let (blocked, changed) = &*self.blocked;
        *blocked.lock().unwrap_or_else(PoisonError::into_inner) = false;
        changed.notify_all();
    }

    /// Whether the interpreter was ended, and with which `restart`.
    pub fn ended(&self) -> Option<bool> {
        *self.ended.borrow()
    }

    /// Waits until this many cells have failed, before anybody else can know of the last.
    pub async fn failures(&self, count: u32) {
        let mut failed = self.failed.subscribe();
        let failed = failed.wait_for(|so_far| *so_far >= count);
        within("a cell to fail", failed)
            .await
            .expect("the sender lives");
    }

    /// Waits until a flood has begun and goes on no more.
    pub async fn flood_is_held(&self) {
        let mut flooded = self.flooded.subscribe();
        within("a flood", flooded.wait_for(|so_far| *so_far > 0))
            .await
            .expect("the sender lives");
        let held = async { while tokio::time::timeout(HELD, flooded.changed()).await.is_ok() {} };
        within("the flood to be held", held).await;
    }

    async fn is_released(&self) {
        let mut released = self.released.subscribe();
        released
            .wait_for(|yes| *yes)
            .await
            .expect("the sender lives");
    }

    /// Blocks the thread, as bad code does.
    fn is_unblocked(&self) {
        let (blocked, changed) = &*self.blocked;
        let blocked = blocked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(blocked, DEADLINE, |blocked| *blocked);
        drop(waited);
    }
}

/// The interpreter.
pub struct Script {
    remote: Remote,
    ending: Duration,
    displays: HashMap<String, DisplayId>,
}

/// Text alone.
pub fn plain(text: &str) -> Media {
    Media::new(vec![MediaType::Plain(text.to_owned())])
}

fn failure(name: &str) -> Failure {
    Failure {
        name: name.to_owned(),
        value: format!("{name} happened"),
        traceback: vec!["a line".to_owned()],
        ..Failure::default()
    }
}

impl Script {
    /// An interpreter with this other end, which takes so long to give back what it holds.
    pub fn new(remote: Remote, ending: Duration) -> Self {
        Self {
            remote,
            ending,
            displays: HashMap::new(),
        }
    }

    async fn line(&mut self, line: &str, cell: &Cell) -> Result<(), Outcome> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let output = &cell.output;
        match word {
            "" => {}
            "print" => output.stdout(&format!("{rest}\n")).await,
            "warn" => output.stderr(&format!("{rest}\n")).await,
            "show" => output.display(plain(rest), None).await,
            "result" => output.result(cell.count, plain(rest)).await,
            "clear" => output.clear(true).await,
            "json" => {
                let value = json!({ "deep": [1, { "er": true }] });
                let both = vec![MediaType::Json(value), MediaType::Plain("json".to_owned())];
                output.display(Media::new(both), None).await;
            }
            "named" | "update" => self.display(word, rest, output).await,
            "fail" => {
                self.remote.failed.send_modify(|count| *count += 1);
                return Err(Outcome::Failed(failure(rest)));
            }
            "panic" => panic!("{rest}"),
            // Until it is interrupted.
            "wait" => {
                output.stdout("waiting\n").await;
                cell.stop.cancelled().await;
                return Err(Outcome::Interrupted);
            }
            // Until it is let go, whatever is interrupted.
            "hold" => {
                output.stdout("holding\n").await;
                self.remote.is_released().await;
            }
            "block" => {
                output.stdout("blocking\n").await;
                let remote = self.remote.clone();
                remote.is_unblocked();
            }
            "ask" | "ask-secret" => {
                let secret = word == "ask-secret";
                match cell.stdin.ask(rest, secret).await {
                    Ok(answer) => output.stdout(&format!("answer: {answer}\n")).await,
                    Err(error) if cell.stop.is_cancelled() => {
                        output.stdout(&format!("no answer: {error}\n")).await;
                        return Err(Outcome::Interrupted);
                    }
                    Err(error) => output.stdout(&format!("no answer: {error}\n")).await,
                }
            }
            "flood" => self.flood(rest, cell).await?,
            "late" => {
                let (remote, output) = (self.remote.clone(), output.clone());
                // It ends with the test's kernel: its deadline is the test's.
                tokio::spawn(async move {
                    remote.is_released().await;
                    output.stdout("late\n").await;
                });
            }
            unknown => panic!("the script has no {unknown}"),
        }
        Ok(())
    }

    /// `flood N BYTES`: so many messages of so many bytes, each with its number.
    async fn flood(&self, rest: &str, cell: &Cell) -> Result<(), Outcome> {
        let (count, bytes) = rest.split_once(' ').expect("flood N BYTES");
        let count: usize = count.parse().expect("a number");
        let filling = "x".repeat(bytes.parse().expect("a number"));
        for number in 0..count {
            if cell.stop.is_cancelled() {
                return Err(Outcome::Interrupted);
            }
            cell.output.stdout(&format!("{number} {filling}\n")).await;
            self.remote.flooded.send_replace(number + 1);
        }
        Ok(())
    }

    async fn display(&mut self, word: &str, rest: &str, output: &Output) {
        let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let id = self
            .displays
            .entry(name.to_owned())
            .or_insert_with(DisplayId::unique);
        if word == "named" {
            output.display(plain(text), Some(id)).await;
        } else {
            output.update(id, plain(text)).await;
        }
    }
}

#[async_trait]
impl Interpreter for Script {
    async fn execute(&mut self, source: &str, cell: Cell) -> Outcome {
        for line in source.lines() {
            if let Err(outcome) = self.line(line.trim(), &cell).await {
                return outcome;
            }
        }
        Outcome::Done
    }

    async fn evaluate(&mut self, expression: &str) -> Result<Media, Failure> {
        match expression {
            "fail" => Err(failure("BadExpression")),
            "panic" => panic!("as asked"),
            value => Ok(plain(value)),
        }
    }

    fn is_complete(&self, source: &str) -> Completeness {
        match source {
            "panic" => panic!("as asked"),
            "invalid" => Completeness::Invalid,
            "unknown" => Completeness::Unknown,
            _ if source.ends_with('\\') => Completeness::Incomplete {
                indent: "    ".to_owned(),
            },
            _ => Completeness::Complete,
        }
    }

    /// Proposes what stands before the cursor, so that a test sees where it was put.
    async fn complete(&mut self, source: &str, cursor: usize) -> Completions {
        assert_ne!(source, "panic", "as asked");
        Completions {
            matches: vec![Completion {
                signature: String::new(),
                text: source.chars().take(cursor).collect(),
                kind: "keyword",
            }],
            start: 0,
            end: cursor,
        }
    }

    async fn inspect(&mut self, source: &str, cursor: usize, detail: u8) -> Option<Media> {
        let at = source.chars().nth(cursor)?;
        Some(plain(&format!("{at} {detail}")))
    }

    async fn end(&mut self, restart: bool) {
        tokio::time::sleep(self.ending).await;
        self.remote.ended.send_replace(Some(restart));
    }
}
