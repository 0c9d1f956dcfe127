//! What is behind a keeper's door: the one driver, whose calls are counted.

use std::net::{Ipv4Addr, SocketAddr};

use async_trait::async_trait;
use firesteel_session::address::Token;
use tonic::Status;

use super::desk::{Event, Reception};
use super::shown::Shown;
use super::standing::{Fact, Opened};
use crate::door::{Call, Effect, Seen, Target, Upstream};

/// The keeper's driver.
pub(super) struct DriverUpstream {
    reception: Reception,
}

impl DriverUpstream {
    pub(super) fn new(reception: Reception) -> Self {
        Self { reception }
    }
}

#[async_trait]
impl Upstream for DriverUpstream {
    /// The driver, where it takes calls. Nobody waits here: who is attached hears when it does.
    async fn upstream(&self, _call: &Call) -> Result<Target, Status> {
        match &*self.reception.state.follow().borrow() {
            Shown::Ready(running) => Ok(Target {
                address: SocketAddr::from((Ipv4Addr::LOCALHOST, running.port)),
                token: Token::new(running.token.reveal()),
            }),
            Shown::Starting(_) => Err(Status::unavailable("the Spark driver is still starting")),
            Shown::Ended(cause) => Err(Status::unavailable(cause.sentence.clone())),
        }
    }

    fn seen(&self, call: &Call, event: Seen) {
        if call.background {
            return;
        }
        let fact = match (event, &call.effect) {
            (Seen::Sent, effect) => Fact::Opened(Opened {
                call: call.id,
                session: call.session_id.clone(),
                operation: match effect {
                    Effect::Streams(operation) => Some(operation.clone()),
                    Effect::Releases(_) | Effect::None => None,
                },
            }),
            (Seen::Ended, Effect::Releases(operation)) => {
                self.reception.tell(Event::Fact(Fact::Released {
                    session: call.session_id.clone(),
                    operation: operation.clone(),
                }));
                Fact::Closed(call.id)
            }
            (Seen::Ended, _) => Fact::Closed(call.id),
        };
        self.reception.tell(Event::Fact(fact));
    }
}
