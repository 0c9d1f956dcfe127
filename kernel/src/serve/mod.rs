//! The kernel's loop: requests in, answers out, until somebody says that it is over.
//!
//! One task takes requests from shell and control as they come. What must not wait (kernel_info on
//! control, and interrupt and shutdown wherever they come) it serves itself; the rest goes into
//! the queue of the worker, which serves one after the other.

mod front;
mod guard;
mod requests;
mod shared;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{HelpLink, LanguageInfo};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::history::History;
use crate::run::interpreter::Interpreter;
use crate::wire::connection::{Channel, Connection};
use crate::wire::frames::Writer;
use crate::wire::iopub::{Iopub, Limits};
use crate::wire::router::{self, Router};
use crate::wire::sockets::Sockets;
use crate::wire::{BindError, stdin};
use shared::{Request, Shared};

/// How long a running cell may take to end when the kernel is shut down.
const CELL_END: Duration = Duration::from_secs(2);

/// How long a cell that is given up may take to be gone.
const GIVEN_UP: Duration = Duration::from_millis(500);

/// How long giving back what the interpreter holds may take.
const INTERPRETER_END: Duration = Duration::from_secs(2);

/// How long the last messages may take to leave, first ours and then the library's.
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

/// Serves a front end until it says that the kernel is to end, or a signal does. When it returns,
/// the interpreter has given back what it held and the last messages have left, each in its time.
///
/// # Errors
/// When a socket cannot be bound where the connection says.
pub async fn serve(
    connection: &Connection,
    interpreter: Box<dyn Interpreter>,
    about: About,
    history: History,
    limits: Limits,
    signals: Signals,
) -> Result<(), BindError> {
    let wire = Wire::open(connection, limits).await?;
    let shared = Arc::new(Shared::new(wire.iopub.clone(), about));
    let Router {
        requests,
        answers,
        sending: _asking,
    } = wire.stdin;
    let (stdin, hear) = stdin::Socket::new(requests, answers);
    let _hearing = AbortOnDropHandle::new(tokio::spawn(hear));
    let worker = worker::Worker::new(Arc::clone(&shared), interpreter, history, stdin);
    let mut worker = AbortOnDropHandle::new(tokio::spawn(worker.run()));
    shared.iopub.starting();

    let (mut shell, mut control) = (wire.shell, wire.control);
    let ended = listen(&shared, &mut shell, &mut control, &mut worker, signals).await;
    if let Ended::Asked { restart } = ended {
        end(&shared, worker, restart).await;
    }
    let (iopub, shell, control) = (wire.iopub, shell, control);
    tokio::join!(
        iopub.drain(LINGER),
        shell.answers.drain(LINGER),
        control.answers.drain(LINGER)
    );
    drop((shell, control));
    wire.sockets.linger(LINGER).await;
    Ok(())
}

/// The sockets of one kernel.
struct Wire {
    shell: Router,
    control: Router,
    stdin: Router,
    iopub: Iopub,
    _publisher: AbortOnDropHandle<()>,
    _heartbeat: AbortOnDropHandle<()>,
    sockets: Sockets,
}

impl Wire {
    async fn open(connection: &Connection, limits: Limits) -> Result<Self, BindError> {
        let writer = Writer::new(connection.key());
        let heartbeat = connection.address(Channel::Heartbeat);
        let failed = |error| BindError::new(&heartbeat, error);
        let sockets = Sockets::start().map_err(failed)?;
        let bound = heartbeat.bind().map_err(failed)?;
        let echoing = sockets.heartbeat(bound).await.map_err(failed)?;
        let router = |channel| router::bind(&sockets, connection, channel, writer.clone());
        let (shell, control, stdin) = (
            router(Channel::Shell).await?,
            router(Channel::Control).await?,
            router(Channel::Stdin).await?,
        );
        let address = connection.address(Channel::Iopub);
        let (iopub, publisher) = address
            .bind()
            .and_then(|bound| Iopub::open(bound, writer.clone(), limits))
            .map_err(|error| BindError::new(&address, error))?;
        Ok(Self {
            shell,
            control,
            stdin,
            iopub,
            _publisher: publisher,
            _heartbeat: echoing,
            sockets,
        })
    }
}

/// Why the loop ended.
enum Ended {
    /// The front end or a signal asked for it.
    Asked { restart: bool },
    /// Nothing can be served any more, by a fault of our own.
    Broken,
}

type Working = AbortOnDropHandle<Box<dyn Interpreter>>;

async fn listen(
    shared: &Shared,
    shell: &mut Router,
    control: &mut Router,
    worker: &mut Working,
    mut signals: Signals,
) -> Ended {
    loop {
        let verdict = tokio::select! {
            // Control first: nobody who asks there is to wait for a flood on shell.
            biased;
            () = signals.stop.cancelled() => return Ended::Asked { restart: false },
            Some(()) = signals.interrupts.recv() => {
                shared.interrupt();
                continue;
            }
            Err(error) = &mut *worker => {
                tracing::error!(%error, "the worker panicked");
                return Ended::Broken;
            }
            received = control.requests.next() => {
                front::control(shared, received, &control.answers)
            }
            received = shell.requests.next() => front::shell(shared, received, &shell.answers),
        };
        if let front::Verdict::End { restart } = verdict {
            return Ended::Asked { restart };
        }
    }
}

/// Lets the worker finish and the interpreter give back what it holds, each in its time.
async fn end(shared: &Shared, mut worker: Working, restart: bool) {
    shared.close();
    let mut finished = tokio::time::timeout(CELL_END, &mut worker).await;
    if finished.is_err() {
        tracing::warn!("the running cell did not end in time and is given up");
        shared.give_up();
        finished = tokio::time::timeout(GIVEN_UP, &mut worker).await;
    }
    match finished {
        Ok(Ok(mut interpreter)) => {
            let end = interpreter.end(restart);
            if tokio::time::timeout(INTERPRETER_END, end).await.is_err() {
                tracing::warn!("giving back what the interpreter holds took too long");
            }
        }
        Ok(Err(error)) => tracing::error!(%error, "the worker panicked"),
        Err(_) => tracing::error!("the running cell blocks its thread; it ends with the kernel"),
    }
}
