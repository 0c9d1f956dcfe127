//! `is_complete_request`: may a console run this, or ask for another line?

use serde::Deserialize;
use serde_json::json;

use super::{read, reply, reply_failure};
use crate::run::interpreter::{Completeness, Interpreter};
use crate::serve::guard::caught_now;
use crate::wire::frames::Received;
use crate::wire::router::Answers;

#[derive(Deserialize)]
struct Content {
    code: String,
}

pub(in crate::serve) fn answer(
    interpreter: &dyn Interpreter,
    received: &Received,
    answers: &Answers,
) {
    let Some(Content { code }) = read(received, answers) else {
        return;
    };
    let told = match caught_now(|| interpreter.is_complete(&code)) {
        Ok(told) => told,
        Err(failure) => return reply_failure(received, answers, &failure),
    };
    let content = match told {
        Completeness::Complete => json!({ "status": "complete" }),
        Completeness::Incomplete { indent } => json!({ "status": "incomplete", "indent": indent }),
        Completeness::Invalid => json!({ "status": "invalid" }),
        Completeness::Unknown => json!({ "status": "unknown" }),
    };
    reply(received, answers, &content);
}
