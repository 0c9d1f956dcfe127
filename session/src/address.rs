//! Where a Spark Connect server is and who we are to it.

use std::fmt;
use std::path::PathBuf;

/// How to reach a Spark Connect server, and as whom.
#[derive(Debug, Clone)]
pub struct Address {
    /// The way to the server.
    pub transport: Transport,
    /// The bearer token the server asks for.
    pub token: Option<Token>,
    /// The user every request claims to come from.
    pub user_id: String,
    /// Further metadata sent with every request, as `sc://…;key=value` has it.
    pub headers: Vec<(String, String)>,
}

/// The way to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// A host and port, with TLS against the system's roots or without.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port; Spark's own default is 15002.
        port: u16,
        /// Whether the connection is encrypted.
        tls: bool,
    },
    /// A socket on this machine.
    Unix(PathBuf),
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
