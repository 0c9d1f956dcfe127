//! Columns of names: each different one has a number.

use arrow::array::{Array, ArrayRef, AsArray};
use polars::prelude::PlHashMap;

use super::parts::in_parts;

/// Different names beyond which nobody counts them: nothing that can be read would come of it.
pub const MOST_NAMES: usize = 100_000;

/// Stands for a row without a name.
pub(super) const NONE: u32 = u32::MAX;

/// A column of names.
#[derive(Debug, Clone)]
pub struct Names {
    /// The different names, in the order in which they come.
    pub all: Vec<String>,
    /// The number of each row's name, or [`NONE`], batch by batch.
    pub(super) codes: Vec<Vec<u32>>,
}

impl Names {
    /// Reads text or truth; `None` where there are more than [`MOST_NAMES`] or the type is another.
    pub(super) fn read(pieces: &[ArrayRef]) -> Option<Self> {
        let lengths: Vec<_> = pieces.iter().map(Array::len).collect();
        let parts = in_parts(&lengths, |stretch| {
            let mut part = Part::default();
            for piece in &pieces[stretch] {
                part.take(piece)?;
            }
            Some(part)
        });
        let mut numbers: PlHashMap<&str, u32> = PlHashMap::default();
        let mut all = Vec::new();
        let mut codes = Vec::new();
        for part in parts {
            let part = part?;
            let moved: Vec<u32> = part
                .names
                .iter()
                .map(|name| {
                    *numbers.entry(*name).or_insert_with(|| {
                        all.push((*name).to_owned());
                        all.len() as u32 - 1
                    })
                })
                .collect();
            let same = moved.iter().zip(0..).all(|(new, old)| *new == old);
            for mut piece in part.codes {
                if !same {
                    for code in &mut piece {
                        *code = moved.get(*code as usize).copied().unwrap_or(NONE);
                    }
                }
                codes.push(piece);
            }
        }
        (all.len() <= MOST_NAMES).then_some(Self { all, codes })
    }

    /// How many rows each name has.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.all.len()];
        for code in self.codes.iter().flatten() {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// The number of each row's name.
    pub fn rows(&self) -> impl Iterator<Item = Option<usize>> {
        let codes = self.codes.iter().flatten();
        codes.map(|code| (*code != NONE).then_some(*code as usize))
    }
}

/// The names of some of the batches, numbered by themselves.
#[derive(Default)]
struct Part<'a> {
    names: Vec<&'a str>,
    numbers: PlHashMap<&'a str, u32>,
    codes: Vec<Vec<u32>>,
}

impl<'a> Part<'a> {
    /// `None` where the names are too many, or no names.
    fn take(&mut self, piece: &'a ArrayRef) -> Option<()> {
        let codes = if let Some(texts) = piece.as_string_opt::<i32>() {
            texts.iter().map(|name| self.number(name)).collect()
        } else if let Some(texts) = piece.as_string_opt::<i64>() {
            texts.iter().map(|name| self.number(name)).collect()
        } else {
            let truths = piece.as_boolean_opt()?.iter();
            let name = |truth: bool| if truth { "true" } else { "false" };
            truths.map(|truth| self.number(truth.map(name))).collect()
        };
        self.codes.push(codes);
        (self.names.len() <= MOST_NAMES).then_some(())
    }

    fn number(&mut self, name: Option<&'a str>) -> u32 {
        let Some(name) = name else {
            return NONE;
        };
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            self.names.len() as u32 - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Int64Array, LargeStringArray, StringArray};

    use super::*;

    #[test]
    fn names_are_numbered_in_the_order_in_which_they_come() {
        let pieces: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec![Some("b"), None, Some("a")])),
            Arc::new(LargeStringArray::from(vec!["a", "", "b"])),
            Arc::new(BooleanArray::from(vec![Some(true), None])),
        ];
        let names = Names::read(&pieces).unwrap();
        assert_eq!(names.all, ["b", "a", "", "true"]);
        let rows: Vec<_> = names.rows().collect();
        let expected = [
            Some(0),
            None,
            Some(1),
            Some(1),
            Some(2),
            Some(0),
            Some(3),
            None,
        ];
        assert_eq!(rows, expected);
        assert_eq!(names.counts(), [2, 2, 1, 1]);
    }

    #[test]
    fn many_rows_are_numbered_alike_by_all_cores() {
        let piece = |from: usize| {
            let names = (0..1000).map(|row| format!("name {}", (from * 7 + row) % 501));
            Arc::new(names.map(Some).collect::<StringArray>()) as ArrayRef
        };
        let pieces: Vec<_> = (0..600).map(piece).collect();
        let names = Names::read(&pieces).unwrap();
        assert_eq!(names.all.len(), 501);
        let first = |name: &str| names.all.iter().position(|known| known == name);
        let mut rows = names.rows();
        for from in 0..600 {
            for row in 0..1000 {
                let expected = first(&format!("name {}", (from * 7 + row) % 501));
                assert_eq!(rows.next(), Some(expected), "{from} {row}");
            }
        }
    }

    #[test]
    fn too_many_names_are_not_counted_and_numbers_are_none() {
        let names = |count: usize| {
            let names = (0..count).map(|number| Some(number.to_string()));
            [Arc::new(names.collect::<StringArray>()) as ArrayRef]
        };
        assert!(Names::read(&names(MOST_NAMES)).is_some());
        assert!(Names::read(&names(MOST_NAMES + 1)).is_none());
        assert!(Names::read(&[Arc::new(Int64Array::from(vec![1]))]).is_none());
    }
}
