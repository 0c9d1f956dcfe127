//! What state a driver is in, as kernels are told.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::proto;
use crate::cause::{Cause, Kind};

/// The state of a driver.
#[derive(Debug, Clone, PartialEq)]
pub enum DriverState {
    /// It starts.
    Starting {
        /// How far it is.
        phase: Phase,
        /// When its start began.
        since: Instant,
        /// The phases before this one, and how long each took.
        passed: Vec<(Phase, Duration)>,
        /// What is in the way at present, where something is.
        trouble: Option<String>,
    },
    /// It takes calls.
    Ready(Facts),
    /// It is gone, or never came.
    Ended(Cause),
}

/// What a keeper tells of its driver beside its state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outlook {
    /// The driver's executors; `None` where it has none apart from itself.
    pub executors: Option<Executors>,
    /// When the driver will be given back for being idle, unless somebody uses it before.
    pub given_back_at: Option<Instant>,
}

/// How many executors a driver has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Executors {
    /// They take tasks.
    pub running: u32,
    /// They were asked for and are not there yet.
    pub pending: u32,
}

/// How far a start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Folders and settings are made.
    Preparing,
    /// Java starts.
    StartingJava,
    /// Packages are fetched.
    ResolvingPackages,
    /// Spark starts, and does not answer yet.
    WaitingForSpark,
    /// The pod waits for a node.
    Scheduling,
    /// The node fetches images and mounts volumes.
    PreparingPod,
    /// The pod's containers start.
    StartingContainers,
}

impl Phase {
    /// As shown to the user while it lasts.
    pub fn words(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::StartingJava => "starting Java",
            Self::ResolvingPackages => "fetching packages",
            Self::WaitingForSpark => "waiting for Spark",
            Self::Scheduling => "waiting for a node",
            Self::PreparingPod => "preparing its pod",
            Self::StartingContainers => "starting containers",
        }
    }
}

/// What is known of a driver that is ready. Of a server that is not ours only its version is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its Spark's version; `None` for a server that was not asked.
    pub spark_version: Option<String>,
    /// What is known of a driver that we started.
    pub own: Option<OwnFacts>,
}

/// What is known of a driver that we started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFacts {
    /// Random, new with each driver.
    pub incarnation: String,
    /// When its start began.
    pub started_at: SystemTime,
    /// Where it is.
    pub home: Home,
}

/// Where a driver of ours is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// On this machine.
    Process {
        /// Process id of the keeper.
        keeper: u32,
        /// Process id of the driver.
        driver: u32,
        /// Its log.
        log: PathBuf,
    },
    /// In a cluster.
    Pod(PodName),
}

/// Names a pod of the cluster that a profile uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodName {
    /// Its namespace.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl From<Phase> for proto::Phase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Preparing => Self::Preparing,
            Phase::StartingJava => Self::StartingJava,
            Phase::ResolvingPackages => Self::ResolvingPackages,
            Phase::WaitingForSpark => Self::WaitingForSpark,
            Phase::Scheduling => Self::Scheduling,
            Phase::PreparingPod => Self::PreparingPod,
            Phase::StartingContainers => Self::StartingContainers,
        }
    }
}

impl From<proto::Phase> for Phase {
    fn from(phase: proto::Phase) -> Self {
        match phase {
            proto::Phase::StartingJava => Self::StartingJava,
            proto::Phase::ResolvingPackages => Self::ResolvingPackages,
            proto::Phase::WaitingForSpark => Self::WaitingForSpark,
            proto::Phase::Scheduling => Self::Scheduling,
            proto::Phase::PreparingPod => Self::PreparingPod,
            proto::Phase::StartingContainers => Self::StartingContainers,
            // A phase of a newer keeper is told as the least it can be.
            proto::Phase::Preparing | proto::Phase::Unspecified => Self::Preparing,
        }
    }
}

impl From<Cause> for proto::Cause {
    fn from(cause: Cause) -> Self {
        Self {
            kind: cause.kind.word().to_owned(),
            sentence: cause.sentence,
            remedy: cause.remedy,
            tail: cause.tail.unwrap_or_default(),
        }
    }
}

impl From<proto::Cause> for Cause {
    fn from(cause: proto::Cause) -> Self {
        Self::new(Kind::of_word(&cause.kind), cause.sentence, cause.remedy).with_tail(cause.tail)
    }
}

impl DriverState {
    /// Reads the state a keeper told; `welcome` is how it introduced itself, `pod` is where it was
    /// met if that was not on this machine, `now` is when it was told.
    pub(crate) fn read(
        state: proto::State,
        welcome: &proto::Welcome,
        pod: Option<&PodName>,
        now: Instant,
    ) -> Self {
        match state.state {
            Some(proto::state::State::Starting(starting)) => {
                let elapsed = Duration::from_millis(starting.milliseconds);
                Self::Starting {
                    phase: starting.phase().into(),
                    since: now.checked_sub(elapsed).unwrap_or(now),
                    passed: starting
                        .passed
                        .iter()
                        .map(|passed| {
                            let took = Duration::from_millis(passed.milliseconds);
                            (passed.phase().into(), took)
                        })
                        .collect(),
                    trouble: None,
                }
            }
            Some(proto::state::State::Ready(ready)) => Self::Ready(Facts {
                spark_version: Some(ready.spark_version),
                own: Some(OwnFacts {
                    incarnation: welcome.incarnation.clone(),
                    started_at: SystemTime::UNIX_EPOCH + Duration::from_millis(welcome.started_at),
                    home: match pod {
                        Some(pod) => Home::Pod(pod.clone()),
                        None => Home::Process {
                            keeper: welcome.pid,
                            driver: ready.pid,
                            log: PathBuf::from(&welcome.log),
                        },
                    },
                }),
            }),
            Some(proto::state::State::Ended(cause)) => Self::Ended(cause.into()),
            None => Self::Starting {
                phase: Phase::Preparing,
                since: now,
                passed: Vec::new(),
                trouble: None,
            },
        }
    }
}
