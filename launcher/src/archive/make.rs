//! Making an archive: a driver that nobody uses does what drivers do, and writes down the classes
//! it needed when it ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use firesteel_session::client::Client;
use firesteel_session::engine::{Engine as _, Statement};
use firesteel_session::session::Session;
use futures::StreamExt as _;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Archive, Marker, digest, read};
use crate::cause::{Cause, Kind};
use crate::driver::{Driver, Exit, LISTENERS, Order, Plan, Starter};
use crate::place::{Lock, Places, sweep_own, unusable};
use crate::profile::{Compiler, Profile, Runs};

/// How long after it was asked for it is begun where nobody waits for it: the one who asked is
/// starting a driver at this moment.
const LATER: Duration = Duration::from_secs(30);

/// How long the driver may take for its statements.
const STATEMENTS: Duration = Duration::from_secs(300);

/// How long another process may take to make it.
const ANOTHER: Duration = Duration::from_secs(1500);

/// How long it may take to write the archive, on a machine that has other things to do.
const WRITING: Duration = Duration::from_secs(900);

/// What people begin with. `{scratch}` is a folder of the driver's own.
const USUAL: [&str; 14] = [
    "SELECT 1 AS one, 'a' AS text, current_timestamp() AS now, DATE '2013-01-01' AS day",
    "CREATE TEMPORARY VIEW numbers AS SELECT id, id % 7 AS k, CAST(id AS STRING) AS name, CAST(id AS DECIMAL(9, 2)) AS amount, now() AS at FROM range(1000)",
    "SELECT k, count(*) AS n, avg(id), max(name), sum(amount), max(at), approx_count_distinct(id) FROM numbers GROUP BY k ORDER BY n DESC, k LIMIT 5",
    "SELECT a.id, b.name, row_number() OVER (PARTITION BY a.k ORDER BY a.id) FROM numbers a JOIN numbers b ON a.id = b.k",
    "WITH t AS (SELECT k, explode(array(1, 2)) AS e FROM numbers WHERE name LIKE '1%') SELECT DISTINCT k, e, map('a', e), named_struct('x', k) FROM t",
    "CREATE TABLE stored USING parquet LOCATION '{scratch}/stored' AS SELECT * FROM numbers",
    "SELECT * FROM stored WHERE name LIKE '1%' AND k IN (1, 2) ORDER BY id",
    "INSERT OVERWRITE DIRECTORY '{scratch}/csv' USING csv OPTIONS (header true) SELECT id, name FROM numbers",
    "CREATE TEMPORARY VIEW lines USING csv OPTIONS (path '{scratch}/csv', header true, inferSchema true)",
    "SELECT count(*) FROM lines",
    "SELECT absent FROM numbers",
    "EXPLAIN FORMATTED SELECT * FROM stored",
    "SHOW TABLES",
    "DESCRIBE TABLE EXTENDED stored",
];

/// Makes the archive of the order's parts, unless it is there as it was made, or another process makes
/// it, which is waited for where `wait` says so. The folders of a driver that nobody uses are removed again.
///
/// # Errors
/// Why there is none.
pub(crate) async fn make(mut order: Order, wait: bool) -> Result<(), Cause> {
    let archive = Archive::of(&order.parts).map_err(|error| cannot_be_made(&error))?;
    fs::create_dir_all(&archive.folder).map_err(|error| unusable(&archive.folder, &error))?;
    if !wait {
        tokio::time::sleep(LATER).await;
    }
    let lock = archive.lock();
    let patience = if wait { ANOTHER } else { Duration::ZERO };
    let taken = Lock::take(&lock, Instant::now() + patience).await;
    let Some(_only_one) = taken.map_err(|error| unusable(&lock, &error))? else {
        return Ok(());
    };
    if let Some(whole) = archive.ready()
        && whole.is_sound().await
    {
        return Ok(());
    }
    order.profile = Profile::built_in("archive");
    order.claim.profile.clone_from(&order.profile.name);
    order.claim.kernel = None;
    let Runs::Local(local) = &order.profile.runs else {
        return Ok(());
    };
    let place = Places::open(&order.paths)?.of(&order.claim.id());
    place.make_folder()?;
    // As long as it is held, nobody sweeps what is in use.
    let keep = place.keep_lock();
    let kept = Lock::try_take(&keep).map_err(|error| unusable(&keep, &error))?;
    let Some(kept) = kept else { return Ok(()) };
    fs::create_dir_all(&place.scratch).map_err(|error| unusable(&place.scratch, &error))?;
    let half = archive.folder.join(format!("{}.half", archive.key));
    // Of one who was killed while making it.
    remove(&half).map_err(|error| unusable(&half, &error))?;
    let mut plan = Plan::local(&order, local, &place);
    // It lies elsewhere for each driver, and an archive is valid for a class path that begins as its own.
    plan.conf.remove(LISTENERS);
    plan.java = vec![archive.flags_to_make(&half)];
    // Which classes it needs is all that is kept of it.
    plan.java.extend(Compiler::Quick.flags());
    let made = run(&plan).await;
    if made.is_err() {
        remove(&half).map_err(|error| unusable(&half, &error))?;
    }
    let swept = sweep_own(&place, &kept);
    made?;
    swept.map_err(|error| unusable(&place.scratch, &error))?;
    name(&archive, half, &order.parts.java).map_err(|error| cannot_be_made(&error))
}

