//! What everyone in a keeper may know of the driver's executors. Where it has none apart from
//! itself, nobody ever shows any.

use std::sync::{Arc, OnceLock};

use tokio::sync::{broadcast, watch};
use tonic::Status;

use super::steer::Logs;
use crate::attach::state::Executors;
use crate::cluster::executors::Executor;

/// How many notices a kernel may be behind before it misses some.
const NOTICES: usize = 64;

/// The executors, for everyone to see.
#[derive(Clone)]
pub(super) struct Crew(Arc<Board>);

struct Board {
    count: watch::Sender<Option<Executors>>,
    roster: watch::Sender<Vec<Executor>>,
    notices: broadcast::Sender<String>,
    logs: OnceLock<Logs>,
}

impl Default for Crew {
    fn default() -> Self {
        Self(Arc::new(Board {
            count: watch::Sender::new(None),
            roster: watch::Sender::default(),
            notices: broadcast::Sender::new(NOTICES),
            logs: OnceLock::new(),
        }))
    }
}

impl Crew {
    /// Shows which executors there are.
    pub(super) fn show(&self, roster: Vec<Executor>, count: Executors) {
        let Board {
            roster: shown,
            count: counted,
            ..
        } = &*self.0;
        shown.send_replace(roster);
        counted.send_if_modified(|was| was.replace(count) != Some(count));
    }

    /// Tells every kernel that is there a sentence.
    pub(super) fn tell(&self, sentence: String) {
        tracing::info!(sentence, "the users are told");
        // Where nobody is, nobody misses it.
        let _nobody = self.0.notices.send(sentence);
    }

    /// From now on executors' logs can be read.
    pub(super) fn open_logs(&self, logs: Logs) {
        let _open = self.0.logs.set(logs);
    }

    /// Which executors there are.
    pub(super) fn roster(&self) -> Vec<Executor> {
        self.0.roster.borrow().clone()
    }

    /// Follows how many executors there are. Where any were shown, that is news already.
    pub(super) fn count(&self) -> watch::Receiver<Option<Executors>> {
        let mut count = self.0.count.subscribe();
        if count.borrow().is_some() {
            count.mark_changed();
        }
        count
    }

    /// The sentences for kernels from now on.
    pub(super) fn notices(&self) -> broadcast::Receiver<String> {
        self.0.notices.subscribe()
    }

    /// The end of an executor's log.
    pub(super) async fn log(&self, id: &str, lines: u32) -> Result<String, Status> {
        let roster = self.roster();
        let Some(executor) = roster.iter().find(|executor| executor.id == id) else {
            let ids: Vec<&str> = roster.iter().map(|executor| executor.id.as_str()).collect();
            let there = match ids.as_slice() {
                [] => "the driver has no executors now".to_owned(),
                ids => format!("the driver has executors {}", ids.join(", ")),
            };
            return Err(Status::not_found(format!(
                "there is no executor {id}: {there}"
            )));
        };
        match self.0.logs.get() {
            Some(logs) => logs.tail(&executor.pod, lines).await,
            None => Err(Status::unavailable("executors' logs cannot be read yet")),
        }
    }
}
