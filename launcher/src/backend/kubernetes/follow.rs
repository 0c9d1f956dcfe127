//! Follows one driver from its Job to its end, and stands with its keeper for one kernel.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use firesteel_session::address::Token;
use firesteel_session::dial::Dialer;
use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt as _;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Config, watcher};
use tokio::sync::watch;
use tokio::time::{interval, sleep, timeout};

use super::access::Access;
use super::find::{Found, pod_selector, remove};
use super::look::looks;
use super::seen::{Seen, Subject, Verdict};
use super::waiting::Waiting;
use super::way::Spot;
use crate::attach::client::{Keeper, NotAttached};
use crate::attach::line::{Board, Line, LineEnd, Words, away};
use crate::attach::state::{DriverState, Phase, PodName};
use crate::backend::Attachee;
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::cluster::causes::Why;

/// Pauses between attempts to reach a keeper: the first, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// How long a keeper whose pod has ended may take to say why, who knows better than Kubernetes, or the
/// Job of a pod that was taken away.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often a start is looked at of which nothing is heard: some of what is in its way is told after
/// a while only.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// One kernel's standing with one driver.
pub(super) struct Follow {
    pub(super) access: Access,
    pub(super) found: Found,
    pub(super) claim: Claim,
    pub(super) profile_hash: String,
    pub(super) who: Attachee,
    /// The driver's heap.
    pub(super) heap: String,
    /// How long the driver may take to start.
    pub(super) deadline: Duration,
    /// How long it is wanted after this kernel's last word, until it runs.
    pub(super) ahead: Duration,
    pub(super) dialer: Dialer,
    pub(super) spot: watch::Sender<Option<Spot>>,
}

impl Follow {
    /// Connects to the driver's keeper and introduces the kernel.
    pub(super) async fn greet(&self) -> Result<Line, NotAttached> {
        let token = Token::new(self.found.token.clone());
        let pod = PodName {
            namespace: self.access.namespace.clone(),
            name: self
                .spot
                .borrow()
                .as_ref()
                .map_or_else(String::new, |spot| spot.pod.clone()),
        };
        let mut keeper = Keeper::dialed(self.dialer.clone(), token, pod).await?;
        keeper
            .hello(&self.claim, self.profile_hash.clone(), &self.who)
            .await
    }

    /// Shows what becomes of the driver, and says what the kernel says, until one of them ends.
    pub(super) async fn run(self, board: Board, mut words: Words, line: Option<Line>) {
        let mut standing = pin!(self.stand(&board, &mut words, line));
        let cause = tokio::select! {
            stood = &mut standing => stood.err(),
            cause = self.watch(&board) => {
                let _heard = timeout(LAST_WORDS, &mut standing).await;
                Some(cause)
            }
        };
        if let Some(cause) = cause {
            board.show(DriverState::Ended(cause));
        }
    }

    /// Watches Job, pod and what is said of them. Gives why the driver is gone.
    async fn watch(&self, board: &Board) -> Cause {
        let mut seen = Seen::default();
        let mut start = Start::new(self.found.age);
        let mut news = self.news();
        let mut looked = BTreeSet::new();
        let mut told_of: Option<String> = None;
        let mut logged: Option<Cause> = None;
        // What only time changes is looked at then.
        let mut again = interval(LOOK_AGAIN);
        let mut starting = false;
        let mut unclear: Option<Instant> = None;
        let waiting = Waiting {
            access: &self.access,
            found: &self.found,
            ahead: self.ahead,
            most: self.deadline,
        };
        let mut waiting = pin!(waiting.wait());
        let subject = Subject {
            profile: &self.claim.profile,
            namespace: &self.access.namespace,
            deadline: self.deadline.as_secs(),
            heap: &self.heap,
        };
        loop {
            tokio::select! {
                new = news.next() => match new {
                    Some(new) => new.note(&mut seen, &self.found.uid),
                    None => return lost(&self.claim.profile, "its pod is no longer watched"),
                },
                _ = again.tick(), if starting => {}
                never = &mut waiting, if starting => match never {},
                () = rest(LAST_WORDS, unclear), if unclear.is_some() => {}
            }
            let verdict = seen.verdict(Timestamp::now(), &subject);
            starting = matches!(verdict, Verdict::Starting(..));
            if !matches!(verdict, Verdict::Unclear(_)) {
                unclear = None;
            }
            match verdict {
                Verdict::Starting(phase, trouble) => {
                    start.enter(phase);
                    self.spot.send_replace(None);
                    if trouble != logged {
                        if let Some(trouble) = &trouble {
                            tracing::info!(%trouble, "the driver does not start yet");
                        }
                        logged.clone_from(&trouble);
                    }
                    board.show(start.state(trouble.map(|cause| lines(&cause))));
                    for look in seen.asks() {
                        if looked.insert(look) {
                            news.push(looks(self.access.clone(), look));
                        }
                    }
                    if let Some(uid) = seen.there().and_then(Pod::uid)
                        && told_of.as_ref() != Some(&uid)
                    {
                        news.push(self.said_of(&uid).map(News::SaidOfPod).boxed());
                        told_of = Some(uid);
                    }
                }
                Verdict::Up(spot) => {
                    board.begin(start.since, start.passed());
                    self.spot.send_if_modified(|known| {
                        let moved = known.as_ref() != Some(&spot);
                        *known = Some(spot);
                        moved
                    });
                }
                Verdict::Unclear(cause) => {
                    if unclear.get_or_insert_with(Instant::now).elapsed() >= LAST_WORDS {
                        return cause;
                    }
                }
                Verdict::Gone(cause) => {
                    if cause.kind == Kind::Cluster {
                        // What is refused now would be tried again and again until its deadline.
                        let job = &self.found.job;
                        if let Err(cause) = remove(&self.access, job, &self.found.uid).await {
                            tracing::debug!(%cause, "a Job that cannot start stays to its deadline");
                        }
                    }
                    return cause;
                }
            }
        }
    }

