//! One file for each kind of request.
//!
//! Requests are read into types of our own, because front ends leave fields out that
//! `jupyter-protocol` insists on (`wire::shortcomings` shows it); what is missing gets the
//! protocol's default.

pub(super) mod comm;
pub(super) mod complete;
pub(super) mod execute;
pub(super) mod history;
pub(super) mod inspect;
pub(super) mod interrupt;
pub(super) mod is_complete;
pub(super) mod kernel_info;
pub(super) mod shutdown;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::run::interpreter::Failure;
use crate::wire::frames::Received;
use crate::wire::router::Answers;

/// Reads a request's content; answers with an error in words where it cannot be read.
fn read<T: DeserializeOwned>(received: &Received, answers: &Answers) -> Option<T> {
    match serde_json::from_slice(&received.content) {
        Ok(content) => Some(content),
        Err(error) => {
            reply_failure(received, answers, &malformed(&error));
            None
        }
    }
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure {
        name: "MalformedRequest".to_owned(),
        value: format!("the request cannot be read: {error}"),
        traceback: Vec::new(),
        ..Failure::default()
    }
}

/// Answers that the request failed.
fn reply_failure(received: &Received, answers: &Answers, failure: &Failure) {
    let content = json!({
        "status": "error",
        "ename": failure.name,
        "evalue": failure.value,
        "traceback": failure.traceback,
    });
    reply(received, answers, &content);
}

/// Sends the reply that belongs to a request.
fn reply(received: &Received, answers: &Answers, content: &impl Serialize) {
    let request = received.parent.message_type();
    let name = request.strip_suffix("_request").unwrap_or(request);
    answers.send(
        &received.route,
        &format!("{name}_reply"),
        &received.parent,
        content,
    );
}
