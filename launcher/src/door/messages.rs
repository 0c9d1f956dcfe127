//! The messages of a gRPC request, one after the other and each whole.

use bytes::{Buf as _, Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;
use tonic::Status;

/// The largest message that passes: Spark's own `spark.connect.grpc.maxInboundMessageSize`.
pub(super) const LARGEST: usize = 128 << 20;

/// Bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Reads messages off a body. No more is held than the message that is being read.
pub(super) struct Messages<B> {
    body: B,
    held: BytesMut,
    largest: usize,
}

impl<B> Messages<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    pub(super) fn new(body: B, largest: usize) -> Self {
        Self {
            body,
            held: BytesMut::new(),
            largest,
        }
    }

    /// The next message with its prefix, as it goes on; `None` at the end of the body.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        if !self.hold(PREFIX).await? {
            return match self.held.len() {
                0 => Ok(None),
                _ => Err(cut()),
            };
        }
        let compressed = self.held[0] != 0;
        if compressed {
            return Err(Status::unimplemented("compressed requests do not pass"));
        }
        let length = (&self.held[1..PREFIX]).get_u32() as usize;
        if length > self.largest {
            return Err(Status::resource_exhausted(format!(
                "a request of {length} bytes is larger than {}",
                self.largest
            )));
        }
        if !self.hold(PREFIX + length).await? {
            return Err(cut());
        }
        Ok(Some(self.held.split_to(PREFIX + length).freeze()))
    }

    /// Reads until so many bytes are held. Gives whether there are so many.
    async fn hold(&mut self, count: usize) -> Result<bool, Status> {
        while self.held.len() < count {
            match self.body.frame().await {
                None => return Ok(false),
                Some(Err(error)) => {
                    return Err(Status::cancelled(format!(
                        "the request ended early: {error}"
                    )));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.held.extend_from_slice(&data);
                    }
                }
            }
        }
        Ok(true)
    }
}

/// What a message says, without its prefix.
pub(super) fn content(message: &Bytes) -> &[u8] {
    message.get(PREFIX..).unwrap_or_default()
}

fn cut() -> Status {
    Status::invalid_argument("the request ends within a message")
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use proptest::prelude::*;
    use tonic::Code;

    use super::*;

    fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            bytes.push(0);
            bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
            bytes.extend(message);
        }
        bytes
    }

    fn read(bytes: &[u8], chunk: usize, largest: usize) -> Result<Vec<Vec<u8>>, Status> {
        let chunks: Vec<Result<Frame<Bytes>, String>> = bytes
            .chunks(chunk)
            .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
            .collect();
        let mut messages = Messages::new(StreamBody::new(stream::iter(chunks)), largest);
        let mut read = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            while let Some(message) = messages.next().await? {
                read.push(content(&message).to_vec());
            }
            Ok(read)
        })
    }

    #[test]
    fn what_cannot_be_checked_does_not_pass() {
        let message = vec![7; 10];
        let bytes = framed(&[message]);
        let code = |result: Result<_, Status>| result.unwrap_err().code();
        assert_eq!(code(read(&bytes[..12], 4, 100)), Code::InvalidArgument);
        assert_eq!(code(read(&bytes[..3], 4, 100)), Code::InvalidArgument);
        assert_eq!(code(read(&bytes, 4, 9)), Code::ResourceExhausted);
        let mut compressed = bytes.clone();
        compressed[0] = 1;
        assert_eq!(code(read(&compressed, 4, 100)), Code::Unimplemented);
        assert_eq!(read(&[], 4, 100).unwrap(), Vec::<Vec<u8>>::new());
    }

    proptest! {
        #[test]
        fn messages_come_whole_however_they_are_cut(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..6),
            chunk in 1_usize..70,
        ) {
            prop_assert_eq!(read(&framed(&messages), chunk, 50).unwrap(), messages);
        }
    }
}
