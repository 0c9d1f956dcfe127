//! One execution on the server, from its plan to its end, over as many streams as it takes.
//!
//! [`step`] decides, [`drive`] does, [`results`] makes events of responses.

mod drive;
mod operation;
mod results;
mod sorted;
mod step;

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::engine::{Event, Events};
use crate::error::Error;
use drive::Drive;
pub(crate) use operation::Operation;

/// An execution that has not begun.
pub(crate) struct Job {
    /// What is executed, and how it is asked for.
    pub(crate) operation: Operation,
    /// How many rows of the result are passed on, where the plan itself sets no limit.
    pub(crate) rows: Option<u64>,
    /// Whether the plan may be sent again to a server that does not know it.
    pub(crate) resend: bool,
    /// Cancelled when the user wants it to stop.
    pub(crate) stop: CancellationToken,
}

/// The events of a job, which begins when they are first asked for. Its task is the session's; it
/// interrupts and releases the operation when the events are dropped, and ends soon after.
pub(crate) fn events(job: Job) -> Events {
    Box::pin(Running::Waiting(Box::new(job)))
}

/// The consumer's end of an execution.
enum Running {
    Waiting(Box<Job>),
    Begun(mpsc::Receiver<Result<Event, Error>>),
    Over,
}

impl Stream for Running {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut events = match std::mem::replace(&mut *self, Self::Over) {
            Self::Waiting(job) => begin(*job),
            Self::Begun(events) => events,
            Self::Over => return Poll::Ready(None),
        };
        let Poll::Ready(event) = events.poll_recv(cx) else {
            *self = Self::Begun(events);
            return Poll::Pending;
        };
        let event = event.unwrap_or(Err(Error::TaskLost));
        if !matches!(event, Ok(Event::Done(_)) | Err(_)) {
            *self = Self::Begun(events);
        }
        Poll::Ready(Some(event))
    }
}

fn begin(job: Job) -> mpsc::Receiver<Result<Event, Error>> {
    let (sender, receiver) = mpsc::channel(1);
    let session = job.operation.session().clone();
    session.spawn(Drive::new(job, sender).run());
    receiver
}
