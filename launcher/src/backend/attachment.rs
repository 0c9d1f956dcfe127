//! A kernel's end of its standing with a driver.

use std::time::Duration;

use firesteel_session::address::Address;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::attach::state::{DriverState, Facts};
use crate::cause::{Cause, Kind};

/// How long a goodbye may take to be said.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a kernel tells its keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// So many cells run.
    Running(u32),
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
    warnings: Vec<String>,
    state: watch::Receiver<DriverState>,
    /// To the task that owns the stream; `None` where nobody listens, as with a server not ours.
    words: Option<mpsc::UnboundedSender<Word>>,
    /// Owns that task.
    tasks: JoinSet<()>,
}

impl Attachment {
    pub(crate) fn new(
        address: Address,
        warnings: Vec<String>,
        state: watch::Receiver<DriverState>,
        words: Option<mpsc::UnboundedSender<Word>>,
        tasks: JoinSet<()>,
    ) -> Self {
        Self {
            address,
            warnings,
            state,
            words,
            tasks,
        }
    }

    /// Where the driver takes calls, once it is ready: with token, user and session.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sentences for the cell that attached, such as that the profile was edited since the driver
    /// started.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The driver's state, now and from now on. After [`DriverState::Ended`] nothing follows: the
    /// attachment is over, and another may be made.
    pub fn state(&self) -> watch::Receiver<DriverState> {
        self.state.clone()
    }

    /// Waits until the driver takes calls. Cancel-safe. The start's deadline is the keeper's.
    ///
    /// # Errors
    /// Why it never will.
    pub async fn ready(&self) -> Result<Facts, Cause> {
        let mut state = self.state.clone();
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
        if let Some(words) = &self.words {
            // A keeper that is gone has told so by the state.
            let _gone = words.send(Word::Running(cells));
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
