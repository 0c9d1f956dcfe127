//! What a keeper decides: whose attachment ends, and when the driver does.
//!
//! A function of facts and a monotonic clock. The loop around it gathers the facts and carries out
//! the [`Action`]s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A reading of a monotonic clock: time since the keeper started.
pub(crate) type Clock = Duration;

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
}

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
    /// Nobody is left: end the driver.
    End,
}

/// Who is there and what runs.
#[derive(Debug)]
pub(crate) struct Standing {
    policy: Policy,
    attachments: BTreeMap<AttachmentId, Attachment>,
    calls: BTreeMap<u64, Opened>,
    /// Operations that go on without a stream, with the time their last stream ended.
    kept: BTreeMap<(String, String), Clock>,
    /// Since when nobody has been there and nothing has run.
    unused: Option<Clock>,
    ended: bool,
}

#[derive(Debug)]
struct Attachment {
    session: String,
    cells: u32,
    heard: Clock,
}

impl Standing {
    /// Nobody is there yet.
    pub(crate) fn new(policy: Policy, now: Clock) -> Self {
        Self {
            policy,
            attachments: BTreeMap::new(),
            calls: BTreeMap::new(),
            kept: BTreeMap::new(),
            unused: Some(now),
            ended: false,
        }
    }

    /// Takes a fact in. What it makes necessary at once comes back; what time makes necessary comes
    /// from [`tick`](Self::tick).
    pub(crate) fn note(&mut self, fact: Fact, now: Clock) -> Vec<Action> {
        let mut actions = Vec::new();
        match fact {
            Fact::Attached { id, session } => {
                let attachment = Attachment {
                    session,
                    cells: 0,
                    heard: now,
                };
                self.attachments.insert(id, attachment);
            }
            Fact::Returned { id, was } => {
                if let Some(mut attachment) = self.attachments.remove(&was) {
                    attachment.heard = now;
                    self.attachments.insert(id, attachment);
                }
            }
            Fact::Heard(id) => self.heard(id, now),
            Fact::Running(id, cells) => {
                self.heard(id, now);
                if let Some(attachment) = self.attachments.get_mut(&id) {
                    attachment.cells = cells;
                }
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
                    self.kept.insert((opened.session, operation), now);
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
        actions
    }

    /// Says what time has made necessary.
    pub(crate) fn tick(&mut self, now: Clock) -> Vec<Action> {
        let mut actions = Vec::new();
        let silent: Vec<AttachmentId> = self
            .attachments
            .iter()
            .filter(|(_, attachment)| now.saturating_sub(attachment.heard) >= self.policy.lease)
            .map(|(&id, _)| id)
            .collect();
        for id in silent {
            actions.push(Action::Drop(id));
            actions.extend(self.gone(id));
        }
        self.kept
            .retain(|_, since| now.saturating_sub(*since) < self.policy.lease);
        self.settle(now);
        let over = |since: Clock| now.saturating_sub(since) >= self.policy.grace;
        if self.unused.is_some_and(over) && !self.ended {
            self.ended = true;
            actions.push(Action::End);
        }
        actions
    }

    /// When [`tick`](Self::tick) has something to say next, unless something happens before.
    pub(crate) fn next(&self) -> Option<Clock> {
        let leases = self.attachments.values().map(|attachment| attachment.heard);
        let kept = self.kept.values().copied();
        let lease = leases
            .chain(kept)
            .min()
            .map(|heard| heard + self.policy.lease);
        let grace = self
            .unused
            .filter(|_| !self.ended)
            .map(|since| since + self.policy.grace);
        lease.into_iter().chain(grace).min()
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
            now.saturating_sub(kernel.heard),
        ))
    }

    /// The sessions of kernels that are there.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &str> {
        self.attachments
            .values()
            .map(|kernel| kernel.session.as_str())
    }

    fn heard(&mut self, id: AttachmentId, now: Clock) {
        if let Some(attachment) = self.attachments.get_mut(&id) {
            attachment.heard = now;
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
        let used = !self.attachments.is_empty() || self.is_busy();
        self.unused = match (used, self.unused) {
            (true, _) => None,
            (false, since) => since.or(Some(now)),
        };
    }
}

#[cfg(test)]
mod tests;
