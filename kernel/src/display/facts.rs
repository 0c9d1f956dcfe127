//! What stands under a result.

use std::time::Duration;

use super::html::push_prose;

/// What is known about a result besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Whether there are rows that were not asked for or not fetched.
    pub remaining: Remaining,
    /// Rows that were fetched.
    pub rows: u64,
    /// Rows there are in all, where Spark counted them while it ran.
    pub there: Option<u64>,
    /// Their size in memory, in bytes.
    pub bytes: u64,
    /// From the request to the last response.
    pub elapsed: Duration,
    /// Bytes that Spark read from storage for it, where it says so.
    pub bytes_read: Option<u64>,
}

/// Whether a result has rows beyond those that a limit let through. They are never counted for their
/// own sake: that would take the whole statement a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remaining {
    /// It has none.
    Nothing,
    /// It is told elsewhere, and not all that were fetched may be shown.
    NotShown,
    /// It has some beyond the limit of rows.
    OverRows,
    /// It has some beyond this limit of bytes, at which the fetch was ended.
    OverBytes(u64),
}

pub(super) fn push_footer(html: &mut String, text: &str) {
    html.push_str("<div class=\"firesteel-foot\">");
    push_prose(html, text);
    html.push_str("</div>");
}

/// `1,000 rows shown, 1,001 fetched, there are more; `%limit rows 10000` shows more · 52.1 kB · 0.42 s`.
/// `most` is the size a table is cut at.
pub(super) fn footer_text(shown: u64, most: u64, facts: &Facts) -> String {
    let fetched = count(facts.rows);
    let rows = match facts.remaining {
        Remaining::Nothing | Remaining::NotShown if shown >= facts.rows => rows(shown),
        Remaining::Nothing => format!(
            "{} of {} shown: a table is cut at {}; fewer columns or a `WHERE` show the rest",
            count(shown),
            rows(facts.rows),
            bytes(most)
        ),
        Remaining::NotShown => format!(
            "{} of {} shown; `%limit rows {}` shows more",
            count(shown),
            rows(facts.rows),
            shown.max(100).saturating_mul(10)
        ),
        Remaining::OverRows => {
            let there = match facts.there {
                Some(there) => format!(
                    "{} of {} shown, {fetched} fetched",
                    count(shown),
                    rows(there)
                ),
                None => format!("{} shown, {fetched} fetched, there are more", rows(shown)),
            };
            let more = shown.max(100).saturating_mul(10);
            format!("{there}; `%limit rows {more}` shows more")
        }
        Remaining::OverBytes(limit) => format!(
            "{} shown, {fetched} fetched up to the limit of {}, there are more; {}",
            rows(shown),
            bytes(limit),
            more_bytes(limit)
        ),
    };
    format!("{rows} · {} · {}", bytes(facts.bytes), cost(facts))
}

/// How to get what a limit of bytes kept back.
fn more_bytes(limit: u64) -> String {
    const MEGABYTE: u64 = 1_000_000;
    match limit.saturating_mul(4) / MEGABYTE {
        megabytes @ 1..=2_000 => {
            format!("`%limit bytes {megabytes}MB` fetches more, fewer columns or a `WHERE` too")
        }
        0 => "`%limit bytes 1MB` fetches more".to_owned(),
        _ => "fewer columns or a `WHERE` fetch the rest, and a table in Spark holds all".to_owned(),
    }
}

/// What it took: `0.42 s · 3.1 MB read`.
pub(super) fn cost(facts: &Facts) -> String {
    match facts.bytes_read {
        None | Some(0) => seconds(facts.elapsed),
        Some(read) => format!("{} · {} read", seconds(facts.elapsed), bytes(read)),
    }
}

/// `1 row`, `1,000 rows`.
pub(crate) fn rows(number: u64) -> String {
    match number {
        1 => "1 row".to_owned(),
        number => format!("{} rows", count(number)),
    }
}

/// A number with a comma between thousands.
pub(crate) fn count(number: u64) -> String {
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

/// The same to a tenth: `0.1 s`, `31.4 s`, `2 min 5 s`.
pub(super) fn tenths(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        _ => seconds(time),
    }
}

/// A size as people say it, in powers of ten: `512 bytes`, `3.1 MB`.
pub(crate) fn bytes(number: u64) -> String {
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
        use Remaining::{NotShown, Nothing, OverBytes, OverRows};
        let cases = [
            (0, 0, Nothing, None, "0 rows · 0 bytes"),
            (1, 1, Nothing, Some(0), "1 row · 8 bytes"),
            (1000, 1000, Nothing, None, "1,000 rows · 8.0 kB"),
            (
                1000,
                336_776,
                Nothing,
                Some(3_141_592),
                "1,000 of 336,776 rows shown: a table is cut at 16.0 MB; fewer columns or a `WHERE` show the rest · 2.7 MB",
            ),
            (
                1000,
                336_776,
                NotShown,
                None,
                "1,000 of 336,776 rows shown; `%limit rows 10000` shows more · 2.7 MB",
            ),
            (
                1000,
                1001,
                OverRows,
                None,
                "1,000 rows shown, 1,001 fetched, there are more; `%limit rows 10000` shows more · 8.0 kB",
            ),
            (
                1,
                2,
                OverRows,
                None,
                "1 row shown, 2 fetched, there are more; `%limit rows 1000` shows more · 16 bytes",
            ),
            (
                812,
                812,
                OverBytes(64_000_000),
                None,
                "812 rows shown, 812 fetched up to the limit of 64.0 MB, there are more; `%limit bytes 256MB` fetches more, fewer columns or a `WHERE` too · 6.5 kB",
            ),
            (
                0,
                0,
                OverBytes(7),
                None,
                "0 rows shown, 0 fetched up to the limit of 7 bytes, there are more; `%limit bytes 1MB` fetches more · 0 bytes",
            ),
            (
                9,
                9,
                OverBytes(2_000_000_000),
                None,
                "9 rows shown, 9 fetched up to the limit of 2.0 GB, there are more; fewer columns or a `WHERE` fetch the rest, and a table in Spark holds all · 72 bytes",
            ),
        ];
        for (shown, rows, remaining, bytes_read, expected) in cases {
            let facts = Facts {
                remaining,
                rows,
                there: None,
                bytes: rows * 8,
                elapsed: Duration::from_millis(420),
                bytes_read,
            };
            let read = match bytes_read {
                None | Some(0) => "",
                Some(_) => " · 3.1 MB read",
            };
            let expected = format!("{expected} · 0.42 s{read}");
            assert_eq!(footer_text(shown, 16_000_000, &facts), expected);
        }
        let sorted = Facts {
            remaining: OverRows,
            rows: 1001,
            there: Some(336_776),
            bytes: 8008,
            elapsed: Duration::from_millis(420),
            bytes_read: None,
        };
        assert_eq!(
            footer_text(1000, 16_000_000, &sorted),
            "1,000 of 336,776 rows shown, 1,001 fetched; `%limit rows 10000` shows more · 8.0 kB · 0.42 s"
        );
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
