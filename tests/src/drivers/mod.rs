//! Drivers of a test's own: started in folders nobody else uses, ended with the test.

pub mod attacher;
pub mod processes;
pub mod udf;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firesteel_launcher::attach::state::{DriverState, Facts, Home, OwnFacts};
use firesteel_launcher::backend::{Attachee, Attachment};
use firesteel_launcher::cause::Cause;
use firesteel_launcher::claim::Claim;
use firesteel_launcher::environment::Environment;
use firesteel_launcher::launcher::Launcher;
use firesteel_launcher::paths::Paths;
use firesteel_launcher::profile::{Profile, Profiles};
use firesteel_launcher::runtime::Runtime;
use firesteel_session::client::{Client, Options};
use firesteel_session::session::Session;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;
use uuid::Uuid;

use crate::faults::disk::Disk;
use processes::Process;

/// No start of a driver takes longer, even on a busy machine with two processors.
pub const START: Duration = Duration::from_secs(120);

/// The user of every test's drivers.
pub const USER: &str = "tester";

/// Drivers are heavy: the tests of a program take turns.
static TURN: Mutex<()> = Mutex::const_new(());

/// Folders in which drivers of one test keep their things. When dropped, it ends every process that
/// has anything open in them.
pub struct Machine {
    /// Taken away once every process has ended, and before the folders are.
    disks: BTreeMap<&'static str, Disk>,
    dir: Option<TempDir>,
    root: PathBuf,
    environment: Environment,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Machine {
    /// A machine with Spark and this file of profiles; `None` when there is no Spark here and
    /// `FIRESTEEL_SKIP_SPARK` allows that. Waits for its turn.
    ///
    /// # Panics
    /// When there is no Spark.
    pub async fn with_spark(profiles: &str) -> Option<Self> {
        if let Err(missing) = runtime() {
            if std::env::var_os("FIRESTEEL_SKIP_SPARK").is_some() {
                eprintln!("SKIPPED, NOT TESTED: there is no Spark to test against. {missing}");
                return None;
            }
            panic!("{missing} Or set FIRESTEEL_SKIP_SPARK to go without.");
        }
        Some(Self::new(profiles, &[], Some(TURN.lock().await)))
    }

    /// A machine with this file of profiles and these variables over the usual ones.
    pub fn without_spark(profiles: &str, variables: &[(&str, &str)]) -> Self {
        Self::new(profiles, variables, None)
    }

    fn new(
        profiles: &str,
        variables: &[(&str, &str)],
        turn: Option<MutexGuard<'static, ()>>,
    ) -> Self {
        let dir = tempfile::Builder::new().prefix("fs").tempdir().unwrap();
        let root = dir.path().to_owned();
        for (_, folder) in folders(&root) {
            fs::create_dir(folder).unwrap();
        }
        let machine = Self {
            disks: BTreeMap::new(),
            dir: Some(dir),
            environment: environment(variables),
            root,
            _turn: turn,
        };
        fs::create_dir(machine.paths().config).unwrap();
        machine.edit(profiles);
        machine
    }

    /// The machine of another process, in its folders. Ends nothing.
    pub fn of_another(root: &Path) -> Self {
        Self {
            disks: BTreeMap::new(),
            dir: None,
            root: root.to_owned(),
            environment: environment(&[]),
            _turn: None,
        }
    }

    /// Lays a small disk over each of these folders, before anybody uses them. Gives whether that can
    /// be done here.
    pub fn on_small_disks(&mut self, folders: &[&'static str], megabytes: u32) -> bool {
        for &folder in folders {
            let Some(disk) = Disk::over(&self.root.join(folder), megabytes) else {
                return false;
            };
            self.disks.insert(folder, disk);
        }
        true
    }

    /// The small disk over this folder.
    pub fn disk(&self, folder: &str) -> &Disk {
        &self.disks[folder]
    }

    /// The folder that holds all others.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folders.
    pub fn paths(&self) -> Paths {
        let own: BTreeMap<_, _> = folders(&self.root).into();
        // What is installed is not the test's own: it is large and nobody writes to it.
        Paths::from_env(|name| match own.get(name) {
            Some(folder) => Some(folder.to_string_lossy().into_owned()),
            None => std::env::var(name).ok(),
        })
    }

    /// The variables of a process that keeps its things in the folders.
    pub fn variables(&self) -> Vec<(String, String)> {
        let folders = folders(&self.root)
            .map(|(name, folder)| (name.to_owned(), folder.to_string_lossy().into_owned()));
        ours().into_iter().chain(folders).collect()
    }

    /// A launcher.
    pub fn launcher(&self) -> Launcher {
        Launcher::new(self.paths(), self.environment.clone())
    }

    /// A profile, as its file is now.
    pub fn profile(&self, name: &str) -> Profile {
        let profiles = Profiles::load(&self.paths(), &self.environment).unwrap();
        profiles.get(name).unwrap()
    }

    /// Writes the file of profiles anew.
    pub fn edit(&self, profiles: &str) {
        fs::write(self.paths().config.join("profiles.yaml"), profiles).unwrap();
    }

    /// The claim of a kernel on a driver of the profile.
    pub fn claim(&self, profile: &Profile, kernel: &str) -> Claim {
        Claim::new(profile, &self.environment, kernel)
    }

    /// Attaches a kernel with a new session to a driver of the profile `local`.
    pub async fn attach(&self, kernel: &str) -> Result<Attachment, Cause> {
        let profile = self.profile("local");
        let claim = self.claim(&profile, kernel);
        let who = Attachee {
            kernel: kernel.to_owned(),
            session_id: Uuid::new_v4(),
        };
        self.launcher().attach(&claim, &profile, &who).await
    }

    /// Attaches and waits until the driver takes calls.
    ///
    /// # Panics
    /// When it never does.
    pub async fn attach_ready(&self, kernel: &str) -> (Attachment, OwnFacts) {
        let attachment = self
            .attach(kernel)
            .await
            .unwrap_or_else(|cause| fail(&cause));
        let ready = tokio::time::timeout(START, attachment.ready()).await;
        let facts = ready
            .expect("the driver starts in time")
            .unwrap_or_else(|cause| fail(&cause));
        (attachment, own(facts))
    }

    /// Every process that has anything open here: keepers, drivers and what they started.
    pub fn processes(&self) -> Vec<Process> {
        processes::of(&self.root)
    }

    /// What drivers and kernels have here now: folders of sockets and of scratch space.
    pub fn left_behind(&self) -> Vec<PathBuf> {
        let paths = self.paths();
        let below = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect::<Vec<_>>()
        };
        let scratch = below(&paths.scratch);
        let mut left = below(&paths.run);
        let temporary = below(&self.root.join("scratch"));
        left.extend(temporary.into_iter().filter(|path| *path != paths.scratch));
        left.extend(scratch.iter().flat_map(|folder| below(folder)));
        left
    }

    /// Keeper and driver, once both are there.
    ///
    /// # Panics
    /// When they never are.
    pub async fn keeper_and_driver(&self) -> (u32, u32) {
        eventually(START, async || {
            let all = self.processes();
            let find = |has: &dyn Fn(&str) -> bool| {
                let found = all
                    .iter()
                    .find(|process| process.arguments.iter().any(|word| has(word)));
                found.map(|process| process.pid)
            };
            let keeper = find(&|word| word == "keep");
            let driver = find(&|word| word.starts_with('@'));
            keeper.zip(driver).ok_or_else(|| format!("{all:?}"))
        })
        .await
    }

    /// Waits until no process is left here.
    ///
    /// # Panics
    /// When one still is after `deadline`.
    pub async fn wait_until_gone(&self, deadline: Duration) {
        eventually(deadline, async || {
            let left = self.processes();
            if left.is_empty() {
                Ok(())
            } else {
                Err(format!("still there: {left:?}"))
            }
        })
        .await;
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.dir.is_some() {
            processes::end(&self.root);
        }
    }
}

/// A session of the attachment's own.
pub fn session(attachment: &Attachment) -> Session {
    let client = Client::new(attachment.address().clone(), Options::local()).unwrap();
    Session::new(client)
}

/// What is known of a driver of ours.
pub fn own(facts: Facts) -> OwnFacts {
    facts.own.expect("the driver is ours")
}

/// The process ids of a keeper and its driver.
///
/// # Panics
/// When they are in a pod.
pub fn pids(own: &OwnFacts) -> (u32, u32) {
    match &own.home {
        Home::Process { keeper, driver, .. } => (*keeper, *driver),
        Home::Pod(pod) => panic!("{pod:?} is no process here"),
    }
}

/// Waits until the driver has ended, and gives why.
///
/// # Panics
/// When it has not after `deadline`.
pub async fn ended(attachment: &Attachment, deadline: Duration) -> Cause {
    let mut state = attachment.state();
    let ended = state.wait_for(|state| matches!(state, DriverState::Ended(_)));
    let ended = tokio::time::timeout(deadline, ended).await;
    match &*ended
        .expect("the driver ends in time")
        .expect("its end is told")
    {
        DriverState::Ended(cause) => cause.clone(),
        other => panic!("{other:?}"),
    }
}

/// Waits until `holds` is `Ok`.
///
/// # Panics
/// With its last word, when it is not after `deadline`.
pub async fn eventually<T>(
    deadline: Duration,
    mut holds: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let until = Instant::now() + deadline;
    loop {
        match holds().await {
            Ok(value) => return value,
            Err(why) if Instant::now() >= until => panic!("after {deadline:?}: {why}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The runtime that drivers are made of.
pub fn runtime() -> Result<Runtime, firesteel_launcher::runtime::Missing> {
    let var = |name: &str| std::env::var(name).ok();
    Runtime::locate(&Paths::from_env(var), None, var)
}

fn fail(cause: &Cause) -> ! {
    panic!("{cause}\n{}", cause.tail.as_deref().unwrap_or_default())
}

/// The folders of a machine, by the variables that name them.
fn folders(root: &Path) -> [(&'static str, PathBuf); 5] {
    [
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_RUNTIME_DIR", "run"),
        ("TMPDIR", "scratch"),
        ("FIRESTEEL_ETC", "etc"),
    ]
    .map(|(name, folder)| (name, root.join(folder)))
}

/// The environment of this process, with the programs that were built with it and one user.
fn environment(variables: &[(&str, &str)]) -> Environment {
    let more = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    std::env::vars().chain(ours()).chain(more).collect()
}

fn ours() -> [(String, String); 5] {
    let program = launcher_program();
    [
        ("USER".to_owned(), USER.to_owned()),
        ("JUPYTERHUB_USER".to_owned(), String::new()),
        ("FIRESTEEL_SHARE".to_owned(), String::new()),
        ("SPARK_REMOTE".to_owned(), String::new()),
        (
            "FIRESTEEL_LAUNCHER".to_owned(),
            program.to_string_lossy().into_owned(),
        ),
    ]
}

/// The keeper's program.
pub fn launcher_program() -> PathBuf {
    program("firesteel-launcher")
}

/// A program that was built with the tests, which lies beside the folder of their programs.
///
/// # Panics
/// When it was not built.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own
        .ancestors()
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    program.unwrap_or_else(|| panic!("{name} is not built; run `cargo build --workspace` first"))
}
