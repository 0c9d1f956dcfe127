//! HTTP/2 in its frames, and nothing of what is in them.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// What a client says before its first frame.
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const PING: u8 = 6;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const PADDED: u8 = 8;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    kind: u8,
    flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Bytes,
}

impl Frame {
    /// Reads the next frame; `None` at the end.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Self>> {
        let mut head = [0; 9];
        if from.read(&mut head[..1]).await? == 0 {
            return Ok(None);
        }
        from.read_exact(&mut head[1..]).await?;
        let size = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; size as usize];
        from.read_exact(&mut payload).await?;
        Ok(Some(Self {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload: payload.into(),
        }))
    }

    /// The frame as it is sent.
    pub(super) fn bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(9 + self.payload.len());
        bytes.put_uint(self.payload.len() as u64, 3);
        bytes.put_u8(self.kind);
        bytes.put_u8(self.flags);
        bytes.put_u32(self.stream);
        bytes.put_slice(&self.payload);
        bytes.freeze()
    }

    /// Whether it holds a part of a message.
    ///
    /// # Panics
    /// When it is padded, which neither of the servers that are tested does.
    pub(super) fn is_data(&self) -> bool {
        assert!(self.kind != DATA || self.flags & PADDED == 0, "padding");
        self.kind == DATA
    }

    /// The frame cut in two behind this byte of its payload.
    pub(super) fn cut(&self, at: usize) -> (Self, Self) {
        let before = Self {
            flags: self.flags & !END_STREAM,
            payload: self.payload.slice(..at),
            ..self.clone()
        };
        let behind = Self {
            payload: self.payload.slice(at..),
            ..self.clone()
        };
        (before, behind)
    }

    /// The answer to it, where it is a ping.
    pub(super) fn pong(&self) -> Option<Self> {
        (self.kind == PING && self.flags & ACK == 0).then(|| Self {
            flags: ACK,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(payload: &'static [u8]) -> Frame {
        Frame {
            kind: DATA,
            flags: END_STREAM,
            stream: 3,
            payload: Bytes::from_static(payload),
        }
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let frames = [data(b"some"), data(b"")];
        let bytes = frames.iter().map(Frame::bytes).collect::<Vec<_>>().concat();
        let mut bytes = bytes.as_slice();
        for frame in frames {
            assert_eq!(Frame::read(&mut bytes).await.unwrap(), Some(frame));
        }
        assert_eq!(Frame::read(&mut bytes).await.unwrap(), None);
    }

    #[test]
    fn only_the_end_of_a_cut_frame_ends_its_stream() {
        let (before, behind) = data(b"some").cut(1);
        assert_eq!((before.flags, &before.payload[..]), (0, &b"s"[..]));
        assert_eq!(
            (behind.flags, &behind.payload[..]),
            (END_STREAM, &b"ome"[..])
        );
    }

    #[test]
    fn a_ping_is_answered_and_its_answer_is_not() {
        let ping = Frame {
            kind: PING,
            flags: 0,
            stream: 0,
            payload: Bytes::from_static(b"12345678"),
        };
        let pong = ping.pong().unwrap();
        assert_eq!((pong.flags, &pong.payload), (ACK, &ping.payload));
        assert_eq!(pong.pong(), None);
        assert_eq!(data(b"x").pong(), None);
    }
}
