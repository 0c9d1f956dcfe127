//! Drivers on this machine, each with a keeper.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::Child;
use tokio::time::Instant;

use super::spawn::{Program, archive, said, spawn};
use super::{Attachee, Attachment, Backend};
use crate::archive::Archive;
use crate::attach::client::{Keeper, NotAttached};
use crate::cause::{Cause, Kind};
use crate::claim::Claim;
use crate::driver::{Order, Parts, is_version, may_see};
use crate::environment::Environment;
use crate::machine;
use crate::paths::Paths;
use crate::place::{Lock, Place, Places, sweep_all, unusable};
use crate::profile::{Local as LocalProfile, Profile, Runs};
use crate::rehearsal::{self, Rehearsal};
use crate::runtime::Runtime;

/// How long it may take to find a driver's keeper or to have one started; a driver that is ending
/// has to be waited for.
const FIND_OR_MAKE: Duration = Duration::from_secs(60);

/// Pause before another look at a keeper that is ending.
const AGAIN: Duration = Duration::from_millis(50);

/// Drivers on this machine.
#[derive(Debug, Clone)]
pub struct Local {
    paths: Paths,
    environment: Environment,
}

impl Local {
    /// A backend that keeps its things in `paths` and hands parts of `environment` to drivers.
    pub fn new(paths: Paths, environment: Environment) -> Self {
        Self { paths, environment }
    }

    /// What a keeper is told, once everything that could refuse a driver was asked.
    fn order(&self, claim: &Claim, profile: &Profile) -> Result<Order, Cause> {
        let Runs::Local(local) = &profile.runs else {
            return Err(Cause::new(
                Kind::Profile,
                format!(
                    "Profile `{}` names a server, and no driver is started for it",
                    profile.name
                ),
                "Remove `connect` from the profile.",
            ));
        };
        let parts = self.parts(profile, local)?;
        let limit = machine::limit(|path| std::fs::read_to_string(path).ok());
        Ok(Order {
            paths: self.paths.clone(),
            claim: claim.clone(),
            profile: profile.clone(),
            parts,
            heap: machine::heap(local.memory, limit)?,
            cores: local.cores.unwrap_or_else(machine::cores),
            environment: self.environment.only(may_see),
        })
    }

    fn parts(&self, profile: &Profile, local: &LocalProfile) -> Result<Parts, Cause> {
        let java = local.java.as_deref();
        let runtime = Runtime::locate(&self.paths, java, self.environment.lookup())
            .map_err(|missing| Cause::new(Kind::Runtime, missing.what, missing.remedy))?;
        match &local.spark_version {
            Some(wanted) if !is_version(&runtime.spark_version, wanted) => Err(Cause::new(
                Kind::Runtime,
                format!(
                    "Profile `{}` wants Spark {wanted}, and Spark {} is installed",
                    profile.name, runtime.spark_version
                ),
                "Change `sparkVersion` in the profile, or remove it.",
            )),
            _ => Ok(Parts::from(&runtime)),
        }
    }

    /// The keeper's program: `$FIRESTEEL_LAUNCHER`, else `firesteel-launcher` beside our own.
    fn program(&self) -> Result<PathBuf, Cause> {
        let beside = || {
            let own = std::env::current_exe().ok()?;
            Some(own.with_file_name("firesteel-launcher"))
        };
        let named = self
            .environment
            .get("FIRESTEEL_LAUNCHER")
            .map(PathBuf::from);
        match named.or_else(beside) {
            Some(program) if program.is_file() => Ok(program),
            other => Err(Cause::new(
                Kind::Keeper,
                format!(
                    "The program that keeps Spark drivers is not at {}",
                    other.unwrap_or_default().display()
                ),
                "Install Firesteel again, or set FIRESTEEL_LAUNCHER to the path of firesteel-launcher.",
            )),
        }
    }

    /// What would be started for `claim`, and what keeps it from being started. Starts nothing.
    pub(crate) fn rehearse(
        &self,
        claim: &Claim,
        profile: &Profile,
        local: &LocalProfile,
    ) -> Rehearsal {
        let limit = machine::limit(|path| std::fs::read_to_string(path).ok());
        let facts = rehearsal::Machine {
            paths: self.paths.clone(),
            parts: self.parts(profile, local),
            limit,
            heap: machine::heap(local.memory, limit),
            cores: machine::cores(),
            program: self.program(),
            place: Places::open(&self.paths).map(|places| places.of(&claim.id())),
        };
        rehearsal::local(claim, profile, local, facts)
    }

