//! How much the publisher bears.

use std::time::Duration;

/// How much the publisher bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that may wait for one subscriber before it holds the producer back. It holds until
    /// half of them have left.
    pub queue_bytes: usize,
    /// How long one subscriber may hold the producer back without a break before it is dropped.
    /// So a subscriber that is never dropped takes at least half of `queue_bytes` in this time.
    pub hold: Duration,
    /// Bytes of messages that wait for connections which have not subscribed yet.
    pub backlog_bytes: usize,
    /// How long they wait.
    pub backlog_age: Duration,
    /// How long before it was made a connection counts: a front end's sockets connect in any order,
    /// and its first request may be served before its iopub has arrived. Shorter than a front end
    /// takes to connect again (libzmq: 100 ms), so that it gets nothing twice.
    pub recent: Duration,
    /// How long a new connection may take to shake hands.
    pub handshake: Duration,
    /// Connections at a time.
    pub connections: usize,
    /// Subscriptions of one connection.
    pub subscriptions: usize,
    /// Bytes that producers may have on their way to the publisher.
    pub under_way: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_bytes: 16 << 20,
            hold: Duration::from_secs(10),
            backlog_bytes: 8 << 20,
            backlog_age: Duration::from_secs(60),
            recent: Duration::from_millis(50),
            handshake: Duration::from_secs(5),
            connections: 128,
            subscriptions: 64,
            under_way: 4 << 20,
        }
    }
}
