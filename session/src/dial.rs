//! Connections that are made by other means than a host and a port.

use std::fmt;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// Makes connections to one server, whatever the way to it is.
#[async_trait]
pub trait Dial: Send + Sync + 'static {
    /// Makes a connection; what comes out of it is HTTP/2 in the clear, whatever is below. Asked
    /// again whenever a connection was lost.
    ///
    /// # Errors
    /// When the server cannot be reached now.
    async fn dial(&self) -> io::Result<Box<dyn Stream>>;

    /// Where the server is, as shown to people.
    fn place(&self) -> String;
}

/// A connection, in bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A shared [`Dial`]. Two are equal where they are the same one.
#[derive(Clone)]
pub struct Dialer(Arc<dyn Dial>);

impl Dialer {
    /// Shares `dial`.
    pub fn new(dial: impl Dial) -> Self {
        Self(Arc::new(dial))
    }

    /// See [`Dial::dial`].
    ///
    /// # Errors
    /// When the server cannot be reached now.
    pub async fn dial(&self) -> io::Result<Box<dyn Stream>> {
        self.0.dial().await
    }
}

impl PartialEq for Dialer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Dialer {}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialer({})", self.0.place())
    }
}

impl fmt::Display for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.place())
    }
}
