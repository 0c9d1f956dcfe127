//! All executors of a driver, and what is to be said of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use super::crashes::{Crashes, SHORT};
use super::fate::{Fate, executor, id};
use super::{Executor, Now, Standing, words};
use crate::attach::state::Executors;
use crate::cluster::trouble::Trouble;

/// How long losses are gathered before they are told: a node takes all of its executors with it.
/// A driver that ends takes them too, and then nobody is told of them.
const GATHER: Duration = Duration::from_secs(3);

/// How long nothing more is told of a kind of loss: executors that fail at their start are made again
/// and again.
const QUIET: Duration = Duration::from_secs(60);

/// How long an executor may be on its way before it is told what is in its way, and may pass.
const PATIENCE: Duration = Duration::from_secs(15);

/// The executors of one driver.
#[derive(Debug, Default)]
pub(crate) struct Muster {
    /// By their pods' uids.
    there: BTreeMap<String, Known>,
    /// Uids of pods that were there.
    gone: BTreeSet<String>,
    /// Losses that were not told yet.
    losses: BTreeMap<String, Loss>,
    /// Which kinds of losses were told, and when, by our own clock.
    told_losses: Vec<(Trouble, Duration)>,
    /// What was told to be in some executor's way, and still is.
    told: Vec<Trouble>,
    crashes: Crashes,
}

#[derive(Debug)]
struct Known {
    pod: Pod,
    fate: Fate,
    /// When it was first seen, by our own clock.
    seen: Duration,
}

impl Known {
    /// Whether it was running when it was seen last.
    fn ran(&self) -> bool {
        matches!(self.fate, Fate::There(Standing::Running))
    }
}

#[derive(Debug)]
struct Loss {
    id: String,
    why: Trouble,
    noticed: Duration,
}

impl Muster {
    /// An executor's pod is there, as it is now.
    pub(crate) fn there(&mut self, pod: Pod, now: Now) {
        let Some(uid) = pod.uid() else { return };
        if self.gone.contains(&uid) {
            return;
        }
        let fate = Fate::read(&pod, now);
        let before = self.there.get(&uid);
        let seen = before.map_or(now.own, |before| before.seen);
        let was_lost = before.is_some_and(|before| matches!(before.fate, Fate::Lost(_)));
        match &fate {
            // How it looks at first tells most: later its end is mixed with its clearing away.
            Fate::Lost(why) if !was_lost => {
                self.crashes.lost(why, now.own.saturating_sub(seen));
                let loss = Loss {
                    id: id(&pod),
                    why: why.clone(),
                    noticed: now.own,
                };
                self.losses.insert(uid.clone(), loss);
            }
            Fate::Lost(_) => {}
            Fate::Released if before.is_some_and(Known::ran) => {
                self.crashes = Crashes::default();
                self.losses.remove(&uid);
            }
            // It was asked to end, and then ended well.
            Fate::There(_) | Fate::Hindered(_) | Fate::Released => {
                self.losses.remove(&uid);
            }
        }
        self.there.insert(uid, Known { pod, fate, seen });
    }

    /// An executor's pod is gone; `pod` is what it was at last.
    pub(crate) fn gone(&mut self, pod: Pod, now: Now) {
        let Some(uid) = pod.uid() else { return };
        if self.there.contains_key(&uid) {
            self.there(pod, now);
            self.there.remove(&uid);
        }
        self.gone.insert(uid);
    }

    /// These are all that are there. Nobody saw how the others went, and so nothing is said of them.
    pub(crate) fn all(&mut self, pods: Vec<Pod>, now: Now) {
        let uids: BTreeSet<String> = pods.iter().filter_map(Pod::uid).collect();
        let missing = self.there.keys().filter(|uid| !uids.contains(*uid));
        for uid in missing.cloned().collect::<Vec<_>>() {
            self.there.remove(&uid);
            self.gone.insert(uid);
        }
        for pod in pods {
            self.there(pod, now);
        }
    }

    /// An executor's annotations are now those of `pod`; all else of it may be old.
    pub(crate) fn annotated(&mut self, pod: &Pod) {
        let known = pod.uid().and_then(|uid| self.there.get_mut(&uid));
        if let Some(known) = known {
            let annotations = &pod.metadata.annotations;
            known.pod.metadata.annotations.clone_from(annotations);
        }
    }

