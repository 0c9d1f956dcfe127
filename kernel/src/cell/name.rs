//! Names of tables and functions, of one or more parts.

/// The parts of a name as it is typed, such as `` sales.`odd name` ``, without their backticks.
/// `None` where the text is no name. More than Spark does, it takes for a bare part: whatever
/// holds no space and no sign that parts or quotes anything.
pub(crate) fn parts(typed: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = typed;
    loop {
        let (part, behind) = match rest.strip_prefix('`') {
            Some(quoted) => closed(quoted)?,
            None => {
                let ends = |ch: char| ch.is_whitespace() || ".,;:()'\"`/\\".contains(ch);
                let end = rest.find(ends).unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None => return behind.is_empty().then_some(parts),
        }
    }
}

/// What stands before the closing backtick, and what behind it. Two of them stand for one.
fn closed(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('`')?;
        part.push_str(before);
        match behind.strip_prefix('`') {
            Some(more) => {
                part.push('`');
                rest = more;
            }
            None => return Some((part, behind)),
        }
    }
}

/// A part of a name as Spark's SQL takes it, whatever is in it.
pub(crate) fn quoted(part: &str) -> String {
    format!("`{}`", part.replace('`', "``"))
}

/// A name as Spark's SQL takes it, whatever is in its parts.
pub(crate) fn in_sql(parts: &[String]) -> String {
    let parts = parts.iter().map(|part| quoted(part));
    parts.collect::<Vec<_>>().join(".")
}

/// A part of a name as one would type it: in backticks where it needs them.
pub(crate) fn part_as_typed(part: &str) -> String {
    let mut chars = part.chars();
    let begins = chars
        .next()
        .is_some_and(|ch| ch.is_ascii_alphabetic() || ch == '_');
    match begins && chars.all(|ch| ch.is_ascii_alphanumeric() || ch == '_') {
        true => part.to_owned(),
        false => quoted(part),
    }
}

/// A name as one would type it.
pub(crate) fn as_typed(parts: &[String]) -> String {
    let parts = parts.iter().map(|part| part_as_typed(part));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cell::{Magic, Piece, parse};

    #[test]
    fn a_name_is_taken_apart_at_its_points() {
        let cases: [(&str, Option<&[&str]>); 18] = [
            ("flights", Some(&["flights"])),
            ("_", Some(&["_"])),
            ("a.b.c", Some(&["a", "b", "c"])),
            ("`a.b`.c", Some(&["a.b", "c"])),
            ("`it``s`", Some(&["it`s"])),
            ("````", Some(&["`"])),
            ("csv.`/data/x y.csv`", Some(&["csv", "/data/x y.csv"])),
            ("2013_flights", Some(&["2013_flights"])),
            ("my-table", Some(&["my-table"])),
            ("größe", Some(&["größe"])),
            ("", None),
            ("``", None),
            ("a.", None),
            (".a", None),
            ("a b", None),
            ("`a", None),
            ("`a`b", None),
            ("a;DROP", None),
        ];
        for (typed, expected) in cases {
            let expected =
                expected.map(|parts| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
            assert_eq!(parts(typed), expected, "{typed}");
        }
    }

    #[test]
    fn describe_takes_one_name() {
        for (source, expected) in [
            ("%describe _", Some(&["_"][..])),
            ("%describe  `my db`.`a``b` ", Some(&["my db", "a`b"])),
            ("%describe", None),
            ("%describe a b", None),
            ("%describe SELECT 1", None),
        ] {
            let read = parse(source).ok().map(|mut pieces| pieces.remove(0));
            let parts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
            let expected = expected.map(|name| Piece::Magic(Magic::Describe(parts(name))));
            assert_eq!(read, expected, "{source}");
        }
    }

    proptest! {
        #[test]
        fn a_name_in_sql_is_read_back(name in prop::collection::vec("\\PC{1,8}", 1..4)) {
            prop_assert_eq!(parts(&in_sql(&name)), Some(name.clone()));
            prop_assert_eq!(parts(&as_typed(&name)), Some(name));
        }
    }
}
