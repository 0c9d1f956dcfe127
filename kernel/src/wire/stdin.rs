//! Asking the person at the front end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::frames::{Parent, Received};
use super::router::{Answers, Requests};

/// How long a front end may take to connect its stdin socket, once it has sent a request that
/// asks.
const REACHABLE: Duration = Duration::from_secs(5);

/// How often it is tried to reach it until then; the library does not tell who connects.
const TRY: Duration = Duration::from_millis(50);

/// Why nothing was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The front end said that nobody can be asked.
    #[error("this front end cannot ask anybody: it runs without input")]
    NotAllowed,
    /// The front end allows questions, but has no stdin socket to hear them.
    #[error("this front end allows questions but does not listen for them")]
    Unreachable,
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

/// The stdin socket, to ask on.
#[derive(Clone)]
pub(crate) struct Socket {
    answers: Answers,
    pending: Arc<Pending>,
}

/// The question that waits for its answer, where one does.
#[derive(Default)]
struct Pending(Mutex<Option<Question>>);

struct Question {
    id: Uuid,
    route: Vec<Bytes>,
    answer: oneshot::Sender<String>,
}

/// What a front end answers with.
#[derive(Deserialize)]
struct InputReply {
    #[serde(default)]
    value: String,
}

impl Socket {
    /// A socket to ask on, and the task that hears the answers; it never ends by itself.
    pub(crate) fn new(
        mut requests: Requests,
        answers: Answers,
    ) -> (Self, impl Future<Output = ()>) {
        let pending = Arc::new(Pending::default());
        let heard = Arc::clone(&pending);
        let hear = async move {
            loop {
                heard.take(&requests.next().await);
            }
        };
        (Self { answers, pending }, hear)
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Option<Question>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives what came to who waits for it. What answers nothing that is asked now is stale.
    fn take(&self, received: &Received) {
        let mut question = self.lock();
        if !question
            .as_ref()
            .is_some_and(|q| q.is_answered_by(received))
        {
            return tracing::debug!("an answer to no question is dropped");
        }
        let Ok(reply) = serde_json::from_slice::<InputReply>(&received.content) else {
            return tracing::warn!("an answer cannot be read");
        };
        if let Some(question) = question.take() {
            // Who asked may have gone.
            let _ = question.answer.send(reply.value);
        }
    }
}

impl Question {
    /// A reply answers when it comes from who was asked. Many front ends name no parent; one that
    /// is named must be this question.
    fn is_answered_by(&self, received: &Received) -> bool {
        received.parent.message_type() == "input_reply"
            && received.route == self.route
            && received
                .answers_to
                .as_ref()
                .is_none_or(|id| *id == self.id.to_string())
    }
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
        way.stop
            .run_until_cancelled(way.ask(prompt, password))
            .await
            .unwrap_or(Err(NoAnswer::Interrupted))
    }
}

/// Withdraws a question that nobody waits for any more.
struct Withdraw<'a>(&'a Pending, Uuid);

impl Drop for Withdraw<'_> {
    fn drop(&mut self) {
        let mut question = self.0.lock();
        if question.as_ref().is_some_and(|q| q.id == self.1) {
            *question = None;
        }
    }
}

impl Way {
    async fn ask(&self, prompt: &str, password: bool) -> Result<String, NoAnswer> {
        let id = Uuid::new_v4();
        let (answer, answered) = oneshot::channel();
        *self.socket.pending.lock() = Some(Question {
            id,
            route: self.route.clone(),
            answer,
        });
        let _withdraw = Withdraw(&self.socket.pending, id);
        let content = json!({ "prompt": prompt, "password": password });
        let deadline = Instant::now() + REACHABLE;
        let answers = &self.socket.answers;
        while !answers
            .deliver(id, &self.route, "input_request", &self.parent, &content)
            .await
        {
            if Instant::now() >= deadline {
                return Err(NoAnswer::Unreachable);
            }
            tokio::time::sleep(TRY).await;
        }
        // No deadline: a person thinks as long as it takes, and can interrupt. It errs when another
        // question took this one's place.
        answered.await.map_err(|_taken| NoAnswer::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_asked_can_answer_and_only_what_was_asked() {
        let id = Uuid::new_v4();
        let route = vec![Bytes::from_static(b"peer")];
        let reply = |message_type, from: &'static [u8], answers_to: Option<String>| Received {
            route: vec![Bytes::from_static(from)],
            parent: Parent::of_type(message_type),
            answers_to,
            content: Bytes::from_static(b"{}"),
        };
        for (received, expected) in [
            (reply("input_reply", b"peer", None), true),
            (reply("input_reply", b"peer", Some(id.to_string())), true),
            (
                reply("input_reply", b"peer", Some("older".to_owned())),
                false,
            ),
            (reply("input_reply", b"other", None), false),
            (reply("execute_request", b"peer", None), false),
        ] {
            let (answer, _answered) = oneshot::channel();
            let question = Question {
                id,
                route: route.clone(),
                answer,
            };
            assert_eq!(question.is_answered_by(&received), expected, "{received:?}");
        }
    }

    #[tokio::test]
    async fn a_front_end_that_allows_no_questions_is_asked_none() {
        let refused = Stdin::refused().ask("name?", false).await;
        assert_eq!(refused, Err(NoAnswer::NotAllowed));
    }
}
