//! Starting a keeper.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout, timeout_at};

use crate::attach::proto;
use crate::cause::{Cause, Kind};
use crate::driver::{Order, tail_of};
use crate::place::unusable;

/// How many lines of the keeper's log tell why it did not start.
const LAST_LINES: usize = 10;

/// The most a keeper has to say when it could not begin, in bytes.
const LONGEST_ANSWER: u64 = 64 << 10;

/// How long a keeper that could not begin has to end by itself: it has said why.
const OWN_END: Duration = Duration::from_secs(1);

/// What a keeper says when kernels can connect to it.
pub(crate) const BOUND: &[u8] = b"bound";

/// The keeper's program.
pub(super) struct Program {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Where its log goes.
    pub(super) log: PathBuf,
}

/// Starts a keeper and waits until kernels can connect to it.
///
/// The order goes in by its standard input: neither arguments nor files tell it. It says one line on
/// its standard output: [`BOUND`], or why it cannot begin.
pub(super) async fn spawn(
    program: &Program,
    order: &Order,
    deadline: Instant,
) -> Result<(), Cause> {
    let log = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&program.log)
        .map_err(|error| unusable(&program.log, &error))?;
    let text = serde_json::to_vec(order).map_err(|error| cannot(&error))?;
    let mut keeper = Command::new(&program.path)
        .arg("keep")
        // The kernel's folder may have to be unmounted while the keeper lives.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| cannot(&error))?;
    let answer = match timeout_at(deadline, hand_over(&mut keeper, &text)).await {
        Ok(answer) => answer.map_err(|error| cannot(&error)),
        Err(_) => Err(died(program, "was not there in time")),
    };
    if !matches!(&answer, Ok(said) if said.trim_ascii() == BOUND) {
        end(&mut keeper).await;
    }
    match answer?.trim_ascii() {
        BOUND => Ok(()),
        [] => Err(died(program, "ended before it began")),
        words => Err(said(words).unwrap_or_else(|| died(program, "said what cannot be read"))),
    }
}

/// Starts the process that makes an archive of classes. It ends by itself, however we do; what it
/// says on its standard output is why it failed.
pub(super) async fn archive(
    program: &Path,
    order: &Order,
    arguments: &[&str],
) -> std::io::Result<Child> {
    let text = serde_json::to_vec(order)?;
    let mut child = Command::new(program)
        .arg("archive")
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&text).await?;
    }
    Ok(child)
}

/// Why a process of ours failed, as it said itself.
pub(super) fn said(text: &[u8]) -> Option<Cause> {
    let said = serde_json::from_slice::<Said>(text.trim_ascii());
    said.ok().map(Cause::from)
}

/// Ends a keeper that did not begin: nobody waits for it any more, and no process of it is left.
async fn end(keeper: &mut Child) {
    if timeout(OWN_END, keeper.wait()).await.is_err()
        && let Err(error) = keeper.kill().await
    {
        tracing::warn!(%error, "a keeper that did not begin cannot be ended");
    }
}

async fn hand_over(keeper: &mut Child, order: &[u8]) -> std::io::Result<Vec<u8>> {
    if let Some(mut stdin) = keeper.stdin.take() {
        match stdin.write_all(order).await {
            // One that ended without reading has its reason, which comes the other way.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            other => other?,
        }
    }
    let mut answer = Vec::new();
    if let Some(stdout) = keeper.stdout.take() {
        let mut stdout = BufReader::new(stdout).take(LONGEST_ANSWER);
        stdout.read_until(b'\n', &mut answer).await?;
    }
    Ok(answer)
}

/// A cause on its way from a keeper that could not begin.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Said {
    kind: String,
    sentence: String,
    remedy: String,
}

impl From<Cause> for Said {
    fn from(cause: Cause) -> Self {
        let cause = proto::Cause::from(cause);
        Self {
            kind: cause.kind,
            sentence: cause.sentence,
            remedy: cause.remedy,
        }
    }
}

impl From<Said> for Cause {
    fn from(said: Said) -> Self {
        Self::new(Kind::of_word(&said.kind), said.sentence, said.remedy)
    }
}

fn cannot(error: &dyn std::error::Error) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The keeper of the Spark driver cannot be started: {error}"),
        "See whether the machine has too many processes, and run `firesteel doctor`.",
    )
}

fn died(program: &Program, how: &str) -> Cause {
    Cause::new(
        Kind::Keeper,
        format!("The keeper of the Spark driver {how}"),
        format!("Its log is {}; run the cell again.", program.log.display()),
    )
    .with_tail(tail_of(&program.log, LAST_LINES).unwrap_or_default())
}
