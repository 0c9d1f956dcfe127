//! Chance that can be had again.

use std::ops::Range;
use std::time::SystemTime;

/// Names the seed to use in place of a new one.
pub const VARIABLE: &str = "FIRESTEEL_FAULTS_SEED";

/// A source of numbers that follow from its seed.
#[derive(Debug, Clone)]
pub struct Seed {
    state: u64,
}

impl Seed {
    /// The seed that the environment names, else a new one. It is printed.
    ///
    /// # Panics
    /// When the environment names something else than a number.
    pub fn new(of: &str) -> Self {
        let seed = match std::env::var(VARIABLE) {
            Ok(named) => named.parse().expect("the seed is a number"),
            Err(_) => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        };
        super::tell(format_args!("{of}: {VARIABLE}={seed} repeats it"));
        Self { state: seed }
    }

    /// A source of its own for the case of this number, so that one case can be had without those
    /// before it.
    #[must_use]
    pub fn case(&self, number: u64) -> Self {
        let mut seed = Self {
            state: self.state ^ number.wrapping_mul(0xD134_2543_DE82_EF95),
        };
        seed.next();
        seed
    }

    /// The next number: one step of splitmix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range, which is not empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        range.start + (self.next() % (range.end - range.start) as u64) as usize
    }

    /// One of these, of which there is at least one.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.within(0..choices.len())]
    }

    /// So many different numbers of the range, in order; all of it where it has no more.
    pub fn some_of(&mut self, range: Range<usize>, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = range.collect();
        while all.len() > count {
            all.remove(self.within(0..all.len()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_again_and_another_gives_something_else() {
        let drawn = |state| {
            let mut seed = Seed { state };
            (seed.some_of(0..1000, 20), seed.within(0..1 << 40))
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_eq!(drawn(7).0.len(), 20);
        assert!(drawn(7).0.is_sorted());
    }

    #[test]
    fn cases_of_a_seed_differ() {
        let seed = Seed { state: 7 };
        let first = |number| seed.case(number).within(0..1 << 40);
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
