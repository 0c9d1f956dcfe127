//! Even steps that people count in: 1, 2 or 5 times a power of ten, and the units of calendars.

use super::super::time::{civil_from_days, days_from_civil};

/// Steps of one width that cover a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steps {
    /// The first edge, counted in widths from zero.
    first: f64,
    width: f64,
    /// Of a width below one: a whole number, by which to multiply is exact where to divide by the
    /// width is not.
    inverse: Option<f64>,
    /// How many steps there are.
    pub count: usize,
}

impl Steps {
    /// The fewest steps of a round width, at most `most` of them, that cover `from` to `to`, ends
    /// included. Both are finite and in order.
    pub fn cover(from: f64, to: f64, most: usize) -> Self {
        let most = most.max(1) as f64;
        let mut width = round_up(to / most - from / most);
        // A width that a number of this size has no digits for.
        let finest = round_up(from.abs().max(to.abs()) * 1e-13);
        if from == to {
            width = match from.abs() {
                size if size >= 1.0 && size.fract() == 0.0 && size < 1e9 => 1.0,
                size if size > 0.0 => 10f64.powf(size.log10().floor()),
                _ => 1.0,
            };
        }
        width = width.max(finest);
        loop {
            let steps = Self::of(width, from, to);
            if steps.count as f64 <= most {
                return steps;
            }
            width = round_up(width * 1.5);
        }
    }

    /// Steps of a width that cover `from` to `to`, ends included.
    fn of(width: f64, from: f64, to: f64) -> Self {
        let mut steps = Self {
            first: 0.0,
            width,
            inverse: (width < 1.0 && width > 1e-15).then(|| (1.0 / width).round()),
            count: 0,
        };
        steps.first = steps.distance(from).floor();
        steps.count = steps.distance(to).floor().clamp(0.0, 1e9) as usize + 1;
        steps
    }

    /// Steps of one, each around a whole number.
    pub fn around(from: f64, to: f64) -> Self {
        Self {
            first: from.round() - 0.5,
            width: 1.0,
            inverse: None,
            count: (to.round() - from.round()).clamp(0.0, 1e9) as usize + 1,
        }
    }

    /// The edge before the step with this number; that of [`count`](Self::count) ends the last.
    pub fn edge(&self, number: usize) -> f64 {
        let at = self.first + number as f64;
        match self.inverse {
            Some(inverse) => at / inverse,
            None => at * self.width,
        }
    }

    /// How many steps a value lies behind the first edge; its whole part is the number of its step.
    /// Outside of all it is negative, or not below [`count`](Self::count).
    #[inline]
    pub fn distance(&self, value: f64) -> f64 {
        match self.inverse {
            Some(inverse) => value * inverse - self.first,
            None => value / self.width - self.first,
        }
    }

