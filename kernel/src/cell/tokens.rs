//! Spark's tokens, by the tokenizer of `sqlparser`.
//!
//! That tokenizer reads the whole text at once and knows most of Spark's lexical rules
//! (`SqlBaseLexer.g4`). Where it reads otherwise, the token is measured here by Spark's rule and
//! the tokenizer starts again behind it: raw strings `r'\'`, `--` comments that a `\` before the
//! line's end continues or a lone carriage return ends, and `._1` after something else than a word.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::str::CharIndices;

use sqlparser::dialect::Dialect;
use sqlparser::tokenizer::{Location, Token as Raw, TokenWithSpan, Tokenizer, Whitespace};

/// What a token is, as far as taking a cell apart needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A keyword or a bare identifier.
    Word,
    /// An identifier in backticks.
    Quoted,
    /// A string of any kind.
    Text,
    /// A comment to the end of its line.
    LineComment,
    /// A comment in brackets, or a hint.
    Comment,
    Semicolon,
    Colon,
    Period,
    Comma,
    Percent,
    Equals,
    Open,
    Close,
    /// A sign between two operands that cannot end a statement.
    Operator,
    Other,
}

/// A token and the bytes of the source it covers. White space is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) shape: Shape,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether the token is the keyword `word`, in whatever case.
    pub(super) fn is(&self, word: &str, source: &str) -> bool {
        self.shape == Shape::Word && self.text(source).eq_ignore_ascii_case(word)
    }
}

/// Something that was opened and does not end: a string, a quoted name or a comment. Nothing
/// behind its start can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) start: usize,
}

/// Bytes that the tokenizer is given at a time. It reads all it is given, so that a long cell full
/// of raw strings would be read anew behind each of them.
const WINDOW: usize = 1024;

/// Bytes that it is given at a place that was sought, and twice as many each time from there on:
/// behind a line magic there may be another.
const SOUGHT: usize = 32;

/// Tokens at the end of a window that its cut may have changed: a number with an exponent falls
/// into three.
const MAYBE_CUT: usize = 4;

/// The tokens of a source from some byte on.
pub(super) struct Tokens<'a> {
    source: &'a str,
    /// Bytes that the tokenizer is given next, and the most it is given where they are enough.
    window: usize,
    largest: usize,
    ready: VecDeque<Token>,
    unclosed: Option<Unclosed>,
    /// Where the tokenizer starts again when `ready` is used up.
    resume: Option<usize>,
}

impl<'a> Tokens<'a> {
    pub(super) fn at(source: &'a str, start: usize) -> Self {
        Self::in_windows(source, start, WINDOW, WINDOW)
    }

    fn in_windows(source: &'a str, start: usize, window: usize, largest: usize) -> Self {
        Self {
            source,
            window,
            largest,
            ready: VecDeque::new(),
            unclosed: None,
            resume: Some(start),
        }
    }

    /// Goes on at another byte, which begins a token or white space.
    pub(super) fn seek(&mut self, start: usize) {
        *self = Self::in_windows(self.source, start, SOUGHT, self.largest);
    }

    /// The next token, `None` at the end of the source.
    pub(super) fn next(&mut self) -> Option<Result<Token, Unclosed>> {
        loop {
            if let Some(token) = self.ready.pop_front() {
                return Some(Ok(token));
            }
            match self.resume.take() {
                Some(start) => self.read(start),
                None => return self.unclosed.take().map(Err),
            }
        }
    }

    fn read(&mut self, start: usize) {
        let mut window = self.window;
        while !self.read_window(start, window) {
            window = window.saturating_mul(2);
        }
        self.window = self.window.saturating_mul(2).min(self.largest);
    }

