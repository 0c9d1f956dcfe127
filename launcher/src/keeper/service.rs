//! The attach service: kernels come, stay and leave; people ask.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use futures::Stream;
use k8s_openapi::jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

use super::desk::{Event, GiveBack, Reception};
use super::shown::{Shown, milliseconds};
use super::standing::{AttachmentId, Fact};
use crate::attach::line::over;
use crate::attach::proto::{
    self, DescribeRequest, Description, FromKeeper, FromKernel, Hello, LogsRequest, LogsResponse,
    StopRequest, StopResponse, Welcome, from_keeper, from_kernel,
};
use crate::attach::state::Executors;
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::cluster::executors::Executor;
use crate::driver::tail_of;

/// How long a kernel may take to introduce itself.
const HELLO: Duration = Duration::from_secs(10);

/// The most lines of the log that are given at once.
const MOST_LINES: u32 = 10_000;

/// How far away a keeper's kernels may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    /// On this machine: a stream that ends is a kernel that died.
    Machine,
    /// Anywhere: a stream that breaks says nothing. A laptop sleeps, a forwarded port closes; the
    /// kernel may come back within its lease.
    Network,
}

/// What a keeper says of itself.
#[derive(Debug, Clone)]
pub(super) struct Introduction {
    pub(super) incarnation: String,
    pub(super) pid: u32,
    pub(super) started_at: SystemTime,
    pub(super) claim: Claim,
    pub(super) profile_hash: String,
    pub(super) lease: Duration,
    pub(super) log: PathBuf,
    pub(super) distance: Distance,
}

/// The service.
#[derive(Clone)]
pub(super) struct KeeperService {
    introduction: Arc<Introduction>,
    reception: Reception,
    tasks: TaskTracker,
    attachments: Arc<AtomicU64>,
}

impl KeeperService {
    pub(super) fn new(
        introduction: Introduction,
        reception: Reception,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            introduction: Arc::new(introduction),
            reception,
            tasks,
            attachments: Arc::default(),
        }
    }

    fn welcome(&self, shown: &Shown, warnings: Vec<String>) -> Welcome {
        let about = &self.introduction;
        let since_epoch = about.started_at.duration_since(SystemTime::UNIX_EPOCH);
        Welcome {
            protocol: proto::PROTOCOL,
            incarnation: about.incarnation.clone(),
            pid: about.pid,
            started_at: since_epoch
                .ok()
                .and_then(|since| u64::try_from(since.as_millis()).ok())
                .unwrap_or_default(),
            log: about.log.to_string_lossy().into_owned(),
            lease_seconds: about.lease.as_secs(),
            state: Some(self.reception.state.told(shown)),
            warnings,
        }
    }

    fn executors(&self) -> Vec<proto::Executor> {
        let now = Timestamp::now();
        let told = |executor: Executor| {
            let age = executor.since.map(|since| now.duration_since(since));
            let age = age.and_then(|age| u64::try_from(age.as_millis()).ok());
            proto::Executor {
                id: executor.id,
                pod: executor.pod,
                node: executor.node,
                state: executor.standing.word().to_owned(),
                age_milliseconds: age.unwrap_or_default(),
            }
        };
        self.reception.crew.roster().into_iter().map(told).collect()
    }

    /// What there is to say to one who comes with another profile than the driver has.
    fn warnings(&self, hello: &Hello) -> Vec<String> {
        if hello.profile_hash == self.introduction.profile_hash {
            return Vec::new();
        }
        vec![format!(
            "Profile `{}` was edited since the driver started, and the driver is as it was before. \
             `%stop` ends it for everyone; the next cell then starts one as the profile is now.",
            self.introduction.claim.profile
        )]
    }

    /// Why this kernel may not stay, if so.
    fn refusal(&self, hello: &Hello) -> Option<Cause> {
        if hello.protocol == 0 {
            return Some(Cause::new(
                Kind::Keeper,
                "The kernel speaks a protocol that the running Spark driver does not know",
                "Stop the driver by `firesteel drivers stop`, and run the cell again.",
            ));
        }
        (hello.user != self.introduction.claim.user).then(|| {
            Cause::new(
                Kind::Keeper,
                format!(
                    "The Spark driver belongs to another user than `{}`",
                    hello.user
                ),
                "Correct JUPYTERHUB_USER, or the profile's `user`.",
            )
        })
    }
}

