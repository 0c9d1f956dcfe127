//! `inspect_request`: what is known about the word at the cursor.

use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{read, reply, reply_failure};
use crate::run::interpreter::Interpreter;
use crate::serve::guard::answered;
use crate::wire::frames::Received;
use crate::wire::router::Answers;

#[derive(Deserialize)]
struct Content {
    code: String,
    /// In Unicode code points (protocol 5.2); without it, the end.
    cursor_pos: Option<usize>,
    #[serde(default)]
    detail_level: u8,
}

pub(in crate::serve) async fn answer(
    interpreter: &mut dyn Interpreter,
    received: &Received,
    answers: &Answers,
    stop: &CancellationToken,
) {
    let Some(asked) = read::<Content>(received, answers) else {
        return;
    };
    let end = asked.code.chars().count();
    let cursor = asked.cursor_pos.map_or(end, |cursor| cursor.min(end));
    let known = interpreter.inspect(&asked.code, cursor, asked.detail_level);
    let known = match answered(stop, known).await {
        Ok(known) => known,
        Err(failure) => return reply_failure(received, answers, &failure),
    };
    let found = known.is_some();
    let content = json!({
        "status": "ok",
        "found": found,
        "data": known.unwrap_or_default(),
        "metadata": {},
    });
    reply(received, answers, &content);
}
