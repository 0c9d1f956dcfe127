//! A disk that is full: a cell gives its rows or one error in words, and works again when there is
//! room.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails loudly, where it is, in its helpers too"
)]

use firesteel_tests::drivers::Machine;
use firesteel_tests::faults::stage::{Moment, PROFILES, Stage, answers, told};
use firesteel_tests::faults::tell;
use firesteel_tests::jupyter::Process;

/// The folders of a machine that are each on a small disk, and how small.
const FOLDERS: [&str; 3] = ["scratch", "run", "state"];
const MEGABYTES: u32 = 48;

const ANSWER: &str = "SELECT 40 + 2 AS answer";

/// Writes much. Something was written before: a library that cannot be unpacked for want of room is
/// not found, says Java.
const WRITES: &str = "CREATE TABLE much USING parquet AS \
                      SELECT id, uuid() AS text FROM range(0, 300000, 1, 2)";
const WROTE: &str = "CREATE TABLE little USING parquet AS SELECT 40 + 2 AS answer";

/// The name of an error and words in it.
type Told = Option<(&'static str, &'static str)>;

/// What is full, whether there is a driver already, what is run then, and what its error is called and
/// says; nothing where it gives its row all the same.
const POINTS: [(&str, Moment, &str, Told); 6] = [
    ("scratch", Moment::Starting, ANSWER, REFUSED),
    ("run", Moment::Starting, ANSWER, REFUSED),
    ("state", Moment::Starting, ANSWER, None),
    (
        "scratch",
        Moment::Running,
        WRITES,
        Some(("TASK_WRITE_FAILED", NO_SPACE)),
    ),
    ("run", Moment::Running, ANSWER, None),
    ("state", Moment::Running, ANSWER, None),
];
const REFUSED: Told = Some(("SparkUnavailable", NO_SPACE));
const NO_SPACE: &str = "No space left on device";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_forgotten_when_there_is_room() {
    let Some(mut machine) = Machine::with_spark(PROFILES).await else {
        return;
    };
    if !machine.on_small_disks(&FOLDERS, MEGABYTES) {
        return;
    }
    let kernel = Process::start(&machine).await;
    let mut stage = Stage { machine, kernel };
    for (number, (folder, moment, code, error)) in (1..).zip(POINTS) {
        if moment == Moment::Starting {
            stage.kernel.execute("%stop").await;
        } else {
            stage.works().await;
        }
        if code == WRITES {
            let wrote = stage.kernel.execute(WROTE).await;
            assert_eq!(wrote.reply.content["status"], "ok", "{wrote:?}");
        }
        stage.machine.disk(folder).fill();
        let cell = stage.send(code).await;
        let done = stage.end_of(&cell).await;
        let point = (folder, "full", moment);
        match error {
            None => answers(&done),
            Some((name, said)) => {
                told(&done, &[name], &point);
                let lines = done.reply.content["traceback"].to_string();
                assert!(lines.contains(said), "{point:?}: {lines}");
            }
        }
        stage.machine.disk(folder).free();
        stage.works().await;
        tell(format_args!("{number} of {}: {point:?}", POINTS.len()));
    }
    stage.shut_down().await;
    stage.nothing_is_left().await;
}
