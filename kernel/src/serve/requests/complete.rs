//! `complete_request`: what could stand at the cursor.

use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{read, reply, reply_failure};
use crate::run::interpreter::{Completions, Interpreter};
use crate::serve::guard::answered;
use crate::wire::frames::Received;
use crate::wire::router::Answers;

#[derive(Deserialize)]
struct Content {
    code: String,
    /// In Unicode code points (protocol 5.2); without it, the end.
    cursor_pos: Option<usize>,
}

pub(in crate::serve) async fn answer(
    interpreter: &mut dyn Interpreter,
    received: &Received,
    answers: &Answers,
    stop: &CancellationToken,
) {
    let Some(Content { code, cursor_pos }) = read(received, answers) else {
        return;
    };
    let end = code.chars().count();
    let cursor = cursor_pos.map_or(end, |cursor| cursor.min(end));
    match answered(stop, interpreter.complete(&code, cursor)).await {
        Ok(found) => reply(received, answers, &content(&found)),
        Err(failure) => reply_failure(received, answers, &failure),
    }
}

/// The types stand in the metadata, where JupyterLab looks for them.
fn content(found: &Completions) -> Value {
    let texts: Vec<&str> = found.matches.iter().map(|m| m.text.as_str()).collect();
    let typed: Vec<Value> = found
        .matches
        .iter()
        .map(|m| {
            json!({
                "text": m.text,
                "type": m.kind,
                "signature": m.signature,
                "start": found.start,
                "end": found.end,
            })
        })
        .collect();
    json!({
        "status": "ok",
        "matches": texts,
        "cursor_start": found.start,
        "cursor_end": found.end,
        "metadata": { "_jupyter_types_experimental": typed },
    })
}
