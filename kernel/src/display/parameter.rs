//! How the value of a parameter looks.

use chrono::{Days, NaiveDate};
use firesteel_session::engine::Argument;

/// `:year = 2013 (INT)`.
pub fn parameter(name: &str, value: &Argument) -> String {
    let (text, of) = match value {
        Argument::Null => return format!(":{name} = NULL"),
        Argument::Boolean(value) => (value.to_string(), "BOOLEAN"),
        Argument::Integer(value) => (value.to_string(), "INT"),
        Argument::Long(value) => (value.to_string(), "BIGINT"),
        Argument::Decimal(digits) => (digits.clone(), "DECIMAL"),
        Argument::Double(value) => (format!("{value:?}"), "DOUBLE"),
        Argument::String(text) => (format!("'{}'", text.replace('\'', "''")), "STRING"),
        Argument::Date(days) => (day(*days), "DATE"),
    };
    format!(":{name} = {text} ({of})")
}

fn day(days: i32) -> String {
    let span = Days::new(days.unsigned_abs().into());
    let epoch = NaiveDate::default();
    let day = match days {
        0.. => epoch.checked_add_days(span),
        _ => epoch.checked_sub_days(span),
    };
    day.map_or_else(|| format!("day {days}"), |day| day.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_with_its_type() {
        let text = |text: &str| Argument::String(text.to_owned());
        for (value, expected) in [
            (Argument::Null, ":x = NULL"),
            (Argument::Boolean(true), ":x = true (BOOLEAN)"),
            (Argument::Integer(-1), ":x = -1 (INT)"),
            (Argument::Long(1 << 40), ":x = 1099511627776 (BIGINT)"),
            (Argument::Decimal("1.50".to_owned()), ":x = 1.50 (DECIMAL)"),
            (Argument::Double(1000.0), ":x = 1000.0 (DOUBLE)"),
            (text("it's"), ":x = 'it''s' (STRING)"),
            (Argument::Date(15_736), ":x = 2013-01-31 (DATE)"),
            (Argument::Date(-1), ":x = 1969-12-31 (DATE)"),
        ] {
            assert_eq!(parameter("x", &value), expected);
        }
    }
}
