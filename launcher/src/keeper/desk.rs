//! The one who sits in a keeper: takes in what happens, and carries out what follows.

use std::collections::BTreeMap;
use std::time::Duration;

use firesteel_session::client::Client;
use firesteel_session::proto::interrupt_request::InterruptType;
use firesteel_session::proto::{InterruptRequest, ReleaseSessionRequest, UserContext};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::crew::Crew;
use super::culler::{Limits, Why};
use super::reasons::{given_back, stopped};
use super::shown::{Shown, State, milliseconds};
use super::standing::{Action, AttachmentId, Clock, Fact, Policy, Standing};
use crate::attach::proto;
use crate::cause::Cause;
use crate::claim::Claim;
use crate::driver::Running;
use crate::profile::{Profile, Span};

/// How long the sessions of those who are there may take to be released when the driver ends.
const LAST_RELEASE: Duration = Duration::from_secs(2);

/// What the desk is told.
pub(super) enum Event {
    /// A kernel came.
    Attached {
        id: AttachmentId,
        kernel: String,
        session: String,
        /// Cancelled when the kernel's lease has ended.
        dropped: CancellationToken,
    },
    /// Something else happened.
    Fact(Fact),
    /// Somebody asks who is there.
    Describe(oneshot::Sender<Present>),
    /// Somebody wants the driver to end, and says why.
    Stop(String),
}

/// Who is there and what runs.
pub(super) struct Present {
    pub(super) attachments: Vec<proto::Attached>,
    pub(super) operations: usize,
    /// For how long nothing has run; `None` while something does.
    pub(super) idle: Option<Duration>,
    /// For how long the driver is kept, as somebody asked.
    pub(super) kept: Option<Duration>,
}

/// The way to the desk, and what it shows to everyone.
#[derive(Clone)]
pub(super) struct Reception {
    events: mpsc::UnboundedSender<Event>,
    pub(super) state: State,
    pub(super) crew: Crew,
    busy: watch::Receiver<bool>,
    give_back: watch::Receiver<GiveBack>,
}

/// When the driver will be given back for being idle; `None` while it is not planned.
pub(super) type GiveBack = Option<Instant>;

impl Reception {
    /// Whether nobody uses the driver now.
    pub(super) async fn idle(&self) -> bool {
        let (answer, present) = oneshot::channel();
        self.tell(Event::Describe(answer));
        present.await.is_ok_and(|present| {
            present.operations == 0 && present.attachments.iter().all(|kernel| kernel.cells == 0)
        })
    }

    /// Tells the desk. Gives whether it is there still.
    pub(super) fn tell(&self, event: Event) -> bool {
        self.events.send(event).is_ok()
    }

    /// Follows whether anything runs, or the driver is starting for somebody, from now on.
    pub(super) fn busy(&self) -> watch::Receiver<bool> {
        self.busy.clone()
    }

    /// Follows the plans to give the driver back from now on.
    pub(super) fn give_back(&self) -> watch::Receiver<GiveBack> {
        self.give_back.clone()
    }
}

/// Owns what a keeper knows.
pub(super) struct Desk {
    events: mpsc::UnboundedReceiver<Event>,
    standing: Standing,
    kernels: BTreeMap<AttachmentId, Kernel>,
    state: State,
    busy: watch::Sender<bool>,
    give_back: watch::Sender<GiveBack>,
    user: String,
    /// Calls the driver, once it takes calls.
    client: Option<Client>,
    tasks: TaskTracker,
    began: Instant,
}

struct Kernel {
    id: String,
    dropped: CancellationToken,
}

impl Desk {
    /// A desk nobody has come to, and the way to it. What it starts belongs to `tasks`.
    pub(super) fn new(
        claim: &Claim,
        profile: &Profile,
        began: Instant,
        tasks: TaskTracker,
    ) -> (Self, Reception) {
        let (sender, events) = mpsc::unbounded_channel();
        let state = State::new(began);
        let policy = Policy {
            grace: profile.grace.duration(),
            lease: profile.away.duration(),
            limits: Limits::new(
                profile.idle_limit.map(Span::duration),
                profile.max_age.map(Span::duration),
            ),
        };
        let (give_back, follow) = watch::channel(None);
        let busy = watch::Sender::new(true);
        let reception = Reception {
            events: sender,
            state: state.clone(),
            crew: Crew::default(),
            busy: busy.subscribe(),
            give_back: follow,
        };
        let desk = Self {
            events,
            standing: Standing::new(policy, Clock::ZERO),
            kernels: BTreeMap::new(),
            state,
            busy,
            give_back,
            user: claim.user.clone(),
            client: None,
            tasks,
            began,
        };
        (desk, reception)
    }

    /// The driver's state, to be told.
    pub(super) fn state(&self) -> State {
        self.state.clone()
    }

    /// The driver takes calls.
    pub(super) fn ready(&mut self, running: Running) {
        self.client = Some(running.client.clone());
        self.state.show(Shown::Ready(running));
    }

    /// Works until the driver is to be ended, and gives why. Cancel-safe.
    pub(super) async fn until_end(&mut self) -> Cause {
        loop {
            if let Some(cause) = self.step().await {
                return cause;
            }
        }
    }

    /// Works while something runs, for `patience` at most. Gives why the driver ends, where that
    /// was found meanwhile.
    pub(super) async fn finish(&mut self, patience: Duration) -> Option<Cause> {
        let work = async {
            while self.standing.is_busy() {
                if let Some(cause) = self.step().await {
                    return Some(cause);
                }
            }
            None
        };
        tokio::time::timeout(patience, work).await.ok().flatten()
    }

