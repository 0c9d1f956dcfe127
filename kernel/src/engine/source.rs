//! Where sessions come from: the seam between the cells and the launcher.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firesteel_launcher::attach::state::Executors;
use firesteel_launcher::launcher::LogsOf;
use firesteel_launcher::rehearsal::Rehearsal;
use firesteel_session::engine::Engine;
use firesteel_session::error::Error;
use tokio::sync::watch;

use super::aside::Aside;
use super::catalog::Background;
use crate::cell::Subject;
use crate::display::{Lifetime, Start, Started, Zone};

/// Finds or makes what runs statements, and knows what becomes of it. One per kernel.
#[async_trait]
pub trait Source: Send + Sync {
    /// The session, starting a driver when there is none. `start` is told what is going on. Dropping the future ends the wait, not the driver.
    async fn open(&mut self, start: watch::Sender<Start>) -> Result<Opened, Unavailable>;

    /// Tells that statements fail with `error`, after which [`Error::session_is_gone`] or
    /// [`Error::server_is_gone`] holds. Says in a sentence what happened, as far as it can be
    /// learned within a few seconds. The next [`open`](Self::open) makes a new session.
    async fn lost(&mut self, error: &Error) -> String;

    /// Waits until the driver of the session ends; for ever where there is none. The driver's end
    /// is then told by [`lost`](Self::lost) or by the notice of the next [`open`](Self::open).
    async fn ended(&self);

    /// Waits until something is to be told between cells; for ever where there is no driver.
    /// Cancel-safe.
    async fn aside(&mut self) -> Aside;

    /// The executors of the session's driver; none where it has none apart from itself.
    fn executors(&self) -> Option<Executors>;

    /// Sentences about the driver that were not told before, such as why an executor was lost.
    fn notices(&self) -> Vec<String>;

    /// Tells whether a cell runs: while one does, its driver is not taken away.
    fn busy(&mut self, busy: bool);

    /// Takes note of a statement that succeeded.
    fn record(&mut self, subject: &Subject);

    /// The open session, to be asked in the background; `None` where asking would start a driver.
    fn background(&self) -> Option<Background>;

    /// The notebook's folder, where the driver is on this machine and reads the files that are here;
    /// `None` elsewhere.
    fn here(&self) -> Option<PathBuf>;

    /// What is open: the driver, the session, who else uses it. For a person.
    async fn describe(&mut self) -> String;

    /// Goes through a driver's start by the profile of this name, or by the chosen one, without
    /// making anything.
    async fn rehearse(&self, profile: Option<&str>) -> Result<Rehearsal, Unavailable>;

    /// The end of the driver's log, or of an executor's.
    async fn logs(&mut self, of: LogsOf, lines: usize) -> Result<String, Unavailable>;

    /// Keeps the driver from being given back for being idle for so long, zero takes that back; and
    /// says how long it is kept.
    async fn keep(&mut self, time: Option<Duration>) -> String;

    /// Gives the driver back now, and says what became of it.
    async fn stop(&mut self) -> Result<String, Unavailable>;

    /// The profiles there are and which is chosen. For a person.
    fn profiles(&self) -> String;

    /// The names of the profiles there are.
    fn profile_names(&self) -> Vec<String>;

    /// Chooses another profile, and says what that means.
    async fn choose(&mut self, profile: &str) -> Result<String, Unavailable>;

    /// Gives the session back.
    async fn close(&mut self);
}

/// A session that runs statements.
#[derive(Clone)]
pub struct Opened {
    /// What runs them.
    pub engine: Arc<dyn Engine>,
    /// The session's time zone.
    pub zone: Zone,
    /// How long its tables live.
    pub lifetime: Lifetime,
    /// What the user is to be told before anything else, such as what was lost with an earlier
    /// driver. Told once.
    pub notice: Option<String>,
    /// What the driver's start took, where it was waited for in a cluster. Told once.
    pub started: Option<Started>,
}

/// Why there is no session, or no answer, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Unavailable {
    /// What happened and why, as far as known.
    pub sentence: String,
    /// What to do next.
    pub remedy: String,
    /// The end of the driver's log, where it tells more.
    pub log_tail: Option<String>,
}
