//! What a keeper decides: whose attachment ends, and when the driver does.
//!
//! A function of facts and a monotonic clock. The loop around it gathers the facts and carries out
//! the [`Action`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::culler::{Culler, Idle, Limits, Verdict, Why};

/// A reading of a monotonic clock: time since the keeper started.
pub(crate) type Clock = Duration;

/// Time that this keeper lived through, from its start: a clock that jumps while the machine sleeps adds
/// one part of a lease at most. Nobody was silent while nobody could be heard.
type Lived = Duration;

/// Into how many parts a lease falls. Each has to be lived through.
const PARTS: u32 = 10;

/// Names one attachment of this keeper.
pub(crate) type AttachmentId = u64;

/// How long things may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// How long a driver stays when nobody is there.
    pub(crate) grace: Duration,
    /// How long an attachment may be silent. Spark itself keeps an operation without a stream for
    /// the same time.
    pub(crate) lease: Duration,
    /// How long a driver may stay when kernels are there and nothing runs.
    pub(crate) limits: Limits,
}

/// How long the kernel that had the driver started may take to come at least: the way to a new pod
/// opens in steps.
const EXPECTED: Duration = Duration::from_secs(30);

/// The longest that a driver is kept from being given back by one wish.
const LONGEST_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A kernel came.
    Attached {
        /// Its attachment.
        id: AttachmentId,
        /// Its session.
        session: String,
    },
    /// A kernel that was there came back by another way, and goes on as it was.
    Returned {
        /// Its attachment from now on.
        id: AttachmentId,
        /// Its attachment until now.
        was: AttachmentId,
    },
    /// A kernel said something.
    Heard(AttachmentId),
    /// So many cells of a kernel run.
    Running(AttachmentId, u32),
    /// A kernel's session holds something that is lost with the driver, or nothing any more.
    Holds(AttachmentId, bool),
    /// A kernel asks that the driver be kept from being given back for so long, from now on and
    /// also when the kernel has left. Replaces what was asked before.
    Keep(AttachmentId, Duration),
    /// A kernel left, or died.
    Gone(AttachmentId),
    /// A call of a client began.
    Opened(Opened),
    /// A call ended.
    Closed(u64),
    /// An operation was let go of as a whole.
    Released {
        /// Its session.
        session: String,
        /// Its id.
        operation: String,
    },
}

/// A call that passed the door and counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    /// Names the call.
    pub(crate) call: u64,
    /// The session it is made in.
    pub(crate) session: String,
    /// The operation whose responses it streams, where that goes on without a stream.
    pub(crate) operation: Option<String>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// This attachment was silent for longer than its lease: end its stream.
    Drop(AttachmentId),
    /// Interrupt what runs in this session, and release it.
    Release(String),
    /// Tell the users that the driver is idle and ends in so long.
    WarnOfEnd(Duration),
    /// Tell them that it stays.
    Unwarn,
    /// End the driver.
    End(Why),
}

/// Who is there and what runs.
#[derive(Debug)]
pub(crate) struct Standing {
    policy: Policy,
    attachments: BTreeMap<AttachmentId, Attachment>,
    calls: BTreeMap<u64, Opened>,
    /// Operations that go on without a stream, with the time their last stream ended.
    kept: BTreeMap<(String, String), Lived>,
    lived: Lived,
    /// When that was counted last.
    counted: Clock,
    /// Since when nobody has been there and nothing has run.
    unused: Option<Clock>,
    /// Since when nothing has run; a kernel that comes counts as if it had run something.
    quiet: Option<Clock>,
    /// Until when the driver is kept.
    kept_until: Clock,
    /// Until when the first kernel is waited for; no more once it has come.
    expected_until: Clock,
    /// What the culler goes by, as it was when anything was last noted or looked at.
    idle: Option<Idle>,
    culler: Culler,
    ended: bool,
}

#[derive(Debug)]
struct Attachment {
    session: String,
    cells: u32,
    holds: bool,
    heard: Lived,
}

