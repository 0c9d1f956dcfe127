//! Messages as they travel: frames, checked when they come and signed when they go.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Stands between the routing identities and the signed frames.
pub(super) const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The version of the protocol we speak.
pub(crate) const PROTOCOL_VERSION: &str = "5.5";

/// How many signatures are remembered to know a replayed message, as jupyter_client's
/// `Session.digest_history_size`.
const REMEMBERED: usize = 1 << 16;

/// What is remembered of a signature that was right: its beginning. That two of all that are
/// remembered begin alike has odds of one to ten thousand million, and nobody without the key can
/// look for them.
type Mark = [u8; 8];

/// The key that signs the messages of a kernel and its front ends. An empty one signs nothing.
#[derive(Clone)]
pub(crate) struct Key(Option<hmac::Key>);

impl Key {
    pub(crate) fn new(text: &str) -> Self {
        let key = (!text.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()));
        Self(key)
    }

    pub(super) fn sign(&self, frames: [&[u8]; 4]) -> String {
        let Some(key) = &self.0 else {
            return String::new();
        };
        let mut context = hmac::Context::with_key(key);
        for frame in frames {
            context.update(frame);
        }
        hex::encode(context.sign().as_ref())
    }

    /// Compares in constant time, and gives what to remember of a signature that is right, however
    /// it is written; none where nothing is signed.
    fn verify(&self, frames: [&[u8]; 4], signature: &[u8]) -> Result<Option<Mark>, Refused> {
        let Some(key) = &self.0 else {
            return Ok(None);
        };
        let signature = hex::decode(signature).map_err(|_not_hexadecimal| Refused::Signature)?;
        let whole: Vec<u8> = frames.concat();
        let right = hmac::verify(key, &whole, &signature).is_ok();
        let mark = signature.first_chunk().filter(|_| right);
        mark.map_or(Err(Refused::Signature), |mark| Ok(Some(*mark)))
    }
}

/// Why frames are not taken for a message. The kernel lives on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("there is no delimiter")]
    NoDelimiter,
    #[error("frames are missing")]
    TooFew,
    #[error("the signature is wrong")]
    Signature,
    #[error("the signature was seen before")]
    Replayed,
    #[error("the header is not one of Jupyter's")]
    Header(#[source] serde_json::Error),
}

/// A message as it came, its signature checked and its content not yet looked at.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The routing frames that lead back to who sent it.
    pub(crate) route: Vec<Bytes>,
    /// What answers to it say of it.
    pub(crate) parent: Parent,
    /// The id of the message it says that it answers, where it says so.
    pub(crate) answers_to: Option<String>,
    pub(crate) content: Bytes,
}

/// What an answer says of the message it belongs to: that message's header, byte for byte, so
/// that nothing of it is lost.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    header: Bytes,
    message_type: String,
}

impl Parent {
    /// For messages that belong to no request.
    pub(crate) fn none() -> Self {
        Self {
            header: Bytes::from_static(b"{}"),
            message_type: String::new(),
        }
    }

    /// For tests that look at the type alone.
    #[cfg(test)]
    pub(crate) fn of_type(message_type: &str) -> Self {
        Self {
            message_type: message_type.to_owned(),
            ..Self::none()
        }
    }

    pub(crate) fn message_type(&self) -> &str {
        &self.message_type
    }
}

/// What must be in a header. Everything else may be missing, and is read to its end all the same:
/// answers carry the whole header, to everybody who listens.
#[derive(Deserialize)]
struct HeaderRead {
    #[serde(rename = "msg_id")]
    _id: String,
    #[serde(rename = "msg_type")]
    message_type: String,
    #[serde(flatten)]
    _rest: Map<String, Value>,
}

/// A parent's header, which is empty where there is no parent.
#[derive(Default, Deserialize)]
struct ParentRead {
    #[serde(default, rename = "msg_id")]
    id: Option<String>,
}

/// Reads messages and refuses what is not signed with the key, or was seen before.
pub(crate) struct Reader {
    key: Key,
    seen: HashSet<Mark>,
    order: VecDeque<Mark>,
    refused: u64,
}

impl Reader {
    pub(crate) fn new(key: Key) -> Self {
        Self {
            key,
            seen: HashSet::new(),
            order: VecDeque::new(),
            refused: 0,
        }
    }

    /// How many messages were refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn read(&mut self, frames: &[Bytes]) -> Result<Received, Refused> {
        let read = self.check(frames);
        if read.is_err() {
            self.refused += 1;
        }
        read
    }

    fn check(&mut self, frames: &[Bytes]) -> Result<Received, Refused> {
        let at = frames
            .iter()
            .position(|frame| frame.as_ref() == DELIMITER)
            .ok_or(Refused::NoDelimiter)?;
        let [signature, header, parent, metadata, content, ..] = &frames[at + 1..] else {
            return Err(Refused::TooFew);
        };
        let signed = [&header[..], parent, metadata, content];
        if let Some(mark) = self.key.verify(signed, signature)? {
            self.remember(mark)?;
        }
        let read: HeaderRead = serde_json::from_slice(header).map_err(Refused::Header)?;
        let answered: ParentRead = serde_json::from_slice(parent).unwrap_or_default();
        Ok(Received {
            route: frames[..at].to_vec(),
            parent: Parent {
                header: header.clone(),
                message_type: read.message_type,
            },
            answers_to: answered.id,
            content: content.clone(),
        })
    }

    fn remember(&mut self, mark: Mark) -> Result<(), Refused> {
        if !self.seen.insert(mark) {
            return Err(Refused::Replayed);
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(mark);
        Ok(())
    }
}

