//! What a keeper leaves to Kubernetes: why the driver ended, as the container's termination message.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::attach::proto;
use crate::cause::Cause;

/// So much of a termination message Kubernetes keeps, in bytes.
const LONGEST: usize = 4096;

/// A cause as it stands in a pod's status.
#[derive(Serialize, Deserialize)]
struct Words {
    kind: String,
    sentence: String,
    remedy: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    tail: String,
}

/// Leaves `cause` in the file that Kubernetes reads when the container has ended.
pub(crate) fn say(file: &Path, cause: &Cause) {
    if let Err(error) = fs::write(file, write(cause)) {
        tracing::debug!(%error, "the last words cannot be left");
    }
}

/// The cause in a container's termination message, where it is one of a keeper.
pub(crate) fn read(message: &str) -> Option<Cause> {
    let words: Words = serde_json::from_str(message).ok()?;
    Some(Cause::from(proto::Cause {
        kind: words.kind,
        sentence: words.sentence,
        remedy: words.remedy,
        tail: words.tail,
    }))
}

/// The cause as one line of JSON, with as many of the last lines of its log as there is room for.
fn write(cause: &Cause) -> String {
    let cause = proto::Cause::from(cause.clone());
    let mut words = Words {
        kind: cause.kind,
        sentence: cut(&cause.sentence),
        remedy: cut(&cause.remedy),
        tail: cause.tail,
    };
    loop {
        let text = serde_json::to_string(&words).unwrap_or_default();
        if text.len() <= LONGEST || words.tail.is_empty() {
            return text;
        }
        words.tail = match words.tail.split_once('\n') {
            Some((_first, rest)) => rest.to_owned(),
            None => String::new(),
        };
    }
}

/// So little that there is room for both, escaped or not.
fn cut(text: &str) -> String {
    let mut text = text.replace(char::is_control, " ");
    let mut most = LONGEST / 8;
    if text.len() > most {
        while !text.is_char_boundary(most) {
            most -= 1;
        }
        text.truncate(most);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Kind;

    #[test]
    fn a_cause_survives_its_pod() {
        let cause = Cause::new(Kind::Memory, "It ran \"out\"", "Give it more.").with_tail("a\nb");
        assert_eq!(read(&write(&cause)), Some(cause));
        for foreign in ["", "OOM", "{}", "[1]"] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_long_cause_loses_the_oldest_lines_and_stays_whole() {
        let tail: String = (0..400).map(|n| format!("line \t{n} äöü\n")).collect();
        let cause =
            Cause::new(Kind::Exited, "\u{1}ä".repeat(3000), "Do.").with_tail(tail.trim_end());
        let message = write(&cause);
        assert!(message.len() <= LONGEST, "{}", message.len());
        let back = read(&message).unwrap();
        assert_eq!(back.remedy, "Do.");
        assert!(back.sentence.ends_with('…'), "{back}");
        let tail = back.tail.unwrap_or_default();
        assert!(
            tail.is_empty() || tail.ends_with("line \t399 äöü"),
            "{tail}"
        );
    }
}