    /// How wide each is.
    pub fn width(&self) -> f64 {
        self.width
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `width`.
fn round_up(width: f64) -> f64 {
    if width <= f64::MIN_POSITIVE {
        return f64::MIN_POSITIVE;
    }
    let power = 10f64.powf(width.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| match power < 1.0 && power > 1e-15 {
            true => digit / (1.0 / power).round(),
            false => digit * power,
        })
        .find(|round| *round >= width * (1.0 - 1e-12))
        .unwrap_or(power * 10.0)
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A piece of time that people count in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// So many microseconds.
    Micros(i64),
    /// So many months.
    Months(i64),
}

/// From the finest to the coarsest.
const UNITS: [(Unit, &str); 26] = [
    (Unit::Micros(1), "microsecond"),
    (Unit::Micros(10), "10 microseconds"),
    (Unit::Micros(100), "100 microseconds"),
    (Unit::Micros(1_000), "millisecond"),
    (Unit::Micros(10_000), "10 milliseconds"),
    (Unit::Micros(100_000), "100 milliseconds"),
    (Unit::Micros(SECOND), "second"),
    (Unit::Micros(5 * SECOND), "5 seconds"),
    (Unit::Micros(15 * SECOND), "15 seconds"),
    (Unit::Micros(MINUTE), "minute"),
    (Unit::Micros(5 * MINUTE), "5 minutes"),
    (Unit::Micros(15 * MINUTE), "15 minutes"),
    (Unit::Micros(HOUR), "hour"),
    (Unit::Micros(3 * HOUR), "3 hours"),
    (Unit::Micros(6 * HOUR), "6 hours"),
    (Unit::Micros(12 * HOUR), "12 hours"),
    (Unit::Micros(DAY), "day"),
    (Unit::Micros(7 * DAY), "week"),
    (Unit::Months(1), "month"),
    (Unit::Months(3), "quarter"),
    (Unit::Months(12), "year"),
    (Unit::Months(120), "decade"),
    (Unit::Months(1_200), "century"),
    (Unit::Months(12_000), "millennium"),
    (Unit::Months(120_000), "10 millennia"),
    (Unit::Months(1_200_000), "100 millennia"),
];

/// Steps of a calendar that cover a range of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSteps {
    unit: Unit,
    /// What a step is called: `day`, `15 minutes`.
    pub name: &'static str,
    /// Where each begins and the last ends, in microseconds since 1970-01-01 00:00.
    pub edges: Vec<f64>,
}

impl TimeSteps {
    /// The finest steps, at most `most` of them, that cover `from` to `to` in microseconds; whole days
    /// at least where `days` says so. Where even the coarsest are more, as many as there are.
    pub fn cover(from: i64, to: i64, most: usize, days: bool) -> Self {
        let mut found = None;
        for (unit, name) in UNITS {
            if days && matches!(unit, Unit::Micros(micros) if micros < DAY) {
                continue;
            }
            let (first, last) = (unit.number(from), unit.number(to));
            found = Some((unit, name, first, last));
            if last.saturating_sub(first) < most.max(1) as i64 {
                break;
            }
        }
        let (unit, name, first, last) = found.unwrap_or((Unit::Micros(DAY), "day", 0, 0));
        Self {
            unit,
            name,
            edges: (first..=last + 1)
                .map(|number| unit.start(number))
                .collect(),
        }
    }

    /// The width of each, where all have the same.
    pub fn width(&self) -> Option<f64> {
        match self.unit {
            Unit::Micros(micros) => Some(micros as f64),
            Unit::Months(_) => None,
        }
    }

    /// How many steps there are.
    pub fn count(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// What the beginning of a step is called.
    pub(super) fn label(&self, micros: f64) -> String {
        super::label::moment(
            micros,
            match self.unit {
                Unit::Months(months) if months >= 12 => super::label::Detail::Year,
                Unit::Months(_) => super::label::Detail::Month,
                Unit::Micros(micros) if micros >= DAY => super::label::Detail::Day,
                Unit::Micros(micros) if micros >= MINUTE => super::label::Detail::Minute,
                Unit::Micros(micros) if micros >= SECOND => super::label::Detail::Second,
                Unit::Micros(_) => super::label::Detail::Micro,
            },
        )
    }
}

/// Days from the Monday before 1970-01-01 to it: weeks begin on Mondays.
const TO_MONDAY: i64 = 3 * DAY;

impl Unit {
    /// The number of the piece that a time lies in, counted from 1970.
    fn number(self, micros: i64) -> i64 {
        match self {
            Self::Micros(width) if width == 7 * DAY => {
                micros.saturating_add(TO_MONDAY).div_euclid(width)
            }
            Self::Micros(width) => micros.div_euclid(width),
            Self::Months(width) => {
                let (year, month, _) = civil_from_days(micros.div_euclid(DAY));
                (year * 12 + month - 1).div_euclid(width)
            }
        }
    }

