//! What a statement does and what it is about, by its first words.

use super::tokens::{Shape, Token};

/// What a statement does, as far as its text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only reads, and may be sent again to another server.
    Query,
    /// It changes what the catalog holds.
    Ddl,
    /// It changes data.
    Write,
    /// It changes the session: its settings, its catalog and schema, its cache.
    Session,
    /// It cannot be told, and counts as a write.
    Unknown,
}

impl Kind {
    /// Whether the statement only reads, so that running it twice does no more than once.
    pub fn is_pure(self) -> bool {
        self == Self::Query
    }
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Something is made.
    Created {
        /// What it is.
        thing: Thing,
        /// Its name as typed.
        name: String,
        /// What happens to one of that name that is there already.
        manner: Manner,
    },
    /// Something is dropped.
    Dropped {
        /// What it is.
        thing: Thing,
        /// Its name as typed.
        name: String,
        /// Whether it is right too if there is none.
        if_exists: bool,
    },
    /// Something is altered.
    Altered {
        /// What it is.
        thing: Thing,
        /// Its name as typed.
        name: String,
    },
    /// Rows are added to a table.
    Inserted(String),
    /// Rows of a table are replaced by others.
    Overwritten(String),
    /// Rows of a table are changed.
    Updated(String),
    /// Rows of a table are deleted.
    Deleted(String),
    /// Rows are merged into a table.
    Merged(String),
    /// A table is emptied.
    Truncated(String),
    /// Another catalog or schema becomes the current one.
    Used(String),
    /// A setting is given a value; Spark answers with key and value.
    Set,
    /// A variable of the session is given a value.
    VariableSet,
    /// Settings get their defaults back.
    Reset,
    /// A table is kept in memory.
    Cached(String),
    /// A table is kept in memory no longer.
    Uncached(String),
    /// Anything else.
    Other,
}

/// What a DDL statement makes, drops or alters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// A table of the current catalog.
    Table,
    /// A view of the current catalog.
    View,
    /// A view of this session.
    TemporaryView,
    /// A view of all sessions of this driver.
    GlobalTemporaryView,
    /// A schema, which Spark also calls database and namespace.
    Schema,
    /// A function of the current catalog.
    Function,
    /// A function of this session.
    TemporaryFunction,
    /// A variable of this session.
    Variable,
}

/// What happens to a thing of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It makes the statement fail.
    New,
    /// It is replaced.
    OrReplace,
    /// It stays, and nothing is made.
    IfNotExists,
}

/// Tells what the statement with these tokens does, and about what.
pub(super) fn classify(source: &str, tokens: &[Token]) -> (Kind, Subject) {
    let mut words = Words { source, tokens };
    while words.take_shape(Shape::Open) {}
    let Some(first) = words.next_word() else {
        return (Kind::Unknown, Subject::Other);
    };
    match first.as_str() {
        "SELECT" | "VALUES" | "TABLE" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "LIST" => {
            (Kind::Query, Subject::Other)
        }
        "WITH" | "FROM" => words.reads_or_writes(),
        "INSERT" => words.insert(),
        "UPDATE" => (Kind::Write, words.named(Subject::Updated)),
        "DELETE" => (Kind::Write, words.after("FROM", Subject::Deleted)),
        "MERGE" => words.merge(),
        "TRUNCATE" => (Kind::Write, words.after("TABLE", Subject::Truncated)),
        "LOAD" => (Kind::Write, words.load()),
        "CREATE" => words.create(),
        "REPLACE" => words.make(Manner::OrReplace),
        "DROP" => (Kind::Ddl, words.dropped()),
        "ALTER" => (Kind::Ddl, words.altered()),
        "COMMENT" | "ANALYZE" | "MSCK" | "REPAIR" => (Kind::Ddl, Subject::Other),
        "DECLARE" => (Kind::Session, words.declared()),
        "SET" => words.set(),
        "USE" => (Kind::Session, words.used()),
        "RESET" => (Kind::Session, Subject::Reset),
        "CACHE" => (Kind::Session, words.cached()),
        "UNCACHE" => (Kind::Session, words.uncached()),
        "CLEAR" | "REFRESH" | "ADD" => (Kind::Session, Subject::Other),
        _ => (Kind::Unknown, Subject::Other),
    }
}