#[tonic::async_trait]
impl proto::keeper_server::Keeper for KeeperService {
    type AttachStream = Pin<Box<dyn Stream<Item = Result<FromKeeper, Status>> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<FromKernel>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let mut kernel = request.into_inner();
        let first = tokio::time::timeout(HELLO, kernel.message()).await;
        let hello = match first.map_err(|_elapsed| no_hello())?? {
            Some(FromKernel {
                message: Some(from_kernel::Message::Hello(hello)),
            }) => hello,
            _ => return Err(no_hello()),
        };
        let (out, answers) = mpsc::channel(16);
        if let Some(cause) = self.refusal(&hello) {
            let refused = from_keeper::Message::Refused(cause.into());
            // There is room for the first.
            let _sent = out.try_send(Ok(message(refused)));
            return Ok(Response::new(Box::pin(ReceiverStream::new(answers))));
        }
        let state = self.reception.state.follow();
        let (executors, notices) = (self.reception.crew.count(), self.reception.crew.notices());
        let give_back = self.reception.give_back();
        let id = self.attachments.fetch_add(1, Ordering::Relaxed);
        let dropped = CancellationToken::new();
        let here = self.reception.tell(Event::Attached {
            id,
            kernel: hello.kernel_id.clone(),
            session: hello.session_id.clone(),
            dropped: dropped.clone(),
        });
        let mut visit = Visit {
            id,
            reception: self.reception.clone(),
            kernel,
            out,
            state,
            executors,
            notices,
            give_back,
            dropped,
            distance: self.introduction.distance,
        };
        let shown = visit.state.borrow_and_update().clone();
        if !here || matches!(shown, Shown::Ended(_)) {
            return Err(Status::unavailable("the driver is ending"));
        }
        let welcome = self.welcome(&shown, self.warnings(&hello));
        let _sent = visit
            .out
            .try_send(Ok(message(from_keeper::Message::Welcome(welcome))));
        self.tasks.spawn(visit.last());
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn describe(
        &self,
        _request: Request<DescribeRequest>,
    ) -> Result<Response<Description>, Status> {
        let (answer, present) = oneshot::channel();
        self.reception.tell(Event::Describe(answer));
        let present = present
            .await
            .map_err(|_gone| Status::unavailable("the driver is ending"))?;
        let claim = &self.introduction.claim;
        let shown = self.reception.state.follow().borrow().clone();
        Ok(Response::new(Description {
            user: claim.user.clone(),
            profile: claim.profile.clone(),
            kernel: claim.kernel.clone(),
            driver: Some(self.welcome(&shown, Vec::new())),
            attachments: present.attachments,
            operations: u32::try_from(present.operations).unwrap_or(u32::MAX),
            executors: self.executors(),
            idle_milliseconds: present.idle.map(milliseconds),
            kept_milliseconds: present.kept.map(milliseconds),
        }))
    }

    async fn stop(&self, request: Request<StopRequest>) -> Result<Response<StopResponse>, Status> {
        let why = request.into_inner().why;
        self.reception.tell(Event::Stop(why));
        Ok(Response::new(StopResponse {}))
    }

    async fn logs(&self, request: Request<LogsRequest>) -> Result<Response<LogsResponse>, Status> {
        let LogsRequest { lines, executor } = request.into_inner();
        let lines = lines.min(MOST_LINES);
        if let Some(executor) = executor {
            let text = self.reception.crew.log(&executor, lines).await?;
            return Ok(Response::new(LogsResponse { text }));
        }
        let log = self.introduction.log.clone();
        let text = tokio::task::spawn_blocking(move || tail_of(&log, lines as usize))
            .await
            .map_err(|error| Status::internal(error.to_string()))?
            .map_err(|error| Status::not_found(format!("there is no log yet: {error}")))?;
        Ok(Response::new(LogsResponse { text }))
    }
}

/// One kernel's stay.
struct Visit {
    id: AttachmentId,
    reception: Reception,
    kernel: Streaming<FromKernel>,
    out: mpsc::Sender<Result<FromKeeper, Status>>,
    state: watch::Receiver<Shown>,
    executors: watch::Receiver<Option<Executors>>,
    notices: broadcast::Receiver<String>,
    give_back: watch::Receiver<GiveBack>,
    dropped: CancellationToken,
    distance: Distance,
}