impl Standing {
    /// Nobody is there yet.
    pub(crate) fn new(policy: Policy, now: Clock) -> Self {
        Self {
            policy,
            attachments: BTreeMap::new(),
            calls: BTreeMap::new(),
            kept: BTreeMap::new(),
            lived: Lived::ZERO,
            counted: now,
            unused: Some(now),
            quiet: Some(now),
            kept_until: Clock::ZERO,
            expected_until: now + EXPECTED,
            idle: None,
            culler: Culler::new(policy.limits),
            ended: false,
        }
    }

    /// Takes a fact in. What it makes necessary at once comes back; what time makes necessary comes
    /// from [`tick`](Self::tick).
    pub(crate) fn note(&mut self, fact: Fact, now: Clock) -> Vec<Action> {
        self.live(now);
        let mut actions = Vec::new();
        match fact {
            Fact::Attached { id, session } => {
                self.expected_until = Clock::ZERO;
                let attachment = Attachment {
                    session,
                    cells: 0,
                    holds: false,
                    heard: self.lived,
                };
                self.attachments.insert(id, attachment);
                self.quiet = None;
            }
            Fact::Returned { id, was } => {
                if let Some(mut attachment) = self.attachments.remove(&was) {
                    attachment.heard = self.lived;
                    self.attachments.insert(id, attachment);
                }
            }
            Fact::Heard(id) => self.heard(id),
            Fact::Running(id, cells) => {
                self.heard(id);
                if let Some(attachment) = self.attachments.get_mut(&id) {
                    attachment.cells = cells;
                }
            }
            Fact::Holds(id, holds) => {
                self.heard(id);
                if let Some(attachment) = self.attachments.get_mut(&id) {
                    attachment.holds = holds;
                }
            }
            Fact::Keep(id, time) => {
                self.heard(id);
                self.kept_until = match time.min(LONGEST_KEPT) {
                    Duration::ZERO => Clock::ZERO,
                    time => now + time,
                };
            }
            Fact::Gone(id) => actions.extend(self.gone(id)),
            Fact::Opened(opened) => {
                if let Some(operation) = &opened.operation {
                    let key = (opened.session.clone(), operation.clone());
                    self.kept.remove(&key);
                }
                self.calls.insert(opened.call, opened);
            }
            Fact::Closed(call) => {
                let Some(opened) = self.calls.remove(&call) else {
                    return actions;
                };
                if let Some(operation) = opened.operation {
                    self.kept.insert((opened.session, operation), self.lived);
                }
            }
            Fact::Released { session, operation } => {
                for opened in self.calls.values_mut() {
                    if opened.session == session && opened.operation.as_ref() == Some(&operation) {
                        opened.operation = None;
                    }
                }
                self.kept.remove(&(session, operation));
            }
        }
        self.settle(now);
        actions.extend(self.culler.recall(self.idle, now).map(Action::from));
        actions
    }

    /// Says what time has made necessary.
    pub(crate) fn tick(&mut self, now: Clock) -> Vec<Action> {
        self.live(now);
        let mut actions = Vec::new();
        let (lived, lease) = (self.lived, self.policy.lease);
        let silent: Vec<AttachmentId> = self
            .attachments
            .iter()
            .filter(|(_, attachment)| lived.saturating_sub(attachment.heard) >= lease)
            .map(|(&id, _)| id)
            .collect();
        for id in silent {
            actions.push(Action::Drop(id));
            actions.extend(self.gone(id));
        }
        self.kept
            .retain(|_, since| lived.saturating_sub(*since) < lease);
        self.settle(now);
        if self.ended {
            return actions;
        }
        if self.leaves_at().is_some_and(|end| end <= now) {
            actions.push(Action::End(Why::Unused));
        }
        actions.extend(self.culler.tick(self.idle, now).map(Action::from));
        self.ended = actions
            .iter()
            .any(|action| matches!(action, Action::End(_)));
        actions
    }

    /// When it ends for nobody being there.
    fn leaves_at(&self) -> Option<Clock> {
        let grace = self.unused? + self.policy.grace;
        Some(grace.max(self.kept_until).max(self.expected_until))
    }

