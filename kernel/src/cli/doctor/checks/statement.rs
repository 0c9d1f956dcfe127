//! Whether Spark answers.

use std::env;
use std::path::PathBuf;
use std::time::Instant;

use firesteel_launcher::environment::Environment;
use firesteel_launcher::paths::Paths;
use firesteel_session::engine::{Event, Statement};
use futures::StreamExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cli::doctor::Verdict;
use crate::cli::with_causes;
use crate::engine::{Drivers, Settings, Source as _};

/// The main job itself: a driver as a notebook gets one, and one statement.
pub(super) async fn select_one(paths: Paths, environment: Environment) -> Verdict {
    let since = Instant::now();
    let mut drivers = Drivers::new(Settings {
        paths,
        environment,
        kernelspec_profile: None,
        here: env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    });
    let (phase, _phases) = watch::channel(crate::display::Start::default());
    let opened = match drivers.open(phase).await {
        Ok(opened) => opened,
        Err(error) => {
            let tail = error.log_tail.map(|tail| format!("\n{tail}"));
            return Verdict::bad(error.sentence + tail.as_deref().unwrap_or(""), error.remedy);
        }
    };
    let statement = Statement {
        sql: "SELECT 1".to_owned(),
        pure: true,
        ..Statement::default()
    };
    let mut events = opened.engine.run(statement, CancellationToken::new());
    let mut verdict = Verdict::bad("Spark gave no answer", "Look at `firesteel drivers logs`.");
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Done(done)) if done.rows == 1 => {
                let seconds = since.elapsed().as_secs_f64();
                verdict = Verdict::good(format!("answered after {seconds:.1} s"));
            }
            Ok(_) => {}
            Err(error) => {
                verdict = Verdict::bad(with_causes(&error), "Look at `firesteel drivers logs`.");
            }
        }
    }
    drop(events);
    drivers.close().await;
    verdict
}
