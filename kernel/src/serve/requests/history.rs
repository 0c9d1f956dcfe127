//! `history_request`: what was run before, in this kernel and in earlier ones.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{read, reply};
use crate::history::{Entry, History, Search};
use crate::wire::frames::Received;
use crate::wire::router::Answers;

/// How many entries are given where the front end does not say.
const MOST: usize = 1000;

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    hist_access_type: Access,
    #[serde(default)]
    output: bool,
    session: Option<i64>,
    start: Option<i64>,
    stop: Option<i64>,
    n: Option<usize>,
    pattern: Option<String>,
    #[serde(default)]
    unique: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Access {
    Range,
    #[default]
    Tail,
    Search,
}

pub(in crate::serve) fn answer(history: &History, received: &Received, answers: &Answers) {
    let Some(asked) = read::<Content>(received, answers) else {
        return;
    };
    let n = asked.n.unwrap_or(MOST);
    let entries = match asked.hist_access_type {
        Access::Tail => history.tail(n),
        Access::Range => {
            let (session, start) = (asked.session.unwrap_or(0), asked.start.unwrap_or(0));
            history.range(session, start, asked.stop)
        }
        Access::Search => history.search(&Search {
            pattern: asked.pattern.as_deref().unwrap_or("*"),
            unique: asked.unique,
            n,
        }),
    };
    let shown: Vec<Value> = entries.iter().map(|e| entry(e, asked.output)).collect();
    reply(
        received,
        answers,
        &json!({ "status": "ok", "history": shown }),
    );
}

/// As the protocol has it: with outputs asked for, the source becomes a pair. Outputs are not
/// kept, so its second half is null.
fn entry(entry: &Entry, output: bool) -> Value {
    let Entry {
        session,
        line,
        source,
    } = entry;
    if output {
        json!([session, line, [source, null]])
    } else {
        json!([session, line, source])
    }
}