    /// When [`tick`](Self::tick) has something to say next, unless something happens before.
    pub(crate) fn next(&self) -> Option<Clock> {
        let heard = self.attachments.values().map(|kernel| kernel.heard);
        let silent = heard.clone().min();
        let kept = self.kept.values().copied();
        let lease = heard
            .chain(kept)
            .min()
            .map(|heard| heard + self.policy.lease);
        let end = self
            .leaves_at()
            .into_iter()
            .chain(self.culler.next(self.idle));
        // A kernel that falls silent takes a warning back.
        let stale = self
            .idle
            .and(silent)
            .map(|heard| heard + self.policy.lease / 2);
        let part = self.policy.lease / PARTS;
        let lived = |at: Lived| self.counted + at.saturating_sub(self.lived).min(part);
        let end = end.chain(stale.map(lived)).filter(|_| !self.ended);
        lease.map(lived).into_iter().chain(end).min()
    }

    /// Counts the time that was lived through.
    fn live(&mut self, now: Clock) {
        self.lived = self.lived_at(now);
        self.counted = self.counted.max(now);
    }

    fn lived_at(&self, now: Clock) -> Lived {
        let passed = now.saturating_sub(self.counted);
        self.lived + passed.min(self.policy.lease / PARTS)
    }

    /// For how long nothing has run; `None` while something does.
    pub(crate) fn idle_for(&self, now: Clock) -> Option<Duration> {
        self.quiet.map(|since| now.saturating_sub(since))
    }

    /// For how long the driver is kept still.
    pub(crate) fn kept_for(&self, now: Clock) -> Option<Duration> {
        let left = self.kept_until.saturating_sub(now);
        (!left.is_zero()).then_some(left)
    }

    /// Whether a cell of an attachment runs, a call's stream is open, or an operation is kept for a
    /// kernel whose lease lasts.
    pub(crate) fn is_busy(&self) -> bool {
        let cells = self.attachments.values().any(|kernel| kernel.cells > 0);
        cells || self.operations() > 0
    }

    /// How many operations and other calls run.
    pub(crate) fn operations(&self) -> usize {
        let attached: BTreeSet<&str> = self.sessions().collect();
        let kept = self
            .kept
            .keys()
            .filter(|(session, _)| attached.contains(session.as_str()));
        self.calls.len() + kept.count()
    }

    /// Of one attachment: its session, how many cells run, how long it has been silent.
    pub(crate) fn attachment(&self, id: AttachmentId, now: Clock) -> Option<(&str, u32, Duration)> {
        let kernel = self.attachments.get(&id)?;
        Some((
            &kernel.session,
            kernel.cells,
            self.lived_at(now).saturating_sub(kernel.heard),
        ))
    }

    /// The sessions of kernels that are there.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &str> {
        self.attachments
            .values()
            .map(|kernel| kernel.session.as_str())
    }

    fn heard(&mut self, id: AttachmentId) {
        if let Some(attachment) = self.attachments.get_mut(&id) {
            attachment.heard = self.lived;
        }
    }

    /// Takes a kernel out, and its session with it where no other kernel has it.
    fn gone(&mut self, id: AttachmentId) -> Option<Action> {
        let session = self.attachments.remove(&id)?.session;
        if self.sessions().any(|other| other == session) {
            return None;
        }
        // What ran in it is interrupted, and counts no more even while its streams are ending.
        self.calls.retain(|_, opened| opened.session != session);
        self.kept.retain(|(of, _), _| *of != session);
        Some(Action::Release(session))
    }

    fn settle(&mut self, now: Clock) {
        let busy = self.is_busy();
        let since = |used: bool, since: Option<Clock>| (!used).then(|| since.unwrap_or(now));
        self.unused = since(busy || !self.attachments.is_empty(), self.unused);
        self.quiet = since(busy, self.quiet);
        // A kernel says several times within its lease that it lives. What one runs that was silent
        // for half of it is not known.
        let fresh =
            |kernel: &Attachment| self.lived.saturating_sub(kernel.heard) < self.policy.lease / 2;
        let known = !self.attachments.is_empty() && self.attachments.values().all(fresh);
        self.idle = self.quiet.filter(|_| known).map(|since| Idle {
            since,
            holding: self.attachments.values().any(|kernel| kernel.holds),
            kept: self.kept_until,
        });
    }
}

impl From<Verdict> for Action {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Warn(time) => Self::WarnOfEnd(time),
            Verdict::Unwarn => Self::Unwarn,
            Verdict::End(why) => Self::End(why),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