async fn run(plan: &Plan) -> Result<(), Cause> {
    let mut driver: Option<Driver> = None;
    let starter = Starter {
        plan,
        phase: &|_| {},
    };
    let started = starter.start(&mut driver).await;
    if let Ok(running) = &started {
        let scratch = plan.scratch.to_string_lossy();
        if timeout(STATEMENTS, ask(running.client.clone(), &scratch))
            .await
            .is_err()
        {
            tracing::info!("the statements take too long; the archive is made without the rest");
        }
    }
    if let Some(driver) = &mut driver {
        let exit = driver.end_within(WRITING).await;
        if started.is_ok() && !wrote(exit) {
            return Err(cannot_be_made(&io::Error::other(format!("Java {exit}"))));
        }
    }
    started.map(|_running| ())
}

/// Whether a Java that was asked to end came to the end of its writing. One that fails to write, or is
/// killed, leaves a piece of the file.
pub(super) fn wrote(exit: Exit) -> bool {
    const ASKED: i32 = 128 + 15;
    matches!(exit, Exit::Code(0 | ASKED))
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Some of them fail on purpose; what they need to fail is needed then, too.
async fn ask(client: Client, scratch: &str) {
    let session = Session::new(client);
    for sql in USUAL {
        let statement = Statement {
            sql: sql.replace("{scratch}", scratch),
            rows: Some(1001),
            ..Statement::default()
        };
        let mut events = session.run(statement, CancellationToken::new());
        while let Some(event) = events.next().await {
            if let Err(error) = event {
                tracing::debug!(%error, sql, "a statement failed");
            }
        }
    }
    if let Err(error) = session.close().await {
        tracing::debug!(%error, "the session stays");
    }
}

/// Gives the archive its name and says that it is whole; then those before it go.
pub(super) fn name(archive: &Archive, half: PathBuf, java: &Path) -> io::Result<()> {
    let marker = Marker {
        bytes: fs::metadata(&half)?.len(),
        digest: digest::of(&half)?,
        java: java.to_owned(),
        spark_home: archive.spark_home.clone(),
    };
    // A machine that loses its power now must not be left with the name and the size alone.
    File::open(&half)?.sync_all()?;
    fs::rename(half, archive.file())?;
    let unnamed = archive.marker().with_extension("unnamed");
    fs::write(&unnamed, serde_json::to_vec(&marker)?)?;
    fs::rename(unnamed, archive.marker())?;
    tracing::info!(bytes = marker.bytes, "an archive of classes was made");
    sweep(archive, &marker)
}

/// Removes the archives of the same Java as it was, or with the jars as they were. One that was made
/// under another name of the same Spark serves those who know it by that name, as long as it has it.
fn sweep(archive: &Archive, own: &Marker) -> io::Result<()> {
    let superseded = |other: Marker| {
        other.java == own.java && (other.spark_home == own.spark_home || !other.spark_home.exists())
    };
    for entry in fs::read_dir(&archive.folder)? {
        let path = entry?.path();
        let others = path.extension().is_some_and(|end| end == "json") && path != archive.marker();
        if others && read(&path).is_some_and(superseded) {
            fs::remove_file(&path)?;
            fs::remove_file(path.with_extension("jsa"))?;
        }
    }
    Ok(())
}

fn cannot_be_made(error: &io::Error) -> Cause {
    Cause::new(
        Kind::Folder,
        format!("The archive of Spark's classes cannot be made: {error}"),
        "Drivers start without it, and take longer. See whether the disk is full.",
    )
}
