//! The loop that carries an execution out: it waits for what happens and does what [`Execution`]
//! says.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Job;
use super::operation::Operation;
use super::results::Results;
use super::step::{Action, Execution, Input, Open, Rules, Verdict};
use crate::call::Call;
use crate::engine::Event;
use crate::error::Error;
use crate::failure::{Failure, Kind};
use crate::proto::ExecutePlanResponse;
use crate::proto::execute_plan_response::ResponseType;
use crate::retry::Moment;

/// How long an interrupt or a release is tried, with all its retries.
const TIDYING: Duration = Duration::from_secs(15);

/// Where the events of an execution go.
pub(super) type Consumer = mpsc::Sender<Result<Event, Error>>;

/// An execution and all it holds.
pub(super) struct Drive {
    operation: Operation,
    stop: Stop,
    execution: Execution,
    actions: VecDeque<Action>,
    results: Results,
    begun: Instant,
    segment: BoxStream<'static, Result<ExecutePlanResponse, Failure>>,
    /// The call that the segment came from.
    call: Call,
    response: Option<ResponseType>,
    consumer: Consumer,
    outbox: VecDeque<Result<Event, Error>>,
    /// Bytes of results in the outbox, reported as taken when it is empty.
    unreported: u64,
    expected: Option<Instant>,
    tasks: JoinSet<Input>,
    gone: bool,
    finishing: bool,
}

/// Whether to stop, and whether that was heard.
struct Stop {
    user: CancellationToken,
    session: CancellationToken,
    heard: bool,
}

impl Stop {
    fn is_asked(&self) -> bool {
        self.user.is_cancelled() || self.session.is_cancelled()
    }

    async fn asked(&self) {
        tokio::select! {
            () = self.user.cancelled() => {}
            () = self.session.cancelled() => {}
        }
    }
}

impl Drive {
    pub(super) fn new(job: Job, consumer: Consumer) -> Self {
        let Job {
            operation,
            rows,
            resend,
            stop,
        } = job;
        let rules = Rules {
            resend,
            retry: operation.session().client().options().retry.clone(),
        };
        let (execution, actions) = Execution::begin(rules, Moment::now());
        Self {
            stop: Stop {
                user: stop,
                session: operation.session().closing(),
                heard: false,
            },
            operation,
            execution,
            actions: actions.into(),
            results: Results::cut_at(rows),
            begun: Instant::now(),
            segment: futures::stream::pending().boxed(),
            call: Call::ExecutePlan,
            response: None,
            consumer,
            outbox: VecDeque::new(),
            unreported: 0,
            expected: None,
            tasks: JoinSet::new(),
            gone: false,
            finishing: false,
        }
    }

    /// Runs to the end: of the result, of the consumer's interest, or of hope.
    pub(super) async fn run(mut self) {
        if self.stop.is_asked() {
            self.outbox
                .push_back(Err(Error::Cancelled { confirmed: true }));
            self.actions = VecDeque::from([Action::Finish]);
        }
        loop {
            while let Some(action) = self.actions.pop_front() {
                self.perform(action).await;
            }
            if self.finishing && self.outbox.is_empty() && self.tasks.is_empty() {
                return;
            }
            if let Some(input) = self.wait().await {
                self.step(input);
            }
            if self.outbox.is_empty() && self.unreported > 0 {
                let bytes = std::mem::take(&mut self.unreported);
                self.step(Input::Taken(bytes));
            }
        }
    }

