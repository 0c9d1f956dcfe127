//! What stands under a result.

use std::time::Duration;

use super::html::push_escaped;

/// What is known about a result besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether there are rows that are not shown.
    pub remaining: Remaining,
    /// From the request to the last response.
    pub elapsed: Duration,
    /// Bytes that Spark read from storage for it, where it says so.
    pub bytes_read: Option<u64>,
}

/// Whether rows are missing from what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// None is.
    Nothing,
    /// There are this many in all.
    Of(u64),
    /// There are more, and nobody counted them.
    More,
}

pub(super) fn push_footer(html: &mut String, text: &str) {
    html.push_str("<div class=\"firesteel-foot\">");
    push_escaped(html, text);
    html.push_str("</div>");
}

/// `1,000 of 336,776 rows · 0.42 s · 3.1 MB read`.
pub(super) fn footer_text(shown: u64, facts: &Facts) -> String {
    let rows = match facts.remaining {
        Remaining::Nothing => rows(shown),
        Remaining::Of(all) if all <= shown => rows(shown),
        Remaining::Of(all) => format!(
            "{} of {} shown; `%limit {}` shows more",
            count(shown),
            rows(all),
            more_than(shown).min(all)
        ),
        Remaining::More => format!(
            "{} shown, there are more; `%limit {}` shows more",
            rows(shown),
            more_than(shown)
        ),
    };
    format!("{rows} · {}", cost(facts))
}

/// What it took: `0.42 s · 3.1 MB read`.
pub(super) fn cost(facts: &Facts) -> String {
    match facts.bytes_read {
        None | Some(0) => seconds(facts.elapsed),
        Some(read) => format!("{} · {} read", seconds(facts.elapsed), bytes(read)),
    }
}

fn more_than(shown: u64) -> u64 {
    shown.max(100).saturating_mul(10)
}

pub(super) fn rows(number: u64) -> String {
    match number {
        1 => "1 row".to_owned(),
        number => format!("{} rows", count(number)),
    }
}

/// A number with a comma between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time as people say it: `0.12 s`, `31.4 s`, `2 min 5 s`, `1 h 2 min`.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..10 => format!("{:.2} s", time.as_secs_f64()),
        10..60 => format!("{:.1} s", time.as_secs_f64()),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A size as people say it, in powers of ten: `512 bytes`, `3.1 MB`.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [(&str, u64); 4] = [
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    for (unit, size) in UNITS {
        if number >= size {
            let tenths = (u128::from(number) * 10 + u128::from(size) / 2) / u128::from(size);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    match number {
        1 => "1 byte".to_owned(),
        number => format!("{number} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_says_what_is_shown_of_what_there_is() {
        let cases = [
            (0, Remaining::Nothing, None, "0 rows · 0.42 s"),
            (1, Remaining::Nothing, Some(0), "1 row · 0.42 s"),
            (
                1000,
                Remaining::Of(336_776),
                Some(3_141_592),
                "1,000 of 336,776 rows shown; `%limit 10000` shows more · 0.42 s · 3.1 MB read",
            ),
            (1000, Remaining::Of(1000), None, "1,000 rows · 0.42 s"),
            (
                1000,
                Remaining::Of(1200),
                None,
                "1,000 of 1,200 rows shown; `%limit 1200` shows more · 0.42 s",
            ),
            (
                10,
                Remaining::More,
                None,
                "10 rows shown, there are more; `%limit 1000` shows more · 0.42 s",
            ),
        ];
        for (shown, remaining, bytes_read, expected) in cases {
            let facts = Facts {
                remaining,
                elapsed: Duration::from_millis(420),
                bytes_read,
            };
            assert_eq!(footer_text(shown, &facts), expected);
        }
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(count(number), expected);
        }
        for (millis, expected) in [
            (0, "0.00 s"),
            (9_994, "9.99 s"),
            (31_400, "31.4 s"),
            (125_000, "2 min 5 s"),
            (3_725_000, "1 h 2 min"),
        ] {
            assert_eq!(seconds(Duration::from_millis(millis)), expected);
        }
        for (number, expected) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (3_141_592, "3.1 MB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(bytes(number), expected);
        }
    }
}
