//! `execute_request`: runs a cell.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::reply;
use crate::run::interpreter::{Cell, Failure, Outcome};
use crate::run::queue::Fate;
use crate::serve::Request;
use crate::serve::guard::{answered, caught, interrupted};
use crate::serve::worker::Worker;
use crate::wire::iopub::{Bracket, Output};
use crate::wire::stdin::Stdin;

/// How long a failed execution waits for those that are on their way already, so that they are
/// aborted with the rest. It ends before the failure is told: what a client sends knowing of it is
/// never aborted.
const ON_THEIR_WAY: Duration = Duration::from_millis(30);

#[derive(Deserialize)]
struct Content {
    code: String,
    #[serde(default)]
    silent: bool,
    store_history: Option<bool>,
    #[serde(default)]
    user_expressions: Option<BTreeMap<String, String>>,
    #[serde(default)]
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
    stop: &CancellationToken,
) {
    let Request { received, answers } = request;
    if fate == Fate::Abort {
        let content = json!({
            "status": "aborted",
            "execution_count": worker.count,
            "user_expressions": {},
            "payload": [],
        });
        return reply(received, answers, &content);
    }
    let asked: Content = match serde_json::from_slice(&received.content) {
        Ok(asked) => asked,
        Err(error) => {
            let failure = super::malformed(&error);
            return reply(received, answers, &failed(&failure, worker.count));
        }
    };
    let output = if asked.silent {
        Output::nowhere()
    } else {
        bracket.output(stop)
    };
    let content = match run(worker, request, &asked, &output, stop).await {
        Ok(()) => done(worker, &asked, stop).await,
        Err(failure) => {
            if asked.stop_on_error && !asked.silent {
                tokio::time::sleep(ON_THEIR_WAY).await;
                worker.shared.abort_executions();
            }
            output.error(&failure).await;
            failed(&failure, worker.count)
        }
    };
    reply(received, answers, &content);
}

async fn run(
    worker: &mut Worker,
    request: &Request,
    asked: &Content,
    output: &Output,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let Request { received, .. } = request;
    if asked.counts() {
        worker.count += 1;
        worker.history.add(worker.count, &asked.code);
    }
    output.execute_input(&asked.code, worker.count).await;
    let stdin = if asked.allow_stdin {
        Stdin::allowed(&worker.stdin, &received.route, &received.parent, stop)
    } else {
        Stdin::refused()
    };
    let cell = Cell {
        count: worker.count,
        silent: asked.silent,
        output: output.clone(),
        stdin,
        stop: stop.clone(),
    };
    let running = caught(worker.interpreter.execute(&asked.code, cell));
    let outcome = tokio::select! {
        outcome = running => outcome?,
        () = worker.shared.given_up() => Outcome::Interrupted,
    };
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Failed(failure) => Err(failure),
        Outcome::Interrupted => Err(interrupted()),
    }
}

async fn done(worker: &mut Worker, asked: &Content, stop: &CancellationToken) -> Value {
    let mut values = Map::new();
    for (name, expression) in asked.user_expressions.iter().flatten() {
        let value = answered(stop, worker.interpreter.evaluate(expression)).await;
        let value = match value.and_then(|value| value) {
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
