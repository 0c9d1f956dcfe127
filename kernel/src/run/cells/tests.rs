use std::collections::VecDeque;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use firesteel_launcher::attach::state::Executors;
use firesteel_launcher::launcher::LogsOf;
use firesteel_launcher::rehearsal::Rehearsal;
use firesteel_session::engine::{Batch, Done, Engine, Event, Events, Statement};
use firesteel_session::error::{Error, SparkError};
use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::cell::Subject;
use crate::display::{Lifetime, Start, Zone};
use crate::engine::{Background, Opened, Unavailable};
use crate::run::margin::Shown;
use crate::wire::iopub::{DisplayId, Output};
use crate::wire::stdin::Stdin;

mod rehearsed;

/// A source that says what it was told, and does what a test needs.
#[derive(Default)]
struct Fake {
    busy: Arc<Mutex<Vec<bool>>>,
    hangs: bool,
    ended: bool,
    engine: Option<Arc<dyn Engine>>,
    asides: VecDeque<Aside>,
    here: Option<PathBuf>,
    profiles: Vec<String>,
}

/// An engine whose results never end: batches of ten rows of eight bytes each. It notes
/// how many rows it was asked for, and how many batches were taken.
#[derive(Default, Clone)]
struct Endless {
    asked: Arc<Mutex<Vec<Option<u64>>>>,
    batches: Arc<Mutex<usize>>,
}

impl Engine for Endless {
    fn run(&self, statement: Statement, _stop: CancellationToken) -> Events {
        self.asked.lock().unwrap().push(statement.rows);
        let ids: ArrayRef = Arc::new((0..10).collect::<Int64Array>());
        let rows = RecordBatch::try_from_iter([("id", ids)]).unwrap();
        let schema = stream::iter([Event::Schema(rows.schema())]);
        let batches = Arc::clone(&self.batches);
        let endless = stream::repeat_with(move || {
            *batches.lock().unwrap() += 1;
            let rows = rows.clone();
            Event::Batch(Batch {
                rows,
                wire_bytes: 0,
            })
        });
        Box::pin(schema.chain(endless).map(Ok))
    }
}

#[async_trait]
impl Source for Fake {
    async fn open(&mut self, _start: watch::Sender<Start>) -> Result<Opened, Unavailable> {
        if self.hangs {
            return pending().await;
        }
        match &self.engine {
            Some(engine) => Ok(Opened {
                engine: Arc::clone(engine),
                zone: Zone::utc(),
                lifetime: Lifetime::Kept,
                notice: None,
                started: None,
            }),
            None => panic!("a fault of our own"),
        }
    }

    async fn lost(&mut self, _error: &Error) -> String {
        "it ended".to_owned()
    }

    async fn ended(&self) {
        if !self.ended {
            pending::<()>().await;
        }
    }

    async fn aside(&mut self) -> Aside {
        match self.asides.pop_front() {
            Some(aside) => aside,
            None => pending().await,
        }
    }

    fn executors(&self) -> Option<Executors> {
        None
    }

    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    fn busy(&mut self, busy: bool) {
        self.busy.lock().unwrap().push(busy);
    }

    fn record(&mut self, _subject: &Subject) {}

    fn background(&self) -> Option<Background> {
        None
    }

    async fn describe(&mut self) -> String {
        String::new()
    }

    async fn rehearse(&self, _profile: Option<&str>) -> Result<Rehearsal, Unavailable> {
        pending().await
    }

    async fn logs(&mut self, _of: LogsOf, _lines: usize) -> Result<String, Unavailable> {
        Ok(String::new())
    }

    async fn keep(&mut self, _time: Option<Duration>) -> String {
        String::new()
    }

    async fn stop(&mut self) -> Result<String, Unavailable> {
        Ok(String::new())
    }

    fn profiles(&self) -> String {
        String::new()
    }

    fn profile_names(&self) -> Vec<String> {
        self.profiles.clone()
    }

    fn here(&self) -> Option<PathBuf> {
        self.here.clone()
    }

    async fn choose(&mut self, _profile: &str) -> Result<String, Unavailable> {
        Ok(String::new())
    }

    async fn close(&mut self) {}
}

