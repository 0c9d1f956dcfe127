//! The kernel's loop: requests in, answers out, until somebody says that it is over.
//!
//! One task takes requests from shell and control as they come. What must not wait (anything on
//! control, and interrupt and shutdown wherever they come) it serves itself; the rest goes into
//! the queue of the worker, which serves one after the other.

mod front;
mod requests;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jupyter_protocol::{HelpLink, LanguageInfo};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::history::History;
use crate::run::interpreter::Interpreter;
use crate::run::queue::{Fate, Queue};
use crate::wire::connection::{Channel, Connection};
use crate::wire::frames::{Reader, Received, Writer};
use crate::wire::iopub::{Iopub, Limits};
use crate::wire::{BindError, Heartbeat, router, stdin};

/// How long a running cell may take to end when the kernel is shut down.
const CELL_END: Duration = Duration::from_secs(2);

/// How long giving back what the interpreter holds may take.
const INTERPRETER_END: Duration = Duration::from_secs(2);

/// How long the last messages may take to leave.
const LINGER: Duration = Duration::from_millis(500);

/// What the kernel says of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// The program's name.
    pub implementation: String,
    /// The program's version.
    pub version: String,
    /// The language of the cells.
    pub language: LanguageInfo,
    /// What a console shows first.
    pub banner: String,
    /// Links for a help menu.
    pub help_links: Vec<HelpLink>,
}

/// What the process is told from outside the protocol.
#[derive(Debug)]
pub struct Signals {
    /// Each is an interrupt, as SIGINT is.
    pub interrupts: mpsc::Receiver<()>,
    /// Cancelled when the kernel is to end, as by SIGTERM.
    pub stop: CancellationToken,
}

/// What the front and the worker share.
struct Shared {
    iopub: Iopub,
    about: About,
    queue: Mutex<Queue<Request>>,
    /// Something was queued, or the queue was closed.
    queued: Notify,
    closing: CancellationToken,
    /// Stops the cell that runs now.
    running: Mutex<CancellationToken>,
}

/// A request that waits for its turn, and where its answer goes.
struct Request {
    received: Received,
    answers: router::Answers,
}

impl Request {
    fn is_execution(&self) -> bool {
        self.received.parent.message_type() == "execute_request"
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue<Request>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, request: Request) {
        self.queue().push(request);
        self.queued.notify_one();
    }

    /// The next request; once the kernel is closing, executions among the rest are aborted, and
    /// after the last there is none.
    async fn next(&self) -> Option<(Request, Fate)> {
        loop {
            if self.closing.is_cancelled() {
                self.queue().abort(Request::is_execution);
            }
            let next = self.queue().pop();
            if next.is_some() {
                return next;
            }
            if self.closing.is_cancelled() {
                return None;
            }
            tokio::select! {
                () = self.queued.notified() => {}
                () = self.closing.cancelled() => {}
            }
        }
    }

    /// Stops the cell that runs, if one does.
    fn interrupt(&self) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancel();
    }

    /// A token for the cell that runs next.
    fn fresh_stop(&self) -> CancellationToken {
        let fresh = CancellationToken::new();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        fresh
    }
}

/// Serves a front end until it says that the kernel is to end, or a signal does.
///
/// # Errors
/// When a socket cannot be bound where the connection says.
pub async fn serve(
    connection: &Connection,
    interpreter: Box<dyn Interpreter>,
    about: About,
    history: History,
    limits: Limits,
    mut signals: Signals,
) -> Result<(), BindError> {
    let writer = Writer::new(connection.key());
    let bind = |name, channel| {
        let reader = Reader::new(connection.key());
        let address = connection.address(channel);
        let writer = writer.clone();
        async move { router::bind(name, &address, reader, writer).await }
    };
    let (mut shell, shell_answers) = bind("shell", Channel::Shell).await?;
    let (mut control, control_answers) = bind("control", Channel::Control).await?;
    let (stdin, stdin_answers) = bind("stdin", Channel::Stdin).await?;
    let heartbeat = Heartbeat::start(&connection.address(Channel::Heartbeat)).await?;
    let iopub_address = connection.address(Channel::Iopub);
    let (iopub, publisher) = Iopub::open(&iopub_address, writer.clone(), limits)
        .await
        .map_err(|error| BindError {
            endpoint: iopub_address.endpoint(),
            source: error.into(),
        })?;
    iopub.starting();

    let shared = Arc::new(Shared {
        iopub: iopub.clone(),
        about,
        queue: Mutex::default(),
        queued: Notify::new(),
        closing: CancellationToken::new(),
        running: Mutex::default(),
    });
    let stdin = stdin::Socket::new(stdin, stdin_answers);
    let worker = worker::Worker::new(Arc::clone(&shared), interpreter, history, stdin);
    let mut worker = tokio::spawn(worker.run());

    let ended = loop {
        let verdict = tokio::select! {
            // Control first: nobody who asks there is to wait for a flood on shell.
            biased;
            () = signals.stop.cancelled() => break Ended::Asked { restart: false },
            Some(()) = signals.interrupts.recv() => {
                shared.interrupt();
                continue;
            }
            Err(error) = &mut worker => {
                tracing::error!(%error, "the worker panicked");
                break Ended::Broken;
            }
            received = control.next() => front::control(&shared, &received, &control_answers),
            received = shell.next() => front::shell(&shared, received, &shell_answers),
        };
        if let front::Verdict::End { restart } = verdict {
            break Ended::Asked { restart };
        }
    };

    if let Ended::Asked { restart } = ended {
        shared.closing.cancel();
        shared.interrupt();
        end(worker, restart).await;
    }
    shell_answers.drain(LINGER).await;
    control_answers.drain(LINGER).await;
    iopub.drain(LINGER).await;
    drop(heartbeat);
    publisher.abort();
    Ok(())
}

/// Why the loop ended.
enum Ended {
    /// The front end or a signal asked for it.
    Asked { restart: bool },
    /// Nothing can be served any more, by a fault of our own.
    Broken,
}

/// Lets the worker finish and the interpreter give back what it holds, each in its time.
async fn end(mut worker: JoinHandle<Box<dyn Interpreter>>, restart: bool) {
    match tokio::time::timeout(CELL_END, &mut worker).await {
        Ok(Ok(mut interpreter)) => {
            let end = interpreter.end(restart);
            if tokio::time::timeout(INTERPRETER_END, end).await.is_err() {
                tracing::warn!("giving back what the interpreter holds took too long");
            }
        }
        Ok(Err(error)) => tracing::error!(%error, "the worker panicked"),
        Err(_) => {
            tracing::warn!("the running cell did not end in time");
            worker.abort();
        }
    }
}
