//! Sessions on drivers that the launcher finds or makes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use firesteel_launcher::attach::state::{DriverState, Executors};
use firesteel_launcher::backend::{Attachee, Attachment};
use firesteel_launcher::cause::{Cause, Kind};
use firesteel_launcher::claim::{Claim, ClaimId};
use firesteel_launcher::environment::Environment;
use firesteel_launcher::launcher::{Launcher, Listed, LogsOf};
use firesteel_launcher::paths::Paths;
use firesteel_launcher::profile::{self, Chosen, Profile, Profiles, Runs};
use firesteel_launcher::rehearsal::Rehearsal;
use firesteel_session::client::{Client, Options};
use firesteel_session::error::Error;
use firesteel_session::session::Session;
use tokio::sync::watch;
use uuid::Uuid;

use super::aside::{Aside, Fate, Told};
use super::catalog::Background;
use super::describe;
use super::keep_alive::KeepAlive;
use super::ledger::Ledger;
use super::source::{Opened, Source, Unavailable};
use super::start::ready;
use crate::cell::Subject;
use crate::display::{Lifetime, Start, Started, Zone};

/// How long the end of a driver is waited for when a statement fails as if it had ended: the
/// connection may break a moment before the keeper tells why.
const LEARN_WHY: Duration = Duration::from_secs(3);

/// How long a keeper may take to say that a driver it was about to give back stays.
const KEEPS: Duration = Duration::from_secs(3);

/// How long giving a session back may take.
const CLOSE: Duration = Duration::from_secs(2);

/// The setting that holds the notebook's folder, for `${firesteel.here}`.
const HERE: &str = "firesteel.here";

/// What `%keep` says where there is no driver.
const NOTHING_TO_KEEP: &str =
    "There is no driver to keep yet; run `%keep` again after the first statement.";

/// What a kernel is to the launcher.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where Firesteel keeps its things.
    pub paths: Paths,
    /// The kernel's environment.
    pub environment: Environment,
    /// The profile that the kernelspec names.
    pub kernelspec_profile: Option<String>,
    /// The notebook's folder.
    pub here: PathBuf,
}

/// Finds or makes a driver when the first statement needs one, and a session on it.
pub struct Drivers {
    settings: Settings,
    launcher: Launcher,
    /// The kernel's id, the same as long as it lives.
    kernel: Uuid,
    /// The profile that `%profile` named.
    chosen: Option<String>,
    standing: Option<Standing>,
    /// A driver of this kernel alone whose start was asked for and not waited for to its end.
    unawaited: Option<ClaimId>,
    ledger: Ledger,
    /// What happened to the last session, until it is told.
    untold: Option<String>,
    busy: bool,
}

/// A session on a driver.
struct Standing {
    profile: Profile,
    claim: Claim,
    attachment: Attachment,
    session: Session,
    zone: Zone,
    lifetime: Lifetime,
    /// What was told of its driver's end.
    told: Told,
    /// What its keeper was told that it holds.
    holds: String,
    /// What the driver's start took, until it is told.
    started: Option<Started>,
    /// Ends with the session.
    _keep_alive: Option<KeepAlive>,
}

impl Drivers {
    /// Starts nothing yet.
    pub fn new(settings: Settings) -> Self {
        let launcher = Launcher::new(settings.paths.clone(), settings.environment.clone());
        Self {
            settings,
            launcher,
            kernel: Uuid::new_v4(),
            chosen: None,
            standing: None,
            unawaited: None,
            ledger: Ledger::default(),
            untold: None,
            busy: false,
        }
    }

    fn known(&self) -> Result<Profiles, Unavailable> {
        Profiles::load(&self.settings.paths, &self.settings.environment).map_err(of_profile)
    }

    fn choice(&self, profiles: &Profiles) -> Chosen {
        profile::choose(
            self.chosen.as_deref(),
            self.settings.environment.get("FIRESTEEL_PROFILE"),
            self.settings.kernelspec_profile.as_deref(),
            profiles.default_name(),
        )
    }

    async fn make(&mut self, start: &watch::Sender<Start>) -> Result<Standing, Unavailable> {
        let made = self.begin(start).await;
        // Who is interrupted does not come here.
        self.unawaited = None;
        made
    }

    /// Takes back a driver of this kernel alone that still starts: nobody else waits for it, and it
    /// would be in the way of others until its deadline.
    async fn withdraw(&mut self) {
        if let Some(id) = self.unawaited.take()
            && let Err(cause) = self.launcher.stop(&id).await
        {
            tracing::debug!(%cause, "a driver that nobody waits for stays to its deadline");
        }
    }