    /// The pods that are there.
    pub(crate) fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.there.values().map(|known| &known.pod)
    }

    /// The executors that are there, the oldest first.
    pub(crate) fn roster(&self) -> Vec<Executor> {
        let standing = |known: &Known| {
            let standing = known.fate.standing(&known.pod)?;
            Some(executor(&known.pod, standing))
        };
        let mut all: Vec<Executor> = self.there.values().filter_map(standing).collect();
        all.sort_by(|a, b| in_order(&a.id, &b.id));
        all
    }

    /// How many there are.
    pub(crate) fn count(&self) -> Executors {
        let roster = self.roster();
        let count = |wanted| {
            let such = roster.iter().filter(|one| one.standing == wanted).count();
            u32::try_from(such).unwrap_or(u32::MAX)
        };
        Executors {
            running: count(Standing::Running),
            pending: count(Standing::Pending),
        }
    }

    /// What the users are to be told now, each thing once.
    pub(crate) fn tell(&mut self, now: Now) -> Vec<String> {
        // What only time has changed of those that are on their way.
        for known in self.there.values_mut() {
            if matches!(
                known.fate,
                Fate::There(Standing::Pending) | Fate::Hindered(_)
            ) {
                known.fate = Fate::read(&known.pod, now);
            }
        }
        let ran = |known: &Known| known.ran() && now.own.saturating_sub(known.seen) >= SHORT;
        if self.there.values().any(ran) {
            self.crashes = Crashes::default();
        }
        let mut sentences = self.tell_losses(now.own);
        sentences.extend(self.crashes.tell());
        sentences.extend(self.tell_hindrances(now.own));
        sentences
    }

    /// When [`tell`](Self::tell) may have something new to say, unless something happens before; by
    /// our own clock.
    pub(crate) fn next(&self, own: Duration) -> Option<Duration> {
        let losses = self.losses.values().map(|loss| self.due(loss));
        let patient = self.there.values().filter(|known| {
            matches!(
                known.fate,
                Fate::There(Standing::Pending) | Fate::Hindered(_)
            )
        });
        // After its patience one is looked at again and again: its node may never say a word.
        let on_the_way = patient.map(|known| (known.seen + PATIENCE).max(own + PATIENCE / 3));
        losses.chain(on_the_way).min()
    }

    /// When a loss is to be told.
    fn due(&self, loss: &Loss) -> Duration {
        let like = self
            .told_losses
            .iter()
            .find(|(told, _)| told.is_like(&loss.why));
        let quiet = like.map_or(Duration::ZERO, |(_, when)| *when + QUIET);
        quiet.max(loss.noticed + GATHER)
    }

    fn tell_losses(&mut self, own: Duration) -> Vec<String> {
        let due = self.losses.values().filter(|loss| self.due(loss) <= own);
        let due: Vec<Trouble> = due.map(|loss| loss.why.clone()).collect();
        let is_due = |why: &Trouble| due.iter().any(|due| due.is_like(why));
        let (now, later) = std::mem::take(&mut self.losses)
            .into_iter()
            .partition(|(_, loss)| is_due(&loss.why));
        self.losses = later;
        let now: BTreeMap<String, Loss> = now;
        let groups = gathered(now.into_values().map(|loss| (loss.id, loss.why)));
        self.told_losses
            .retain(|(told, when)| own < *when + QUIET && !is_due(told));
        let sentences = groups.iter().map(|(ids, why)| words::lost(ids, why));
        let sentences = sentences.collect();
        let told = groups.into_iter().map(|(_, why)| (why, own));
        self.told_losses.extend(told);
        sentences
    }

    fn tell_hindrances(&mut self, own: Duration) -> Vec<String> {
        let hindered = |known: &Known| match &known.fate {
            Fate::Hindered(why) => Some((id(&known.pod), why.clone(), known.seen)),
            _ => None,
        };
        let all: Vec<_> = self.there.values().filter_map(hindered).collect();
        self.told
            .retain(|told| all.iter().any(|(_, why, _)| why.is_like(told)));
        let patient = all.into_iter().filter(|(_, why, seen)| {
            let patience = if why.why().is_final() {
                Duration::ZERO
            } else {
                PATIENCE
            };
            own.saturating_sub(*seen) >= patience && !self.told.iter().any(|told| told.is_like(why))
        });
        let new = gathered(patient.map(|(id, why, _)| (id, why)));
        let sentences = new.iter().map(|(ids, why)| words::hindered(ids, why));
        let sentences = sentences.collect();
        self.told.extend(new.into_iter().map(|(_, why)| why));
        sentences
    }
}

/// Executors with the same trouble together, and the trouble of the first.
fn gathered(all: impl Iterator<Item = (String, Trouble)>) -> Vec<(Vec<String>, Trouble)> {
    let mut all: Vec<_> = all.collect();
    all.sort_by(|a, b| in_order(&a.0, &b.0));
    let mut groups: Vec<(Vec<String>, Trouble)> = Vec::new();
    for (id, why) in all {
        match groups.iter_mut().find(|(_, of)| of.is_like(&why)) {
            Some((ids, _)) => ids.push(id),
            None => groups.push((vec![id], why)),
        }
    }
    groups
}

/// Numbers as numbers.
fn in_order(a: &str, b: &str) -> std::cmp::Ordering {
    (a.len(), a).cmp(&(b.len(), b))
}
