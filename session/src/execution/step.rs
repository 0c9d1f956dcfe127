//! What to do next in a reattachable execution: pure steps from inputs to actions.
//!
//! The rules are those of Spark's own clients (pyspark 4.3, `reattach.py`), but for three: a
//! statement is sent again only where that cannot run it twice, responses are released in lots
//! instead of one by one, and streams that end at once without a response are not reopened for
//! ever.

use std::time::Duration;

use tokio::time::Instant;

use crate::failure::{Failure, Kind};
use crate::retry::{Failures, Moment, Retry};

/// Bytes of results after whose consumption the server is told to let go of them. It keeps 10 MiB
/// at most of what was sent, so this only keeps its memory lower than it has to be.
const RELEASE_AFTER: u64 = 1 << 20;

/// A stream that lived this long is no sign of spinning, whatever it brought.
const LIVED: Duration = Duration::from_millis(500);

/// How often an answering server may end streams at once without a response.
const BARREN: Retry = Retry {
    tries: 8,
    longest: Duration::from_secs(10),
    ..Retry::OFFICIAL
};

/// How long after an interrupt its confirmation is waited for.
const PATIENCE: Duration = Duration::from_millis(900);

/// Time between interrupts of an operation that the server does not know yet.
const AGAIN: Duration = Duration::from_millis(100);

/// How long after an interrupt that nobody waits for its effect is awaited.
const LEAVING_PATIENCE: Duration = Duration::from_secs(3);

/// How often an operation that nobody listens to any more is interrupted while the server does
/// not know it.
const LEAVING_TRIES: u32 = 25;

/// What was decided before the execution began.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Whether the plan may be sent again to a server that says it does not know the operation:
    /// the plan only reads, or the server is certainly the same one and would refuse the
    /// operation's id if it had run it.
    pub(super) resend: bool,
    /// How transient failures are retried. The budget is whole again after each response.
    pub(super) retry: Retry,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Input {
    /// A response came.
    Response { id: String, complete: bool },
    /// What the last response held was taken by the consumer; its size in bytes.
    Taken(u64),
    /// The stream ended well, or outlived its deadline.
    Ended,
    /// The stream, or opening it, failed.
    Failed(Failure),
    /// What came cannot be used; the consumer is told why.
    Broken,
    /// A release is over, well or not.
    Released,
    /// The user wants it to stop.
    Stop,
    /// An interrupt is over; whether to ask again, because the server does not know the operation
    /// yet.
    Interrupted { again: bool },
    /// The time until which [`Action::Expect`] asked to wait has come.
    OutOfPatience,
    /// Nobody listens any more.
    Gone,
}

/// What to do.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// Open a stream after a wait, in place of the one before.
    Open { stream: Open, after: Duration },
    /// Hand the response to the consumer.
    Emit,
    /// Tell the server that responses up to this one are no longer needed.
    ReleaseUntil(String),
    /// Tell the server that nothing of the operation is needed any more.
    ReleaseAll,
    /// Interrupt the operation after a wait.
    Interrupt { after: Duration },
    /// Call back at this time.
    Expect(Instant),
    /// Tell the consumer why there will be no complete result. Nothing is emitted after it.
    Fail(Verdict),
    /// End once what was begun is over: emitting, releasing.
    Finish,
}

/// Which stream to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Open {
    /// The first, which starts the operation.
    Execute,
    /// One that goes on after this response, or from the beginning.
    Reattach(Option<String>),
}

/// Why there will be no complete result.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// A call failed for good.
    Failure(Failure),
    /// The server forgot the operation after a part of its result had come.
    ResultLost(String),
    /// The server does not know the operation, and it may not be sent again.
    MayHaveRun(String),
    /// The user stopped it; whether the server confirmed that.
    Cancelled { confirmed: bool },
    /// The server ends streams without a response, again and again.
    NoProgress,
}

/// An execution so far.
#[derive(Debug)]
pub(super) struct Execution {
    rules: Rules,
    phase: Phase,
    /// Whether the plan reached the server, as far as we know.
    sent: bool,
    received: bool,
    last_response: Option<String>,
    stream: Segment,
    failures: Failures,
    barren: Failures,
    release: Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// Interrupted by the user, who waits to hear of it.
    Stopping,
    /// Nobody listens; so many interrupts found nothing.
    Leaving {
        tries: u32,
    },
    Over,
}

