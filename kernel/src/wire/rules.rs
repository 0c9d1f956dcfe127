//! What holds whatever a peer sends, as one function of bytes: for the fuzz target in `kernel/fuzz`,
//! and for the properties below, which every run of the tests checks.

use bytes::Bytes;
use futures::FutureExt as _;
use serde_json::{Map, Value, json};
use tokio::io::join;

use super::frames::{DELIMITER, Key, Reader, Received, Refused, Writer};
use super::gate::hand_on;
use super::iopub::zmtp;

/// What stands between two frames here: no JSON that a front end writes has one.
const BETWEEN: u8 = b'\n';

/// A bit of the first byte that says that there is no key.
const KEYLESS: u8 = 1;

/// A bit of the first byte that says that the frames are signed before they are read, so that what
/// comes after the signature is tried, too.
const SIGNED: u8 = 2;

/// The rule that breaks where a peer sends these bytes: none does, whatever they are. The first
/// byte says how the others are taken.
pub fn broken(bytes: &[u8]) -> Option<&'static str> {
    let (how, said) = bytes.split_first()?;
    of_messages(*how, said)
        .or_else(|| of_the_gate(said))
        .or_else(|| of_subscribers(said))
}

fn of_messages(how: u8, said: &[u8]) -> Option<&'static str> {
    let key = Key::new(if how & KEYLESS == 0 { "secret" } else { "" });
    let frames = said.split(|byte| *byte == BETWEEN);
    let mut frames: Vec<_> = frames.map(Bytes::copy_from_slice).collect();
    let at = frames.iter().position(|frame| frame == DELIMITER)? + 1;
    if how & SIGNED != 0
        && let Some(signature) = signature(&key, &frames[at..])
    {
        frames[at] = signature;
    }
    let mut reader = Reader::new(key.clone());
    let Ok(received) = reader.read(&frames) else {
        return None;
    };
    if received.route != frames[..at - 1] {
        return Some("an answer goes back to who asked");
    }
    if how & KEYLESS == 0 {
        if !is_replay(&reader.read(&frames)) {
            return Some("a message is taken once");
        }
        frames[at] = frames[at].to_ascii_uppercase().into();
        if !is_replay(&reader.read(&frames)) {
            return Some("a message is taken once, however its signature is written");
        }
        for signed in at + 1..at + 5 {
            let mut changed = frames.clone();
            changed[signed] = [&changed[signed], &b" "[..]].concat().into();
            if Reader::new(key.clone()).read(&changed).is_ok() {
                return Some("a message that was changed is not taken");
            }
        }
    }
    of_answers(&key, &received, &frames[at + 1])
}

fn is_replay(read: &Result<Received, Refused>) -> bool {
    matches!(read, Err(Refused::Replayed | Refused::Signature))
}

/// Answers carry the request's header to everybody who listens.
fn of_answers(key: &Key, received: &Received, header: &[u8]) -> Option<&'static str> {
    let Ok(parsed) = serde_json::from_slice::<Map<String, Value>>(header) else {
        return Some("what answers carry can be read by everybody");
    };
    if parsed["msg_type"] != received.parent.message_type() {
        return Some("the type is what the header says");
    }
    let answer = Writer::new(key.clone()).write("reply", &received.parent, &json!({}));
    let taken = answer.is_ok_and(|answer| Reader::new(key.clone()).read(&answer).is_ok());
    (!taken).then_some("an answer is a message")
}

fn signature(key: &Key, frames: &[Bytes]) -> Option<Bytes> {
    let [_, header, parent, metadata, content, ..] = frames else {
        return None;
    };
    Some(Bytes::from(key.sign([header, parent, metadata, content])))
}

fn of_the_gate(said: &[u8]) -> Option<&'static str> {
    let mut through = Vec::new();
    let Some(_ended) = hand_on(said, &mut through).now_or_never() else {
        return Some("the gate waits for nothing that is there");
    };
    (!said.starts_with(&through)).then_some("the gate hands on what came, in its order")
}

fn of_subscribers(mut said: &[u8]) -> Option<&'static str> {
    let Some(_shaken) = zmtp::handshake(&mut join(said, Vec::new())).now_or_never() else {
        return Some("a handshake waits for nothing that is there");
    };
    loop {
        match zmtp::read(&mut said).now_or_never() {
            Some(Ok(_said)) => {}
            Some(Err(_over)) => return None,
            None => return Some("a subscription waits for nothing that is there"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    /// What a header or a frame is hardly made for.
    const ODD: [&[u8]; 8] = [
        b"\n",
        b"\xff",
        b"<IDS|MSG>",
        b"\\ud800",
        b"1e999",
        b"\0",
        b"{\"a\":",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ];

    /// The fuzz target's seeds.
    fn seeds() -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        let files = fs::read_dir(folder).unwrap();
        files
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect()
    }

    /// Takes a piece out and puts another in.
    fn edit(bytes: &mut Vec<u8>, from: Index, length: usize, by: &[u8]) {
        let from = from.index(bytes.len() + 1);
        let to = bytes.len().min(from + length);
        bytes.splice(from..to, by.iter().copied());
    }

    #[test]
    fn the_seeds_break_no_rule_and_the_messages_among_them_are_taken() {
        let mut taken = 0;
        for seed in seeds() {
            assert_eq!(broken(&seed), None, "{}", String::from_utf8_lossy(&seed));
            let frames = seed[1..].split(|byte| *byte == BETWEEN);
            let frames: Vec<_> = frames.map(Bytes::copy_from_slice).collect();
            taken += usize::from(Reader::new(Key::new("")).read(&frames).is_ok());
        }
        assert!(taken >= 3, "{taken}");
    }

    proptest! {
        #[test]
        fn no_bytes_break_a_rule(bytes in vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(broken(&bytes), None);
        }

        #[test]
        fn no_change_of_a_message_breaks_a_rule(
            mut bytes in select(seeds()),
            edits in vec((any::<Index>(), 0_usize..4, prop_oneof![
                select(&ODD[..]).prop_map(<[u8]>::to_vec),
                vec(any::<u8>(), 0..4),
            ]), 0..6),
        ) {
            for (from, length, by) in edits {
                edit(&mut bytes, from, length, &by);
            }
            prop_assert_eq!(broken(&bytes), None);
        }
    }
}