fn cell(output: Output) -> Cell {
    Cell {
        count: 1,
        silent: false,
        output,
        stdin: Stdin::refused(),
        stop: CancellationToken::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_cell_that_panics_or_is_given_up_leaves_nothing_busy() {
    for (hangs, code, told) in [
        (false, "SELECT 1", &[true, false][..]),
        (true, "SELECT 1", &[true, false]),
        (false, "%session", &[true, false]),
        (false, "  ", &[]),
        (false, "%no such", &[]),
    ] {
        let fake = Fake {
            hangs,
            ..Fake::default()
        };
        let busy = Arc::clone(&fake.busy);
        let mut cells = Cells::new(Box::new(fake));
        let (output, _captured) = Output::captured();
        let run = AssertUnwindSafe(cells.execute(code, cell(output))).catch_unwind();
        let given_up = tokio::time::timeout(Duration::from_secs(1), run).await;
        assert_eq!(given_up.is_err(), hangs, "{code}");
        assert_eq!(*busy.lock().unwrap(), told, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn between_cells_the_last_result_says_what_becomes_of_the_driver() {
    let words = |text: &str| text.to_owned();
    for (asides, expected) in [
        (
            vec![Aside::Soon(words("soon")), Aside::Nothing],
            &["1\nsoon", "1"][..],
        ),
        (
            vec![Aside::Soon(words("soon")), Aside::Over(words("over"))],
            &["1\nsoon", "1\nover"],
        ),
        // The next cell takes a warning back, and leaves what came true.
        (vec![Aside::Soon(words("soon"))], &["1\nsoon", "1"]),
        (vec![Aside::Over(words("over"))], &["1\nover"]),
    ] {
        let fake = Fake {
            asides: asides.into(),
            ..Fake::default()
        };
        let mut cells = Cells::new(Box::new(fake));
        let (output, captured) = Output::captured();
        cells.margin.remember(Shown {
            output: output.clone(),
            id: DisplayId::unique(),
            media: crate::display::plain("1"),
        });
        let between = tokio::time::timeout(Duration::from_secs(1), cells.between());
        assert!(between.await.is_err(), "it never returns");
        cells.execute("%session", cell(Output::nowhere())).await;
        let messages = captured.messages();
        let texts: Vec<_> = messages
            .iter()
            .map(|(_, content)| content["data"]["text/plain"].as_str().unwrap())
            .collect();
        assert_eq!(texts, expected);
    }
}

/// A catalog of two schemas, one of which may not be looked into, and two tables, of which one is
/// never described.
struct Catalog;

impl Engine for Catalog {
    fn run(&self, statement: Statement, stop: CancellationToken) -> Events {
        let column = |name: &str, values: &[&str]| {
            let values: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
            (name.to_owned(), values)
        };
        let columns = match statement.sql.as_str() {
            "SELECT current_catalog() AS catalog" => vec![column("catalog", &["lake"])],
            "SHOW SCHEMAS IN `lake`" => vec![column("namespace", &["open", "shut"])],
            "SHOW TABLES IN `lake`.`open`" => vec![
                column("namespace", &["open", "open"]),
                column("tableName", &["first", "slow_first"]),
            ],
            "DESCRIBE TABLE EXTENDED `lake`.`open`.`first`" => vec![
                column("col_name", &["first_name"]),
                column("data_type", &["string"]),
                column("comment", &[""]),
            ],
            "SHOW TABLES IN `lake`.`shut`" => {
                let refused = Error::Spark(Box::default());
                return stream::iter([Err(refused)]).boxed();
            }
            _ => {
                let stopped = async move {
                    stop.cancelled().await;
                    Err(Error::Cancelled { confirmed: true })
                };
                return stream::once(stopped).boxed();
            }
        };
        let rows = RecordBatch::try_from_iter(columns).unwrap();
        let batch = Batch {
            rows,
            wire_bytes: 0,
        };
        let events = [Event::Batch(batch), Event::Done(Done::default())];
        stream::iter(events.map(Ok)).boxed()
    }
}

/// An engine whose statements fail.
struct Fails(fn() -> Error);

impl Engine for Fails {
    fn run(&self, _statement: Statement, _stop: CancellationToken) -> Events {
        stream::iter([Err((self.0)())]).boxed()
    }
}

/// As somebody else interrupts a statement.
fn cancelled() -> Error {
    Error::Cancelled { confirmed: true }
}

/// As Spark says it when it has ended itself.
fn stopped() -> Error {
    Error::Spark(Box::new(SparkError {
        message: "Cannot call methods on a stopped SparkContext.".to_owned(),
        ..SparkError::default()
    }))
}

#[tokio::test(start_paused = true)]
async fn a_statement_that_ends_with_its_session_says_why_that_ended() {
    let said = stopped().to_string();
    for (error, ended, told) in [
        (cancelled as fn() -> Error, true, ("DriverLost", "it ended")),
        (
            cancelled,
            false,
            ("SparkConnectError", "the statement was cancelled"),
        ),
        (stopped, true, ("DriverLost", "it ended")),
        (stopped, false, ("SparkError", said.as_str())),
    ] {
        let fake = Fake {
            ended,
            engine: Some(Arc::new(Fails(error))),
            ..Fake::default()
        };
        let mut cells = Cells::new(Box::new(fake));
        let outcome = cells.execute("SELECT 1", cell(Output::nowhere())).await;
        let Outcome::Failed(failure) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!((failure.name.as_str(), failure.value.as_str()), told);
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_ends_in_time_and_says_what_it_did_not_look_at() {
    let fake = Fake {
        engine: Some(Arc::new(Catalog)),
        ..Fake::default()
    };
    let mut cells = Cells::new(Box::new(fake));
    let (output, captured) = Output::captured();
    let asked = tokio::time::Instant::now();
    let outcome = cells.execute("%tables first", cell(output)).await;
    assert_eq!(outcome, Outcome::Done);
    assert!(asked.elapsed() <= Duration::from_secs(10));
    let (_, last) = captured.messages().pop().unwrap();
    let shown = last["data"]["text/plain"].as_str().unwrap();
    for part in [
        "first_name",
        "slow_first",
        "3 rows",
        "Searched 1 schema and 1 table of catalog lake",
        "Not searched: 1 schema (Spark refused).",
        "Of 1 table only the name, not columns and comments (10 s had passed).",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_a_search() {
    let fake = Fake {
        engine: Some(Arc::new(Catalog)),
        ..Fake::default()
    };
    let mut cells = Cells::new(Box::new(fake));
    let cell = cell(Output::captured().0);
    let stop = cell.stop.clone();
    let cancel = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let asked = tokio::time::Instant::now();
    let (outcome, ()) = tokio::join!(cells.execute("%tables first", cell), cancel);
    assert_eq!(outcome, Outcome::Interrupted);
    assert!(asked.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_result_beyond_the_limit_of_bytes_is_given_up_and_what_came_is_shown() {
    for (code, asked, said) in [
        (
            "%limit bytes 200\n%limit all\nSELECT 1",
            None,
            "25 rows shown, 25 fetched up to the limit of 200 bytes, there are more; \
             `%limit bytes 1MB` fetches more · 200 bytes · 0.00 s",
        ),
        (
            "%limit bytes 200\n%limit rows 7\nSELECT 1",
            Some(8),
            "7 rows shown, 25 fetched, there are more; `%limit rows 1000` shows more · 200 bytes · 0.00 s",
        ),
    ] {
        let engine = Endless::default();
        let fake = Fake {
            engine: Some(Arc::new(engine.clone())),
            ..Fake::default()
        };
        let mut cells = Cells::new(Box::new(fake));
        let (output, captured) = Output::captured();
        assert_eq!(cells.execute(code, cell(output)).await, Outcome::Done);
        assert_eq!(*engine.asked.lock().unwrap(), [asked], "{code}");
        assert_eq!(*engine.batches.lock().unwrap(), 3, "{code}");
        let (_, last) = captured.messages().pop().unwrap();
        let text = last["data"]["text/plain"].as_str().unwrap();
        let footer = text.lines().last().unwrap();
        assert!(footer.contains(said), "{code}: {footer}");
    }
}

/// An engine whose statements Spark refuses, one with a stack trace and others with none.
struct Refusing;

impl Engine for Refusing {
    fn run(&self, statement: Statement, _stop: CancellationToken) -> Events {
        let traced = ["e.E: no\u{1b}", "    at a.B.c(B.java:7)"].map(str::to_owned);
        let error = SparkError {
            stack_trace: match statement.sql.as_str() {
                "SELECT traced" => traced.to_vec(),
                _ => Vec::new(),
            },
            ..SparkError::default()
        };
        stream::iter([Err(Error::Spark(Box::new(error)))]).boxed()
    }
}

#[tokio::test]
async fn the_stack_trace_of_the_last_failure_is_shown_to_who_asks() {
    let fake = Fake {
        engine: Some(Arc::new(Refusing)),
        ..Fake::default()
    };
    let mut cells = Cells::new(Box::new(fake));
    let none = "Spark has given no stack trace: no statement failed, or not in Spark.\n";
    let trace = "e.E: no\\u{1b}\n    at a.B.c(B.java:7)\n";
    for (code, expected) in [
        ("", none),
        ("SELECT traced; SELECT 1", trace),
        ("%limit 5", trace),
        ("SELECT 1", none),
    ] {
        let said = shown(&mut cells, code).await;
        assert!(!said.contains("B.java"), "{code}: {said}");
        assert_eq!(shown(&mut cells, "%tb").await, expected, "{code}");
    }
}

/// An engine that answers each statement with one column of numbers, as many as it says, and notes
/// what it was asked; `DROP` is answered with no rows.
#[derive(Default, Clone)]
struct Counting(Arc<Mutex<Vec<Statement>>>);

impl Engine for Counting {
    fn run(&self, statement: Statement, _stop: CancellationToken) -> Events {
        let count: i64 = statement
            .sql
            .trim_start_matches("SELECT ")
            .parse()
            .unwrap_or_default();
        let ids: ArrayRef = Arc::new((0..count).collect::<Int64Array>());
        let rows = RecordBatch::try_from_iter([("id", ids)]).unwrap();
        let asked = statement.rows.map_or(usize::MAX, |rows| rows as usize);
        let rows = rows.slice(0, rows.num_rows().min(asked));
        let done = Event::Done(Done::default());
        let batch = Event::Batch(Batch {
            rows: rows.clone(),
            wire_bytes: 0,
        });
        let events = match statement.sql.starts_with("SELECT") {
            true => vec![Event::Schema(rows.schema()), batch, done],
            false => vec![done],
        };
        self.0.lock().unwrap().push(statement);
        stream::iter(events.into_iter().map(Ok)).boxed()
    }
}

/// What cells show on an engine that counts: of each its texts and what stands on stderr.
async fn shown(cells: &mut Cells, code: &str) -> String {
    let (output, captured) = Output::captured();
    let outcome = cells.execute(code, cell(output)).await;
    let failed = match outcome {
        Outcome::Failed(failure) => failure.traceback.join("\n"),
        _ => String::new(),
    };
    let messages = captured.messages();
    let texts = messages.iter().map(|(_, content)| {
        let text = content["data"]["text/plain"].as_str();
        text.or(content["text"].as_str())
            .unwrap_or_default()
            .to_owned()
    });
    texts.chain([failed]).collect::<Vec<_>>().join("\n")
}

fn counting() -> (Cells, Counting) {
    let engine = Counting::default();
    let fake = Fake {
        engine: Some(Arc::new(engine.clone())),
        ..Fake::default()
    };
    (Cells::new(Box::new(fake)), engine)
}

#[tokio::test]
async fn results_are_kept_whole_by_name_and_as_fetched_as_the_last() {
    let (mut cells, engine) = counting();
    for (code, asked, kept) in [
        ("SELECT 5", &[Some(1001)][..], &[("_", 5, None)][..]),
        ("DROP", &[Some(1001)], &[("_", 5, None)]),
        (
            "SELECT 2000",
            &[Some(1001)],
            &[("_", 1000, Some("the first 1,000 rows"))],
        ),
        (
            "%%sql -o all\nSELECT 7; SELECT 2000; DROP",
            &[Some(1001), None, Some(1001)],
            &[("all", 2000, None), ("_", 2000, None)],
        ),
        (
            "%%sql -o some -n 3\nSELECT 2000",
            &[Some(4)],
            &[
                ("all", 2000, None),
                ("some", 3, Some("the first 3 rows")),
                ("_", 3, Some("the first 3 rows")),
            ],
        ),
        (
            "SELECT 0",
            &[Some(1001)],
            &[
                ("all", 2000, None),
                ("some", 3, Some("the first 3 rows")),
                ("_", 0, None),
            ],
        ),
        (
            "%vars drop some",
            &[],
            &[("all", 2000, None), ("_", 0, None)],
        ),
        (
            "%vars drop nothing",
            &[],
            &[("all", 2000, None), ("_", 0, None)],
        ),
    ] {
        shown(&mut cells, code).await;
        let statements = std::mem::take(&mut *engine.0.lock().unwrap());
        let rows: Vec<_> = statements.iter().map(|statement| statement.rows).collect();
        assert_eq!(rows, asked, "{code}");
        let shelf = cells.settings.shelf.list();
        let parts: Vec<_> = shelf
            .map(|(name, kept)| (name, kept.rows, kept.part()))
            .collect();
        let parts: Vec<_> = parts
            .iter()
            .map(|(name, rows, part)| (*name, *rows, part.as_deref()))
            .collect();
        assert_eq!(parts, kept, "{code}");
    }
    let mut silent = cell(Output::nowhere());
    silent.silent = true;
    cells.execute("SELECT 3", silent).await;
    assert_eq!(cells.settings.shelf.get("_").unwrap().rows, 0);
}

#[tokio::test]
async fn what_is_kept_is_said() {
    let (mut cells, _engine) = counting();
    for (code, expected) in [
        (
            "%vars",
            "Nothing is kept. `%%sql -o NAME` on a cell's first line keeps its result, and `%set NAME VALUE` a value.",
        ),
        (
            "%%sql -o all\nSELECT 2000",
            "1,000 of 2,000 rows shown; `%limit rows 10000` shows more · 16.0 kB · 0.00 s\n\
             Kept as `all`: 2,000 rows.",
        ),
        (
            "%%sql -o some -n 3\nSELECT 2000",
            "3 rows · 32 bytes · 0.00 s\n\
             Kept as `some`: the first 3 rows, as `-n` asks; there are more.",
        ),
        (
            "%%sql -o one\nSELECT 1",
            "Kept as `one`: 1 row. `:one` in a statement is its value.",
        ),
        (
            "%%sql -o none\nEXECUTE x",
            "Nothing is kept as `none`: the statement answers with no rows.",
        ),
        (
            "%set",
            ":one = 0 (BIGINT), a kept result\n:_ = 0 (BIGINT), a kept result",
        ),
        (
            "%set one 5",
            ":one = 5 (INT), no longer the kept result `one`",
        ),
        ("%set", ":one = 5 (INT)"),
        ("%set one", ":one = 0 (BIGINT), the kept result `one`"),
        (
            "%set one",
            "`:one` is the kept result `one`; `%vars drop one` lets it go.",
        ),
        ("%set all 5", ":all = 5 (INT)\n"),
        (
            "%%sql -o all\nSELECT 2",
            "Kept as `all`: 2 rows. `:all` stays what `%set` gave it.",
        ),
        (
            "%%sql -o all\nSELECT 1",
            "`:all` is its value from now on, not what `%set` gave it.",
        ),
        (
            "%vars drop one",
            "`one` is no longer kept; 8 bytes are free.",
        ),
        ("%vars drop oen", "No result is kept as `oen`."),
        ("%vars drop sme", "Did you mean `some`?"),
        ("%vars drop whatever", "`%vars` lists what is kept."),
    ] {
        let shown = shown(&mut cells, code).await;
        assert!(shown.contains(expected), "{code}: {shown}");
    }
    shown(&mut cells, "%set year 2013").await;
    let shown = shown(&mut cells, "%vars").await;
    for part in [
        "some",
        "at 3 rows",
        ":all = 0 (BIGINT)",
        ":year = 2013 (INT)",
        "id bigint",
        "0 s ago",
        "Kept results hold ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(
        shown.lines().all(|line| line.chars().count() <= 120),
        "{shown}"
    );
}

#[tokio::test]
async fn a_kept_result_of_one_value_is_a_parameter() {
    let (mut cells, engine) = counting();
    let setup = "%%sql -o one\nSELECT 1";
    shown(&mut cells, setup).await;
    shown(&mut cells, "%%sql -o many\nSELECT 3").await;
    shown(&mut cells, "%set other 'x'").await;
    engine.0.lock().unwrap().clear();
    for (code, expected) in [
        ("SELECT :one", &[("one", Argument::Long(0))][..]),
        (
            "SELECT :one + :other + :nothing",
            &[
                ("one", Argument::Long(0)),
                ("other", Argument::String("x".to_owned())),
            ],
        ),
        // It may be a path into a column.
        ("SELECT data:many", &[]),
    ] {
        shown(&mut cells, code).await;
        let statement = engine.0.lock().unwrap().pop().unwrap();
        let expected = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        assert_eq!(statement.arguments, expected.collect(), "{code}");
    }
}

#[tokio::test]
async fn what_a_completion_lacks_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flights.csv"), "").unwrap();
    let absolute = format!("SELECT * FROM csv.`{}/fl", folder.path().display());
    let fake = |here: Option<&std::path::Path>| Fake {
        here: here.map(PathBuf::from),
        profiles: vec!["big".to_owned()],
        ..Fake::default()
    };
    let mut local = Cells::new(Box::new(fake(Some(folder.path()))));
    let mut elsewhere = Cells::new(Box::new(fake(None)));
    for (code, expected, not_here) in [
        ("%profile ", &["big"][..], &["big"][..]),
        (
            "SELECT * FROM csv.`${firesteel.here}/",
            &["flights.csv"],
            &[],
        ),
        ("SELECT * FROM csv.`", &["${firesteel.here}/"], &[]),
        (absolute.as_str(), &["flights.csv"], &[]),
    ] {
        for (cells, expected) in [(&mut local, expected), (&mut elsewhere, not_here)] {
            let found = cells.complete(code, code.chars().count()).await;
            let texts: Vec<_> = found.matches.iter().map(|m| m.text.as_str()).collect();
            assert_eq!(texts, expected, "{code}");
        }
    }
}