/// What comes after something happened to a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It goes on.
    Stay,
    /// The kernel is gone.
    Leave,
    /// The stream is gone, and nobody knows of the kernel.
    Cut,
}

impl Next {
    fn stay_if(stays: bool) -> Self {
        if stays { Self::Stay } else { Self::Leave }
    }
}

impl Visit {
    /// Lasts until the kernel leaves or dies, is silent for too long, or the driver ends.
    async fn last(mut self) {
        let next = loop {
            let next = tokio::select! {
                changed = self.state.changed() => {
                    Next::stay_if(changed.is_ok() && self.tell_state().await)
                }
                changed = self.executors.changed() => {
                    Next::stay_if(changed.is_ok() && self.tell_executors().await)
                }
                notice = self.notices.recv() => Next::stay_if(self.tell_notice(notice).await),
                Ok(()) = self.give_back.changed() => Next::stay_if(self.tell_plan().await),
                heard = self.kernel.message() => self.hear(heard),
                () = self.out.closed() => Next::Cut,
                () = self.dropped.cancelled() => {
                    // One that does not listen is not waited for.
                    let _left = self.out.try_send(Err(over()));
                    Next::Leave
                }
            };
            if next != Next::Stay {
                break next;
            }
        };
        if next == Next::Leave || self.distance == Distance::Machine {
            self.reception.tell(Event::Fact(Fact::Gone(self.id)));
        } else {
            tracing::info!("the way to a kernel broke; it may come back within its lease");
        }
    }

    async fn tell_state(&mut self) -> bool {
        let shown = self.state.borrow_and_update().clone();
        let state = self.reception.state.told(&shown);
        let sent = self
            .out
            .send(Ok(message(from_keeper::Message::State(state))))
            .await;
        sent.is_ok() && !matches!(shown, Shown::Ended(_))
    }

    async fn tell_executors(&mut self) -> bool {
        let Some(executors) = *self.executors.borrow_and_update() else {
            return true;
        };
        let executors = from_keeper::Message::Executors(proto::Executors {
            running: executors.running,
            pending: executors.pending,
        });
        self.out.send(Ok(message(executors))).await.is_ok()
    }

    async fn tell_notice(&mut self, notice: Result<String, RecvError>) -> bool {
        match notice {
            Ok(text) => {
                let notice = from_keeper::Message::Notice(proto::Notice { text });
                self.out.send(Ok(message(notice))).await.is_ok()
            }
            Err(RecvError::Lagged(missed)) => {
                tracing::debug!(missed, "a kernel took its notices too slowly");
                true
            }
            Err(RecvError::Closed) => false,
        }
    }

    async fn tell_plan(&mut self) -> bool {
        let plan = *self.give_back.borrow_and_update();
        let wait = plan.map(|at| at.saturating_duration_since(Instant::now()));
        let plan = proto::GiveBack {
            in_milliseconds: wait.map(milliseconds),
        };
        let plan = from_keeper::Message::GiveBack(plan);
        self.out.send(Ok(message(plan))).await.is_ok()
    }

    fn hear(&self, heard: Result<Option<FromKernel>, Status>) -> Next {
        let fact = match heard {
            Ok(Some(FromKernel { message })) => match message {
                Some(from_kernel::Message::Running(running)) => {
                    Fact::Running(self.id, running.cells)
                }
                Some(from_kernel::Message::Keep(keep)) => {
                    Fact::Keep(self.id, Duration::from_secs(keep.seconds))
                }
                Some(from_kernel::Message::Holds(holds)) => {
                    Fact::Holds(self.id, !holds.what.is_empty())
                }
                Some(from_kernel::Message::Goodbye(_)) => return Next::Leave,
                // A word of a newer kernel is a sign of life.
                Some(_) | None => Fact::Heard(self.id),
            },
            Ok(None) | Err(_) => return Next::Cut,
        };
        Next::stay_if(self.reception.tell(Event::Fact(fact)))
    }
}

fn message(message: from_keeper::Message) -> FromKeeper {
    FromKeeper {
        message: Some(message),
    }
}

fn no_hello() -> Status {
    Status::invalid_argument("an attachment begins with Hello")
}