    async fn begin(&mut self, start: &watch::Sender<Start>) -> Result<Standing, Unavailable> {
        let profiles = self.known()?;
        let profile = profiles
            .get(&self.choice(&profiles).name)
            .map_err(of_profile)?;
        let kernel = self.kernel.to_string();
        let claim = Claim::new(&profile, &self.settings.environment, &kernel);
        let who = Attachee {
            kernel,
            session_id: Uuid::new_v4(),
        };
        self.unawaited = claim.kernel.is_some().then(|| claim.id());
        start.send_replace(Start::phase("looking for a driver"));
        let attachment = self.launcher.attach(&claim, &profile, &who).await?;
        attachment.running(u32::from(self.busy));
        let started = ready(&attachment, start).await?;
        start.send_replace(Start::phase("opening a session"));
        let remote = matches!(profile.runs, Runs::Remote(_));
        let options = match profile.runs {
            Runs::Local(_) => Options::local(),
            Runs::Remote(_) | Runs::Kubernetes(_) => Options::remote(),
        };
        let client = Client::new(attachment.address().clone(), options).map_err(|error| {
            let remedy = "Correct the address in the profile or in SPARK_REMOTE.";
            unavailable(error.to_string(), remedy)
        })?;
        let session = Session::new(client);
        let (zone, lifetime) = prepare(&session, &self.settings.here)
            .await
            .map_err(|error| of_error(&error))?;
        Ok(Standing {
            profile,
            claim,
            attachment,
            _keep_alive: remote.then(|| KeepAlive::start(&session)),
            session,
            zone,
            lifetime,
            told: Told::default(),
            holds: String::new(),
            started,
        })
    }

    /// Notes that the session is gone, and what with it, to be told by the next one.
    fn forget(&mut self, what: &str) {
        let lost = std::mem::take(&mut self.ledger);
        let told = if lost.is_empty() {
            format!("{what}. A new session was opened; nothing was lost with the old one.")
        } else {
            format!(
                "{what}. A new session was opened. Lost with the old one: {lost}. Run the cells that make them again."
            )
        };
        self.untold = Some(told);
        self.standing = None;
    }

    /// The session's driver, as its keeper describes it now.
    async fn listed(&self, standing: &Standing) -> Option<Listed> {
        let listed = self.launcher.list().await.unwrap_or_default();
        let id = standing.claim.id();
        listed.into_iter().find(|driver| driver.id == id)
    }

    async fn release(&mut self) {
        if let Some(standing) = self.standing.take() {
            let closed = tokio::time::timeout(CLOSE, standing.session.close()).await;
            if !matches!(closed, Ok(Ok(()))) {
                tracing::debug!("the session was not released; its driver does it");
            }
            standing.attachment.goodbye().await;
        }
    }
}

#[async_trait]
impl Source for Drivers {
    async fn open(&mut self, start: watch::Sender<Start>) -> Result<Opened, Unavailable> {
        if let Some(standing) = &self.standing {
            stays(&standing.attachment).await;
        }
        let ended = self.standing.as_ref().and_then(ended);
        if let Some(cause) = ended {
            let tip = cause.kind == Kind::Idle && !self.ledger.is_empty();
            self.forget(&cause.sentence);
            if let Some(untold) = self.untold.as_mut().filter(|_| tip) {
                untold.push_str(" `%keep 2h` keeps a driver that is idle.");
            }
        }
        if self.standing.is_none() {
            self.standing = Some(self.make(&start).await?);
        }
        let Some(standing) = &mut self.standing else {
            return Err(unavailable(
                "There is no Spark session",
                "Run the cell again.",
            ));
        };
        let notice: Vec<String> = self
            .untold
            .take()
            .into_iter()
            .chain(standing.attachment.take_notices())
            .collect();
        Ok(Opened {
            engine: Arc::new(standing.session.clone()),
            zone: standing.zone.clone(),
            lifetime: standing.lifetime,
            notice: (!notice.is_empty()).then(|| notice.join("\n")),
            started: standing.started.take(),
        })
    }

    async fn lost(&mut self, error: &Error) -> String {
        let mut cause = None;
        if let Some(standing) = &self.standing {
            let mut state = standing.attachment.state();
            let ended = state.wait_for(|state| matches!(state, DriverState::Ended(_)));
            if let Ok(Ok(state)) = tokio::time::timeout(LEARN_WHY, ended).await
                && let DriverState::Ended(why) = &*state
            {
                cause = Some(why.sentence.clone());
            }
        }
        let what = match cause {
            Some(why) => why,
            None => format!("The Spark session is gone: {error}"),
        };
        self.forget(&what);
        what
    }

