//! Connections from the network whose caller has not shown the token yet. They cost memory and open
//! files, and anybody may make them: so they are few, and have little time.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a caller may take from its connection to its first call with the token.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How many strangers are there at most. One more, and the one who came first has to go: whoever has
/// the token shows it within milliseconds, and who fills the room drives out his own.
pub(super) const MOST: usize = 256;

/// All strangers there are, the first one first.
#[derive(Clone, Default)]
pub(super) struct Strangers {
    waiting: Arc<Mutex<VecDeque<(u64, CancellationToken)>>>,
    arrived: Arc<AtomicU64>,
}

/// One of them, as long as its connection lasts.
pub(super) struct Stranger {
    id: u64,
    all: Strangers,
    known: AtomicBool,
    sent_away: CancellationToken,
    until: Instant,
}

impl Strangers {
    /// One more has come.
    pub(super) fn arrive(&self) -> Stranger {
        let stranger = Stranger {
            id: self.arrived.fetch_add(1, Ordering::Relaxed),
            all: self.clone(),
            known: AtomicBool::new(false),
            sent_away: CancellationToken::new(),
            until: Instant::now() + PATIENCE,
        };
        let mut waiting = self.waiting();
        waiting.push_back((stranger.id, stranger.sent_away.clone()));
        if waiting.len() > MOST {
            let first = waiting.pop_front();
            drop(waiting);
            if let Some((_, sent_away)) = first {
                tracing::debug!("there are too many callers without a token");
                sent_away.cancel();
            }
        }
        stranger
    }

    fn leave(&self, id: u64) {
        self.waiting().retain(|(other, _)| *other != id);
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(u64, CancellationToken)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stranger {
    /// It has shown the token, and may stay.
    pub(super) fn is_known(&self) {
        if !self.known.swap(true, Ordering::Relaxed) {
            self.all.leave(self.id);
        }
    }

    /// Ends when it has to go, as a stranger.
    pub(super) async fn has_to_go(&self) {
        tokio::select! {
            () = self.sent_away.cancelled() => {}
            () = tokio::time::sleep_until(self.until) => {}
        }
        if self.known.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.all.leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use http_body_util::Empty;
    use hyper::body::Bytes;
    use hyper::client::conn::http2::{SendRequest, handshake};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::task::JoinSet;

    use super::*;
    use crate::keeper::office::tests::Bench;
    use crate::keeper::service::Distance;

    /// What every connection of HTTP/2 begins with, and settings that change nothing.
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    /// A connection of a stranger's.
    fn come(bench: &Bench, tasks: &mut JoinSet<()>) -> DuplexStream {
        let (near, far) = tokio::io::duplex(64 << 10);
        let stranger = bench.server.strangers.arrive();
        tasks.spawn(bench.server.clone().serve(far, Some(stranger)));
        near
    }

    async fn speak(near: DuplexStream, tasks: &mut JoinSet<()>) -> SendRequest<Empty<Bytes>> {
        let made = handshake(TokioExecutor::new(), TokioIo::new(near)).await;
        let (sender, connection) = made.unwrap();
        tasks.spawn(async move {
            let _broken_or_not = connection.await;
        });
        sender
    }

    /// The status of a call with a token, as gRPC has it.
    async fn call(sender: &mut SendRequest<Empty<Bytes>>, token: &str) -> String {
        let request =
            hyper::Request::post("http://keeper/spark.connect.SparkConnectService/Config")
                .header("authorization", format!("Bearer {token}"))
                .body(Empty::new());
        let response = sender.send_request(request.unwrap()).await.unwrap();
        response.headers()["grpc-status"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_has_to_go_however_slowly_it_speaks() {
        let bench = Bench::new(Distance::Network);
        let mut tasks = JoinSet::new();
        // The last are headers that have no end.
        let headers = [PREFACE, b"\0\0\x01\x01\0\0\0\0\x01\x83", &[0; 9].repeat(64)].concat();
        for (what, drip) in [
            (&b""[..], false),
            (PREFACE, false),
            (PREFACE, true),
            (&headers, true),
        ] {
            let began = Instant::now();
            let mut near = come(&bench, &mut tasks);
            let mut said = Vec::new();
            if drip {
                for byte in what {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if near.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                }
            } else {
                near.write_all(what).await.unwrap();
            }
            let end = tokio::time::timeout(2 * PATIENCE, near.read_to_end(&mut said));
            let _broken_or_not = end.await.unwrap();
            let lasted = began.elapsed();
            assert!(
                lasted <= PATIENCE + Duration::from_secs(1),
                "{what:?} {drip}: {lasted:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_refused_has_to_go_and_who_was_not_stays() {
        let bench = Bench::new(Distance::Network);
        let mut tasks = JoinSet::new();
        let near = come(&bench, &mut tasks);
        let mut known = speak(near, &mut tasks).await;
        let near = come(&bench, &mut tasks);
        let mut refused = speak(near, &mut tasks).await;
        // One is let in, and then told that it asks for nothing.
        assert_eq!(call(&mut known, &bench.token).await, "3");
        assert_eq!(call(&mut refused, "wrong").await, "16");
        tokio::time::sleep(5 * PATIENCE).await;
        assert!(refused.is_closed());
        assert_eq!(call(&mut known, &bench.token).await, "3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_keeps_nobody_out() {
        let bench = Bench::new(Distance::Network);
        let mut tasks = JoinSet::new();
        let began = Instant::now();
        let mut crowd: Vec<_> = (0..4 * MOST).map(|_| come(&bench, &mut tasks)).collect();
        let near = come(&bench, &mut tasks);
        let mut known = speak(near, &mut tasks).await;
        assert_eq!(call(&mut known, &bench.token).await, "3");
        let mut said = Vec::new();
        for mut gone in crowd.drain(..3 * MOST) {
            gone.read_to_end(&mut said).await.unwrap();
        }
        assert!(began.elapsed() < PATIENCE);
        let last = crowd.last_mut().unwrap();
        let ended = last.read_to_end(&mut said).now_or_never();
        assert!(ended.is_none(), "{ended:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_shows_no_token_goes_and_who_does_stays() {
        let strangers = Strangers::default();
        let (one, other) = (strangers.arrive(), strangers.arrive());
        other.is_known();
        let began = Instant::now();
        one.has_to_go().await;
        assert_eq!(began.elapsed(), PATIENCE);
        assert_eq!(other.has_to_go().now_or_never(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_of_too_many_has_to_go() {
        let strangers = Strangers::default();
        let known = strangers.arrive();
        known.is_known();
        let mut all: Vec<_> = (0..MOST).map(|_| strangers.arrive()).collect();
        assert_eq!(all[0].has_to_go().now_or_never(), None);
        let late = strangers.arrive();
        assert_eq!(all[0].has_to_go().now_or_never(), Some(()));
        assert_eq!(all[1].has_to_go().now_or_never(), None);
        // Who leaves makes room.
        all.truncate(2);
        let _room = strangers.arrive();
        assert_eq!(all[1].has_to_go().now_or_never(), None);
        for stays in [&known, &late] {
            assert_eq!(stays.has_to_go().now_or_never(), None);
        }
    }
}
