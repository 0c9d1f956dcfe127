//! Where a Spark Connect server is and who we are to it.

mod parse;

use std::fmt;
use std::path::PathBuf;

use uuid::Uuid;

use crate::dial::Dialer;

pub use parse::Invalid;

/// How to reach a Spark Connect server, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The way to the server.
    pub transport: Transport,
    /// The bearer token the server asks for.
    pub token: Option<Token>,
    /// The user every request claims to come from.
    pub user_id: String,
    /// The session to join; without one, each session takes a new random id.
    pub session_id: Option<Uuid>,
    /// Further metadata sent with every request, as `sc://…;key=value` has it.
    pub headers: Vec<(String, String)>,
    /// Names the one server process that is meant. Whoever sets it promises that this address
    /// leads to that process or to none: a keeper's door does, because its token is new with each
    /// driver. Sent with every request as `x-firesteel-incarnation`. Only with it may a statement
    /// that is not pure be sent a second time.
    pub incarnation: Option<String>,
}

impl Address {
    /// A server behind a socket on this machine.
    pub fn unix(path: impl Into<PathBuf>, user_id: impl Into<String>) -> Self {
        Self::new(Transport::Unix(path.into()), user_id)
    }

    /// A server at a host and port, without TLS.
    pub fn tcp(host: impl Into<String>, port: u16, user_id: impl Into<String>) -> Self {
        let transport = Transport::Tcp {
            host: host.into(),
            port,
            tls: false,
        };
        Self::new(transport, user_id)
    }

    /// A server that `dialer` makes connections to.
    pub fn dialed(dialer: Dialer, user_id: impl Into<String>) -> Self {
        Self::new(Transport::Dialed(dialer), user_id)
    }

    fn new(transport: Transport, user_id: impl Into<String>) -> Self {
        Self {
            transport,
            token: None,
            user_id: user_id.into(),
            session_id: None,
            headers: Vec::new(),
            incarnation: None,
        }
    }

    /// The same address with this token.
    #[must_use]
    pub fn with_token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// The same address, known to lead to this server process alone; see
    /// [`incarnation`](Self::incarnation).
    #[must_use]
    pub fn with_incarnation(mut self, incarnation: impl Into<String>) -> Self {
        self.incarnation = Some(incarnation.into());
        self
    }
}

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// A host and port, with TLS against Mozilla's roots or without.
    Tcp {
        /// Host name or address; an IPv6 address without brackets.
        host: String,
        /// Port; Spark's own default is 15002.
        port: u16,
        /// Whether the connection is encrypted.
        tls: bool,
    },
    /// A socket on this machine.
    Unix(PathBuf),
    /// Connections that are made by other means.
    Dialed(Dialer),
}

/// The place alone, as shown to people.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Dialed(dialer) => write!(f, "{dialer}"),
        }
    }
}

/// A secret that opens a server. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