    async fn ended(&self) {
        let Some(standing) = &self.standing else {
            return std::future::pending().await;
        };
        let mut state = standing.attachment.state();
        // An error means that nobody is left who could tell; the statement itself will fail.
        let told = state
            .wait_for(|state| matches!(state, DriverState::Ended(_)))
            .await
            .is_ok();
        if !told {
            std::future::pending::<()>().await;
        }
    }

    async fn aside(&mut self) -> Aside {
        let Some(standing) = &mut self.standing else {
            return std::future::pending().await;
        };
        let fate = Fate::news(&standing.attachment, &mut standing.told).await;
        fate.words(&self.ledger, &standing.zone, SystemTime::now())
    }

    fn executors(&self) -> Option<Executors> {
        let standing = self.standing.as_ref()?;
        standing.attachment.outlook().borrow().executors
    }

    fn notices(&self) -> Vec<String> {
        let standing = self.standing.as_ref();
        standing.map_or_else(Vec::new, |standing| standing.attachment.take_notices())
    }

    fn busy(&mut self, busy: bool) {
        self.busy = busy;
        let Some(standing) = &mut self.standing else {
            return;
        };
        let holds = self.ledger.to_string();
        if standing.holds != holds {
            // Before it is idle: how long it may be depends on it.
            standing.attachment.holds(&holds);
            standing.holds = holds;
        }
        standing.attachment.running(u32::from(busy));
    }

    fn record(&mut self, subject: &Subject) {
        let in_memory = self
            .standing
            .as_ref()
            .is_some_and(|standing| standing.lifetime == Lifetime::Driver);
        self.ledger.record(subject, in_memory);
    }

    fn background(&self) -> Option<Background> {
        let standing = self.standing.as_ref()?;
        ended(standing).is_none().then(|| Background {
            session: standing.session.identity().session_id(),
            engine: Arc::new(standing.session.background()),
        })
    }

    fn here(&self) -> Option<PathBuf> {
        let runs_here = match &self.standing {
            Some(standing) => matches!(standing.profile.runs, Runs::Local(_)),
            None => {
                let profiles = self.known().ok()?;
                let profile = profiles.get(&self.choice(&profiles).name).ok()?;
                matches!(profile.runs, Runs::Local(_))
            }
        };
        runs_here.then(|| self.settings.here.clone())
    }

    async fn describe(&mut self) -> String {
        let Some(standing) = &self.standing else {
            return "No Spark session yet; the first statement starts one.".to_owned();
        };
        let session = standing.session.identity().session_id();
        describe::session(
            &standing.profile,
            session,
            &standing.attachment,
            self.listed(standing).await.as_ref(),
        )
    }

    async fn keep(&mut self, time: Option<Duration>) -> String {
        let Some(standing) = &self.standing else {
            return NOTHING_TO_KEEP.to_owned();
        };
        if matches!(standing.profile.runs, Runs::Remote(_)) {
            return "The server is not ours: it is never given back, and nothing keeps it."
                .to_owned();
        }
        let kept = match time {
            Some(time) => {
                standing.attachment.keep(time);
                (!time.is_zero()).then_some(time)
            }
            None => self.listed(standing).await.and_then(|driver| driver.kept),
        };
        describe::kept(kept, standing.profile.idle_limit)
    }

    async fn rehearse(&self, profile: Option<&str>) -> Result<Rehearsal, Unavailable> {
        let profiles = self.known()?;
        let name = match profile {
            Some(name) => name.to_owned(),
            None => self.choice(&profiles).name,
        };
        let profile = profiles.get(&name).map_err(of_profile)?;
        let kernel = self.kernel.to_string();
        let claim = Claim::new(&profile, &self.settings.environment, &kernel);
        Ok(self.launcher.rehearse(&claim, &profile).await)
    }

    async fn logs(&mut self, of: LogsOf, lines: usize) -> Result<String, Unavailable> {
        let claim = match &self.standing {
            Some(standing) => standing.claim.clone(),
            None => {
                let profiles = self.known()?;
                let profile = profiles
                    .get(&self.choice(&profiles).name)
                    .map_err(of_profile)?;
                let kernel = self.kernel.to_string();
                Claim::new(&profile, &self.settings.environment, &kernel)
            }
        };
        Ok(self.launcher.logs(&claim.id(), &of, lines).await?)
    }