/// Writes the messages of one kernel.
#[derive(Clone)]
pub(crate) struct Writer {
    key: Key,
    session: Uuid,
}

#[derive(Serialize)]
struct HeaderWritten<'a> {
    msg_id: Uuid,
    session: Uuid,
    username: &'static str,
    date: String,
    msg_type: &'a str,
    version: &'static str,
}

impl Writer {
    pub(crate) fn new(key: Key) -> Self {
        Self {
            key,
            session: Uuid::new_v4(),
        }
    }

    /// The frames of a message, from the delimiter on. What leads to its reader comes before.
    pub(crate) fn write(
        &self,
        message_type: &str,
        parent: &Parent,
        content: &impl Serialize,
    ) -> serde_json::Result<Vec<Bytes>> {
        self.write_as(Uuid::new_v4(), message_type, parent, content)
    }

    /// The same, for a message whose id is known before.
    pub(crate) fn write_as(
        &self,
        id: Uuid,
        message_type: &str,
        parent: &Parent,
        content: &impl Serialize,
    ) -> serde_json::Result<Vec<Bytes>> {
        let header = serde_json::to_vec(&HeaderWritten {
            msg_id: id,
            session: self.session,
            username: "firesteel",
            date: Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            msg_type: message_type,
            version: PROTOCOL_VERSION,
        })?;
        let content = serde_json::to_vec(content)?;
        let metadata: &[u8] = b"{}";
        let signature = self.key.sign([&header, &parent.header, metadata, &content]);
        Ok(vec![
            Bytes::from_static(DELIMITER),
            Bytes::from(signature),
            Bytes::from(header),
            parent.header.clone(),
            Bytes::from_static(metadata),
            Bytes::from(content),
        ])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(key: &str) -> Vec<Bytes> {
        let mut frames = vec![Bytes::from_static(b"peer")];
        let writer = Writer::new(Key::new(key));
        frames.extend(
            writer
                .write("status", &Parent::none(), &json!({"a": 1}))
                .unwrap(),
        );
        frames
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read = Reader::new(Key::new("secret"))
            .read(&message("secret"))
            .unwrap();
        assert_eq!(read.route, [Bytes::from_static(b"peer")]);
        assert_eq!(read.parent.message_type(), "status");
        assert_eq!(read.content, Bytes::from_static(b"{\"a\":1}"));
    }

    #[test]
    fn what_is_not_signed_rightly_is_refused() {
        let mut short = message("secret");
        short.truncate(5);
        let mut changed = message("secret");
        changed[6] = Bytes::from_static(b"{}");
        let whole = message("secret");
        let header = [b"[]", b"{}", b"{}", b"{}"].map(|part| Bytes::from_static(part));
        let parts = [
            &header[0][..],
            &header[1][..],
            &header[2][..],
            &header[3][..],
        ];
        let signature = Bytes::from(Key::new("secret").sign(parts));
        let mut no_header = vec![Bytes::from_static(DELIMITER), signature];
        no_header.extend(header);
        let mut reader = Reader::new(Key::new("secret"));
        for (frames, expected) in [
            (message("other"), "the signature is wrong"),
            (message(""), "the signature is wrong"),
            (vec![], "there is no delimiter"),
            (short, "frames are missing"),
            (changed, "the signature is wrong"),
            (no_header, "the header is not one of Jupyter's"),
            (whole.clone(), ""),
            (whole, "the signature was seen before"),
        ] {
            let refused = reader.read(&frames).err();
            let refused = refused.map(|refused| refused.to_string());
            assert!(
                refused.unwrap_or_default().starts_with(expected),
                "{expected}"
            );
        }
        assert_eq!(reader.refused(), 7);
    }

    #[test]
    fn without_a_key_nothing_is_signed_and_nothing_is_refused_for_it() {
        let frames = message("");
        assert!(frames[2].is_empty());
        let mut reader = Reader::new(Key::new(""));
        assert!(reader.read(&frames).is_ok());
        assert!(reader.read(&frames).is_ok());
    }

    #[test]
    fn only_so_many_signatures_are_remembered() {
        let mut reader = Reader::new(Key::new("secret"));
        for number in 0..REMEMBERED + 10 {
            let mark = u64::try_from(number).unwrap().to_le_bytes();
            reader.remember(mark).unwrap();
        }
        assert_eq!(reader.seen.len(), REMEMBERED);
        assert_eq!(reader.order.len(), REMEMBERED);
    }
}
