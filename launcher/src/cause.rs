//! Why there is no driver, in words for the person at the notebook.

use std::fmt;

/// Why a driver could not be had, or why it ended: what happened, what to do next, and the end of
/// the driver's log where that helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What it is about, for those who decide by it.
    pub kind: Kind,
    /// What happened, to what and why. One sentence without the final full stop.
    pub sentence: String,
    /// What the reader does about it. One or two whole sentences.
    pub remedy: String,
    /// The last lines of the driver's log, where it has something to say.
    pub tail: Option<String>,
}

/// What a [`Cause`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A profile or its file is wrong, or does not exist.
    Profile,
    /// Spark, Java or Python is missing, or is of a wrong version.
    Runtime,
    /// The machine, or the driver's heap, has too little memory.
    Memory,
    /// No space was left on a disk.
    Disk,
    /// A file or folder that is ours could not be used.
    Folder,
    /// Every port that was tried was taken.
    Port,
    /// A jar of the installation is missing or broken.
    Jars,
    /// The profile's packages could not be resolved.
    Packages,
    /// The driver was killed by a signal.
    Killed,
    /// The driver was not ready by its start deadline.
    Deadline,
    /// The driver exited for a reason that is not known.
    Exited,
    /// The keeper did not start, or speaks another language.
    Keeper,
    /// The keeper is gone, and its driver with it.
    KeeperLost,
    /// Someone asked for the driver to be stopped.
    Stopped,
    /// Nobody used the driver any more.
    Unused,
    /// Nothing ran on the driver for longer than its profile allows.
    Idle,
    /// The kernel was silent for longer than its lease.
    Away,
    /// An existing server could not be used.
    Remote,
    /// A cluster cannot be reached, or lacks what a driver needs.
    Cluster,
    /// The user may not do in a cluster what a driver needs.
    Access,
}

/// Every kind with the word by which it crosses the attach service.
const KINDS: [(Kind, &str); 20] = [
    (Kind::Profile, "profile"),
    (Kind::Runtime, "runtime"),
    (Kind::Memory, "memory"),
    (Kind::Disk, "disk"),
    (Kind::Folder, "folder"),
    (Kind::Port, "port"),
    (Kind::Jars, "jars"),
    (Kind::Packages, "packages"),
    (Kind::Killed, "killed"),
    (Kind::Deadline, "deadline"),
    (Kind::Exited, "exited"),
    (Kind::Keeper, "keeper"),
    (Kind::KeeperLost, "keeper-lost"),
    (Kind::Stopped, "stopped"),
    (Kind::Unused, "unused"),
    (Kind::Idle, "idle"),
    (Kind::Away, "away"),
    (Kind::Remote, "remote"),
    (Kind::Cluster, "cluster"),
    (Kind::Access, "access"),
];

impl Kind {
    /// Its word, as the attach service carries it.
    pub fn word(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("exited", |(_, word)| word)
    }

    /// The kind of that word. A word from a newer keeper is [`Kind::Exited`].
    pub fn of_word(word: &str) -> Self {
        KINDS
            .iter()
            .find(|(_, known)| *known == word)
            .map_or(Self::Exited, |(kind, _)| *kind)
    }
}

impl Cause {
    /// A cause without a log.
    pub fn new(kind: Kind, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            remedy: remedy.into(),
            tail: None,
        }
    }

    /// The same cause with the end of a log; an empty one adds nothing.
    #[must_use]
    pub fn with_tail(mut self, tail: impl Into<String>) -> Self {
        let tail = tail.into();
        self.tail = (!tail.trim().is_empty()).then_some(tail);
        self
    }
}

/// Sentence and remedy; the tail is for those who show more.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.sentence, self.remedy)
    }
}

impl std::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_attach_service() {
        for (kind, word) in KINDS {
            assert_eq!(kind.word(), word);
            assert_eq!(Kind::of_word(word), kind);
        }
        assert_eq!(Kind::of_word("of a later version"), Kind::Exited);
    }

    #[test]
    fn an_empty_tail_is_none() {
        let cause = Cause::new(Kind::Disk, "No space", "Make room.");
        assert_eq!(cause.clone().with_tail(" \n").tail, None);
        assert_eq!(cause.with_tail("x").tail.as_deref(), Some("x"));
    }
}
