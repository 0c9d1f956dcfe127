//! Numbers and times as they stand at axes.

use std::fmt::Write as _;

use super::super::facts::count;
use super::super::time::{civil_from_days, fraction_digits, push_timestamp};
use super::steps::{Steps, TimeSteps};
use super::{Axis, Place, Scale};

/// A place at an axis and what stands there.
pub(super) struct Tick {
    /// Its value on the axis.
    pub(super) at: f64,
    pub(super) label: String,
}

/// The marks of an axis, at most so many of them; of names all.
pub(super) fn ticks(axis: &Axis, most: usize) -> Vec<Tick> {
    match &axis.scale {
        Scale::Names(names) => {
            let tick = |(number, name): (usize, &String)| Tick {
                at: number as f64 + 0.5,
                label: name.clone(),
            };
            names.iter().enumerate().map(tick).collect()
        }
        Scale::Numbers { from, to } => {
            let steps = Steps::cover(*from, *to, most);
            let edges = (0..=steps.count).map(|number| steps.edge(number));
            let tick = |at| Tick {
                at,
                label: number(at, steps.width()),
            };
            edges
                .filter(|at| from <= at && at <= to)
                .map(tick)
                .collect()
        }
        Scale::Times { from, to } => {
            let steps = TimeSteps::cover(*from as i64, *to as i64, most, false);
            let tick = |at: &f64| Tick {
                at: *at,
                label: steps.label(*at),
            };
            let within = steps.edges.iter().filter(|at| from <= *at && *at <= to);
            within.map(tick).collect()
        }
    }
}

/// A number with as many decimals as steps of a width need.
pub(super) fn number(value: f64, width: f64) -> String {
    if value.abs() >= 1e15 || (width < 1e-6 && value != 0.0) {
        return format!("{value:.3e}");
    }
    let decimals = (-width.log10().floor()).clamp(0.0, 6.0) as usize;
    grouped(value, decimals)
}

/// An amount in four digits or all of its whole part.
pub fn amount(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (3.0 - size.log10().floor()).clamp(0.0, 7.0) as usize;
    let mut text = grouped(value, decimals);
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// A number with a comma between thousands.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !zero { "-" } else { "" };
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    format!("{sign}{whole}{rest}")
}

/// How much of a time is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Year,
    Month,
    Day,
    Minute,
    Second,
    Micro,
}

/// A time, in microseconds since 1970.
pub(super) fn moment(micros: f64, detail: Detail) -> String {
    let micros = micros as i64;
    let mut text = String::new();
    let digits = match detail {
        Detail::Micro => fraction_digits(micros),
        _ => 0,
    };
    push_timestamp(&mut text, micros, None, digits);
    let clock = text.rfind(' ').unwrap_or(text.len());
    match detail {
        Detail::Year => {
            let (year, ..) = civil_from_days(micros.div_euclid(86_400_000_000));
            text.clear();
            // Writing to a string cannot fail.
            let _ = write!(text, "{year}");
        }
        Detail::Month => text.truncate(clock.saturating_sub(3)),
        Detail::Day => text.truncate(clock),
        Detail::Minute => text.truncate(clock + 6),
        Detail::Second | Detail::Micro => {}
    }
    text
}

/// A value of an axis in words.
pub(super) fn word(axis: &Axis, value: f64) -> String {
    match &axis.scale {
        Scale::Names(names) => names.get(value as usize).cloned().unwrap_or_default(),
        Scale::Numbers { .. } => amount(value),
        Scale::Times { .. } if value as i64 % 86_400_000_000 == 0 => moment(value, Detail::Day),
        Scale::Times { .. } => moment(value, Detail::Micro),
    }
}

/// What a mark covers of an axis, in words.
pub(super) fn words(axis: &Axis, place: Place) -> String {
    match place {
        Place::Name(number) => word(axis, number as f64),
        // Around a whole number.
        Place::Span(from, to) if to - from == 1.0 && from.fract().abs() == 0.5 => {
            word(axis, from + 0.5)
        }
        Place::Span(from, to) => format!("{} to {}", word(axis, from), word(axis, to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_right() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (12.0, "12"),
            (1234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-12.345, "-12.35"),
            (0.5, "0.5"),
            (0.001_234_56, "0.001235"),
            (1e-9, "1.000e-9"),
            (-2.5e20, "-2.500e20"),
        ];
        for (value, expected) in cases {
            assert_eq!(amount(value), expected);
        }
    }

    #[test]
    fn numbers_at_an_axis_have_the_decimals_of_its_steps() {
        let cases = [
            (0.0, 0.1, "0.0"),
            (-0.000_000_1, 0.1, "0.0"),
            (0.25, 0.05, "0.25"),
            (12_000.0, 2_000.0, "12,000"),
            (-1_500.0, 500.0, "-1,500"),
            (1e15, 1e14, "1.000e15"),
        ];
        for (value, width, expected) in cases {
            assert_eq!(number(value, width), expected);
        }
    }

    #[test]
    fn ticks_are_within_their_axis() {
        let labels = |scale| {
            let axis = Axis {
                title: String::new(),
                scale,
            };
            let ticks = ticks(&axis, 6);
            ticks.into_iter().map(|tick| tick.label).collect::<Vec<_>>()
        };
        let numbers = Scale::Numbers {
            from: 0.0,
            to: 42.0,
        };
        assert_eq!(labels(numbers), ["0", "10", "20", "30", "40"]);
        let day = 86_400_000_000.0;
        let days = Scale::Times {
            from: 10.0 * day,
            to: 13.0 * day,
        };
        assert_eq!(
            labels(days),
            ["1970-01-11", "1970-01-12", "1970-01-13", "1970-01-14"]
        );
    }
}
