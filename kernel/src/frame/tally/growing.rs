//! Tallies while they grow.

use super::Tally;

/// A tally that grows row by row, in pairs that a processor works on at once.
#[derive(Clone, Copy)]
pub(super) struct Growing {
    /// The sum of the values, and how many they are.
    added: [f64; 2],
    /// The least of the values, and of their opposites.
    least: [f64; 2],
}

impl Growing {
    pub(super) const NOTHING: Self = Self {
        added: [0.0; 2],
        least: [f64::INFINITY; 2],
    };

    #[inline]
    pub(super) fn take(&mut self, value: f64) {
        for (sum, more) in self.added.iter_mut().zip([value, 1.0]) {
            *sum += more;
        }
        for (least, value) in self.least.iter_mut().zip([value, -value]) {
            *least = if value < *least { value } else { *least };
        }
    }

    pub(super) fn grown(self) -> Tally {
        let ([sum, count], [least, most]) = (self.added, self.least);
        Tally {
            count: count as u64,
            sum,
            least,
            most: -most,
        }
    }
}