    /// Takes in the next thing that happens, and gives why the driver is to be ended, if it is.
    /// Cancel-safe.
    async fn step(&mut self) -> Option<Cause> {
        let busy = self.client.is_none() || self.standing.is_busy();
        self.busy
            .send_if_modified(|was| std::mem::replace(was, busy) != busy);
        let next = self.standing.next().map(|clock| self.began + clock);
        let time = async {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            // What has happened counts before what time makes necessary: who is busy by now is
            // not given back.
            biased;
            event = self.events.recv() => event,
            () = time => None,
        };
        let now = self.began.elapsed();
        let actions = match event {
            Some(Event::Stop(why)) => return Some(stopped(&why)),
            Some(event) => self.take(event, now),
            None => self.standing.tick(now),
        };
        self.carry_out(actions).map(given_back)
    }

    /// Tells everyone that the driver has ended, or is about to, and lets go of their sessions.
    pub(super) async fn end(&mut self, cause: Cause) {
        self.state.show(Shown::Ended(cause));
        let Some(client) = &self.client else { return };
        let releases = self
            .standing
            .sessions()
            .map(|session| release(client, &self.user, session));
        let all = futures::future::join_all(releases);
        if tokio::time::timeout(LAST_RELEASE, all).await.is_err() {
            tracing::debug!("not every session was released before the driver ended");
        }
    }

    fn take(&mut self, event: Event, now: Clock) -> Vec<Action> {
        match event {
            Event::Attached {
                id,
                kernel,
                session,
                dropped,
            } => {
                let was = self.find(&kernel, &session, now);
                let before = was.and_then(|was| self.kernels.remove(&was));
                tracing::info!(kernel, session, back = before.is_some(), "a kernel came");
                let kernel = Kernel {
                    id: kernel,
                    dropped,
                };
                self.kernels.insert(id, kernel);
                self.standing.note(
                    match (was, before) {
                        (Some(was), Some(before)) => {
                            before.dropped.cancel();
                            Fact::Returned { id, was }
                        }
                        _ => Fact::Attached { id, session },
                    },
                    now,
                )
            }
            Event::Fact(fact) => {
                if let Fact::Gone(id) = fact
                    && let Some(kernel) = self.kernels.remove(&id)
                {
                    tracing::info!(kernel = kernel.id, "a kernel left");
                }
                self.standing.note(fact, now)
            }
            Event::Describe(answer) => {
                let _left = answer.send(self.present(now));
                Vec::new()
            }
            // Taken before: it ends the loop.
            Event::Stop(_) => Vec::new(),
        }
    }

    /// The attachment that this kernel has with this session.
    fn find(&self, kernel: &str, session: &str, now: Clock) -> Option<AttachmentId> {
        let same = |(&id, there): (&AttachmentId, &Kernel)| {
            let (its, ..) = self.standing.attachment(id, now)?;
            (there.id == kernel && its == session).then_some(id)
        };
        self.kernels.iter().find_map(same)
    }

    /// Gives why the driver is to end, if it is.
    fn carry_out(&mut self, actions: Vec<Action>) -> Option<Why> {
        let mut end = None;
        for action in actions {
            match action {
                Action::Drop(id) => {
                    if let Some(kernel) = self.kernels.remove(&id) {
                        tracing::info!(kernel = kernel.id, "a kernel was silent for too long");
                        kernel.dropped.cancel();
                    }
                }
                Action::Release(session) => {
                    // Before the driver takes calls there is no session in it.
                    if let Some(client) = self.client.clone() {
                        let user = self.user.clone();
                        self.tasks
                            .spawn(async move { release(&client, &user, &session).await });
                    }
                }
                Action::WarnOfEnd(time) => {
                    tracing::info!(?time, "the driver is idle and will be given back");
                    self.give_back.send_replace(Some(Instant::now() + time));
                }
                Action::Unwarn => {
                    tracing::info!("the driver stays");
                    self.give_back.send_replace(None);
                }
                Action::End(why) => end = Some(why),
            }
        }
        end
    }

    fn present(&self, now: Clock) -> Present {
        let attached = |(&id, kernel): (&AttachmentId, &Kernel)| {
            let (session, cells, silent) = self.standing.attachment(id, now)?;
            Some(proto::Attached {
                kernel_id: kernel.id.clone(),
                session_id: session.to_owned(),
                cells,
                silent_milliseconds: milliseconds(silent),
            })
        };
        Present {
            attachments: self.kernels.iter().filter_map(attached).collect(),
            operations: self.standing.operations(),
            idle: self.standing.idle_for(now),
            kept: self.standing.kept_for(now),
        }
    }
}

/// Interrupts what runs in a session and releases it. Each call has a deadline of its own; a session
/// that the driver does not know is no fault.
async fn release(client: &Client, user: &str, session: &str) {
    let user_context = Some(UserContext {
        user_id: user.to_owned(),
        ..UserContext::default()
    });
    let interrupt = InterruptRequest {
        session_id: session.to_owned(),
        user_context: user_context.clone(),
        interrupt_type: InterruptType::All.into(),
        ..InterruptRequest::default()
    };
    if let Err(failure) = client.interrupt(interrupt).await {
        tracing::debug!(%failure, session, "nothing was interrupted");
    }
    let request = ReleaseSessionRequest {
        session_id: session.to_owned(),
        user_context,
        ..ReleaseSessionRequest::default()
    };
    if let Err(failure) = client.release_session(request).await {
        tracing::debug!(%failure, session, "a session was not released");
    }
}
