//! `interrupt_request`: the answer; the interrupt itself comes before.

use serde_json::json;

use super::reply;
use crate::wire::frames::Received;
use crate::wire::router::Answers;

pub(in crate::serve) fn answer(received: &Received, answers: &Answers) {
    reply(received, answers, &json!({ "status": "ok" }));
}