/// What is left of a statement's tokens.
struct Words<'a> {
    source: &'a str,
    tokens: &'a [Token],
}

impl Words<'_> {
    fn take_shape(&mut self, shape: Shape) -> bool {
        match self.tokens.split_first() {
            Some((token, rest)) if token.shape == shape => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn next_word(&mut self) -> Option<String> {
        let (token, rest) = self.tokens.split_first()?;
        if token.shape != Shape::Word {
            return None;
        }
        self.tokens = rest;
        Some(token.text(self.source).to_ascii_uppercase())
    }

    /// Takes these words if they stand here in this order.
    fn take(&mut self, words: &[&str]) -> bool {
        let found = words.len() <= self.tokens.len()
            && std::iter::zip(words, self.tokens).all(|(word, token)| token.is(word, self.source));
        if found {
            self.tokens = &self.tokens[words.len()..];
        }
        found
    }

    fn take_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.take(&[word]))
    }

    /// A name of one or more parts, exactly as typed.
    fn name(&mut self) -> Option<String> {
        let part = |token: &Token| matches!(token.shape, Shape::Word | Shape::Quoted);
        let first = *self.tokens.first().filter(|token| part(token))?;
        self.tokens = &self.tokens[1..];
        let mut end = first.end;
        while let [dot, next, rest @ ..] = self.tokens
            && dot.shape == Shape::Period
            && part(next)
        {
            end = next.end;
            self.tokens = rest;
        }
        if first.is("IDENTIFIER", self.source)
            && let Some(close) = self.tokens.iter().find(|token| token.shape == Shape::Close)
        {
            end = close.end;
        }
        self.source.get(first.start..end).map(str::to_owned)
    }

    fn named(&mut self, subject: impl FnOnce(String) -> Subject) -> Subject {
        self.name().map_or(Subject::Other, subject)
    }

    fn after(&mut self, word: &str, subject: impl FnOnce(String) -> Subject) -> Subject {
        self.take(&[word]);
        self.named(subject)
    }

    /// The words outside all parentheses.
    fn outer_words(&self) -> impl Iterator<Item = String> {
        let mut depth = 0_usize;
        self.tokens
            .iter()
            .filter_map(move |token| match token.shape {
                Shape::Open => {
                    depth += 1;
                    None
                }
                Shape::Close => {
                    depth = depth.saturating_sub(1);
                    None
                }
                Shape::Word if depth == 0 => Some(token.text(self.source).to_ascii_uppercase()),
                _ => None,
            })
    }

    /// `WITH … SELECT` and `FROM … SELECT` read; with an `INSERT` and the like they write.
    fn reads_or_writes(&mut self) -> (Kind, Subject) {
        let writes = self
            .outer_words()
            .any(|word| matches!(word.as_str(), "INSERT" | "UPDATE" | "DELETE" | "MERGE"));
        match writes {
            true => (Kind::Write, Subject::Other),
            false => (Kind::Query, Subject::Other),
        }
    }

    fn insert(&mut self) -> (Kind, Subject) {
        let overwrites = self.take(&["OVERWRITE"]);
        self.take(&["INTO"]);
        if self.take_any(&["DIRECTORY", "LOCAL"]) {
            return (Kind::Write, Subject::Other);
        }
        self.take(&["TABLE"]);
        let subject = self.named(match overwrites {
            true => Subject::Overwritten,
            false => Subject::Inserted,
        });
        (Kind::Write, subject)
    }

    fn merge(&mut self) -> (Kind, Subject) {
        self.take(&["WITH", "SCHEMA", "EVOLUTION"]);
        (Kind::Write, self.after("INTO", Subject::Merged))
    }

    fn load(&mut self) -> Subject {
        while !self.tokens.is_empty() {
            if self.take(&["INTO", "TABLE"]) {
                return self.named(Subject::Inserted);
            }
            self.tokens = &self.tokens[1..];
        }
        Subject::Other
    }

    fn create(&mut self) -> (Kind, Subject) {
        let manner = match self.take(&["OR", "REPLACE"]) {
            true => Manner::OrReplace,
            false => Manner::New,
        };
        self.make(manner)
    }

    /// What stands behind `CREATE [OR REPLACE]`.
    fn make(&mut self, manner: Manner) -> (Kind, Subject) {
        let Some(thing) = self.thing() else {
            return (Kind::Unknown, Subject::Other);
        };
        let manner = match self.take(&["IF", "NOT", "EXISTS"]) {
            true => Manner::IfNotExists,
            false => manner,
        };
        let subject = self.named(|name| Subject::Created {
            thing,
            name,
            manner,
        });
        let selects = thing == Thing::Table
            && self
                .outer_words()
                .any(|word| matches!(word.as_str(), "AS" | "SELECT" | "VALUES"));
        match selects {
            true => (Kind::Write, subject),
            false => (Kind::Ddl, subject),
        }
    }

    fn thing(&mut self) -> Option<Thing> {
        let global = self.take(&["GLOBAL"]);
        let temporary = self.take_any(&["TEMPORARY", "TEMP"]);
        self.take(&["EXTERNAL"]);
        let word = self.next_word()?;
        Some(match (word.as_str(), temporary, global) {
            ("TABLE", ..) => Thing::Table,
            ("VIEW", _, true) => Thing::GlobalTemporaryView,
            ("VIEW", true, _) => Thing::TemporaryView,
            ("VIEW", ..) => Thing::View,
            ("SCHEMA" | "DATABASE" | "NAMESPACE", ..) => Thing::Schema,
            ("FUNCTION", true, _) => Thing::TemporaryFunction,
            ("FUNCTION", ..) => Thing::Function,
            ("VARIABLE" | "VAR", ..) => Thing::Variable,
            _ => return None,
        })
    }

    fn dropped(&mut self) -> Subject {
        let Some(thing) = self.thing() else {
            return Subject::Other;
        };
        let if_exists = self.take(&["IF", "EXISTS"]);
        self.named(|name| Subject::Dropped {
            thing,
            name,
            if_exists,
        })
    }

    fn altered(&mut self) -> Subject {
        let Some(thing) = self.thing() else {
            return Subject::Other;
        };
        self.named(|name| Subject::Altered { thing, name })
    }

    fn declared(&mut self) -> Subject {
        let manner = match self.take(&["OR", "REPLACE"]) {
            true => Manner::OrReplace,
            false => Manner::New,
        };
        self.take_any(&["VARIABLE", "VAR"]);
        self.named(|name| Subject::Created {
            thing: Thing::Variable,
            name,
            manner,
        })
    }

    /// `SET` alone and `SET key` only read.
    fn set(&mut self) -> (Kind, Subject) {
        if self.take(&["CATALOG"]) {
            return (Kind::Session, self.named(Subject::Used));
        }
        if self.take_any(&["VARIABLE", "VAR"]) {
            return (Kind::Session, Subject::VariableSet);
        }
        let zone = self.take(&["TIME", "ZONE"]);
        let assigns = self.tokens.iter().any(|token| token.shape == Shape::Equals);
        match zone || assigns {
            true => (Kind::Session, Subject::Set),
            false if self.take(&["COLLATION"]) => (Kind::Session, Subject::Other),
            false => (Kind::Query, Subject::Other),
        }
    }

    fn used(&mut self) -> Subject {
        if self.tokens.len() > 1 {
            self.take_any(&["CATALOG", "SCHEMA", "DATABASE", "NAMESPACE"]);
        }
        self.named(Subject::Used)
    }

    fn cached(&mut self) -> Subject {
        self.take(&["LAZY"]);
        self.after("TABLE", Subject::Cached)
    }

    fn uncached(&mut self) -> Subject {
        self.take(&["TABLE"]);
        self.take(&["IF", "EXISTS"]);
        self.named(Subject::Uncached)
    }
}
