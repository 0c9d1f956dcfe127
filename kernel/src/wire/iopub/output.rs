//! What one request may publish, and the busy … idle around it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jupyter_protocol::{
    ClearOutput, DisplayData, ErrorOutput, ExecuteInput, ExecutionCount, Media, Status,
    StreamContent, Transient, UpdateDisplayData,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Iopub;
use crate::run::interpreter::Failure;
use crate::wire::frames::Parent;

/// Names one display, so that it can be updated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DisplayId(String);

impl DisplayId {
    /// A new one.
    pub fn unique() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    fn transient(&self) -> Transient {
        Transient {
            display_id: Some(self.0.clone()),
        }
    }
}

/// Where the outputs of one request go. Each call waits while a slow reader holds outputs back,
/// unless the request is stopped: an interrupt never hangs on a reader.
#[derive(Clone)]
pub struct Output {
    way: Way,
    /// How many outputs its cell shows.
    shown: Arc<AtomicUsize>,
}

#[derive(Clone)]
enum Way {
    /// To the subscribers.
    Iopub(Arc<Request>),
    /// Nowhere: the request is silent.
    Nowhere,
    /// Into a test's hands.
    Captured(Captured),
}

/// What outputs belong to. Once it is stopped, they no longer wait.
struct Request {
    iopub: Iopub,
    parent: Parent,
    stop: CancellationToken,
}

/// The outputs of a test, in order, each with its message type.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<(String, Value)>>>);

impl Captured {
    /// What was published so far.
    pub fn messages(&self) -> Vec<(String, Value)> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Output")
    }
}

impl Output {
    /// An output that is only kept.
    pub fn captured() -> (Self, Captured) {
        let captured = Captured::default();
        let output = Self::new(Way::Captured(captured.clone()));
        (output, captured)
    }

    /// Where the outputs of a silent request go: nowhere.
    pub(crate) fn nowhere() -> Self {
        Self::new(Way::Nowhere)
    }

    fn new(way: Way) -> Self {
        Self {
            way,
            shown: Arc::default(),
        }
    }

    /// Whether anybody is to see it.
    pub(crate) fn is_heard(&self) -> bool {
        !matches!(self.way, Way::Nowhere)
    }

    /// Whether its cell shows one output and no more.
    pub(crate) fn shows_one(&self) -> bool {
        self.shown.load(Ordering::Relaxed) == 1
    }

    /// Writes to the cell's standard output.
    pub async fn stdout(&self, text: &str) {
        self.send("stream", StreamContent::stdout(text)).await;
    }

    /// Writes to the cell's standard error: what the user should notice, and is no failure.
    pub async fn stderr(&self, text: &str) {
        self.send("stream", StreamContent::stderr(text)).await;
    }

    /// Shows something; with an id it can be updated later. `data` holds text/plain, here and in
    /// all other bundles: it is what a front end shows that knows nothing else.
    pub async fn display(&self, data: Media, id: Option<&DisplayId>) {
        debug_assert_plain(&data);
        let content = DisplayData {
            data,
            transient: id.map(DisplayId::transient),
            ..DisplayData::default()
        };
        self.send("display_data", content).await;
    }

    /// Replaces what a display of this id shows.
    pub async fn update(&self, id: &DisplayId, data: Media) {
        debug_assert_plain(&data);
        let content = UpdateDisplayData {
            data,
            transient: id.transient(),
            ..UpdateDisplayData::default()
        };
        self.send("update_display_data", content).await;
    }

    /// Shows the value of the cell.
    pub async fn result(&self, count: u32, data: Media) {
        debug_assert_plain(&data);
        // Not jupyter_protocol's type: it writes a missing `transient` as null, which Jupyter's
        // schema refuses.
        let content = json!({ "execution_count": count, "data": data, "metadata": {} });
        self.send("execute_result", content).await;
    }

    /// Shows a failure.
    pub async fn error(&self, failure: &Failure) {
        let content = ErrorOutput {
            ename: failure.name.clone(),
            evalue: failure.value.clone(),
            traceback: failure.traceback.clone(),
        };
        self.send("error", content).await;
    }

    /// Clears what the cell shows; with `wait`, when the next output comes.
    pub async fn clear(&self, wait: bool) {
        self.send("clear_output", ClearOutput { wait }).await;
    }

