//! How the value of a parameter looks.

use firesteel_session::engine::Argument;

use super::time::{fraction_digits, push_date, push_timestamp};

/// `:year = 2013 (INT)`. Instants are told in universal time.
pub fn parameter(name: &str, value: &Argument) -> String {
    let (text, of) = match value {
        Argument::Null => return format!(":{name} = NULL"),
        Argument::Boolean(value) => (value.to_string(), "BOOLEAN"),
        Argument::Byte(value) => (value.to_string(), "TINYINT"),
        Argument::Short(value) => (value.to_string(), "SMALLINT"),
        Argument::Integer(value) => (value.to_string(), "INT"),
        Argument::Long(value) => (value.to_string(), "BIGINT"),
        Argument::Decimal(digits) => (digits.clone(), "DECIMAL"),
        Argument::Float(value) => (as_in_spark(&format!("{value:?}")), "FLOAT"),
        Argument::Double(value) => (as_in_spark(&format!("{value:?}")), "DOUBLE"),
        Argument::String(text) => (format!("'{}'", text.replace('\'', "''")), "STRING"),
        Argument::Date(days) => (day(*days), "DATE"),
        Argument::Timestamp(micros) => (format!("{} UTC", clock(*micros)), "TIMESTAMP"),
        Argument::TimestampNtz(micros) => (clock(*micros), "TIMESTAMP_NTZ"),
    };
    format!(":{name} = {text} ({of})")
}

/// A floating-point number as Spark writes it.
fn as_in_spark(number: &str) -> String {
    number.replace("inf", "Infinity")
}

fn day(days: i32) -> String {
    let mut text = String::new();
    push_date(&mut text, days.into());
    text
}

fn clock(micros: i64) -> String {
    let mut text = String::new();
    push_timestamp(&mut text, micros, None, fraction_digits(micros));
    text
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
            (Argument::Byte(-128), ":x = -128 (TINYINT)"),
            (Argument::Short(7), ":x = 7 (SMALLINT)"),
            (Argument::Float(0.1), ":x = 0.1 (FLOAT)"),
            (
                Argument::Timestamp(1_500_000),
                ":x = 1970-01-01 00:00:01.500 UTC (TIMESTAMP)",
            ),
            (
                Argument::TimestampNtz(-1),
                ":x = 1969-12-31 23:59:59.999999 (TIMESTAMP_NTZ)",
            ),
            (Argument::Double(1000.0), ":x = 1000.0 (DOUBLE)"),
            (Argument::Double(f64::NAN), ":x = NaN (DOUBLE)"),
            (
                Argument::Double(f64::NEG_INFINITY),
                ":x = -Infinity (DOUBLE)",
            ),
            (text("it's"), ":x = 'it''s' (STRING)"),
            (Argument::Date(15_736), ":x = 2013-01-31 (DATE)"),
            (Argument::Date(-1), ":x = 1969-12-31 (DATE)"),
        ] {
            assert_eq!(parameter("x", &value), expected);
        }
    }
}
