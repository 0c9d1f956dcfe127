//! As much of ZMTP 3 as a publisher needs: greeting, NULL handshake, frames, subscriptions.
//!
//! Source: ZeroMQ RFC 23 (<https://rfc.zeromq.org/spec/23/>), and RFC 37 for the commands of 3.1.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The largest frame a subscriber may send: subscriptions and pings are short.
const LARGEST_FRAME: u64 = 4096;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What a subscriber says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::wire) enum Said {
    Subscribe(Bytes),
    Cancel(Bytes),
    /// Wants this context back in a pong.
    Ping(Bytes),
    /// Something that needs no answer.
    Other,
}

/// Greets the peer and shakes hands, as an XPUB socket does.
pub(in crate::wire) async fn handshake<S>(stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ours = [0_u8; 64];
    ours[0] = 0xff;
    ours[9] = 0x7f;
    ours[10] = 3;
    ours[12..16].copy_from_slice(b"NULL");
    stream.write_all(&ours).await?;

    let mut theirs = [0_u8; 64];
    stream.read_exact(&mut theirs).await?;
    if theirs[0] != 0xff || theirs[9] & 1 != 1 || theirs[10] < 3 {
        return Err(refuse("this is not ZMTP 3"));
    }
    if theirs[12..32] != ours[12..32] {
        return Err(refuse("another security mechanism than NULL"));
    }

    let mut ready = BytesMut::new();
    ready.put_slice(b"\x05READY\x0bSocket-Type");
    ready.put_u32(4);
    ready.put_slice(b"XPUB");
    stream.write_all(&command(&ready)).await?;

    let (flags, body) = read_frame(stream).await?;
    if flags & COMMAND == 0 || !body.starts_with(b"\x05READY") {
        return Err(refuse("no READY"));
    }
    match socket_type(&body[6..]) {
        Some(kind) if kind == b"SUB" || kind == b"XSUB" => Ok(()),
        _ => Err(refuse("not a subscriber")),
    }
}

/// The next thing a subscriber says.
pub(in crate::wire) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Said> {
    let (flags, body) = read_frame(stream).await?;
    Ok(interpret(flags, body))
}

fn interpret(flags: u8, mut body: Bytes) -> Said {
    if flags & COMMAND == 0 {
        return match body.first() {
            Some(1) => Said::Subscribe(body.split_off(1)),
            Some(0) => Said::Cancel(body.split_off(1)),
            _ => Said::Other,
        };
    }
    let Some(length) = body.first().map(|length| usize::from(*length)) else {
        return Said::Other;
    };
    if body.len() < 1 + length {
        return Said::Other;
    }
    let rest = body.split_off(1 + length);
    match &body[1..] {
        b"SUBSCRIBE" => Said::Subscribe(rest),
        b"CANCEL" => Said::Cancel(rest),
        // Two bytes say how long the peer waits; the rest is the context.
        b"PING" if rest.len() >= 2 => Said::Ping(rest.slice(2..)),
        _ => Said::Other,
    }
}

/// A pong with the ping's context, ready to be sent.
pub(super) fn pong(context: &[u8]) -> Bytes {
    let mut body = BytesMut::with_capacity(5 + context.len());
    body.put_slice(b"\x04PONG");
    body.put_slice(context);
    command(&body)
}

/// A message of these frames, ready to be sent.
pub(super) fn message(frames: &[Bytes]) -> Bytes {
    let size: usize = frames.iter().map(|frame| frame.len() + 9).sum();
    let mut out = BytesMut::with_capacity(size);
    for (i, frame) in frames.iter().enumerate() {
        let more = if i + 1 < frames.len() { MORE } else { 0 };
        put_frame(&mut out, more, frame);
    }
    out.freeze()
}

fn command(body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() + 9);
    put_frame(&mut out, COMMAND, body);
    out.freeze()
}

fn put_frame(out: &mut BytesMut, flags: u8, body: &[u8]) {
    match u8::try_from(body.len()) {
        Ok(short) => {
            out.put_u8(flags);
            out.put_u8(short);
        }
        Err(_) => {
            out.put_u8(flags | LONG);
            out.put_u64(body.len() as u64);
        }
    }
    out.put_slice(body);
}

async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(u8, Bytes)> {
    let flags = stream.read_u8().await?;
    if flags & !(MORE | LONG | COMMAND) != 0 {
        return Err(refuse("a frame with flags that ZMTP does not have"));
    }
    let size = if flags & LONG == 0 {
        u64::from(stream.read_u8().await?)
    } else {
        stream.read_u64().await?
    };
    if size > LARGEST_FRAME {
        return Err(refuse("a frame too large for a subscriber"));
    }
    let mut body = vec![0; usize::try_from(size).unwrap_or_default()];
    stream.read_exact(&mut body).await?;
    Ok((flags, Bytes::from(body)))
}

/// The value of `Socket-Type` among the properties of a READY.
fn socket_type(mut properties: &[u8]) -> Option<&[u8]> {
    loop {
        let (name_length, rest) = properties.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*name_length))?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            return Some(value);
        }
        properties = rest;
    }
}

fn refuse(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_speak_both_dialects() {
        let message = |body: &'static [u8]| interpret(0, Bytes::from_static(body));
        let command = |body: &'static [u8]| interpret(COMMAND, Bytes::from_static(body));
        let topic = Bytes::from_static(b"stream");
        assert_eq!(message(b"\x01stream"), Said::Subscribe(topic.clone()));
        assert_eq!(message(b"\x00stream"), Said::Cancel(topic.clone()));
        assert_eq!(
            command(b"\x09SUBSCRIBEstream"),
            Said::Subscribe(topic.clone())
        );
        assert_eq!(command(b"\x06CANCELstream"), Said::Cancel(topic));
        let ping = command(b"\x04PING\x00\x01hello");
        assert_eq!(ping, Said::Ping(Bytes::from_static(b"hello")));
    }

    #[test]
    fn nonsense_needs_no_answer() {
        for body in [&b""[..], b"\x09SUB", b"\xffxx", b"\x04PING\x00"] {
            assert_eq!(interpret(COMMAND, Bytes::from_static(body)), Said::Other);
        }
        assert_eq!(interpret(0, Bytes::new()), Said::Other);
    }

    #[test]
    fn short_and_long_frames_are_written_as_the_rfc_has_them() {
        let long = vec![7; 300];
        let out = message(&[Bytes::from_static(b"ab"), Bytes::from(long.clone())]);
        assert_eq!(&out[..4], b"\x01\x02ab");
        assert_eq!(&out[4..13], b"\x02\x00\x00\x00\x00\x00\x00\x01\x2c");
        assert_eq!(&out[13..], &long[..]);
    }

    #[test]
    fn a_socket_type_is_found_among_properties_and_nonsense_is_none() {
        let good = b"\x08Identity\x00\x00\x00\x00\x0bSocket-Type\x00\x00\x00\x03SUB";
        assert_eq!(socket_type(good), Some(&b"SUB"[..]));
        assert_eq!(socket_type(b"\x0bSocket-Type\xff\xff\xff\xffSUB"), None);
        assert_eq!(socket_type(b""), None);
    }

    #[tokio::test]
    async fn flags_that_do_not_exist_are_refused() {
        let mut says: &[u8] = b"\x40\x00";
        let error = read(&mut says).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_frame_larger_than_a_subscriber_needs_is_refused() {
        let mut claims: &[u8] = b"\x02\xff\xff\xff\xff\xff\xff\xff\xff";
        let error = read(&mut claims).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
