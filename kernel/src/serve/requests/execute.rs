//! `execute_request`: runs a cell.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use tokio_util::sync::CancellationToken;

use super::{read, reply};
use crate::run::interpreter::{Cell, Failure, Outcome};
use crate::run::queue::Fate;
use crate::serve::worker::Worker;
use crate::serve::{Request, Shared};
use crate::wire::iopub::Bracket;
use crate::wire::stdin::Stdin;

#[derive(Deserialize)]
struct Content {
    code: String,
    #[serde(default)]
    silent: bool,
    store_history: Option<bool>,
    #[serde(default)]
    user_expressions: Option<BTreeMap<String, String>>,
    #[serde(default = "yes")]
    allow_stdin: bool,
    #[serde(default = "yes")]
    stop_on_error: bool,
}

fn yes() -> bool {
    true
}

impl Content {
    /// Whether the execution counts and is remembered.
    fn counts(&self) -> bool {
        !self.silent && self.store_history.unwrap_or(true)
    }
}

pub(in crate::serve) async fn answer(
    worker: &mut Worker,
    request: &Request,
    bracket: &Bracket,
    fate: Fate,
    stop: CancellationToken,
) {
    let Request { received, answers } = request;
    if fate == Fate::Abort {
        let content = json!({ "status": "aborted", "execution_count": worker.count });
        return reply(received, answers, &content);
    }
    let Some(asked) = read::<Content>(received, answers) else {
        return;
    };
    if asked.counts() {
        worker.count += 1;
    }
    let output = bracket.output(asked.silent);
    output.execute_input(&asked.code, worker.count).await;

    let stdin = if asked.allow_stdin {
        Stdin::allowed(&worker.stdin, &received.route, &received.parent, &stop)
    } else {
        Stdin::refused()
    };
    let cell = Cell {
        count: worker.count,
        silent: asked.silent,
        output: output.clone(),
        stdin,
        stop,
    };
    if asked.counts() {
        worker.history.add(worker.count, &asked.code);
    }
    let running = worker.interpreter.execute(&asked.code, cell);
    let outcome = AssertUnwindSafe(running)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Outcome::Failed(panicked(panic.as_ref())));
    let failure = match outcome {
        Outcome::Done => {
            let content = done(worker, &asked).await;
            return reply(received, answers, &content);
        }
        Outcome::Failed(failure) => failure,
        Outcome::Interrupted => interrupted(),
    };
    output.error(&failure).await;
    if asked.stop_on_error {
        abort_the_rest(&worker.shared);
    }
    reply(received, answers, &failed(&failure, worker.count));
}

async fn done(worker: &mut Worker, asked: &Content) -> Value {
    let mut values = Map::new();
    for (name, expression) in asked.user_expressions.iter().flatten() {
        let value = match worker.interpreter.evaluate(expression).await {
            Ok(data) => json!({ "status": "ok", "data": data, "metadata": {} }),
            Err(failure) => json!({
                "status": "error",
                "ename": failure.name,
                "evalue": failure.value,
                "traceback": failure.traceback,
            }),
        };
        values.insert(name.clone(), value);
    }
    json!({
        "status": "ok",
        "execution_count": worker.count,
        "user_expressions": values,
        "payload": [],
    })
}

fn failed(failure: &Failure, count: u32) -> Value {
    json!({
        "status": "error",
        "execution_count": count,
        "ename": failure.name,
        "evalue": failure.value,
        "traceback": failure.traceback,
        "user_expressions": {},
        "payload": [],
    })
}

fn abort_the_rest(shared: &Shared) {
    shared.queue().abort(Request::is_execution);
}

/// What an interrupted cell shows; front ends know it by this name.
fn interrupted() -> Failure {
    Failure {
        name: "KeyboardInterrupt".to_owned(),
        value: "interrupted".to_owned(),
        traceback: vec!["Interrupted. Views and settings are kept.".to_owned()],
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let said = panic
        .downcast_ref::<&str>()
        .map(|said| (*said).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(said, "a cell made the kernel panic");
    let value = format!("the kernel failed at this cell, by a fault of its own: {said}");
    Failure {
        name: "InternalError".to_owned(),
        traceback: vec![
            value.clone(),
            "The kernel goes on; please report this with the cell.".to_owned(),
        ],
        value,
    }
}