    /// Reads what is certain of the bytes in a window; `false` if that is nothing.
    fn read_window(&mut self, start: usize, window: usize) -> bool {
        let source = self.source;
        let limit = source.floor_char_boundary(start.saturating_add(window));
        let Some(text) = source.get(start..limit) else {
            return true;
        };
        let mut raw = Vec::new();
        let outcome = Tokenizer::new(&Spark, text).tokenize_with_location_into_buf(&mut raw);
        let mut places = Places::new(text);
        let failed_at = match outcome {
            Ok(()) => limit,
            Err(_) => {
                let last = raw.last().map(|token| token.span.end);
                start + last.map_or(0, |end| Places::new(text).byte(end))
            }
        };
        let field = outcome.is_err() && source[failed_at..].starts_with("._");
        let certain = limit == source.len() || field;
        if !certain {
            raw.truncate(raw.len().saturating_sub(MAYBE_CUT));
            // What follows a word or a period is read otherwise than at a beginning.
            while let Some(Raw::Word(_) | Raw::Period) = raw.last().map(|last| &last.token) {
                raw.pop();
            }
            if raw.is_empty() {
                return false;
            }
        }
        let mut at = start;
        for TokenWithSpan { token, span } in raw {
            let token_start = at;
            at = start + places.byte(span.end);
            let (shape, end) = match measure(&token, source, token_start, at) {
                Measured::Space => continue,
                Measured::Token(shape) => (shape, at),
                Measured::Ends(shape, end) => {
                    self.resume = Some(end);
                    (shape, end)
                }
                Measured::Unclosed => {
                    self.unclosed = Some(Unclosed { start: token_start });
                    return true;
                }
            };
            self.ready.push_back(Token {
                shape,
                start: token_start,
                end,
            });
            if self.resume.is_some() {
                return true;
            }
        }
        if field {
            self.ready.push_back(Token {
                shape: Shape::Period,
                start: at,
                end: at + 1,
            });
            self.resume = Some(at + 1);
        } else if !certain {
            self.resume = Some(at);
        } else if outcome.is_err() {
            self.unclosed = Some(Unclosed { start: at });
        }
        true
    }
}

/// What Spark makes of a token that `sqlparser` found.
enum Measured {
    Space,
    Token(Shape),
    /// Spark's token ends at another byte.
    Ends(Shape, usize),
    Unclosed,
}

fn measure(token: &Raw, source: &str, start: usize, end: usize) -> Measured {
    let shape = match token {
        Raw::Whitespace(Whitespace::SingleLineComment { .. }) => {
            let own = line_comment_end(source, start);
            let shape = Shape::LineComment;
            return if own == source[..end].trim_end_matches('\r').len() {
                Measured::Token(shape)
            } else {
                Measured::Ends(shape, own)
            };
        }
        Raw::Whitespace(Whitespace::MultiLineComment(_)) => Shape::Comment,
        Raw::Whitespace(_) => return Measured::Space,
        Raw::Word(word) if word.quote_style.is_some() => Shape::Quoted,
        Raw::Word(word) => {
            if word.value.eq_ignore_ascii_case("r") {
                let mut rest = source[end..].chars();
                if let Some(quote @ ('\'' | '"')) = rest.next() {
                    return match rest.as_str().find(quote) {
                        Some(length) => Measured::Ends(Shape::Text, end + 1 + length + 1),
                        None => Measured::Unclosed,
                    };
                }
            }
            Shape::Word
        }
        Raw::SingleQuotedString(_)
        | Raw::DoubleQuotedString(_)
        | Raw::NationalStringLiteral(_)
        | Raw::HexStringLiteral(_)
        | Raw::DollarQuotedString(_) => Shape::Text,
        Raw::SemiColon => Shape::Semicolon,
        Raw::Colon => Shape::Colon,
        Raw::Period => Shape::Period,
        Raw::Comma => Shape::Comma,
        Raw::Mod => Shape::Percent,
        Raw::Eq => Shape::Equals,
        Raw::LParen | Raw::LBracket => Shape::Open,
        Raw::RParen | Raw::RBracket => Shape::Close,
        Raw::Plus
        | Raw::Minus
        | Raw::Div
        | Raw::Lt
        | Raw::Gt
        | Raw::LtEq
        | Raw::GtEq
        | Raw::Neq
        | Raw::StringConcat
        | Raw::Arrow => Shape::Operator,
        _ => Shape::Other,
    };
    Measured::Token(shape)
}

/// `'--' ('\\\n' | ~[\r\n])*` of Spark's lexer.
fn line_comment_end(source: &str, start: usize) -> usize {
    let bytes = source.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if bytes.get(at + 1) == Some(&b'\n') => at += 2,
            b'\r' | b'\n' => break,
            _ => at += 1,
        }
    }
    at
}