    /// Where the piece with this number begins.
    fn start(self, number: i64) -> f64 {
        match self {
            Self::Micros(width) if width == 7 * DAY => {
                number as f64 * width as f64 - TO_MONDAY as f64
            }
            Self::Micros(width) => number as f64 * width as f64,
            Self::Months(width) => {
                let months = number * width;
                let days = days_from_civil(months.div_euclid(12), months.rem_euclid(12) + 1, 1);
                days as f64 * DAY as f64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edges(steps: Steps) -> Vec<f64> {
        (0..=steps.count).map(|number| steps.edge(number)).collect()
    }

    #[test]
    fn steps_are_round() {
        let cases: [(f64, f64, usize, &[f64]); 9] = [
            (
                0.0,
                9.0,
                10,
                &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
            ),
            (-86.0, 1272.0, 4, &[-500.0, 0.0, 500.0, 1000.0, 1500.0]),
            (0.11, 0.58, 5, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
            (0.0, 0.0, 10, &[0.0, 1.0]),
            (7.0, 7.0, 10, &[7.0, 8.0]),
            (0.25, 0.25, 10, &[0.2, 0.3]),
            (-3.0, -3.0, 10, &[-3.0, -2.0]),
            (1e300, 1e300, 10, &[1e300, 2e300]),
            (0.3, 0.3 + 1e-20, 10, &[0.3, 0.4]),
        ];
        for (from, to, most, expected) in cases {
            let found = edges(Steps::cover(from, to, most));
            assert_eq!(found, expected, "{from} to {to}");
        }
        assert_eq!(edges(Steps::around(-1.0, 1.0)), [-1.5, -0.5, 0.5, 1.5]);
    }

    #[test]
    fn a_value_on_an_edge_lies_behind_it() {
        let steps = Steps::cover(0.0, 1.0, 11);
        for number in 0..=10 {
            assert_eq!(
                steps.distance(f64::from(number) / 10.0).floor(),
                f64::from(number)
            );
        }
    }

    proptest! {
        #[test]
        fn steps_cover_what_they_are_asked_to(
            a in any::<f64>().prop_filter("finite", |v| v.is_finite()),
            b in any::<f64>().prop_filter("finite", |v| v.is_finite()),
            most in 2usize..60,
        ) {
            let (from, to) = (a.min(b), a.max(b));
            let steps = Steps::cover(from, to, most);
            prop_assert!(steps.count <= most, "{steps:?}");
            prop_assert!(steps.distance(from) >= 0.0 && steps.distance(to) < steps.count as f64, "{steps:?}");
        }

        #[test]
        fn steps_of_time_cover_what_they_are_asked_to(
            a in -60_000_000_000_000_000i64..250_000_000_000_000_000,
            b in -60_000_000_000_000_000i64..250_000_000_000_000_000,
            most in 20usize..400,
            days in any::<bool>(),
        ) {
            let (from, to) = (a.min(b), a.max(b));
            let steps = TimeSteps::cover(from, to, most, days);
            prop_assert!(steps.count() <= most);
            prop_assert!(steps.edges[0] <= from as f64);
            prop_assert!(steps.edges[steps.count()] >= to as f64);
            prop_assert!(steps.edges.is_sorted());
        }
    }

    #[test]
    fn steps_of_time_are_those_of_calendars() {
        let day = |year, month, day| days_from_civil(year, month, day) * DAY;
        let cases = [
            (
                day(2013, 1, 1),
                day(2013, 12, 31),
                400,
                true,
                "day",
                "2013-01-01",
                365,
            ),
            (
                day(2013, 1, 1),
                day(2013, 12, 31),
                60,
                true,
                "week",
                "2012-12-31",
                53,
            ),
            (
                day(2013, 1, 1),
                day(2013, 12, 31),
                12,
                true,
                "month",
                "2013-01",
                12,
            ),
            (
                day(1969, 12, 31),
                day(1970, 1, 1),
                2,
                false,
                "day",
                "1969-12-31",
                2,
            ),
            (
                day(1850, 6, 1),
                day(2020, 6, 1),
                20,
                false,
                "decade",
                "1850",
                18,
            ),
            (
                day(2013, 1, 1),
                day(2013, 1, 1) + 5 * HOUR,
                10,
                false,
                "hour",
                "2013-01-01 00:00",
                6,
            ),
            (
                3 * SECOND,
                4 * SECOND,
                30,
                false,
                "100 milliseconds",
                "1970-01-01 00:00:03",
                11,
            ),
            (0, 0, 10, false, "microsecond", "1970-01-01 00:00:00", 1),
            (-1, 0, 2, true, "day", "1969-12-31", 2),
        ];
        for (from, to, most, days, name, label, count) in cases {
            let steps = TimeSteps::cover(from, to, most, days);
            assert_eq!((steps.name, steps.count()), (name, count), "{label}");
            assert_eq!(steps.label(steps.edges[0]), label);
        }
    }
}
