//! Columns of names: each different one has a number.

use arrow::array::{Array, ArrayRef, AsArray, GenericStringArray, OffsetSizeTrait};
use polars::prelude::PlHashMap;

use super::parts::in_parts;

/// Different names beyond which nobody counts them: nothing that can be read would come of it.
pub const MOST_NAMES: usize = 65_000;

/// The number of a name. It is small, for there is one for each row.
pub(super) type Code = u16;

/// Stands for a row without a name.
const NONE: Code = Code::MAX;

/// A column of names.
#[derive(Debug, Clone)]
pub struct Names {
    /// The different names, in the order in which they come.
    pub all: Vec<String>,
    /// The number of each row's name, or [`NONE`], batch by batch.
    pub(super) codes: Vec<Vec<Code>>,
}

impl Names {
    /// Reads text or truth; `None` where there are more than [`MOST_NAMES`] or the type is another.
    pub(super) fn read(pieces: &[ArrayRef]) -> Option<Self> {
        let lengths: Vec<_> = pieces.iter().map(Array::len).collect();
        let parts = in_parts(&lengths, |stretch| {
            let mut part = Part::new();
            for piece in &pieces[stretch] {
                part.take(piece)?;
            }
            Some(part)
        });
        let mut numbers: PlHashMap<&str, Code> = PlHashMap::default();
        let mut all = Vec::new();
        let mut codes = Vec::new();
        for part in parts {
            let part = part?;
            let moved: Vec<Code> = part
                .names
                .iter()
                .map(|name| {
                    *numbers.entry(*name).or_insert_with(|| {
                        all.push((*name).to_owned());
                        (all.len() - 1) as Code
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
struct Part<'a> {
    names: Vec<&'a str>,
    numbers: PlHashMap<&'a str, Code>,
    codes: Vec<Vec<Code>>,
    recent: Recent,
}

impl<'a> Part<'a> {
    fn new() -> Self {
        Self {
            names: Vec::new(),
            numbers: PlHashMap::default(),
            codes: Vec::new(),
            recent: Recent::new(),
        }
    }

    /// `None` where the names are too many, or no names.
    fn take(&mut self, piece: &'a ArrayRef) -> Option<()> {
        let codes = if let Some(texts) = piece.as_string_opt::<i32>() {
            self.texts(texts)
        } else if let Some(texts) = piece.as_string_opt::<i64>() {
            self.texts(texts)
        } else {
            let truths = piece.as_boolean_opt()?.iter();
            let name = |truth: bool| if truth { "true" } else { "false" };
            let number = |truth: Option<bool>| truth.map_or(NONE, |truth| self.number(name(truth)));
            truths.map(number).collect()
        };
        self.codes.push(codes);
        (self.names.len() <= MOST_NAMES).then_some(())
    }

    fn texts<O: OffsetSizeTrait>(&mut self, texts: &'a GenericStringArray<O>) -> Vec<Code> {
        let bytes = texts.value_data();
        let ends = texts.value_offsets().windows(2);
        let codes = ends.enumerate().map(|(row, ends)| {
            if texts.is_null(row) {
                return NONE;
            }
            let Some(word) = word(bytes, ends[0].as_usize(), ends[1].as_usize()) else {
                return self.number(texts.value(row));
            };
            self.recent.get(word).unwrap_or_else(|| {
                let code = self.number(texts.value(row));
                self.recent.put(word, code);
                code
            })
        });
        codes.collect()
    }

    fn number(&mut self, name: &'a str) -> Code {
        *self.numbers.entry(name).or_insert_with(|| {
            self.names.push(name);
            (self.names.len() - 1) as Code
        })
    }
}

/// Bytes of a short text at most.
const SHORT: usize = 15;

/// A short text as one number, of which its length is the last byte; `None` for a longer one, and
/// where its bytes are the last of all.
#[inline]
fn word(bytes: &[u8], from: usize, to: usize) -> Option<u128> {
    let length = to - from;
    let kept = KEPT.get(length)?;
    let around = bytes.get(from..from + 16)?.first_chunk()?;
    Some(u128::from_le_bytes(*around) & kept | (length as u128) << 120)
}

/// The bits of a short text of each length: to look them up is quicker than to shift so many.
const KEPT: [u128; SHORT + 1] = {
    let mut kept = [0; SHORT + 1];
    let mut length = 1;
    while length <= SHORT {
        kept[length] = u128::MAX >> (128 - 8 * length);
        length += 1;
    }
    kept
};

/// The numbers of short names met of late: to look one up takes a fraction of a hash map's time, and
/// names that are worth a chart are few and short.
struct Recent {
    slots: Vec<(u128, Code)>,
}

impl Recent {
    /// As many as a processor keeps at hand.
    const BITS: u32 = 9;

    fn new() -> Self {
        // No word is this one: its length would be 255.
        let nothing = (u128::MAX, NONE);
        Self {
            slots: vec![nothing; 1 << Self::BITS],
        }
    }

    fn slot(word: u128) -> usize {
        let mixed = (word as u64 ^ (word >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> (64 - Self::BITS)) as usize
    }

    #[inline]
    fn get(&self, word: u128) -> Option<Code> {
        let (known, code) = self.slots[Self::slot(word)];
        (known == word).then_some(code)
    }

    fn put(&mut self, word: u128, code: Code) {
        self.slots[Self::slot(word)] = (word, code);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Int64Array, LargeStringArray, StringArray};
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn names_of_any_length_keep_their_number(texts in prop::collection::vec(prop::option::of("[a\\x00é]{0,17}"), 1..60)) {
            let small: ArrayRef = Arc::new(StringArray::from(texts.clone()));
            // Its first text begins within the bytes.
            let sliced: ArrayRef = Arc::new(LargeStringArray::from(texts.clone()).slice(1, texts.len() - 1));
            let names = Names::read(&[small, sliced]).unwrap();
            let read = names.rows().map(|row| row.map(|row| names.all[row].clone()));
            prop_assert_eq!(read.collect::<Vec<_>>(), [&texts[..], &texts[1..]].concat());
            let mut different = names.all.clone();
            different.sort();
            different.dedup();
            prop_assert_eq!(different.len(), names.all.len());
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
