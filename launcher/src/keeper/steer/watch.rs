//! Watches the driver's pods: its own and its executors'.

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::hints::{Hints, Mood};
use crate::cluster::executors::{Muster, Now};
use crate::cluster::names::label;
use crate::keeper::crew::Crew;

/// The watch of one driver's pods.
pub(super) struct Watch {
    api: Api<Pod>,
    selector: String,
    pods: Pods,
    began: Instant,
}

/// The pods, as they were last seen.
#[derive(Default)]
struct Pods {
    muster: Muster,
    /// The driver's.
    own: Option<Pod>,
    /// A list that is being read, which replaces what is known when it is whole.
    list: Vec<Pod>,
    /// Whether one was read.
    known: bool,
}

impl Watch {
    pub(super) fn new(api: Api<Pod>, selector: String) -> Self {
        Self {
            api,
            selector,
            pods: Pods::default(),
            began: Instant::now(),
        }
    }

    /// Shows and tells what becomes of executors, and tells autoscalers what is busy.
    pub(super) async fn run(mut self, crew: &Crew, mut busy: watch::Receiver<bool>) {
        let mut events = Box::pin(self.events());
        let mut hints = Hints::new(self.api.clone());
        let mut mood = Mood::Busy;
        loop {
            let wake = self.wake(mood, &hints);
            let time = async {
                match wake {
                    Some(wake) => sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => self.pods.take(event, self.now()),
                    Some(Err(error)) => tracing::warn!(%error, "the watch of executors is made again"),
                    None => return,
                },
                pod = hints.sent() => if let Some(pod) = pod {
                    self.pods.patched(&pod);
                },
                changed = busy.changed() => if changed.is_err() { return },
                () = time => {}
            }
            let now = Instant::now();
            mood.note(*busy.borrow_and_update(), now);
            hints.send(self.pods.all(), mood.is_busy(now));
            self.pods.show(crew, self.now());
        }
    }

    fn events(&self) -> impl Stream<Item = watcher::Result<Event<Pod>>> + Send + use<> {
        let selected = Config::default().labels(&self.selector);
        watcher(self.api.clone(), selected)
            .modify(|pod| pod.managed_fields_mut().clear())
            .default_backoff()
    }

    fn now(&self) -> Now {
        Now {
            day: Timestamp::now(),
            own: self.began.elapsed(),
        }
    }

    /// When there is something to do, unless something happens before.
    fn wake(&self, mood: Mood, hints: &Hints) -> Option<Instant> {
        let told = self.pods.muster.next(self.began.elapsed());
        let told = told.map(|own| self.began + own);
        let moods = mood.next(Instant::now());
        [told, moods, hints.next()].into_iter().flatten().min()
    }
}

impl Pods {
    fn take(&mut self, event: Event<Pod>, now: Now) {
        match event {
            Event::Init => self.list.clear(),
            Event::InitApply(pod) => self.list.push(pod),
            Event::InitDone => {
                let list = std::mem::take(&mut self.list);
                let (executors, others) = list.into_iter().partition(is_executor);
                self.muster.all(executors, now);
                let others: Vec<Pod> = others;
                self.own = others.into_iter().next();
                self.known = true;
            }
            Event::Apply(pod) if is_executor(&pod) => self.muster.there(pod, now),
            Event::Delete(pod) if is_executor(&pod) => self.muster.gone(pod, now),
            Event::Apply(pod) => self.own = Some(pod),
            Event::Delete(_) => self.own = None,
        }
    }

    /// A pod was patched: it says to autoscalers what it now says. All else the watch tells.
    fn patched(&mut self, patched: &Pod) {
        match &mut self.own {
            Some(own) if own.uid() == patched.uid() => {
                own.metadata
                    .annotations
                    .clone_from(&patched.metadata.annotations);
            }
            _ => self.muster.annotated(patched),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Pod> {
        self.own.iter().chain(self.muster.pods())
    }

    fn show(&mut self, crew: &Crew, now: Now) {
        if self.known {
            crew.show(self.muster.roster(), self.muster.count());
        }
        for sentence in self.muster.tell(now) {
            crew.tell(sentence);
        }
    }
}

fn is_executor(pod: &Pod) -> bool {
    pod.labels().get(label::ROLE).map(String::as_str) == Some(label::EXECUTOR)
}
