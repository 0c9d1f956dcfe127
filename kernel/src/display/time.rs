//! Dates, times and intervals as Spark writes them, for all of its range.

use std::fmt::Write;

use super::zone::Zone;

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Year, month and day of a day, counted from 1970-01-01, in the proleptic Gregorian calendar.
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Years are counted from the first of March of year 0, so that a leap day comes last.
    let since = days + 719_468;
    let era = since.div_euclid(146_097);
    let day_of_era = since.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// A day of the proleptic Gregorian calendar, counted from 1970-01-01.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year.div_euclid(400) * 146_097 + day_of_era - 719_468
}

/// Appends a day, counted from 1970-01-01: `2013-01-31`, `-0044-03-15`, `+10000-01-01`.
pub(super) fn push_date(out: &mut String, days: i64) {
    let (year, month, day) = civil_from_days(days);
    // Writing to a string cannot fail.
    let _ = match year {
        0..=9999 => {
            push_two(out, year / 100);
            push_two(out, year % 100);
            Ok(())
        }
        10_000.. => write!(out, "+{year}"),
        _ => write!(out, "-{:04}", -year),
    };
    for part in [month, day] {
        out.push('-');
        push_two(out, part);
    }
}

/// Digits behind the second that show all of these microseconds: 0, 3 or 6.
pub(super) fn fraction_digits(micros: i64) -> usize {
    match micros.rem_euclid(MICROS_PER_SECOND) {
        0 => 0,
        fraction if fraction % 1_000 == 0 => 3,
        _ => 6,
    }
}

/// Appends microseconds since 1970, shown in `zone` or as they are, with `digits` behind the second.
pub(super) fn push_timestamp(out: &mut String, micros: i64, zone: Option<&Zone>, digits: usize) {
    let mut seconds = micros.div_euclid(MICROS_PER_SECOND);
    if let Some(zone) = zone {
        seconds += zone.offset(seconds);
    }
    push_date(out, seconds.div_euclid(SECONDS_PER_DAY));
    out.push(' ');
    push_clock(out, seconds.rem_euclid(SECONDS_PER_DAY));
    push_fraction(out, micros.rem_euclid(MICROS_PER_SECOND), digits);
}

/// Appends nanoseconds since midnight, without zeros at the end.
pub(super) fn push_time_of_day(out: &mut String, nanos: i64) {
    push_clock(out, nanos / 1_000_000_000);
    push_trimmed(out, nanos % 1_000_000_000, 9);
}

fn push_clock(out: &mut String, seconds: i64) {
    push_two(out, seconds / 3600);
    out.push(':');
    push_two(out, seconds / 60 % 60);
    out.push(':');
    push_two(out, seconds % 60);
}

fn push_fraction(out: &mut String, micros: i64, digits: usize) {
    if digits == 0 {
        return;
    }
    out.push('.');
    push_two(out, micros / 10_000);
    let rest = micros % 10_000;
    if digits <= 3 {
        out.push(digit(rest / 1_000));
    } else {
        push_two(out, rest / 100);
        push_two(out, rest % 100);
    }
}

/// Appends a number from 0 to 99 with two digits.
fn push_two(out: &mut String, number: i64) {
    out.push(digit(number / 10));
    out.push(digit(number % 10));
}

fn digit(number: i64) -> char {
    char::from(b'0' + number.rem_euclid(10) as u8)
}