/// The stream that is open or being opened.
#[derive(Debug)]
struct Segment {
    kind: Open,
    opened: Instant,
    brought: bool,
}

/// What was asked of the server about releasing.
#[derive(Debug, Default)]
struct Release {
    under_way: bool,
    taken: u64,
    waiting: Option<String>,
}

impl Execution {
    /// An execution that begins now, and its first action.
    pub(super) fn begin(rules: Rules, at: Moment) -> (Self, Vec<Action>) {
        let execution = Self {
            rules,
            phase: Phase::Running,
            sent: false,
            received: false,
            last_response: None,
            stream: Segment {
                kind: Open::Execute,
                opened: at.now,
                brought: false,
            },
            failures: Failures::default(),
            barren: Failures::default(),
            release: Release::default(),
        };
        let first = Action::Open {
            stream: Open::Execute,
            after: Duration::ZERO,
        };
        (execution, vec![first])
    }

    /// What follows from what happened.
    pub(super) fn step(&mut self, input: Input, at: Moment) -> Vec<Action> {
        match (self.phase, input) {
            (Phase::Over, _) => Vec::new(),
            (Phase::Leaving { tries }, input) => self.leaving(&input, tries, at),
            (_, Input::Response { id, complete }) => self.response(id, complete),
            (_, Input::Taken(bytes)) => self.taken(bytes),
            (_, Input::Released) => self.released(),
            (_, Input::Ended) => self.ended(at),
            (_, Input::Failed(failure)) => self.failed(failure, at),
            (_, Input::Broken) => self.end(),
            (Phase::Running, Input::Stop) => self.stop(at),
            (Phase::Stopping, Input::Interrupted { again: true }) => {
                vec![Action::Interrupt { after: AGAIN }]
            }
            (Phase::Stopping, Input::OutOfPatience) => self.give_up(at),
            (_, Input::Gone) => self.leave(at),
            (_, Input::Stop | Input::Interrupted { .. } | Input::OutOfPatience) => Vec::new(),
        }
    }

    fn response(&mut self, id: String, complete: bool) -> Vec<Action> {
        self.sent = true;
        self.received = true;
        self.stream.brought = true;
        self.failures = Failures::default();
        self.barren = Failures::default();
        // A server that repeats the response we said we have would make rows twice.
        if self.last_response.as_ref() == Some(&id) && !id.is_empty() {
            return Vec::new();
        }
        self.last_response = Some(id).filter(|id| !id.is_empty());
        if !complete {
            return vec![Action::Emit];
        }
        self.phase = Phase::Over;
        vec![Action::Emit, Action::ReleaseAll, Action::Finish]
    }

    fn taken(&mut self, bytes: u64) -> Vec<Action> {
        self.release.taken += bytes;
        if self.release.taken < RELEASE_AFTER {
            return Vec::new();
        }
        self.release.taken = 0;
        self.release.waiting = self.last_response.clone();
        self.release_waiting()
    }

    fn released(&mut self) -> Vec<Action> {
        self.release.under_way = false;
        self.release_waiting()
    }

    fn release_waiting(&mut self) -> Vec<Action> {
        if self.release.under_way {
            return Vec::new();
        }
        let waiting = self.release.waiting.take();
        self.release.under_way = waiting.is_some();
        waiting.map(Action::ReleaseUntil).into_iter().collect()
    }

    fn ended(&mut self, at: Moment) -> Vec<Action> {
        self.sent = true;
        if self.stream.brought || at.now - self.stream.opened >= LIVED {
            return self.reattach(Duration::ZERO, at);
        }
        match self.barren.next(&BARREN, None, at) {
            Some(wait) => self.reattach(wait, at),
            None => self.fail(Verdict::NoProgress),
        }
    }

    fn failed(&mut self, failure: Failure, at: Moment) -> Vec<Action> {
        if failure.kind != Kind::NotSent {
            self.sent = true;
        }
        match failure.kind {
            Kind::OperationNotFound | Kind::SessionNotFound => self.unknown(failure, at),
            Kind::Deadline => self.ended(at),
            Kind::Cancelled => self.fail(Verdict::Cancelled { confirmed: true }),
            _ if !failure.is_transient() => self.fail(Verdict::Failure(failure)),
            _ if self.phase == Phase::Stopping => {
                self.fail(Verdict::Cancelled { confirmed: false })
            }
            _ => match self
                .failures
                .next(&self.rules.retry, failure.retry_after, at)
            {
                None => self.fail(Verdict::Failure(failure)),
                Some(wait) if self.sent => self.reattach(wait, at),
                Some(wait) => self.open(Open::Execute, wait, at),
            },
        }
    }