    /// Stands with the keeper, whenever its pod runs, until the kernel leaves or the driver ends.
    async fn stand(
        &self,
        board: &Board,
        words: &mut Words,
        mut line: Option<Line>,
    ) -> Result<(), Cause> {
        let mut spot = self.spot.subscribe();
        let mut patience = self.deadline;
        loop {
            let mut open = match line.take() {
                Some(line) => line,
                None => {
                    tokio::select! {
                        open = self.reach(&mut spot, patience) => open?,
                        () = words.goodbye() => return Ok(()),
                    }
                }
            };
            open.show_welcome(board);
            patience = Duration::from_secs(open.welcome.lease_seconds);
            match open.hold(words, board).await {
                LineEnd::Over => return Ok(()),
                LineEnd::Dropped(lease) => return Err(away(lease)),
                LineEnd::Broken => {}
            }
            tracing::info!("the connection to the keeper broke, and is made again");
        }
    }

    /// Reaches the keeper once its pod runs; gives up when it cannot be reached for that long.
    async fn reach(
        &self,
        spot: &mut watch::Receiver<Option<Spot>>,
        patience: Duration,
    ) -> Result<Line, Cause> {
        let mut pause = AGAIN.0;
        let mut since = None;
        loop {
            if spot.wait_for(Option::is_some).await.is_err() {
                return Err(lost(&self.claim.profile, "its pod is no longer watched"));
            }
            let tried = *since.get_or_insert_with(Instant::now);
            let why = match self.greet().await {
                Ok(line) => return Ok(line),
                Err(NotAttached::Refused(cause)) => return Err(cause),
                Err(NotAttached::Ending) => "it is ending".to_owned(),
                Err(NotAttached::Unreachable(why)) => why,
            };
            if tried.elapsed() > patience {
                return Err(lost(&self.claim.profile, &why));
            }
            // A pod that ends or moves is told at once.
            tokio::select! {
                () = sleep(pause) => {}
                _ = spot.changed() => {}
            }
            pause = (pause * 2).min(AGAIN.1);
        }
    }

    fn news(&self) -> SelectAll<BoxStream<'static, News>> {
        let named = Config::default().fields(&format!("metadata.name={}", self.found.job));
        let jobs = level(watcher(self.access.api::<Job>(), named), |job| {
            News::Job(job.map(Box::new))
        });
        let selector = pod_selector(&self.claim.id(), &self.found.incarnation);
        let selected = Config::default().labels(&selector);
        let pods = level(watcher(self.access.api::<Pod>(), selected), |pod| {
            News::Pod(pod.map(Box::new))
        });
        let events = self.said_of(&self.found.uid).map(News::Said);
        stream::select_all([jobs.boxed(), pods.boxed(), events.boxed()])
    }

    /// What Kubernetes says of the thing of that uid. Who may not read events hears nothing.
    fn said_of(&self, uid: &str) -> impl Stream<Item = Box<Event>> + Send + use<> {
        let about = Config::default().fields(&format!("involvedObject.uid={uid}"));
        level(watcher(self.access.api::<Event>(), about), |event| {
            event.map(Box::new)
        })
        .filter_map(std::future::ready)
    }
}

/// What a watch or a look shows.
pub(super) enum News {
    Job(Option<Box<Job>>),
    Pod(Option<Box<Pod>>),
    Said(Box<Event>),
    SaidOfPod(Box<Event>),
    Nodes(Vec<Node>),
    /// What was said of claims, the newest last.
    Claims(Vec<Event>),
    /// All pods of the namespace.
    Others(Vec<Pod>),
}