/// Appends a fraction of so many digits, without zeros at its end.
fn push_trimmed(out: &mut String, fraction: i64, digits: usize) {
    if fraction != 0 {
        let _ = write!(out, ".{fraction:0digits$}");
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// Appends an interval of years and months, `1-2` or `-1-2`.
pub(super) fn push_months(out: &mut String, months: i64) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let _ = write!(out, "{sign}{}-{}", months / 12, months % 12);
}

/// Appends an interval of days and times, `1 02:03:04.5` or `-1 02:03:04.5`.
pub(super) fn push_micros(out: &mut String, micros: i64) {
    let sign = if micros < 0 { "-" } else { "" };
    let whole = micros.unsigned_abs() / MICROS_PER_SECOND.unsigned_abs();
    let (days, seconds) = (whole / 86_400, whole % 86_400);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let _ = write!(
        out,
        "{sign}{days} {hours:02}:{minutes:02}:{:02}",
        seconds % 60
    );
    push_trimmed(out, (micros % MICROS_PER_SECOND).abs(), 6);
}

/// Appends an interval of months, days and nanoseconds as Spark does: `1 years 2 months 3 days
/// 4 hours 5 minutes 6.5 seconds`.
pub(super) fn push_calendar(out: &mut String, months: i32, days: i32, nanos: i64) {
    let start = out.len();
    let seconds = nanos / 1_000_000_000;
    let parts = [
        (i64::from(months / 12), "years"),
        (i64::from(months % 12), "months"),
        (i64::from(days), "days"),
        (seconds / 3600, "hours"),
        (seconds / 60 % 60, "minutes"),
    ];
    for (number, unit) in parts {
        if number != 0 {
            let _ = write!(out, "{number} {unit} ");
        }
    }
    let rest = nanos % 60_000_000_000;
    if rest != 0 || out.len() == start {
        let sign = if rest < 0 { "-" } else { "" };
        let _ = write!(out, "{sign}{}", (rest / 1_000_000_000).abs());
        push_trimmed(out, (rest % 1_000_000_000).abs(), 9);
        out.push_str(" seconds");
    } else {
        out.truncate(out.trim_end().len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn dates_are_right_over_the_whole_range() {
        let cases = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "+10000-01-01"),
            (-719_162, "0001-01-01"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (-4_371_587, "-9999-01-01"),
            (i64::from(i32::MAX), "+5881580-07-11"),
            (i64::from(i32::MIN), "-5877641-06-23"),
        ];
        for (days, expected) in cases {
            assert_eq!(written(|out| push_date(out, days)), expected);
        }
    }

    #[test]
    fn a_day_is_found_by_its_date() {
        for days in (-800_000..3_000_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn instants_are_shown_in_their_zone() {
        let berlin = Zone::parse("Europe/Berlin");
        let cases = [
            (0, None, 0, "1970-01-01 00:00:00"),
            (0, berlin.as_ref(), 0, "1970-01-01 01:00:00"),
            (
                1_720_000_000_120_000,
                berlin.as_ref(),
                3,
                "2024-07-03 11:46:40.120",
            ),
            (-1, None, 6, "1969-12-31 23:59:59.999999"),
            (i64::MAX, None, 0, "+294247-01-10 04:00:54"),
            (i64::MIN, None, 0, "-290308-12-21 19:59:05"),
        ];
        for (micros, zone, digits, expected) in cases {
            let shown = written(|out| push_timestamp(out, micros, zone, digits));
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn intervals_are_written_as_spark_writes_them() {
        assert_eq!(written(|out| push_months(out, 14)), "1-2");
        assert_eq!(written(|out| push_months(out, -14)), "-1-2");
        assert_eq!(
            written(|out| push_micros(out, 93_784_500_000)),
            "1 02:03:04.5"
        );
        assert_eq!(
            written(|out| push_micros(out, -93_784_500_000)),
            "-1 02:03:04.5"
        );
        assert_eq!(
            written(|out| push_micros(out, i64::MIN)),
            "-106751991 04:00:54.775808"
        );
        let cases = [
            (
                (14, 25, 18_367_500_000_000),
                "1 years 2 months 25 days 5 hours 6 minutes 7.5 seconds",
            ),
            ((0, 0, -500_000_000), "-0.5 seconds"),
            ((0, 0, 0), "0 seconds"),
            ((0, 3, 0), "3 days"),
            ((-1, 0, -3_600_000_000_000), "-1 months -1 hours"),
        ];
        for ((months, days, nanos), expected) in cases {
            assert_eq!(
                written(|out| push_calendar(out, months, days, nanos)),
                expected
            );
        }
        assert_eq!(
            written(|out| push_time_of_day(out, 45_296_500_000_000)),
            "12:34:56.5"
        );
    }
}
