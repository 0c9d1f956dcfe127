//! Jupyter's messages, written and read by the letter of the protocol and by nothing of ours.

use bytes::Bytes;
use ring::hmac;
use serde_json::{Value, json};
use uuid::Uuid;

const DELIMITER: &[u8] = b"<IDS|MSG>";

/// A message as it came, its signature checked.
#[derive(Debug, Clone)]
pub struct Message {
    /// What came before the delimiter: a route, or on iopub the topic.
    pub route: Vec<Bytes>,
    /// The header.
    pub header: Value,
    /// The header of the message this one belongs to; empty where there is none.
    pub parent: Value,
    /// The metadata.
    pub metadata: Value,
    /// The content.
    pub content: Value,
}

impl Message {
    /// Its type, such as `status`.
    pub fn kind(&self) -> &str {
        self.header["msg_type"]
            .as_str()
            .expect("a header has a type")
    }

    /// Its type, or for a status the state.
    pub fn name(&self) -> &str {
        match self.kind() {
            "status" => self.content["execution_state"].as_str().expect("a state"),
            kind => kind,
        }
    }

    /// The id of the request it belongs to; empty where there is none.
    pub fn parent_id(&self) -> &str {
        self.parent["msg_id"].as_str().unwrap_or_default()
    }

    /// Whether it says that the kernel is in this state.
    pub fn is_status(&self, state: &str) -> bool {
        self.kind() == "status" && self.content["execution_state"] == state
    }

    /// Its text, where it is a stream's.
    pub fn text(&self) -> &str {
        self.content["text"].as_str().unwrap_or_default()
    }
}

/// One front end's session: its name, and the key it shares with the kernel.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id, which is its sockets' identity too.
    pub id: String,
    key: Option<hmac::Key>,
}

impl Session {
    /// A new session that signs with `key`; an empty one signs nothing.
    pub fn new(key: &str) -> Self {
        let key = (!key.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        Self {
            id: Uuid::new_v4().to_string(),
            key,
        }
    }

    /// A header of this session.
    pub fn header(&self, message_type: &str) -> Value {
        json!({
            "msg_id": Uuid::new_v4().to_string(),
            "session": self.id,
            "username": "tester",
            "date": "2026-11-21T12:00:00.000000+01:00",
            "msg_type": message_type,
            "version": "5.5",
        })
    }

    /// The frames of a message, signed.
    pub fn frames(&self, header: &Value, parent: &Value, content: &Value) -> Vec<Bytes> {
        let parts = [header, parent, &json!({}), content].map(|part| Bytes::from(part.to_string()));
        self.signed(&parts)
    }

    /// Frames with these parts, signed whatever they are.
    pub fn signed(&self, parts: &[Bytes]) -> Vec<Bytes> {
        let mut frames = vec![
            Bytes::from_static(DELIMITER),
            Bytes::from(self.signature(parts)),
        ];
        frames.extend_from_slice(parts);
        frames
    }

    fn signature(&self, parts: &[Bytes]) -> String {
        self.key.as_ref().map_or_else(String::new, |key| {
            hex::encode(hmac::sign(key, &parts.concat()).as_ref())
        })
    }

    /// Reads frames, and fails when they are not signed as they should be.
    pub fn read(&self, frames: &[Bytes]) -> Message {
        let at = frames.iter().position(|frame| frame == DELIMITER);
        let at = at.expect("a delimiter");
        let (signature, parts) = frames[at + 1..].split_first().expect("a signature");
        assert_eq!(
            signature,
            self.signature(&parts[..4]).as_bytes(),
            "the signature"
        );
        let part = |i: usize| serde_json::from_slice(&parts[i]).expect("a part is JSON");
        Message {
            route: frames[..at].to_vec(),
            header: part(0),
            parent: part(1),
            metadata: part(2),
            content: part(3),
        }
    }
}