impl News {
    fn note(self, seen: &mut Seen, uid: &str) {
        match self {
            Self::Job(Some(job)) => seen.job(*job, uid),
            Self::Job(None) => seen.no_job(),
            Self::Pod(Some(pod)) => seen.pod(*pod),
            Self::Pod(None) => seen.no_pod(),
            Self::Said(event) => seen.event(&event),
            Self::SaidOfPod(event) => seen.pod_event(&event),
            Self::Nodes(nodes) => seen.nodes(&nodes),
            Self::Claims(events) => events.iter().for_each(|event| seen.claim_event(event)),
            Self::Others(pods) => seen.others(&pods),
        }
    }
}

/// A watch of something there is one of, as what is there now. It is listed again where the server
/// has forgotten how far it was told; in between, failures are waited out.
fn level<K, T>(
    events: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Send,
    shown: impl Fn(Option<K>) -> T + Send,
) -> impl Stream<Item = T> + Send
where
    K: Send,
    T: Send,
{
    let mut listed = false;
    events.default_backoff().filter_map(move |event| {
        let new = match event {
            Ok(watcher::Event::Apply(thing)) => Some(shown(Some(thing))),
            Ok(watcher::Event::InitApply(thing)) => {
                listed = true;
                Some(shown(Some(thing)))
            }
            Ok(watcher::Event::Init) => {
                listed = false;
                None
            }
            Ok(watcher::Event::InitDone) if listed => None,
            Ok(watcher::Event::InitDone | watcher::Event::Delete(_)) => Some(shown(None)),
            Err(error) => {
                tracing::debug!(%error, "a watch is made again");
                None
            }
        };
        std::future::ready(new)
    })
}

/// Waits for what is left of a time that began then.
async fn rest(whole: Duration, since: Option<Instant>) {
    let over = since.map_or(whole, |since| since.elapsed());
    sleep(whole.saturating_sub(over)).await;
}

/// How far a start is, by our own clock.
struct Start {
    since: Instant,
    now: Option<(Phase, Instant)>,
    passed: Vec<(Phase, Duration)>,
}

impl Start {
    fn new(age: Duration) -> Self {
        let now = Instant::now();
        Self {
            since: now.checked_sub(age).unwrap_or(now),
            now: None,
            passed: Vec::new(),
        }
    }

    fn enter(&mut self, phase: Phase) {
        match self.now {
            Some((current, _)) if current == phase => {}
            _ => {
                self.passed = self.passed();
                self.now = Some((phase, Instant::now()));
            }
        }
    }

    /// The phases so far, the present one as if it were over now.
    fn passed(&self) -> Vec<(Phase, Duration)> {
        let mut passed = self.passed.clone();
        if let Some((phase, entered)) = self.now {
            passed.push((phase, entered.elapsed()));
        }
        passed
    }

    fn state(&self, trouble: Option<String>) -> DriverState {
        DriverState::Starting {
            phase: self.now.map_or(Phase::Scheduling, |(phase, _)| phase),
            since: self.since,
            passed: self.passed.clone(),
            trouble,
        }
    }
}

/// A cause for those who see it while they wait: what is in the way, and what to do about it.
fn lines(cause: &Cause) -> String {
    format!("{}.\n{}", cause.sentence, cause.remedy)
}

/// The keeper cannot be reached any more.
pub(super) fn lost(profile: &str, why: &str) -> Cause {
    Why::KeeperLost.cause(&[("profile", profile), ("said", why)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> Pod {
        let mut pod = Pod::default();
        pod.metadata.name = Some(name.to_owned());
        pod
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_shows_what_is_there_now_through_failures_and_new_lists() {
        use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};
        let events = [
            Ok(Init),
            Ok(InitDone),
            Ok(Apply(pod("a"))),
            Err(watcher::Error::NoResourceVersion),
            Ok(Init),
            Ok(InitApply(pod("b"))),
            Ok(InitDone),
            Ok(Delete(pod("b"))),
            Ok(Init),
            Ok(InitDone),
        ];
        let shown = level(stream::iter(events), |pod: Option<Pod>| {
            pod.map(|pod| pod.name_any())
        });
        let shown: Vec<Option<String>> = shown.collect().await;
        let there = |name: &str| Some(name.to_owned());
        assert_eq!(shown, [None, there("a"), there("b"), None, None]);
    }

    #[tokio::test(start_paused = true)]
    async fn phases_that_are_over_keep_their_time() {
        let mut start = Start::new(Duration::from_secs(2));
        start.enter(Phase::Scheduling);
        start.enter(Phase::Scheduling);
        assert_eq!(start.passed.len(), 0);
        start.enter(Phase::PreparingPod);
        let DriverState::Starting { phase, passed, .. } = start.state(None) else {
            unreachable!("a start is a start");
        };
        assert_eq!(phase, Phase::PreparingPod);
        let names: Vec<Phase> = passed.iter().map(|(phase, _)| *phase).collect();
        assert_eq!(names, [Phase::Scheduling]);
        assert!(start.since.elapsed() >= Duration::from_secs(2));
    }
}