    /// Starts a keeper, unless another has come first.
    async fn make(
        &self,
        place: &Place,
        claim: &Claim,
        profile: &Profile,
        deadline: Instant,
    ) -> Result<(), Cause> {
        let order = self.order(claim, profile)?;
        let program = self.program()?;
        let _starting = start_lock(place, deadline).await?;
        if Keeper::connect(place).await?.is_some() {
            return Ok(());
        }
        let program = Program {
            path: program,
            log: place.keeper_log.clone(),
        };
        spawn(&program, &order, deadline).await?;
        self.archive_in_background(&program.path, &order).await;
        Ok(())
    }

    /// Has the archive of this machine's usual Spark made, and waits for it.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn make_archive(&self) -> Result<(), Cause> {
        let order = self.usual()?;
        let made = archive(&self.program()?, &order, &["--wait"]).await;
        let made = made.map_err(|error| no_archive(&error.to_string()))?;
        let out = made.wait_with_output().await;
        let out = out.map_err(|error| no_archive(&error.to_string()))?;
        if out.status.success() {
            return Ok(());
        }
        Err(said(&out.stdout).unwrap_or_else(|| no_archive("its process died")))
    }

    /// Has the archive of this machine's usual Spark made, where it is not there, and does not wait.
    ///
    /// # Errors
    /// Why no driver could start here at all.
    pub(crate) async fn begin_archive(&self) -> Result<(), Cause> {
        self.archive_in_background(&self.program()?, &self.usual()?)
            .await;
        Ok(())
    }

    fn usual(&self) -> Result<Order, Cause> {
        let profile = Profile::built_in("local");
        let claim = Claim {
            user: String::new(),
            profile: profile.name.clone(),
            kernel: None,
        };
        self.order(&claim, &profile)
    }

    /// A driver starts without it all the same, so what keeps it from being made is for the log.
    async fn archive_in_background(&self, program: &Path, order: &Order) {
        match ask_for_archive(program, order).await {
            Ok(None) => {}
            Ok(Some(_made_by_itself)) => tracing::info!("an archive of Spark's classes is made"),
            Err(error) => tracing::info!(%error, "no archive of Spark's classes is made"),
        }
    }
}

/// Starts the process that makes an archive, unless there is one, or none can be written.
async fn ask_for_archive(program: &Path, order: &Order) -> io::Result<Option<Child>> {
    let wanted = Archive::of(&order.parts)?;
    if wanted.ready().is_some() {
        return Ok(None);
    }
    wanted.can_be_made()?;
    archive(program, order, &[]).await.map(Some)
}

fn no_archive(why: &str) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The archive of Spark's classes was not made: {why}"),
        "Drivers start without it, and take longer. Run `firesteel runtime archive` again.",
    )
}

#[async_trait]
impl Backend for Local {
    async fn attach(
        &self,
        claim: &Claim,
        profile: &Profile,
        who: &Attachee,
    ) -> Result<Attachment, Cause> {
        let deadline = Instant::now() + FIND_OR_MAKE;
        let places = Places::open(&self.paths)?;
        let place = places.of(&claim.id());
        let mut swept = false;
        while Instant::now() < deadline {
            if let Some(keeper) = Keeper::connect(&place).await? {
                match keeper.attach(&place, claim, profile.hash(), who).await {
                    Ok(attachment) => return Ok(attachment),
                    Err(NotAttached::Refused(cause)) => return Err(cause),
                    Err(NotAttached::Ending | NotAttached::Unreachable(_)) => {
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                continue;
            }
            if !swept {
                swept = true;
                sweep_others(&places).await;
            }
            self.make(&place, claim, profile, deadline).await?;
        }
        Err(Cause::new(
            Kind::Keeper,
            format!(
                "The Spark driver of profile `{}` is ending and did not make room in time",
                claim.profile
            ),
            "Run the cell again; `firesteel drivers list` shows the drivers.",
        ))
    }
}

/// Removing what a driver spilled takes a while; it is not for async threads.
async fn sweep_others(places: &Places) {
    let places = places.clone();
    if let Err(error) = tokio::task::spawn_blocking(move || sweep_all(&places)).await {
        tracing::warn!(%error, "sweeping ended early");
    }
}

/// Who holds it starts the keeper. A sweeper may remove the folder under us, then it is made again.
async fn start_lock(place: &Place, deadline: Instant) -> Result<Lock, Cause> {
    loop {
        place.make_folder()?;
        let path = place.start_lock();
        match Lock::take(&path, deadline).await {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) => {
                return Err(Cause::new(
                    Kind::Keeper,
                    "Another kernel is starting the Spark driver and does not come to an end",
                    "Run the cell again in a moment.",
                ));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(&path, &error)),
        }
    }
}