    async fn stop(&mut self) -> Result<String, Unavailable> {
        let Some(standing) = &self.standing else {
            let starting = match self.unawaited.take() {
                Some(id) => self.launcher.stop(&id).await?,
                None => false,
            };
            let said = if starting {
                "The driver that was starting was given back."
            } else {
                "This notebook uses no driver."
            };
            return Ok(said.to_owned());
        };
        let own = !matches!(standing.profile.runs, Runs::Remote(_));
        let id = standing.claim.id();
        self.release().await;
        let lost = std::mem::take(&mut self.ledger);
        let said = if !own {
            "The session was given back; the server is not ours and goes on."
        } else if self.launcher.stop(&id).await? {
            "The driver was given back."
        } else {
            "The driver had ended already."
        };
        let mut said = said.to_owned();
        if !lost.is_empty() {
            said.push_str(&format!(" Lost with it: {lost}."));
        }
        Ok(said)
    }

    fn profiles(&self) -> String {
        match self.known() {
            Ok(profiles) => describe::profiles(&profiles, &self.choice(&profiles)),
            Err(error) => format!("{error}. {}", error.remedy),
        }
    }

    fn profile_names(&self) -> Vec<String> {
        self.known()
            .map_or_else(|_unreadable| Vec::new(), |profiles| profiles.names())
    }

    async fn choose(&mut self, name: &str) -> Result<String, Unavailable> {
        let profiles = self.known()?;
        let profile = profiles.get(name).map_err(of_profile)?;
        if self.choice(&profiles).name != profile.name {
            self.withdraw().await;
        }
        self.chosen = Some(profile.name.clone());
        let leaves = self
            .standing
            .as_ref()
            .is_some_and(|standing| standing.profile.name != profile.name);
        if !leaves {
            return Ok(format!("Statements run with the profile {name}."));
        }
        self.release().await;
        let lost = std::mem::take(&mut self.ledger);
        let lost = if lost.is_empty() {
            String::new()
        } else {
            format!(" Left behind: {lost}.")
        };
        Ok(format!(
            "The next statement opens a session with the profile {name}.{lost}"
        ))
    }

    async fn close(&mut self) {
        self.release().await;
        self.withdraw().await;
    }
}

/// Waits, where the driver is about to be given back, until its keeper has heard that a cell runs
/// and keeps it, or has ended it.
async fn stays(attachment: &Attachment) {
    let mut outlook = attachment.outlook();
    let mut state = attachment.state();
    let settled = async {
        tokio::select! {
            _ = outlook.wait_for(|outlook| outlook.given_back_at.is_none()) => {}
            _ = state.wait_for(|state| matches!(state, DriverState::Ended(_))) => {}
        }
    };
    if tokio::time::timeout(KEEPS, settled).await.is_err() {
        tracing::warn!("the keeper does not say whether the driver stays");
    }
}

fn ended(standing: &Standing) -> Option<Cause> {
    match &*standing.attachment.state().borrow() {
        DriverState::Ended(cause) => Some(cause.clone()),
        _ => None,
    }
}

/// Tells the session where the notebook is, and asks what its results depend on.
async fn prepare(session: &Session, here: &std::path::Path) -> Result<(Zone, Lifetime), Error> {
    const ZONE: &str = "spark.sql.session.timeZone";
    const CATALOG: &str = "spark.sql.catalogImplementation";
    if let Some(here) = here.to_str() {
        session.set(&[(HERE, here)]).await?;
    }
    let found = session.get(&[ZONE, CATALOG]).await?;
    let value = |name: &str| found.get(name).and_then(|value| value.as_deref());
    let zone = value(ZONE).and_then(Zone::parse).unwrap_or_else(Zone::utc);
    let lifetime = match value(CATALOG) {
        Some("in-memory") => Lifetime::Driver,
        _ => Lifetime::Kept,
    };
    Ok((zone, lifetime))
}

impl From<Cause> for Unavailable {
    fn from(cause: Cause) -> Self {
        Self {
            sentence: cause.sentence,
            remedy: cause.remedy,
            log_tail: cause.tail,
        }
    }
}

fn of_profile(error: profile::ProfileError) -> Unavailable {
    Cause::from(error).into()
}

fn of_error(error: &Error) -> Unavailable {
    let remedy = "Run the cell again; `%logs` shows what the driver says.";
    unavailable(format!("No session could be opened: {error}"), remedy)
}

fn unavailable(sentence: impl Into<String>, remedy: &str) -> Unavailable {
    Unavailable {
        sentence: sentence.into(),
        remedy: remedy.to_owned(),
        log_tail: None,
    }
}
