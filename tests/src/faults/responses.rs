//! The responses of executions among what a server sends.

use std::collections::HashMap;

use bytes::{Buf as _, BytesMut};
use firesteel_session::proto::ExecutePlanResponse;
use prost::Message as _;

use super::frames::Frame;

/// A response of an execution, by its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) session: String,
    pub(super) operation: String,
    pub(super) id: String,
}

/// Puts the messages of each stream together out of their parts.
#[derive(Debug, Default)]
pub(super) struct Responses {
    parts: HashMap<u32, BytesMut>,
}

impl Responses {
    /// The first response that ends within the frame, and how many bytes of the frame lie before
    /// its end. The frame counts as read up to there, or whole where none ends in it.
    pub(super) fn read(&mut self, frame: &Frame) -> Option<(usize, Response)> {
        let part = self.parts.entry(frame.stream).or_default();
        part.extend_from_slice(&frame.payload);
        while let Some(size) = message(part) {
            part.advance(5);
            let text = part.split_to(size);
            if let Some(response) = response(&text) {
                let behind = part.len();
                part.clear();
                return Some((frame.payload.len() - behind, response));
            }
        }
        None
    }
}

/// The size of the gRPC message that `part` begins with, if all of it is there.
fn message(part: &BytesMut) -> Option<usize> {
    let mut head = part.get(..5)?;
    assert_eq!(head.get_u8(), 0, "the message is compressed");
    let size = head.get_u32() as usize;
    (part.len() >= 5 + size).then_some(size)
}

/// No other message of the service has a text where this one has its own id.
fn response(text: &[u8]) -> Option<Response> {
    let response = ExecutePlanResponse::decode(text).ok()?;
    (!response.response_id.is_empty()).then_some(Response {
        session: response.session_id,
        operation: response.operation_id,
        id: response.response_id,
    })
}
