use std::collections::VecDeque;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use firesteel_launcher::attach::state::Executors;
use firesteel_launcher::launcher::LogsOf;
use firesteel_session::engine::{Batch, Done, Engine, Event, Events, Statement};
use firesteel_session::error::Error;
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

/// A source that says what it was told, and does what a test needs.
#[derive(Default)]
struct Fake {
    busy: Arc<Mutex<Vec<bool>>>,
    hangs: bool,
    engine: Option<Arc<dyn Engine>>,
    asides: VecDeque<Aside>,
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
        String::new()
    }

    async fn ended(&self) {
        pending::<()>().await;
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
            media: display::plain("1"),
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
