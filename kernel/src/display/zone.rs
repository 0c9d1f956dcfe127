//! The time zone of a session.

use std::borrow::Cow;

use arrow::datatypes::DataType;
use chrono::{DateTime, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

use super::time::civil_from_days;

/// The zone that instants are shown in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rule: Rule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Region(Tz),
    /// Seconds east of Greenwich.
    Fixed(i64),
}

/// `chrono-tz` knows the changes of clocks up to the year 2100 only; Spark goes on by rule. The
/// changes of a later year are those of the year from here on with the same calendar.
const CYCLE: std::ops::Range<i64> = 2072..2100;

impl Zone {
    /// The zone with this name, as `spark.sql.session.timeZone` holds it: a region
    /// (`Europe/Berlin`), or an offset (`+02:00`, `GMT+8`, `Z`). `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        // UTC is a region too, but its clocks are never changed.
        let rule = match fixed(name) {
            Some(offset) => Rule::Fixed(offset),
            None => Rule::Region(name.parse().ok()?),
        };
        Some(Self {
            name: name.to_owned(),
            rule,
        })
    }

    /// The zone that a column's instants are shown in: the one Spark names in the result, which was
    /// the session's when the statement ran, or `otherwise` where it is not known. `None` where the
    /// column holds no instants.
    pub(crate) fn of<'a>(data_type: &DataType, otherwise: &'a Self) -> Option<Cow<'a, Self>> {
        let DataType::Timestamp(_, Some(name)) = data_type else {
            return None;
        };
        Some(match Self::parse(name) {
            Some(zone) => Cow::Owned(zone),
            None => Cow::Borrowed(otherwise),
        })
    }

    /// Universal time.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            rule: Rule::Fixed(0),
        }
    }

    /// The name it was made from.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the zone's clocks show at an instant, given in seconds since 1970: `14:05 UTC`.
    pub fn clock(&self, seconds: i64) -> String {
        let minutes = (seconds + self.offset(seconds)).div_euclid(60);
        let (hour, minute) = (
            minutes.div_euclid(60).rem_euclid(24),
            minutes.rem_euclid(60),
        );
        format!("{hour:02}:{minute:02} {}", self.name)
    }

    /// Seconds that the zone's clocks are ahead of universal time at an instant, given in seconds
    /// since 1970.
    pub(crate) fn offset(&self, seconds: i64) -> i64 {
        let region = match self.rule {
            Rule::Fixed(offset) => return offset,
            Rule::Region(region) => region,
        };
        let known = DateTime::from_timestamp(in_known_year(seconds), 0).unwrap_or_default();
        let offset = region.offset_from_utc_datetime(&known.naive_utc());
        i64::from(offset.fix().local_minus_utc())
    }

    /// Whether its clocks are never changed.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.rule, Rule::Fixed(_))
    }

    /// The offsets that hold from one instant to another, both in seconds since 1970: each with the
    /// second from which it holds, the first before them all.
    pub(crate) fn offsets(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        // No zone changes its clocks twice within this time and ends where it began.
        const STEP: i64 = 7 * 86_400;
        let mut offsets = vec![(i64::MIN, self.offset(from))];
        if self.is_fixed() {
            return offsets;
        }
        let mut at = from;
        while at < to {
            let next = at.saturating_add(STEP).min(to);
            let (before, after) = (self.offset(at), self.offset(next));
            if before != after {
                let (mut low, mut high) = (at, next);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    match self.offset(middle) == before {
                        true => low = middle,
                        false => high = middle,
                    }
                }
                offsets.push((high, after));
            }
            at = next;
        }
        offsets
    }
}

fn fixed(name: &str) -> Option<i64> {
    let offset = ["UTC", "GMT", "UT"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    if offset.is_empty() || offset == "Z" {
        return Some(0);
    }
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let mut parts = digits.split(':').map(str::parse::<i64>);
    let hours = parts.next()?.ok()?;
    let minutes = parts.next().unwrap_or(Ok(0)).ok()?;
    let seconds = parts.next().unwrap_or(Ok(0)).ok()?;
    let right = hours <= 18 && minutes < 60 && seconds < 60 && parts.next().is_none();
    right.then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

fn in_known_year(seconds: i64) -> i64 {
    let day = seconds.div_euclid(86_400);
    let (year, ..) = civil_from_days(day);
    if year < CYCLE.end {
        // Long before the first change there is nothing but local mean time.
        return seconds.max(-62_135_596_800);
    }
    let first_day = |year: i64| {
        let year = i32::try_from(year).ok()?;
        let date = NaiveDate::from_ymd_opt(year, 1, 1)?;
        Some(i64::from(date.to_epoch_days()))
    };
    // The calendar repeats after 400 years, so that year 2100 and later have one in 2400..2800.
    let same = 2400 + year.rem_euclid(400);
    let shape = |year| {
        Some((
            first_day(year)?.rem_euclid(7),
            first_day(year + 1)? - first_day(year)?,
        ))
    };
    let twin = CYCLE.clone().find(|twin| shape(*twin) == shape(same));
    let moved = twin.and_then(|twin| {
        let day_of_year = day - days_before(year);
        Some((first_day(twin)? + day_of_year) * 86_400 + seconds.rem_euclid(86_400))
    });
    moved.unwrap_or(seconds)
}

/// Days from 1970-01-01 to the first of January of `year`.
fn days_before(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_as_spark_names_them() {
        let cases = [
            ("UTC", Some(0)),
            ("Z", Some(0)),
            ("+02:00", Some(7200)),
            ("-03:30", Some(-12_600)),
            ("GMT+8", Some(28_800)),
            ("UTC-01:00", Some(-3600)),
            ("Asia/Kolkata", Some(19_800)),
            ("+19:00", None),
            ("Mars/Olympus", None),
            ("", Some(0)),
        ];
        for (name, expected) in cases {
            assert_eq!(
                Zone::parse(name).map(|zone| zone.offset(0)),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn the_offsets_of_a_time_are_those_of_each_of_its_instants() {
        let year = 1_700_000_000..1_731_536_000;
        for (name, changes) in [
            ("Europe/Berlin", 2),
            ("Africa/Casablanca", 2),
            ("+05:30", 0),
        ] {
            let zone = Zone::parse(name).unwrap();
            let offsets = zone.offsets(year.start, year.end);
            assert_eq!(offsets.len(), changes + 1, "{name}: {offsets:?}");
            for second in year.clone().step_by(1799) {
                let held = offsets.iter().rfind(|(from, _)| *from <= second).unwrap();
                assert_eq!(held.1, zone.offset(second), "{name} at {second}");
            }
        }
    }

    #[test]
    fn summer_time_goes_on_for_ever() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let noon = |year, month| {
            NaiveDate::from_ymd_opt(year, month, 1)
                .unwrap()
                .and_hms_opt(12, 0, 0)
                .unwrap()
                .and_utc()
                .timestamp()
        };
        let cases = [
            (1800, 7, 3208),
            (2024, 7, 7200),
            (2024, 1, 3600),
            (2099, 7, 7200),
            (2100, 7, 7200),
            (2150, 7, 7200),
            (9999, 1, 3600),
            (9999, 7, 7200),
            (-9999, 7, 3208),
        ];
        for (year, month, offset) in cases {
            assert_eq!(berlin.offset(noon(year, month)), offset, "{year}-{month}");
        }
        assert_eq!(berlin.offset(i64::MAX / 1_000_000), 3600);
        assert_eq!(berlin.offset(i64::MIN / 1_000_000), 3208);
    }
}
