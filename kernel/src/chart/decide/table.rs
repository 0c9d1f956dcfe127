//! The columns of a result, and what of them is asked for.

use crate::cell::{Mark, nearest, unquoted};
use crate::chart::plan::{FUNCTIONS, Facts, Function, Measure};
use crate::chart::refusal::Refusal;
use crate::frame::Kind;

/// What a column or measure of the request turned out to be.
pub(super) type Pick = Measure;

pub(super) struct Asked {
    pub(super) mark: Option<Mark>,
    pub(super) x: Option<Pick>,
    pub(super) y: Option<Pick>,
    pub(super) color: Option<Pick>,
}

impl Asked {
    /// Whether the column has a part in the request already.
    pub(super) fn uses(&self, column: usize) -> bool {
        let picks = [self.x, self.y, self.color];
        picks
            .into_iter()
            .flatten()
            .any(|pick| pick.column() == Some(column))
    }
}

pub(super) struct Table<'a> {
    pub(super) columns: &'a [Facts],
    pub(super) rows: usize,
}

impl Table<'_> {
    /// Reads a column's name, or a function of one. A column that is called like a function's call, as
    /// Spark calls them where nobody did, is the column.
    pub(super) fn pick(&self, text: &str) -> Result<Pick, Refusal> {
        if let Some(column) = self.find(text) {
            return self.drawn(column).map(|column| Measure::Of(None, column));
        }
        let call = text.strip_suffix(')').and_then(|rest| rest.split_once('('));
        let Some((name, inner)) = call else {
            return match text.eq_ignore_ascii_case("count") {
                true => Ok(Measure::Rows),
                false => Err(self.unknown(text)),
            };
        };
        let (name, inner) = (name.trim(), unquoted(inner.trim()));
        let known = FUNCTIONS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        match known {
            None => Err(Refusal::Function(name.to_owned())),
            Some((_, Function::Count)) if ["*", "", "1"].contains(&inner.as_str()) => {
                Ok(Measure::Rows)
            }
            Some((_, function)) => {
                let column = self.find(&inner).ok_or_else(|| self.unknown(&inner))?;
                let column = self.drawn(column)?;
                let number = self.kind(column).is_some_and(Kind::is_number);
                match number || *function == Function::Count {
                    true => Ok(Measure::Of(Some(*function), column)),
                    false => {
                        Err(self.needs("Such a chart", "a number to put together", column, None))
                    }
                }
            }
        }
    }

    /// A column by its name, in any case where no other is meant.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.columns.iter().position(|column| column.name == name);
        let lower = name.to_lowercase();
        exact.or_else(|| {
            let mut alike = (0..self.columns.len())
                .filter(|column| self.columns[*column].name.to_lowercase() == lower);
            alike.next().filter(|_| alike.next().is_none())
        })
    }

    pub(super) fn unknown(&self, name: &str) -> Refusal {
        let names = || self.columns.iter().map(|column| column.name.as_str());
        let listed: Vec<_> = names().take(20).map(|name| format!("`{name}`")).collect();
        let more = self.columns.len().saturating_sub(listed.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Refusal::Unknown {
            name: name.to_owned(),
            near: nearest(name, names()).map(str::to_owned),
            columns: format!("{}{more}", listed.join(", ")),
        }
    }

    /// The column, where it can be drawn.
    pub(super) fn drawn(&self, column: usize) -> Result<usize, Refusal> {
        let facts = &self.columns[column];
        match (facts.kind, facts.filled) {
            (None, _) => Err(Refusal::Type {
                name: facts.name.clone(),
                type_name: facts.type_name.clone(),
            }),
            (Some(_), false) => Err(Refusal::NoValues(facts.name.clone())),
            (Some(_), true) => Ok(column),
        }
    }

    pub(super) fn kind(&self, column: usize) -> Option<Kind> {
        self.columns.get(column)?.kind
    }

    pub(super) fn is(&self, pick: Option<Pick>, what: fn(Kind) -> bool) -> bool {
        matches!(pick, Some(Measure::Of(None, column)) if self.kind(column).is_some_and(what))
    }

    /// The first columns of a kind that nothing else is asked of.
    pub(super) fn free<'b>(
        &'b self,
        asked: &'b Asked,
        what: fn(Kind) -> bool,
    ) -> impl Iterator<Item = usize> + 'b {
        (0..self.columns.len()).filter(move |column| {
            let facts = &self.columns[*column];
            facts.filled && facts.kind.is_some_and(what) && !asked.uses(*column)
        })
    }

    /// Whether names come more than once.
    pub(super) fn repeats(&self, column: usize) -> bool {
        let distinct = self.columns[column].distinct;
        distinct.is_some_and(|distinct| distinct < self.rows)
    }

    pub(super) fn nothing(&self) -> Refusal {
        let types = self.columns.iter().take(5);
        let types: Vec<_> = types
            .map(|c| format!("`{}` is {}", c.name, c.type_name))
            .collect();
        match self.columns.iter().find(|column| column.kind.is_some()) {
            Some(empty) => Refusal::NoValues(empty.name.clone()),
            None => Refusal::NoColumns(format!("{}.", types.join(", "))),
        }
    }

    pub(super) fn needs(
        &self,
        chart: &'static str,
        needs: &'static str,
        column: usize,
        hint: Option<&str>,
    ) -> Refusal {
        let facts = &self.columns[column];
        Refusal::Needs {
            chart,
            needs,
            got: format!("`{}` is {}", facts.name, facts.type_name),
            hint: hint.map(str::to_owned),
        }
    }

    pub(super) fn lacks(&self, chart: &'static str, needs: &'static str) -> Refusal {
        Refusal::Needs {
            chart,
            needs,
            got: "the result has none that is not used already".to_owned(),
            hint: None,
        }
    }
}
