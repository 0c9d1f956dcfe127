//! A notebook on a real Spark, without a front end.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use firesteel_kernel::cell::Subject;
use firesteel_kernel::display::{Lifetime, Start, Zone};
use firesteel_kernel::engine::{Aside, Background, Opened, Source, Unavailable};
use firesteel_kernel::run::Cells;
use firesteel_kernel::run::interpreter::{Cell, Failure, Interpreter, Outcome};
use firesteel_kernel::wire::iopub::Output;
use firesteel_kernel::wire::stdin::Stdin;
use firesteel_launcher::attach::state::Executors;
use firesteel_launcher::launcher::LogsOf;
use firesteel_launcher::rehearsal::Rehearsal;
use firesteel_session::error::Error;
use firesteel_session::session::Session;
use jupyter_protocol::MediaType;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::connect::real::Spark;

/// One session that is there from the start.
struct Ready {
    session: Arc<Session>,
    /// What is asked in the background, where something is.
    background: Option<Background>,
}

#[async_trait]
impl Source for Ready {
    async fn open(&mut self, _start: watch::Sender<Start>) -> Result<Opened, Unavailable> {
        Ok(Opened {
            engine: self.session.clone(),
            zone: Zone::utc(),
            lifetime: Lifetime::Driver,
            notice: None,
            started: None,
        })
    }

    async fn lost(&mut self, error: &Error) -> String {
        error.to_string()
    }

    async fn ended(&self) {
        pending::<()>().await;
    }

    async fn aside(&mut self) -> Aside {
        pending().await
    }

    fn background(&self) -> Option<Background> {
        self.background.clone()
    }

    fn executors(&self) -> Option<Executors> {
        None
    }

    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    fn busy(&mut self, _busy: bool) {}

    fn record(&mut self, _subject: &Subject) {}

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
        Vec::new()
    }

    fn here(&self) -> Option<PathBuf> {
        None
    }

    async fn choose(&mut self, _profile: &str) -> Result<String, Unavailable> {
        Ok(String::new())
    }

    async fn close(&mut self) {}
}

/// A notebook on a session of its own.
pub struct Notebook(Cells);

impl Notebook {
    /// One that has run nothing yet.
    pub fn on(spark: &Spark) -> Self {
        Self::of(Arc::new(spark.session()), None)
    }

    /// One that learns the names of the catalog in the background.
    pub fn that_learns(spark: &Spark) -> Self {
        let session = Arc::new(spark.session());
        let background = Background {
            session: session.identity().session_id(),
            engine: Arc::new(session.background()),
        };
        Self::of(session, Some(background))
    }

    fn of(session: Arc<Session>, background: Option<Background>) -> Self {
        Self(Cells::new(Box::new(Ready {
            session,
            background,
        })))
    }

    /// What is known of the name at the end of some code, as text and HTML, as soon as it satisfies;
    /// what is asked for the first time is told later.
    ///
    /// # Panics
    /// Where it never does.
    pub async fn knows(&mut self, code: &str, enough: impl Fn(&str) -> bool) -> (String, String) {
        for _ in 0..100 {
            let known = self.0.inspect(code, code.chars().count(), 0).await;
            let (mut text, mut html) = (String::new(), String::new());
            for part in known.iter().flat_map(|media| &media.content) {
                match part {
                    MediaType::Plain(plain) => text.clone_from(plain),
                    MediaType::Html(markup) => html.clone_from(markup),
                    _ => {}
                }
            }
            if enough(&text) {
                return (text, html);
            }
            // Answered behind everything that is being asked.
            let _ = self.0.complete("SELECT * FROM default.", 22).await;
        }
        panic!("{code}: it is never known");
    }

    /// Runs a cell and interrupts it when it shows how it goes: how it ends.
    pub async fn interrupted(&mut self, code: &str) -> Outcome {
        let (output, captured) = Output::captured();
        let stop = CancellationToken::new();
        let cell = Cell {
            count: 1,
            silent: false,
            output,
            stdin: Stdin::refused(),
            stop: stop.clone(),
        };
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        let mut run = self.0.execute(code, cell);
        loop {
            tokio::select! {
                outcome = &mut run => return outcome,
                _ = tick.tick() => {
                    if !captured.messages().is_empty() {
                        stop.cancel();
                    }
                }
            }
        }
    }

    /// Runs a cell: how it ends and the plain text of all it shows.
    pub async fn run(&mut self, code: &str) -> (Outcome, String) {
        let (outcome, bundles) = self.execute(code).await;
        let shown = bundles
            .iter()
            .filter_map(|data| data["text/plain"].as_str());
        (outcome, shown.collect::<Vec<_>>().join("\n"))
    }

    /// The bundles of all that a cell shows, where all of it runs.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn media(&mut self, code: &str) -> Vec<Value> {
        let (outcome, bundles) = self.execute(code).await;
        assert_eq!(outcome, Outcome::Done, "{code}");
        bundles
    }

    async fn execute(&mut self, code: &str) -> (Outcome, Vec<Value>) {
        let (output, captured) = Output::captured();
        let cell = Cell {
            count: 1,
            silent: false,
            output,
            stdin: Stdin::refused(),
            stop: CancellationToken::new(),
        };
        let outcome = self.0.execute(code, cell).await;
        let messages = captured.messages();
        let data = messages.iter().map(|(_, content)| content["data"].clone());
        (outcome, data.filter(Value::is_object).collect())
    }

    /// The plain text of all that a cell shows, where all of it runs.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn done(&mut self, code: &str) -> String {
        match self.run(code).await {
            (Outcome::Done, shown) => shown,
            (other, _) => panic!("{code}: {other:?}"),
        }
    }

    /// Why a cell fails.
    ///
    /// # Panics
    /// Where it does not.
    pub async fn fails(&mut self, code: &str) -> Failure {
        match self.run(code).await {
            (Outcome::Failed(failure), _) => failure,
            other => panic!("{code}: {other:?}"),
        }
    }
}

/// A failure's lines without their colours.
pub fn lines(failure: &Failure) -> Vec<String> {
    let colours = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m"];
    let plain = |line: &String| {
        let line = line.clone();
        colours
            .iter()
            .fold(line, |line, colour| line.replace(colour, ""))
    };
    failure.traceback.iter().map(plain).collect()
}
