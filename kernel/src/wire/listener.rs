//! Where peers come from.

use std::fs;
use std::io;
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::connection::Bound;

pub(in crate::wire) enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener, Option<PathBuf>),
}

impl Listener {
    pub(in crate::wire) fn new(bound: Bound) -> io::Result<Self> {
        match bound {
            Bound::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Ok(Self::Tcp(TcpListener::from_std(listener)?))
            }
            Bound::Ipc(listener) => {
                listener.set_nonblocking(true)?;
                let path = listener.local_addr()?.as_pathname().map(PathBuf::from);
                Ok(Self::Ipc(UnixListener::from_std(listener)?, path))
            }
        }
    }

    pub(in crate::wire) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
            Self::Ipc(listener, _) => Ok(Stream::Ipc(listener.accept().await?.0)),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Ipc(_, Some(path)) = self {
            // Gone already, or not ours to remove: the next kernel replaces it.
            let _ = fs::remove_file(path);
        }
    }
}

/// One peer's connection.
pub(in crate::wire) enum Stream {
    Tcp(TcpStream),
    Ipc(UnixStream),
}
