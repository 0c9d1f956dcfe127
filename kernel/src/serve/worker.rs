//! What is served one after the other.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::guard::caught;
use super::requests::{comm, complete, execute, history, inspect, is_complete, kernel_info};
use super::{Request, Shared};
use crate::history::History;
use crate::run::interpreter::Interpreter;
use crate::run::queue::Fate;
use crate::wire::iopub::Bracket;
use crate::wire::stdin;

/// The worker's end, where the interpreter comes back.
pub(super) type Working = oneshot::Receiver<Box<dyn Interpreter>>;

/// Serves the queue.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) interpreter: Box<dyn Interpreter>,
    pub(super) history: History,
    pub(super) stdin: stdin::Socket,
    /// Number of the last execution that counted.
    pub(super) count: u32,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        interpreter: Box<dyn Interpreter>,
        history: History,
        stdin: stdin::Socket,
    ) -> Self {
        Self {
            shared,
            interpreter,
            history,
            stdin,
            count: 0,
        }
    }

    /// Serves the queue until it is closed and empty, and then gives the interpreter back.
    ///
    /// On a thread of its own: what wakes up on a thread that an interpreter blocks would have to
    /// wait for it, and control is not to.
    pub(super) fn start(self) -> io::Result<Working> {
        let (ended, working) = oneshot::channel();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("cells".to_owned())
            .spawn(move || {
                let interpreter = runtime.block_on(self.run());
                // Who waited may have given up.
                let _ = ended.send(interpreter);
            })?;
        Ok(working)
    }

    async fn run(mut self) -> Box<dyn Interpreter> {
        let shared = Arc::clone(&self.shared);
        loop {
            let next = tokio::select! {
                biased;
                next = shared.next() => next,
                never = between(&mut *self.interpreter) => match never {},
            };
            let Some((request, fate)) = next else {
                return self.interpreter;
            };
            self.serve(&request, fate).await;
        }
    }

    async fn serve(&mut self, request: &Request, fate: Fate) {
        let Request { received, answers } = request;
        // Before busy is told: who sees it may interrupt at once.
        let stop = self.shared.fresh_stop();
        let bracket = Bracket::open(&self.shared.iopub, &received.parent);
        let interpreter = &mut *self.interpreter;
        match received.parent.message_type() {
            "execute_request" => execute::answer(self, request, &bracket, fate, &stop).await,
            "complete_request" => complete::answer(interpreter, received, answers, &stop).await,
            "inspect_request" => inspect::answer(interpreter, received, answers, &stop).await,
            "is_complete_request" => is_complete::answer(interpreter, received, answers),
            "history_request" => history::answer(&self.history, received, answers),
            "kernel_info_request" => kernel_info::answer(&self.shared.about, received, answers),
            "comm_info_request" => comm::info(received, answers),
            "comm_open" => comm::open(received, &bracket),
            // There is no comm they could belong to.
            "comm_msg" | "comm_close" => {}
            // Among them what we do not advertise: debug_request, subshells. Clients expect no
            // answer.
            unknown => tracing::warn!(message_type = unknown, "this message is not known"),
        }
    }
}

/// Has the interpreter do what is to be done between requests. After a panic, which is in the log,
/// it has nothing to do until the next.
async fn between(interpreter: &mut dyn Interpreter) -> Infallible {
    // Neither way is there anything to do with what comes back.
    let _ = caught(interpreter.between()).await;
    std::future::pending().await
}