    /// Waits for what happens next. The stream is read only when the consumer has taken all that
    /// came before: the server, too, is held back by whoever reads slowly.
    async fn wait(&mut self) -> Option<Input> {
        let reading = self.outbox.is_empty() && !self.finishing;
        let expected = self.expected;
        let expired = async {
            match expected {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let stop = &self.stop;
        let item = tokio::select! {
            () = self.consumer.closed(), if !self.gone => {
                self.gone = true;
                self.outbox.clear();
                return Some(Input::Gone);
            }
            () = stop.asked(), if !stop.heard => {
                self.stop.heard = true;
                return Some(Input::Stop);
            }
            () = expired => {
                self.expected = None;
                return Some(Input::OutOfPatience);
            }
            Some(input) = self.tasks.join_next() => {
                return Some(input.unwrap_or_else(|error| {
                    // Where the whole program ends, its tasks do.
                    if !error.is_cancelled() {
                        tracing::error!(%error, "a task of an execution failed");
                    }
                    Input::Released
                }));
            }
            permit = self.consumer.reserve(), if !self.outbox.is_empty() => {
                if let (Ok(permit), Some(event)) = (permit, self.outbox.pop_front()) {
                    permit.send(event);
                }
                return None;
            }
            item = self.segment.next(), if reading => item,
        };
        Some(self.read(item))
    }

    /// Makes an input of what the segment gave.
    fn read(&mut self, item: Option<Result<ExecutePlanResponse, Failure>>) -> Input {
        let response = match item {
            None => {
                self.segment = futures::stream::pending().boxed();
                return Input::Ended;
            }
            Some(Err(failure)) => {
                self.segment = futures::stream::pending().boxed();
                return Input::Failed(failure);
            }
            Some(Ok(response)) => response,
        };
        let identity = self.operation.session().identity();
        if let Err(error) = identity.observe(&response.session_id, &response.server_side_session_id)
        {
            self.outbox.push_back(Err(error));
            return Input::Broken;
        }
        let id = response.response_id;
        if let Some(metrics) = &response.metrics {
            self.results.measured(metrics);
        }
        self.response = response.response_type;
        let complete = matches!(self.response, Some(ResponseType::ResultComplete(_)));
        Input::Response { id, complete }
    }

    fn step(&mut self, input: Input) {
        tracing::trace!(operation = %self.operation.id(), ?input);
        let actions = self.execution.step(input, Moment::now());
        self.actions.extend(actions);
    }

    async fn perform(&mut self, action: Action) {
        match action {
            Action::Open { stream, after } => self.open(stream, after),
            Action::Emit => self.emit(),
            Action::ReleaseUntil(id) => self.release(Some(id)),
            Action::ReleaseAll => self.release(None),
            Action::Interrupt { after } => self.interrupt(after),
            Action::Expect(at) => self.expected = Some(at),
            Action::Fail(verdict) => {
                let error = explain(self.operation.clone(), self.call, verdict).await;
                if !self.gone {
                    self.outbox.push_back(Err(error));
                }
            }
            Action::Finish => self.finishing = true,
        }
    }

    fn open(&mut self, stream: Open, after: Duration) {
        let operation = self.operation.clone();
        let deadlines = &operation.session().client().options().deadlines;
        let deadline = deadlines.of(Call::ReattachExecute);
        self.call = match stream {
            Open::Execute => Call::ExecutePlan,
            Open::Reattach(_) => Call::ReattachExecute,
        };
        tracing::debug!(operation = %operation.id(), ?stream, ?after, "opens a stream");
        let opening = async move {
            pause(after).await;
            let responses = operation.open(stream).await?;
            Ok::<_, Failure>(responses.map_err(Failure::from))
        };
        // A segment that outlives its deadline ends like any other, and another one follows.
        self.segment = futures::stream::once(opening)
            .try_flatten()
            .take_until(tokio::time::sleep(after + deadline))
            .boxed();
    }

    fn emit(&mut self) {
        let Some(response) = self.response.take() else {
            return;
        };
        match self.results.take(response, self.begun.elapsed()) {
            Ok(taken) => {
                self.unreported += taken.bytes;
                self.outbox.extend(taken.events.into_iter().map(Ok));
            }
            Err(error) => {
                self.outbox.push_back(Err(error));
                self.step(Input::Broken);
            }
        }
    }

    fn release(&mut self, until: Option<String>) {
        let operation = self.operation.clone();
        self.tasks.spawn(async move {
            match tokio::time::timeout(TIDYING, operation.release(until)).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) if is_settled(&failure) => {
                    tracing::debug!(%failure, "there is nothing to release");
                }
                Ok(Err(failure)) => tracing::warn!(%failure, "an operation was not released"),
                Err(_) => tracing::warn!("an operation was not released in time"),
            }
            Input::Released
        });
    }

    fn interrupt(&mut self, after: Duration) {
        let operation = self.operation.clone();
        self.tasks.spawn(async move {
            pause(after).await;
            let again = match tokio::time::timeout(TIDYING, operation.interrupt()).await {
                Ok(Ok(found)) => !found,
                Ok(Err(failure)) if is_settled(&failure) => {
                    tracing::debug!(%failure, "there is nothing to interrupt");
                    false
                }
                Ok(Err(failure)) => {
                    tracing::warn!(%failure, "an operation was not interrupted");
                    false
                }
                Err(_) => {
                    tracing::warn!("an operation was not interrupted in time");
                    false
                }
            };
            Input::Interrupted { again }
        });
    }
}

/// Waits that long. A timer fires at the next whole millisecond, even one of nothing.
async fn pause(after: Duration) {
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
}

/// What the consumer is told.
async fn explain(operation: Operation, call: Call, verdict: Verdict) -> Error {
    let session = operation.session();
    match verdict {
        Verdict::Failure(failure) => session.explain(call, failure).await,
        Verdict::ResultLost(said) => Error::ResultLost { said },
        Verdict::MayHaveRun(said) => Error::OperationNotFound { said },
        Verdict::Cancelled { confirmed } => Error::Cancelled { confirmed },
        Verdict::NoProgress => Error::NoProgress {
            server: session.client().address().transport.to_string(),
        },
    }
}

/// Whether a release or an interrupt failed because there is nothing left of the operation.
fn is_settled(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        Kind::OperationNotFound
            | Kind::OperationAbandoned
            | Kind::SessionNotFound
            | Kind::SessionClosed
            | Kind::SessionChanged
    )
}
