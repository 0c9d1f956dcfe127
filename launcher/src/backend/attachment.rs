//! A kernel's end of its standing with a driver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use firesteel_session::address::Address;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::attach::state::{DriverState, Facts, Outlook};
use crate::cause::{Cause, Kind};

/// How long a goodbye may take to be said.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a kernel tells its keeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// So many cells run.
    Running(u32),
    /// The driver is not to be given back for so long.
    Keep(Duration),
    /// The session holds this.
    Holds(String),
    /// The kernel leaves.
    Goodbye,
}

/// A kernel's standing with a driver.
///
/// Dropping it is the same as dying: the driver interrupts what the kernel runs and releases its
/// session at once. A driver ends some time after its last attachment, as its profile says.
#[derive(Debug)]
pub struct Attachment {
    address: Address,
    news: News,
    /// To the task that owns the stream; `None` where nobody listens, as with a server not ours.
    words: Option<mpsc::UnboundedSender<Word>>,
    /// Owns that task.
    tasks: JoinSet<()>,
}

/// What a kernel hears of its driver.
#[derive(Debug)]
pub(crate) struct News {
    pub(crate) state: watch::Receiver<DriverState>,
    pub(crate) outlook: watch::Receiver<Outlook>,
    pub(crate) notices: Arc<Notices>,
}

/// Sentences for the user that nobody has seen yet.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<Vec<String>>);

impl Notices {
    /// Adds a sentence.
    pub(crate) fn add(&self, sentence: String) {
        self.unseen().push(sentence);
    }

    fn unseen(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attachment {
    pub(crate) fn new(
        address: Address,
        news: News,
        words: Option<mpsc::UnboundedSender<Word>>,
        tasks: JoinSet<()>,
    ) -> Self {
        Self {
            address,
            news,
            words,
            tasks,
        }
    }

    /// Where the driver takes calls, once it is ready: with token, user and session.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sentences for the user that were not taken before, such as that the profile was edited since
    /// the driver started, or why an executor was lost.
    pub fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.news.notices.unseen())
    }

    /// What else is known of the driver, now and from now on.
    pub fn outlook(&self) -> watch::Receiver<Outlook> {
        self.news.outlook.clone()
    }

    /// The driver's state, now and from now on. After [`DriverState::Ended`] nothing follows: the
    /// attachment is over, and another may be made.
    pub fn state(&self) -> watch::Receiver<DriverState> {
        self.news.state.clone()
    }

    /// Waits until the driver takes calls. Cancel-safe. The start's deadline is the keeper's.
    ///
    /// # Errors
    /// Why it never will.
    pub async fn ready(&self) -> Result<Facts, Cause> {
        let mut state = self.news.state.clone();
        let settled = state
            .wait_for(|state| !matches!(state, DriverState::Starting { .. }))
            .await;
        match settled.as_deref() {
            Ok(DriverState::Ready(facts)) => Ok(facts.clone()),
            Ok(DriverState::Ended(cause)) => Err(cause.clone()),
            Ok(DriverState::Starting { .. }) | Err(_) => Err(Cause::new(
                Kind::KeeperLost,
                "The keeper of the Spark driver is no longer heard",
                "Run the cell again; a new driver is started.",
            )),
        }
    }

    /// Tells how many cells run. While any does, the driver is busy and is never given back.
    pub fn running(&self, cells: u32) {
        self.say(Word::Running(cells));
    }

    /// Asks the keeper not to give the driver back for being idle within that time; zero takes the
    /// wish back.
    pub fn keep(&self, time: Duration) {
        self.say(Word::Keep(time));
    }

    /// Tells what the session holds that is lost with the driver, in words; empty where nothing is.
    /// A driver is kept idle for longer where something would be lost.
    pub fn holds(&self, what: impl Into<String>) {
        self.say(Word::Holds(what.into()));
    }

    fn say(&self, word: Word) {
        if let Some(words) = &self.words {
            // A keeper that is gone has told so by the state.
            let _gone = words.send(word);
        }
    }

    /// Leaves: the session is released, and the driver ends in its time. Waits two seconds at most.
    pub async fn goodbye(mut self) {
        if let Some(words) = self.words.take() {
            let _gone = words.send(Word::Goodbye);
        }
        let said = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GOODBYE, said).await.is_err() {
            tracing::warn!("the keeper did not take a goodbye in time");
        }
    }
}
