//! What the front and the worker share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::About;
use crate::run::queue::{Fate, Queue};
use crate::wire::frames::Received;
use crate::wire::iopub::Iopub;
use crate::wire::router::Answers;

/// What the front and the worker share.
pub(super) struct Shared {
    pub(super) iopub: Iopub,
    pub(super) about: About,
    queue: Mutex<Queue<Request>>,
    /// Something was queued.
    queued: Notify,
    /// Nothing more is taken; executions that wait are aborted.
    closing: CancellationToken,
    /// What runs has had its time to end.
    given_up: CancellationToken,
    /// Stops what runs now.
    running: Mutex<CancellationToken>,
}

/// A request that waits for its turn, and where its answer goes.
pub(super) struct Request {
    pub(super) received: Received,
    pub(super) answers: Answers,
}

impl Request {
    fn is_execution(&self) -> bool {
        self.received.parent.message_type() == "execute_request"
    }
}

impl Shared {
    pub(super) fn new(iopub: Iopub, about: About) -> Self {
        Self {
            iopub,
            about,
            queue: Mutex::default(),
            queued: Notify::new(),
            closing: CancellationToken::new(),
            given_up: CancellationToken::new(),
            running: Mutex::default(),
        }
    }

    pub(super) fn push(&self, request: Request) {
        self.queue().push(request);
        self.queued.notify_one();
    }

    /// The next request; once the kernel is closing, executions among the rest are aborted, and
    /// after the last there is none.
    pub(super) async fn next(&self) -> Option<(Request, Fate)> {
        loop {
            let closing = self.closing.is_cancelled();
            if closing {
                self.abort_executions();
            }
            let next = self.queue().pop();
            if next.is_some() || closing {
                return next;
            }
            tokio::select! {
                () = self.queued.notified() => {}
                () = self.closing.cancelled() => {}
            }
        }
    }

    /// Aborts the executions that wait now.
    pub(super) fn abort_executions(&self) {
        self.queue().abort(Request::is_execution);
    }

    /// Stops what runs, if anything does.
    pub(super) fn interrupt(&self) {
        self.running().cancel();
    }

    /// A token for what runs next; closing stops it as well.
    pub(super) fn fresh_stop(&self) -> CancellationToken {
        let fresh = self.closing.child_token();
        *self.running() = fresh.clone();
        fresh
    }

    /// Closes when the guard is dropped, if not before.
    pub(super) fn close_on_drop(&self) -> DropGuard {
        self.closing.clone().drop_guard()
    }

    pub(super) fn close(&self) {
        self.closing.cancel();
    }

    pub(super) fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Waits until what runs has had its time to end.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }

    fn queue(&self) -> MutexGuard<'_, Queue<Request>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, CancellationToken> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
