//! The kernel's loop: requests in, answers out, until somebody says that it is over.
//!
//! One task takes requests from shell and control as they come. What must not wait (kernel_info on
//! control, and interrupt and shutdown wherever they come) it serves itself; the rest goes into
//! the queue of the worker, which serves one after the other.
//!
//! Three threads, so that none waits for another's work: all that speaks to front ends lives on the
//! sockets' own, the interpreter's connections on that of who calls, and cells on the worker's.

mod front;
mod guard;
mod requests;
mod shared;
mod worker;

use std::future;
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
use crate::wire::router::{self, Answers, Requests};
use crate::wire::sockets::Sockets;
use crate::wire::{BindError, stdin};
use shared::{Request, Shared};
use worker::{Worker, Working};

/// How long a running cell may take to end when the kernel is shut down. All these together are
/// less than the 5 s after which jupyter_client kills a kernel.
const CELL_END: Duration = Duration::from_millis(1500);

/// How long a cell that is given up may take to be gone.
const GIVEN_UP: Duration = Duration::from_millis(300);

/// How long giving back what the interpreter holds may take.
const INTERPRETER_END: Duration = Duration::from_secs(2);

/// How long the last messages may take to leave, first ours and then the library's.
const LINGER: Duration = Duration::from_millis(300);

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
    mut signals: Signals,
) -> Result<(), BindError> {
    let (wire, requests) = Wire::open(connection, limits).await?;
    let shared = Arc::new(Shared::new(wire.iopub.clone(), about));
    // The worker's thread ends also when nobody waits for us any more.
    let _close = shared.close_on_drop();
    let worker = Worker::new(
        Arc::clone(&shared),
        interpreter,
        history,
        wire.stdin.clone(),
    );
    let mut working = worker
        .start()
        .map_err(|error| BindError::new(&connection.address(Channel::Shell), error))?;
    shared.iopub.starting();
    let (tell, mut told) = mpsc::channel(1);
    let listening = wire
        .sockets
        .spawn(listen(Arc::clone(&shared), requests, tell));
    let ended = tokio::select! {
        asked = told.recv() => match asked {
            Some(Asked { restart }) => Ended::Asked { restart },
            // Nobody would be heard any more.
            None => Ended::Broken,
        },
        () = signals.stop.cancelled() => Ended::Asked { restart: false },
        () = hear_interrupts(&shared, &mut signals.interrupts) => Ended::Broken,
        _ = &mut working => Ended::Broken,
    };
    match ended {
        // Who asks meanwhile is answered, too.
        Ended::Asked { restart } => end(&shared, working, restart).await,
        Ended::Broken => tracing::error!("a part of the kernel ended by itself"),
    }
    wire.close(listening).await;
    Ok(())
}

/// The sockets of one kernel, and what they are served by.
struct Wire {
    shell: Answers,
    control: Answers,
    stdin: stdin::Socket,
    iopub: Iopub,
    publishing: AbortOnDropHandle<()>,
    serving: Vec<AbortOnDropHandle<()>>,
    sockets: Sockets,
}

/// What is listened to.
struct Heard {
    shell: (Requests, Answers),
    control: (Requests, Answers),
}

impl Wire {
    async fn open(connection: &Connection, limits: Limits) -> Result<(Self, Heard), BindError> {
        let writer = Writer::new(connection.key());
        let heartbeat = connection.address(Channel::Heartbeat);
        let failed = |error| BindError::new(&heartbeat, error);
        let sockets = Sockets::start().map_err(failed)?;
        let bound = heartbeat.bind().map_err(failed)?;
        let echoing = sockets.heartbeat(bound).await.map_err(failed)?;
        let router = |channel| router::bind(&sockets, connection, channel, writer.clone());
        let shell = router(Channel::Shell).await?;
        let control = router(Channel::Control).await?;
        let asking = router(Channel::Stdin).await?;
        let (stdin, hear) = stdin::Socket::new(asking.requests, asking.answers);
        let address = connection.address(Channel::Iopub);
        let (iopub, publishing) = address
            .bind()
            .and_then(|bound| Iopub::open(bound, writer.clone(), limits, &sockets))
            .map_err(|error| BindError::new(&address, error))?;
        let wire = Self {
            shell: shell.answers.clone(),
            control: control.answers.clone(),
            stdin,
            iopub,
            publishing,
            serving: vec![
                echoing,
                shell.sending,
                control.sending,
                asking.sending,
                sockets.spawn(hear),
            ],
            sockets,
        };
        let heard = Heard {
            shell: (shell.requests, shell.answers),
            control: (control.requests, control.answers),
        };
        Ok((wire, heard))
    }

    /// Lets the last messages leave, and closes everything.
    async fn close(self, listening: AbortOnDropHandle<()>) {
        tokio::join!(
            self.iopub.drain(LINGER),
            self.shell.drain(LINGER),
            self.control.drain(LINGER)
        );
        self.publishing.abort();
        // Cancelled, which is as it should be.
        let _ = self.publishing.await;
        drop((listening, self.serving));
        self.sockets.linger(LINGER).await;
    }
}

/// Why the loop ended.
enum Ended {
    /// The front end or a signal asked for it.
    Asked { restart: bool },
    /// Nothing can be served any more, by a fault of our own.
    Broken,
}

/// Somebody at the front end wants the kernel to end.
struct Asked {
    /// Whether it is to be started again.
    restart: bool,
}

/// Takes requests for as long as the kernel is there, and tells when one of them is to end it.
async fn listen(shared: Arc<Shared>, heard: Heard, tell: mpsc::Sender<Asked>) {
    let (mut shell, shell_answers) = heard.shell;
    let (mut control, control_answers) = heard.control;
    loop {
        let verdict = tokio::select! {
            // Control first: nobody who asks there is to wait for a flood on shell.
            biased;
            received = control.next() => front::control(&shared, received, &control_answers),
            received = shell.next() => front::shell(&shared, received, &shell_answers),
        };
        if let front::Verdict::End { restart } = verdict {
            // One that is told is enough.
            let _ = tell.try_send(Asked { restart });
        }
    }
}

/// Never ends: without anybody who could interrupt, nothing is interrupted.
async fn hear_interrupts(shared: &Shared, interrupts: &mut mpsc::Receiver<()>) {
    while let Some(()) = interrupts.recv().await {
        shared.interrupt();
    }
    future::pending::<()>().await;
}

/// Lets the worker finish and the interpreter give back what it holds, each in its time.
async fn end(shared: &Shared, mut working: Working, restart: bool) {
    shared.close();
    let mut finished = tokio::time::timeout(CELL_END, &mut working).await;
    if finished.is_err() {
        tracing::warn!("the running cell did not end in time and is given up");
        shared.give_up();
        finished = tokio::time::timeout(GIVEN_UP, &mut working).await;
    }
    match finished {
        Ok(Ok(mut interpreter)) => {
            let end = guard::caught(interpreter.end(restart));
            match tokio::time::timeout(INTERPRETER_END, end).await {
                // A panic is in the log already.
                Ok(Ok(()) | Err(_)) => {}
                Err(_) => tracing::warn!("giving back what the interpreter holds took too long"),
            }
        }
        Ok(Err(_)) => tracing::error!("the worker panicked"),
        Err(_) => tracing::error!("the running cell blocks its thread; it ends with the kernel"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_ends_before_jupyter_client_kills_it() {
        let patience = Duration::from_secs(5);
        assert!(CELL_END + GIVEN_UP + INTERPRETER_END + LINGER + LINGER < patience);
    }
}
