//! One call through a door.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;

use firesteel_session::client::{BACKGROUND_HEADER, INCARNATION_HEADER};

use super::body::{Answer, Passage, server_gone};
use super::call::{Call, Effect, Head, Method};
use super::link::Link;
use super::messages::{LARGEST, Messages, content};
use super::{Target, Upstream};

/// How long a caller may take to send the first message of a call.
const FIRST_MESSAGE: Duration = Duration::from_secs(600);

/// A door that lets one user through. Who comes so far has shown the right token.
pub struct Door {
    upstream: Arc<dyn Upstream>,
    user: Arc<str>,
    calls: AtomicU64,
}

impl Door {
    /// A door to `upstream` for `user`.
    pub fn new(upstream: Arc<dyn Upstream>, user: &str) -> Self {
        Self {
            upstream,
            user: user.into(),
            calls: AtomicU64::new(0),
        }
    }

    /// Passes a call on and its answer back. `link` is the caller's way to the server.
    pub async fn pass(&self, request: Request<Incoming>, link: &Link) -> Response<Body> {
        match self.try_pass(request, link).await {
            Ok(response) => response,
            Err(status) => status.into_http(),
        }
    }

    async fn try_pass(
        &self,
        request: Request<Incoming>,
        link: &Link,
    ) -> Result<Response<Body>, Status> {
        let method = Method::of_path(request.uri().path())
            .ok_or_else(|| Status::unimplemented("the door does not know this call"))?;
        let (parts, body) = request.into_parts();
        let mut messages = Messages::new(body, LARGEST);
        let first = tokio::time::timeout(FIRST_MESSAGE, messages.next())
            .await
            .map_err(|_elapsed| Status::deadline_exceeded("no request came"))??
            .ok_or_else(|| Status::invalid_argument("the call has no request"))?;
        let head = Head::check(content(&first), &self.user)?;
        let call = Call {
            id: self.calls.fetch_add(1, Ordering::Relaxed),
            method,
            session_id: head.session_id,
            user_id: self.user.to_string(),
            effect: Effect::of(method, content(&first))?,
            background: parts.headers.contains_key(BACKGROUND_HEADER),
        };
        let target = self.upstream.upstream(&call).await?;
        let passage = Passage::begin(Arc::clone(&self.upstream), call);

        let refusal = Arc::new(OnceLock::new());
        let rest = Rest {
            messages,
            user: Arc::clone(&self.user),
            refusal: Arc::clone(&refusal),
            many: method.streams_requests(),
        };
        let mut onward = Request::new(Body::new(StreamBody::new(rest.after(first))));
        *onward.method_mut() = parts.method;
        *onward.uri_mut() = uri(&target, parts.uri.path())?;
        *onward.headers_mut() = headers(parts.headers, &target)?;

        let mut sender = link.connection(target.address).await?;
        match sender.send_request(onward).await {
            Ok(response) => Ok(response.map(|body| Body::new(Answer::new(body, passage)))),
            Err(error) => {
                tracing::debug!(%error, "a call did not reach the server");
                Err(refusal.get().cloned().unwrap_or_else(server_gone))
            }
        }
    }
}

/// The messages after the first.
struct Rest<B> {
    messages: Messages<B>,
    user: Arc<str>,
    /// Why the rest does not pass, for the answer.
    refusal: Arc<OnceLock<Status>>,
    many: bool,
}

impl Rest<Incoming> {
    /// `first` and then the rest, each message checked before any of it goes on.
    fn after(self, first: Bytes) -> impl futures::Stream<Item = Result<Frame<Bytes>, Status>> {
        stream::unfold((self, Some(first)), |(mut rest, first)| async move {
            let next = match first {
                Some(first) => Ok(Some(first)),
                None => rest.next().await,
            };
            let item = match next {
                Ok(None) => return None,
                Ok(Some(message)) => Ok(Frame::data(message)),
                Err(status) => {
                    let _first_one_counts = rest.refusal.set(status.clone());
                    Err(status)
                }
            };
            Some((item, (rest, None)))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(message) = self.messages.next().await? else {
            return Ok(None);
        };
        if !self.many {
            return Err(Status::invalid_argument(
                "the call has more than one request",
            ));
        }
        Head::check(content(&message), &self.user)?;
        Ok(Some(message))
    }
}

fn uri(target: &Target, path: &str) -> Result<Uri, Status> {
    format!("http://{}{path}", target.address)
        .parse()
        .map_err(|error| Status::internal(format!("the call cannot be passed on: {error}")))
}

/// The caller's headers with the server's token instead of ours, and without what was for us.
fn headers(mut headers: HeaderMap, target: &Target) -> Result<HeaderMap, Status> {
    let mut token = HeaderValue::try_from(format!("Bearer {}", target.token.reveal()))
        .map_err(|_invalid| Status::internal("the server's token cannot be sent"))?;
    token.set_sensitive(true);
    headers.insert(AUTHORIZATION, token);
    for ours in [HOST.as_str(), BACKGROUND_HEADER, INCARNATION_HEADER] {
        headers.remove(ours);
    }
    Ok(headers)
}
