//! Stands before ZeroMQ's sockets and lets no frame through that is too large.
//!
//! The library sets memory aside for as many bytes as a frame's header claims, before they come and
//! before anything is signed: one header of any local process would abort the kernel. So peers
//! connect to the gate, which reads the headers and hands on what is within bounds.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, BufWriter,
};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::connection::Bound;
use super::listener::{Listener, Stream};

/// The largest message, in bytes: all its frames together.
const LARGEST: u64 = 256 << 20;

/// The most frames of a message; Jupyter's have seven, and buffers.
const FRAMES: u32 = 4096;

/// How long a peer may take to greet.
const GREETING: Duration = Duration::from_secs(5);

const MORE: u8 = 1;
const LONG: u8 = 2;

/// A gate that is open until it is dropped or its [`serve`](Self::serve) ends.
pub(super) struct Gate {
    outside: Listener,
    inside: Inside,
}

/// The file of the library's socket. It has no name any more, so that nothing is left of a kernel
/// that is killed.
#[derive(Clone)]
struct Inside(Arc<OwnedFd>);

impl Gate {
    /// Takes over what peers connect to, and gives what the library is to listen on instead: a
    /// socket that only this process finds.
    pub(super) fn before(outside: Bound) -> io::Result<(Self, UnixListener)> {
        let folder = std::env::temp_dir().join(format!("firesteel-{}", Uuid::new_v4().simple()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let opened = Inside::open(&folder.join("s"));
        fs::remove_dir_all(&folder)?;
        let (inside, listener) = opened?;
        let outside = Listener::new(outside)?;
        Ok((Self { outside, inside }, listener))
    }

    /// Lets peers in until it is dropped.
    pub(super) async fn serve(self, connections: tokio::runtime::Handle) {
        let mut peers = JoinSet::new();
        loop {
            let stream = match self.outside.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    // Out of descriptors, most likely: wait for some to come back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            while peers.try_join_next().is_some() {}
            let inside = self.inside.clone();
            peers.spawn_on(
                async move {
                    let ended = match stream {
                        Stream::Tcp(stream) => pass(stream, inside).await,
                        Stream::Ipc(stream) => pass(stream, inside).await,
                    };
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a peer was sent away or left");
                    }
                },
                &connections,
            );
        }
    }
}

impl Inside {
    fn open(path: &Path) -> io::Result<(Self, UnixListener)> {
        let listener = UnixListener::bind(path)?;
        let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        Ok((Self(Arc::new(file)), listener))
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(format!("/proc/self/fd/{}", self.0.as_raw_fd())).await
    }
}

async fn pass<S: AsyncRead + AsyncWrite>(outside: S, inside: Inside) -> io::Result<()> {
    let inside = inside.connect().await?;
    let (from_peer, mut to_peer) = tokio::io::split(outside);
    let (mut from_us, to_us) = inside.into_split();
    tokio::select! {
        ended = inward(BufReader::new(from_peer), BufWriter::new(to_us)) => ended,
        // When our side ends, everything it said has been handed on.
        ended = tokio::io::copy(&mut from_us, &mut to_peer) => ended.map(|_| ()),
    }
}

/// Hands a peer's greeting and frames on, as ZMTP 3 has them (<https://rfc.zeromq.org/spec/23/>).
async fn inward<R, W>(mut from: R, mut to: W) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut greeting = [0; 64];
    tokio::time::timeout(GREETING, from.read_exact(&mut greeting)).await??;
    to.write_all(&greeting).await?;
    to.flush().await?;
    hand_on(from, to).await
}

/// Hands frames on until there are no more, or one is too many or too large.
pub(super) async fn hand_on<R, W>(mut from: R, mut to: W) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (mut bytes, mut frames) = (0, 0);
    loop {
        let flags = from.read_u8().await?;
        to.write_u8(flags).await?;
        let size = if flags & LONG == 0 {
            let size = from.read_u8().await?;
            to.write_u8(size).await?;
            u64::from(size)
        } else {
            let size = from.read_u64().await?;
            check(bytes, size, frames)?;
            to.write_u64(size).await?;
            size
        };
        check(bytes, size, frames)?;
        let mut body = (&mut from).take(size);
        if tokio::io::copy(&mut body, &mut to).await? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if flags & MORE == 0 {
            // Nobody inside can do anything with a part of a message.
            to.flush().await?;
            (bytes, frames) = (0, 0);
        } else {
            (bytes, frames) = (bytes + size, frames + 1);
        }
    }
}

/// Whether a message that has so many bytes and frames already may have a frame of this size.
fn check(bytes: u64, size: u64, frames: u32) -> io::Result<()> {
    if bytes.saturating_add(size) > LARGEST || frames >= FRAMES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message larger than any of Jupyter's",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn through(frames: &[u8]) -> (io::ErrorKind, Vec<u8>) {
        let mut sent = vec![7; 64];
        sent.extend(frames);
        let mut got = Vec::new();
        let error = inward(sent.as_slice(), &mut got).await.unwrap_err();
        (error.kind(), got.split_off(64))
    }

    #[tokio::test]
    async fn the_socket_inside_has_no_name_and_is_found_by_us() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let (inside, listener) = Inside::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::UnixListener::from_std(listener).unwrap();
        let (connected, accepted) = tokio::join!(inside.connect(), listener.accept());
        assert!(
            connected.is_ok() && accepted.is_ok(),
            "{connected:?} {accepted:?}"
        );
    }

    #[tokio::test]
    async fn what_is_within_bounds_is_handed_on_as_it_is() {
        let mut frames = b"\x01\x02ab\x00\x01c".to_vec();
        frames.extend(b"\x02\x00\x00\x00\x00\x00\x00\x01\x00");
        frames.extend([9; 256]);
        let (kind, got) = through(&frames).await;
        assert_eq!((kind, got), (io::ErrorKind::UnexpectedEof, frames));
    }

    #[tokio::test]
    async fn a_header_that_claims_too_much_does_not_pass() {
        let (kind, got) = through(b"\x02\x10\x00\x00\x00\x00\x00\x00\x00abc").await;
        assert_eq!((kind, got), (io::ErrorKind::InvalidData, vec![2]));
    }

    #[tokio::test]
    async fn a_message_that_never_ends_does_not_pass() {
        let frames = b"\x01\x01a".repeat(FRAMES as usize + 1);
        let (kind, got) = through(&frames).await;
        assert_eq!(kind, io::ErrorKind::InvalidData);
        assert!(got.len() < frames.len());
        assert!(check(LARGEST, 1, 0).is_err());
        assert!(check(LARGEST - 1, 1, 0).is_ok());
    }
}
