//! Why there is no driver or executor in a cluster: every cause that is known, with the words for
//! it. What a cell says and what `launcher/causes.md` lists are both made from [`Why`]'s rows.

mod page;
mod part;
mod refusal;
mod table;
#[cfg(test)]
mod tests;

pub use page::page;
pub(crate) use part::Part;
pub(crate) use refusal::{Asked, Refused, Shortage, read};
pub(crate) use table::Why;

use crate::cause::{Cause, Kind};

/// What comes of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// Only a change helps: the start is given up at once.
    AtOnce,
    /// It may pass: the start goes on until its deadline, and the cell says what it waits for.
    Waits,
    /// Something that was there has ended.
    Ended,
}

/// How far a cause is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// Who knows it said so.
    Sure,
    /// It is what is mostly behind what was seen.
    Likely,
}

/// What there is to say of a cause. Sentence and remedy have `{fields}`, which are known when it
/// happens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its name, for a heading.
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    pub(crate) course: Course,
    pub(crate) certainty: Certainty,
    /// What happened, as a sentence without its full stop.
    pub(crate) happens: &'static str,
    /// What the reader does about it, in whole sentences.
    pub(crate) remedy: &'static str,
}

/// The fields of a row, by their names.
pub(crate) type Fields<'a> = [(&'static str, &'a str)];

impl Why {
    /// What happened.
    pub(crate) fn sentence(self, fields: &Fields<'_>) -> String {
        filled(self.row().happens, fields)
    }

    /// What to do about it.
    pub(crate) fn remedy(self, fields: &Fields<'_>) -> String {
        filled(self.row().remedy, fields)
    }

    /// Both.
    pub(crate) fn cause(self, fields: &Fields<'_>) -> Cause {
        Cause::new(self.row().kind, self.sentence(fields), self.remedy(fields))
    }

    /// Whether nothing but a change helps, so that nobody waits for it.
    pub(crate) fn is_final(self) -> bool {
        self.row().course == Course::AtOnce
    }
}

/// A template with its fields. A field that is empty takes the colon or the blank before it along;
/// what a field holds is never read for fields again.
fn filled(template: &str, fields: &Fields<'_>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        match fields.iter().find(|(known, _)| *known == name) {
            Some((_, "")) => {
                let kept = text.trim_end_matches([':', ' ']).len();
                text.truncate(kept);
            }
            Some((_, value)) => text.push_str(value),
            None => {
                text.push('{');
                text.push_str(name);
                text.push('}');
            }
        }
        rest = after;
    }
    text.push_str(rest);
    text.trim_start().to_owned()
}
