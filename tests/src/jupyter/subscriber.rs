//! A subscriber made of bytes, which can be slow, frozen or hostile.

use std::io;

use bytes::Bytes;
use jupyter_protocol::ConnectionInfo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::within;

/// One connection to iopub.
pub struct Subscriber {
    stream: TcpStream,
}

/// What ZMTP 3.0 says first.
pub fn greeting() -> [u8; 64] {
    let mut greeting = [0; 64];
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    greeting
}

/// A READY command of a socket of this kind.
pub fn ready(kind: &str) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend(
        u32::try_from(kind.len())
            .expect("a short name")
            .to_be_bytes(),
    );
    body.extend(kind.as_bytes());
    frame(4, &body)
}

/// A short frame.
pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![flags, u8::try_from(body.len()).expect("a short frame")];
    frame.extend(body);
    frame
}

impl Subscriber {
    /// Connects and says nothing. Its system keeps little for it, so that what it does not read
    /// soon waits in the kernel.
    pub async fn connect(info: &ConnectionInfo) -> Self {
        let address = format!("{}:{}", info.ip, info.iopub_port);
        let connect = async {
            loop {
                let socket = TcpSocket::new_v4().expect("a socket");
                socket
                    .set_recv_buffer_size(16 << 10)
                    .expect("a small buffer");
                let address = address.parse().expect("an address");
                match socket.connect(address).await {
                    Ok(stream) => return stream,
                    // The kernel does not listen yet.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        Self {
            stream: within("iopub's port", connect).await,
        }
    }

    /// Connects, shakes hands, subscribes to everything, and reads nothing after the handshake.
    pub async fn subscribed(info: &ConnectionInfo) -> Self {
        let mut subscriber = Self::connect(info).await;
        subscriber.shake_hands().await;
        subscriber.say(&frame(0, b"\x01")).await;
        subscriber
    }

    /// Shakes hands as a SUB socket does.
    pub async fn shake_hands(&mut self) {
        self.say(&greeting()).await;
        self.say(&ready("SUB")).await;
        let mut theirs = [0; 64];
        within("a greeting", self.stream.read_exact(&mut theirs))
            .await
            .expect("a greeting");
        let ready = self.frame().await.expect("a READY").1;
        assert!(ready.starts_with(b"\x05READY"), "{ready:?}");
    }

    /// Says these bytes; that the kernel has hung up is not its fault.
    pub async fn say(&mut self, bytes: &[u8]) {
        // A kernel that refuses what was said before closes while this is said.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next frame: its flags and its body.
    pub async fn frame(&mut self) -> io::Result<(u8, Bytes)> {
        within("a frame", async {
            let flags = self.stream.read_u8().await?;
            let size = if flags & 2 == 0 {
                u64::from(self.stream.read_u8().await?)
            } else {
                self.stream.read_u64().await?
            };
            let mut body = vec![0; usize::try_from(size).expect("a sane size")];
            self.stream.read_exact(&mut body).await?;
            Ok((flags, Bytes::from(body)))
        })
        .await
    }

    /// The frames of the next message.
    pub async fn message(&mut self) -> io::Result<Vec<Bytes>> {
        let mut frames = Vec::new();
        loop {
            let (flags, body) = self.frame().await?;
            frames.push(body);
            if flags & 1 == 0 {
                return Ok(frames);
            }
        }
    }

    /// Waits until the kernel has hung up, without caring what it says until then.
    pub async fn hung_up(&mut self) {
        let mut scratch = vec![0; 64 << 10];
        within("the kernel to hang up", async {
            while !matches!(self.stream.read(&mut scratch).await, Ok(0) | Err(_)) {}
        })
        .await;
    }
}