    /// The server does not know the operation or the session.
    fn unknown(&mut self, failure: Failure, at: Moment) -> Vec<Action> {
        if self.phase == Phase::Stopping {
            return self.fail(Verdict::Cancelled { confirmed: false });
        }
        let refused = self.stream.kind == Open::Execute;
        if !refused && !self.received && self.rules.resend {
            return match self
                .failures
                .next(&self.rules.retry, failure.retry_after, at)
            {
                Some(wait) => self.open(Open::Execute, wait, at),
                None => self.fail(Verdict::Failure(failure)),
            };
        }
        // That the session is gone says more than that its operation is.
        if refused || failure.kind == Kind::SessionNotFound {
            return self.fail(Verdict::Failure(failure));
        }
        if self.received {
            return self.fail(Verdict::ResultLost(failure.message));
        }
        self.fail(Verdict::MayHaveRun(failure.message))
    }

    fn stop(&mut self, at: Moment) -> Vec<Action> {
        self.phase = Phase::Stopping;
        vec![
            Action::Interrupt {
                after: Duration::ZERO,
            },
            Action::Expect(at.now + PATIENCE),
        ]
    }

    /// The server did not confirm in time: the user hears so, and the rest goes on without them.
    fn give_up(&mut self, at: Moment) -> Vec<Action> {
        let mut actions = vec![Action::Fail(Verdict::Cancelled { confirmed: false })];
        actions.extend(self.leave(at));
        actions
    }

    fn leave(&mut self, at: Moment) -> Vec<Action> {
        self.phase = Phase::Leaving { tries: 0 };
        vec![
            Action::Interrupt {
                after: Duration::ZERO,
            },
            Action::Expect(at.now + LEAVING_PATIENCE),
        ]
    }

    /// Spark 4.3 trips over the release of an operation that is still being cancelled, and then
    /// counts it as running for ever. So the stream is read until it says that it was.
    fn leaving(&mut self, input: &Input, tries: u32, at: Moment) -> Vec<Action> {
        match input {
            Input::Response { complete, .. } => {
                self.received = true;
                if *complete { self.end() } else { Vec::new() }
            }
            Input::Interrupted { again: false } => Vec::new(),
            // The plan may still be on its way; one that was answered has arrived, and is over.
            Input::Interrupted { again: true } if self.received || tries + 1 >= LEAVING_TRIES => {
                self.end()
            }
            Input::Interrupted { again: true } => {
                self.phase = Phase::Leaving { tries: tries + 1 };
                vec![Action::Interrupt { after: AGAIN }]
            }
            Input::Ended => match self.barren.next(&BARREN, None, at) {
                Some(wait) => self.reattach(wait, at),
                None => self.end(),
            },
            Input::Failed(_) | Input::Broken | Input::OutOfPatience => self.end(),
            Input::Taken(_) | Input::Released | Input::Stop | Input::Gone => Vec::new(),
        }
    }

    fn end(&mut self) -> Vec<Action> {
        self.phase = Phase::Over;
        vec![Action::ReleaseAll, Action::Finish]
    }

    fn fail(&mut self, verdict: Verdict) -> Vec<Action> {
        self.phase = Phase::Over;
        let unsent = matches!(&verdict, Verdict::Failure(failure) if failure.kind == Kind::NotSent);
        let release = (self.sent || !unsent).then_some(Action::ReleaseAll);
        let mut actions: Vec<Action> = release.into_iter().collect();
        actions.extend([Action::Fail(verdict), Action::Finish]);
        actions
    }

    fn reattach(&mut self, after: Duration, at: Moment) -> Vec<Action> {
        self.open(Open::Reattach(self.last_response.clone()), after, at)
    }

    fn open(&mut self, stream: Open, after: Duration, at: Moment) -> Vec<Action> {
        self.stream = Segment {
            kind: stream.clone(),
            opened: at.now + after,
            brought: false,
        };
        vec![Action::Open { stream, after }]
    }
}

#[cfg(test)]
mod tests;