/// Turns the tokenizer's lines and columns, which only grow, into bytes.
struct Places<'a> {
    chars: Peekable<CharIndices<'a>>,
    length: usize,
    line: u64,
    column: u64,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            chars: text.char_indices().peekable(),
            length: text.len(),
            line: 1,
            column: 1,
        }
    }

    fn byte(&mut self, place: Location) -> usize {
        while (self.line, self.column) != (place.line, place.column) {
            match self.chars.next() {
                Some((_, '\n')) => (self.line, self.column) = (self.line + 1, 1),
                Some(_) => self.column += 1,
                None => break,
            }
        }
        self.chars.peek().map_or(self.length, |(byte, _)| *byte)
    }
}

/// The lexical rules of Spark that `sqlparser` can be told.
#[derive(Debug)]
struct Spark;

impl Dialect for Spark {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn supports_numeric_prefix(&self) -> bool {
        true
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> (Vec<&str>, Option<&str>) {
        let mut tokens = Tokens::at(source, 0);
        let mut texts = Vec::new();
        loop {
            match tokens.next() {
                Some(Ok(token)) => texts.push(token.text(source)),
                Some(Err(unclosed)) => return (texts, Some(&source[unclosed.start..])),
                None => return (texts, None),
            }
        }
    }

    #[test]
    fn tokens_end_where_spark_ends_them() {
        let cases: &[(&str, &[&str])] = &[
            (r"r'\' ; 'x'", &[r"r'\'", ";", "'x'"]),
            ("R\"a;\\\" x", &["R\"a;\\\"", "x"]),
            (r"'it\'s; ok' y", &[r"'it\'s; ok'", "y"]),
            ("'a''b'", &["'a''b'"]),
            ("-- a\\\n;b\n;", &["-- a\\\n;b", ";"]),
            ("-- a\r;", &["-- a", ";"]),
            ("-- a\r\n;", &["-- a\r", ";"]),
            ("/* a /* b; */ c; */ d", &["/* a /* b; */ c; */", "d"]),
            ("f(x)._1", &["f", "(", "x", ")", ".", "_1"]),
            ("`a;``b`.c", &["`a;``b`", ".", "c"]),
            ("$$ a;b $$ c", &["$$ a;b $$", "c"]),
            ("größe::int", &["größe", "::", "int"]),
            ("'😀' x", &["'😀'", "x"]),
            ("1L 1e3", &["1L", "1e3"]),
            ("%%sql", &["%", "%", "sql"]),
        ];
        for (source, expected) in cases {
            assert_eq!(read(source), (expected.to_vec(), None), "{source}");
        }
    }

    #[test]
    fn what_does_not_end_is_told_from_its_start() {
        let cases = [
            ("a 'b; c", "'b; c"),
            ("a \"b", "\"b"),
            ("a `b", "`b"),
            ("a /* b; /* */", "/* b; /* */"),
            ("a r'b", "r'b"),
            ("a $$ b", "$$ b"),
        ];
        for (source, rest) in cases {
            assert_eq!(read(source), (vec!["a"], Some(rest)), "{source}");
        }
    }

    mod whatever_the_window {
        use proptest::prelude::*;

        use super::*;

        fn all(source: &str, window: usize, largest: usize) -> (Vec<Token>, Option<Unclosed>) {
            let mut tokens = Tokens::in_windows(source, 0, window, largest);
            let mut found = Vec::new();
            loop {
                match tokens.next() {
                    Some(Ok(token)) => found.push(token),
                    Some(Err(unclosed)) => return (found, Some(unclosed)),
                    None => return (found, None),
                }
            }
        }

        proptest! {
            #[test]
            fn the_tokens_are_the_same(
                bits in prop::collection::vec(
                    prop::sample::select(vec![
                        "a", "r", "'", "\"", "`", "--", "-", ">", "/*", "*/", "1", "e", "+", "5",
                        "0x", ".", "_", "$", "$$", "\\", "\n", "\r", " ", ";", "<=", "é", "😀", "x'",
                    ]),
                    0..30,
                ),
                window in 1usize..40,
                largest in 1usize..40,
            ) {
                let source = bits.concat();
                let whole = all(&source, usize::MAX, usize::MAX);
                prop_assert_eq!(all(&source, window, largest), whole);
            }
        }
    }
}
