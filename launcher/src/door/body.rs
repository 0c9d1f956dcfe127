//! Bodies on their way through a door.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tonic::Status;

use super::{Call, Seen, Upstream};

/// Tells its upstream that a call has ended, when it is dropped: nothing of the call passes after
/// that, however it ended.
pub(super) struct Passage {
    upstream: Arc<dyn Upstream>,
    call: Call,
}

impl Passage {
    /// Tells that the call is on its way.
    pub(super) fn begin(upstream: Arc<dyn Upstream>, call: Call) -> Self {
        upstream.seen(&call, Seen::Sent);
        Self { upstream, call }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.upstream.seen(&self.call, Seen::Ended);
    }
}

/// The answer of a server, frame by frame as it comes: what the caller does not take is not asked
/// of the server.
pub(super) struct Answer {
    body: Incoming,
    /// `None` when the answer is complete.
    passage: Option<Passage>,
}

impl Answer {
    pub(super) fn new(body: Incoming, passage: Passage) -> Self {
        Self {
            body,
            passage: Some(passage),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.passage.is_none() {
            return Poll::Ready(None);
        }
        match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => {
                if frame.is_trailers() {
                    self.passage = None;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.passage = None;
                tracing::debug!(%error, "an answer was cut");
                Poll::Ready(Some(trailers(&server_gone())))
            }
            None => {
                self.passage = None;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.passage.is_none() || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a caller is told when the server is gone while it answers, or cannot be reached.
pub(super) fn server_gone() -> Status {
    Status::unavailable("the Spark driver has ended or cannot be reached")
}

/// A status as the end of an answer, so that the caller reads it instead of a broken stream.
fn trailers(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers)?;
    Ok(Frame::trailers(headers))
}
