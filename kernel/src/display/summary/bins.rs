//! The intervals of a histogram.

/// Bars that are drawn at most.
const BARS: usize = 20;

/// Intervals of one width, side by side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bins {
    start: f64,
    width: f64,
    count: usize,
}

impl Bins {
    /// The intervals for values from `min` to `max`. `whole` says that there is nothing between two
    /// whole numbers: each interval then holds as many of them, since one more in some of them would
    /// look like a wave. `None` where there is nothing to draw.
    pub fn between(min: f64, max: f64, whole: bool) -> Option<Self> {
        let span = max - min;
        if span <= 0.0 || !span.is_finite() {
            return None;
        }
        let most = BARS as f64;
        Some(match whole {
            true => {
                let width = ((span + 1.0) / most).ceil();
                Self {
                    start: min - 0.5,
                    width,
                    count: (((span + 1.0) / width).ceil() as usize).min(BARS),
                }
            }
            false => Self {
                start: min,
                width: span / most,
                count: BARS,
            },
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many intervals lie before a value, in parts of one; what lies outside is put at the end
    /// that is nearest.
    pub fn place(&self, value: f64) -> f64 {
        ((value - self.start) / self.width).clamp(0.0, self.count as f64)
    }

    /// The interval that a value is in.
    pub fn of(&self, value: f64) -> usize {
        (self.place(value) as usize).min(self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_interval_has_as_many_whole_numbers() {
        for (max, count) in [
            (1, 2),
            (11, 12),
            (19, 20),
            (20, 11),
            (30, 16),
            (99, 20),
            (1_i64 << 60, 20),
        ] {
            let bins = Bins::between(0.0, max as f64, true).unwrap();
            assert_eq!(bins.count(), count, "{max}");
            assert_eq!((bins.of(0.0), bins.of(max as f64)), (0, count - 1), "{max}");
        }
        let months = Bins::between(1.0, 12.0, true).unwrap();
        for month in 0..12 {
            assert_eq!(months.of(f64::from(month) + 1.0), month as usize);
        }
    }

    #[test]
    fn where_there_is_no_width_there_is_nothing_to_draw() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        for (min, max) in [
            (1.0, 1.0),
            (2.0, 1.0),
            (-inf, inf),
            (0.0, inf),
            (nan, nan),
            (f64::MIN, f64::MAX),
        ] {
            for whole in [false, true] {
                assert_eq!(Bins::between(min, max, whole), None, "{min} {max}");
            }
        }
    }

    #[test]
    fn what_lies_outside_is_put_at_the_nearest_end() {
        let bins = Bins::between(0.0, 10.0, false).unwrap();
        for (value, expected) in [
            (f64::NEG_INFINITY, 0),
            (-1.0, 0),
            (0.0, 0),
            (4.9, 9),
            (5.0, 10),
            (10.0, 19),
            (f64::INFINITY, 19),
        ] {
            assert_eq!(bins.of(value), expected, "{value}");
        }
    }
}
