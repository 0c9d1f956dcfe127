//! Compound statements: where `BEGIN … END` and the blocks in it open and close.
//!
//! The rules are those of Spark's `SqlBaseParser.g4` from `singleCompoundStatement` on, as far as
//! they decide which `;` ends a statement of the cell.

use super::tokens::Shape;

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// `BEGIN … END`, `LOOP … END LOOP`.
    Body,
    /// `IF` or `CASE` as a statement; `condition` until its `THEN`.
    Choice { condition: bool },
    /// `WHILE` or `FOR`; `condition` until its `DO`.
    Each { condition: bool },
    /// `REPEAT`; `until` from its `UNTIL` on.
    Repeat { until: bool },
    /// `CASE … END` in an expression.
    Expression,
}

/// Where in its statement the next token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A statement may start.
    Start,
    /// The same, and `NOT ATOMIC` may stand before it.
    AfterBegin,
    /// A word that is a label if a colon follows.
    AfterWord,
    /// Somewhere in a statement.
    Inside,
    /// Inside, where a word is a field's name and no keyword.
    AfterPeriod,
    /// In a `DECLARE`, which may turn out to declare a handler.
    Declare,
    /// In a handler's declaration, whose `BEGIN` opens a block.
    Handler,
    /// Behind the `END` of a block, up to the next `;`.
    AfterEnd,
}

/// Follows the tokens of one statement of a cell.
#[derive(Debug)]
pub(super) struct Blocks {
    open: Vec<Frame>,
    place: Place,
}

impl Blocks {
    pub(super) fn new() -> Self {
        Self {
            open: Vec::new(),
            place: Place::Start,
        }
    }

    /// Whether the statement goes on behind a `;`.
    pub(super) fn are_open(&self) -> bool {
        self.open.iter().any(|frame| *frame != Frame::Expression)
    }

    /// Takes in a token that is no comment. `text` is its source.
    pub(super) fn take(&mut self, shape: Shape, text: &str) {
        self.place = match shape {
            Shape::Semicolon => {
                while self.open.last() == Some(&Frame::Expression) {
                    self.open.pop();
                }
                Place::Start
            }
            Shape::Colon if self.place == Place::AfterWord => Place::Start,
            Shape::Word => self.word(&text.to_ascii_uppercase()),
            Shape::Quoted if self.at_start() => Place::AfterWord,
            Shape::Period if self.within() == Place::Inside => Place::AfterPeriod,
            _ => self.within(),
        };
    }

    fn at_start(&self) -> bool {
        matches!(self.place, Place::Start | Place::AfterBegin)
    }

    /// The place behind a token that means nothing here.
    fn within(&self) -> Place {
        match self.place {
            place @ (Place::Declare | Place::Handler | Place::AfterEnd) => place,
            _ => Place::Inside,
        }
    }

    fn word(&mut self, word: &str) -> Place {
        if self.at_start() {
            return self.first_word(word);
        }
        if self.place == Place::AfterEnd {
            return Place::AfterEnd;
        }
        match (word, self.open.last_mut()) {
            ("THEN", Some(Frame::Choice { condition }))
            | ("DO", Some(Frame::Each { condition }))
                if *condition =>
            {
                *condition = false;
                Place::Start
            }
            ("END", Some(Frame::Repeat { until: true })) => {
                self.open.pop();
                Place::AfterEnd
            }
            ("END", Some(Frame::Expression)) if self.place != Place::AfterPeriod => {
                self.open.pop();
                self.within()
            }
            ("CASE", Some(_)) if self.place != Place::AfterPeriod => {
                self.open.push(Frame::Expression);
                self.within()
            }
            ("HANDLER", _) if self.place == Place::Declare => Place::Handler,
            ("BEGIN", _) if self.place == Place::Handler => self.opened(Frame::Body),
            _ => self.within(),
        }
    }

    fn first_word(&mut self, word: &str) -> Place {
        if self.open.is_empty() {
            return match word {
                "BEGIN" => self.opened(Frame::Body),
                _ => after_first(word),
            };
        }
        match (word, self.open.last_mut()) {
            ("NOT", _) if self.place == Place::AfterBegin => Place::AfterBegin,
            ("ATOMIC", _) if self.place == Place::AfterBegin => Place::Start,
            ("BEGIN" | "LOOP", _) => self.opened(Frame::Body),
            ("REPEAT", _) => self.opened(Frame::Repeat { until: false }),
            ("IF" | "CASE", _) => {
                self.open.push(Frame::Choice { condition: true });
                Place::Inside
            }
            ("WHILE" | "FOR", _) => {
                self.open.push(Frame::Each { condition: true });
                Place::Inside
            }
            ("ELSE", Some(Frame::Choice { .. })) => Place::Start,
            ("ELSEIF" | "WHEN", Some(Frame::Choice { condition })) => {
                *condition = true;
                Place::Inside
            }
            ("UNTIL", Some(Frame::Repeat { until })) => {
                *until = true;
                Place::Inside
            }
            ("END", _) => {
                self.open.pop();
                Place::AfterEnd
            }
            ("DECLARE", _) => Place::Declare,
            _ => after_first(word),
        }
    }

    fn opened(&mut self, frame: Frame) -> Place {
        self.open.push(frame);
        match frame {
            Frame::Body => Place::AfterBegin,
            _ => Place::Start,
        }
    }
}

/// A colon behind these begins a parameter, and behind another first word it ends a label.
fn after_first(word: &str) -> Place {
    match word {
        "SELECT" | "VALUES" | "RETURN" => Place::Inside,
        _ => Place::AfterWord,
    }
}
