//! Asking the person at the front end.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::frames::Parent;
use super::router::{Answers, Requests};

/// Why nothing was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The front end said that nobody can be asked.
    #[error("this front end cannot ask anybody: it runs without input")]
    NotAllowed,
    /// The user interrupted instead of answering.
    #[error("interrupted while waiting for an answer")]
    Interrupted,
}

/// The way to ask, for one request.
#[derive(Clone)]
pub struct Stdin {
    way: Option<Way>,
}

#[derive(Clone)]
struct Way {
    socket: Socket,
    route: Vec<Bytes>,
    parent: Parent,
    stop: CancellationToken,
}

/// The stdin socket. Only one question is asked at a time, so a lock held while waiting for the
/// answer holds nobody up.
#[derive(Clone)]
pub(crate) struct Socket {
    requests: Arc<Mutex<Requests>>,
    answers: Answers,
}

impl Socket {
    pub(crate) fn new(requests: Requests, answers: Answers) -> Self {
        Self {
            requests: Arc::new(Mutex::new(requests)),
            answers,
        }
    }
}

/// What a front end answers with.
#[derive(Deserialize)]
struct InputReply {
    #[serde(default)]
    value: String,
}

impl Stdin {
    /// A front end that allows no questions.
    pub fn refused() -> Self {
        Self { way: None }
    }

    pub(crate) fn allowed(
        socket: &Socket,
        route: &[Bytes],
        parent: &Parent,
        stop: &CancellationToken,
    ) -> Self {
        Self {
            way: Some(Way {
                socket: socket.clone(),
                route: route.to_vec(),
                parent: parent.clone(),
                stop: stop.clone(),
            }),
        }
    }

    /// Asks, and waits for the answer. A `password` is not shown while it is typed.
    ///
    /// # Errors
    /// When nobody can be asked, or the user interrupts.
    pub async fn ask(&self, prompt: &str, password: bool) -> Result<String, NoAnswer> {
        let way = self.way.as_ref().ok_or(NoAnswer::NotAllowed)?;
        let answer = way.ask(prompt, password);
        way.stop
            .run_until_cancelled(answer)
            .await
            .ok_or(NoAnswer::Interrupted)
    }
}

impl Way {
    async fn ask(&self, prompt: &str, password: bool) -> String {
        let mut requests = self.socket.requests.lock().await;
        // What was answered before the question is an answer to another one.
        while tokio::time::timeout(std::time::Duration::ZERO, requests.next())
            .await
            .is_ok()
        {}
        let content = json!({ "prompt": prompt, "password": password });
        self.socket
            .answers
            .send(&self.route, "input_request", &self.parent, &content);
        loop {
            let received = requests.next().await;
            if received.parent.message_type() != "input_reply" {
                continue;
            }
            if let Ok(reply) = serde_json::from_slice::<InputReply>(&received.content) {
                return reply.value;
            }
        }
    }
}
