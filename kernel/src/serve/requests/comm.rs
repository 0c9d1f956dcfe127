//! Comms: there are none, and whoever opens one is told so at once.

use serde::Deserialize;
use serde_json::json;

use super::reply;
use crate::wire::frames::Received;
use crate::wire::iopub::Bracket;
use crate::wire::router::Answers;

#[derive(Deserialize)]
struct Content {
    comm_id: String,
}

pub(in crate::serve) fn info(received: &Received, answers: &Answers) {
    reply(received, answers, &json!({ "status": "ok", "comms": {} }));
}

/// Closes a comm whose target nobody here knows, as the protocol asks.
pub(in crate::serve) fn open(received: &Received, bracket: &Bracket) {
    if let Ok(Content { comm_id }) = serde_json::from_slice(&received.content) {
        bracket.comm_close(&comm_id);
    }
}
