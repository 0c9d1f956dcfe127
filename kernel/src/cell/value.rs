//! Values that a person gives to parameters, as literals of Spark SQL.

use chrono::NaiveDate;
use firesteel_session::engine::Argument;

use super::tokens::{Shape, Tokens};

/// The most digits a decimal has in Spark.
const DIGITS: usize = 38;

/// Reads a value as Spark would read the literal: `1`, `1.5`, `1e3`, `true`, `null`, `'text'`,
/// `DATE '2013-01-31'`; and `double('NaN')`, for what has no literal. What is none of these is text
/// as it stands, without the white space around it.
pub fn read_value(text: &str) -> Argument {
    let text = text.trim();
    word(text)
        .or_else(|| number(text))
        .or_else(|| quoted(text).map(Argument::String))
        .or_else(|| date(text))
        .or_else(|| double(text))
        .unwrap_or_else(|| Argument::String(text.to_owned()))
}

fn word(text: &str) -> Option<Argument> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match () {
        () if is("null") => Some(Argument::Null),
        () if is("true") => Some(Argument::Boolean(true)),
        () if is("false") => Some(Argument::Boolean(false)),
        () => None,
    }
}

/// A number by the rules of Spark's literals: whole ones are INT or else BIGINT or else DECIMAL,
/// those with a point DECIMAL, those with an exponent DOUBLE. One that fits none of them is no
/// number.
fn number(text: &str) -> Option<Argument> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    if let Some(exponent) = exponent {
        let bare = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        let finite = |value: &f64| value.is_finite();
        let value = (!bare.is_empty() && is_digits(bare)).then(|| text.parse().ok())?;
        return value.filter(finite).map(Argument::Double);
    }
    let decimal = || {
        let fits = whole.len() + part.len() <= DIGITS;
        let text = text.strip_prefix('+').unwrap_or(text);
        fits.then(|| Argument::Decimal(text.to_owned()))
    };
    if mantissa.contains('.') {
        return decimal();
    }
    let integer = text.parse().map(Argument::Integer).ok();
    integer
        .or_else(|| text.parse().map(Argument::Long).ok())
        .or_else(decimal)
}

/// The text between a pair of quotes that is all there is. A quote in it is doubled, or stands
/// behind a backslash as in Spark.
fn quoted(text: &str) -> Option<String> {
    let mut tokens = Tokens::at(text, 0);
    let only = tokens.next()?.ok()?;
    let alone = only.shape == Shape::Text && only.end == text.len() && tokens.next().is_none();
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    alone.then(|| unescaped(inner, quote))
}

fn unescaped(inner: &str, quote: char) -> String {
    let mut plain = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => plain.extend(rest.next().map(|escaped| match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            })),
            c if c == quote => {
                rest.next();
                plain.push(quote);
            }
            c => plain.push(c),
        }
    }
    plain
}

fn date(text: &str) -> Option<Argument> {
    let (name, rest) = text.split_at_checked(4)?;
    let day = quoted(rest.trim_start()).filter(|_| name.eq_ignore_ascii_case("date"))?;
    let day = NaiveDate::parse_from_str(&day, "%Y-%m-%d").ok()?;
    let days = day.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).ok().map(Argument::Date)
}

fn double(text: &str) -> Option<Argument> {
    let (name, rest) = text.split_at_checked(6)?;
    let inner = rest.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    let value = quoted(inner.trim()).filter(|_| name.eq_ignore_ascii_case("double"))?;
    value.trim().parse().ok().map(Argument::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_type_that_spark_gives_the_literal() {
        let text = |text: &str| Argument::String(text.to_owned());
        let decimal = |digits: &str| Argument::Decimal(digits.to_owned());
        let cases = [
            ("1", Argument::Integer(1)),
            (" -7 ", Argument::Integer(-7)),
            ("+7", Argument::Integer(7)),
            ("2147483647", Argument::Integer(i32::MAX)),
            ("2147483648", Argument::Long(1 << 31)),
            ("-9223372036854775808", Argument::Long(i64::MIN)),
            ("9223372036854775808", decimal("9223372036854775808")),
            (&"9".repeat(38), decimal(&"9".repeat(38))),
            (&"9".repeat(39), text(&"9".repeat(39))),
            ("1.50", decimal("1.50")),
            ("-.5", decimal("-.5")),
            ("1.", decimal("1.")),
            (".", text(".")),
            ("-", text("-")),
            ("1e3", Argument::Double(1000.0)),
            ("-1.5E-1", Argument::Double(-0.15)),
            ("1e999", text("1e999")),
            ("1e", text("1e")),
            ("1_000", text("1_000")),
            ("0x10", text("0x10")),
            ("NaN", text("NaN")),
            ("double('Infinity')", Argument::Double(f64::INFINITY)),
            ("DOUBLE ( '-inf' )", Argument::Double(f64::NEG_INFINITY)),
            ("double('1.5')", Argument::Double(1.5)),
            ("double('x')", text("double('x')")),
            ("double(1)", text("double(1)")),
            ("doubles('1')", text("doubles('1')")),
            ("TRUE", Argument::Boolean(true)),
            ("false", Argument::Boolean(false)),
            ("Null", Argument::Null),
            ("'null'", text("null")),
            ("'it''s'", text("it's")),
            (r"'it\'s'", text("it's")),
            (r"'a\tb'", text("a\tb")),
            (r#""a 'b'""#, text("a 'b'")),
            ("'  two  spaces '", text("  two  spaces ")),
            ("''", text("")),
            ("'a' 'b'", text("'a' 'b'")),
            ("'open", text("'open")),
            ("it's", text("it's")),
            ("United Air Lines", text("United Air Lines")),
            ("1; DROP TABLE t", text("1; DROP TABLE t")),
            ("date '1970-01-02'", Argument::Date(1)),
            ("DATE'1969-12-31'", Argument::Date(-1)),
            ("DATE '2013-02-30'", text("DATE '2013-02-30'")),
            ("2013-02-03", text("2013-02-03")),
            ("größer", text("größer")),
        ];
        for (given, expected) in cases {
            assert_eq!(read_value(given), expected, "{given}");
        }
        let nan = read_value("double('NaN')");
        assert!(matches!(nan, Argument::Double(value) if value.is_nan()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_value(text in "\\PC*") {
            read_value(&text);
        }

        #[test]
        fn a_quoted_text_is_itself(text in "[^\\\\]*") {
            let quoted = format!("'{}'", text.replace('\'', "''"));
            proptest::prop_assert_eq!(read_value(&quoted), Argument::String(text));
        }
    }
}
