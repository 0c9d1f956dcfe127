//! `shutdown_request`: the answer comes before the end.

use serde::Deserialize;
use serde_json::json;

use super::reply;
use crate::wire::frames::Received;
use crate::wire::router::Answers;

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default)]
    restart: bool,
}

/// Answers, and says whether the front end starts the kernel again.
pub(in crate::serve) fn answer(received: &Received, answers: &Answers) -> bool {
    // Whoever asks for the end gets it, however it is worded.
    let Content { restart } = serde_json::from_slice(&received.content).unwrap_or_default();
    reply(
        received,
        answers,
        &json!({ "status": "ok", "restart": restart }),
    );
    restart
}