    /// Tells everybody which source runs now.
    pub(crate) async fn execute_input(&self, code: &str, count: u32) {
        let content = ExecuteInput {
            code: code.to_owned(),
            execution_count: ExecutionCount::new(count as usize),
        };
        self.send("execute_input", content).await;
    }

    async fn send(&self, message_type: &str, content: impl Serialize) {
        match message_type {
            "stream" | "display_data" | "execute_result" | "error" => {
                self.shown.fetch_add(1, Ordering::Relaxed);
            }
            "clear_output" => self.shown.store(0, Ordering::Relaxed),
            _ => {}
        }
        match &self.way {
            Way::Iopub(request) => {
                let Request {
                    iopub,
                    parent,
                    stop,
                } = &**request;
                iopub.send(message_type, parent, &content, stop).await;
            }
            Way::Nowhere => {}
            Way::Captured(Captured(messages)) => {
                let value = serde_json::to_value(content).unwrap_or_default();
                messages
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((message_type.to_owned(), value));
            }
        }
    }
}

fn debug_assert_plain(data: &Media) {
    debug_assert!(
        data.content
            .iter()
            .any(|part| part.mime_type() == "text/plain"),
        "every bundle holds text/plain"
    );
}

/// The time a request takes: busy is told when it is made, idle when it is dropped, once, after
/// every output sent before.
pub struct Bracket {
    iopub: Iopub,
    parent: Parent,
}

impl Bracket {
    pub(crate) fn open(iopub: &Iopub, parent: &Parent) -> Self {
        iopub.send_now("status", parent, &Status::busy());
        Self {
            iopub: iopub.clone(),
            parent: parent.clone(),
        }
    }

    /// Where the request's outputs go.
    pub(crate) fn output(&self, stop: &CancellationToken) -> Output {
        let request = Request {
            iopub: self.iopub.clone(),
            parent: self.parent.clone(),
            stop: stop.clone(),
        };
        Output::new(Way::Iopub(Arc::new(request)))
    }

    /// Ends a comm that nobody here answers.
    pub(crate) fn comm_close(&self, comm_id: &str) {
        let content = json!({ "comm_id": comm_id, "data": {} });
        self.iopub.send_now("comm_close", &self.parent, &content);
    }
}

impl Drop for Bracket {
    fn drop(&mut self) {
        self.iopub.send_now("status", &self.parent, &Status::idle());
    }
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::MediaType;

    use super::*;

    #[tokio::test]
    async fn what_is_captured_is_what_would_be_sent() {
        let (output, captured) = Output::captured();
        let id = DisplayId::unique();
        let plain = || Media::new(vec![MediaType::Plain("1".to_owned())]);
        assert!(!output.shows_one());
        output.stdout("hello").await;
        assert!(output.clone().shows_one());
        output.display(plain(), Some(&id)).await;
        assert!(!output.shows_one());
        output.update(&id, plain()).await;
        output.display(plain(), None).await;
        output.result(3, plain()).await;
        output.clear(true).await;
        assert!(!output.shows_one());
        let data = json!({ "text/plain": "1" });
        let transient = json!({ "display_id": id.0 });
        let expected = [
            ("stream", json!({ "name": "stdout", "text": "hello" })),
            (
                "display_data",
                json!({ "data": data, "metadata": {}, "transient": transient }),
            ),
            (
                "update_display_data",
                json!({ "data": data, "metadata": {}, "transient": transient }),
            ),
            ("display_data", json!({ "data": data, "metadata": {} })),
            (
                "execute_result",
                json!({ "execution_count": 3, "data": data, "metadata": {} }),
            ),
            ("clear_output", json!({ "wait": true })),
        ];
        let expected = expected.map(|(message_type, content)| (message_type.to_owned(), content));
        assert_eq!(captured.messages(), expected);
    }

    #[tokio::test]
    #[should_panic(expected = "every bundle holds text/plain")]
    async fn a_bundle_without_plain_text_is_our_own_mistake() {
        let (output, _captured) = Output::captured();
        let html = Media::new(vec![MediaType::Html("<b>1</b>".to_owned())]);
        output.display(html, None).await;
    }
}
