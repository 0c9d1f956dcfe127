//! What `%chart` is asked for.

/// A chart as it is asked for. What is not said is chosen by what the result holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChartRequest {
    /// The name of the kept result; the last one where none is given.
    pub of: Option<String>,
    /// What is drawn.
    pub mark: Option<Mark>,
    /// The column from left to right.
    pub x: Option<String>,
    /// The column upwards, or what is made of one: `sum(delay)`, `count`.
    pub y: Option<String>,
    /// The column that colours tell apart; of a heat map what they measure.
    pub color: Option<String>,
}

/// What a chart is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Bars.
    Bar,
    /// Lines.
    Line,
    /// Filled lines.
    Area,
    /// A point for each row.
    Scatter,
    /// How many values lie in each of several ranges.
    Hist,
    /// Fields as dark as they hold much.
    Heatmap,
}

/// The marks and what they are called.
pub(crate) const MARKS: [(&str, Mark); 6] = [
    ("bar", Mark::Bar),
    ("line", Mark::Line),
    ("area", Mark::Area),
    ("scatter", Mark::Scatter),
    ("hist", Mark::Hist),
    ("heatmap", Mark::Heatmap),
];

/// What is given a column.
const CHANNELS: [&str; 3] = ["x=", "y=", "color="];

const EXPECTED: &str = "give it the name of a kept result, `bar`, `line`, `area`, `scatter`, `hist` or `heatmap`, and columns as `x=…`, `y=…`, `color=…`, each once or not at all";

const OPEN: &str = "close the quotes around a column's name";

const NO_COLUMN: &str = "write a column behind `=`, in backticks where it holds blanks";

/// Reads what stands behind `%chart`.
pub(super) fn read(text: &str) -> Result<ChartRequest, &'static str> {
    let mut request = ChartRequest::default();
    for word in words(text)? {
        let (slot, value) = match word.split_once('=') {
            Some(("x", value)) => (&mut request.x, value),
            Some(("y", value)) => (&mut request.y, value),
            Some(("color" | "colour", value)) => (&mut request.color, value),
            Some(_) => return Err(EXPECTED),
            None => {
                let mark = MARKS.iter().find(|(name, _)| *name == word);
                match mark {
                    Some((_, mark)) if request.mark.is_none() => request.mark = Some(*mark),
                    None if request.of.is_none() && is_name(word) => {
                        request.of = Some(word.to_owned());
                    }
                    _ => return Err(EXPECTED),
                }
                continue;
            }
        };
        if slot.is_some() {
            return Err(EXPECTED);
        }
        let value = unquoted(value);
        if value.is_empty() {
            return Err(NO_COLUMN);
        }
        *slot = Some(value);
    }
    Ok(request)
}

/// What could stand behind `%chart`, but for the names of results.
pub(super) fn charts() -> impl Iterator<Item = &'static str> {
    MARKS.iter().map(|(name, _)| *name).chain(CHANNELS)
}

fn is_name(word: &str) -> bool {
    !word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The words of a text; blanks between quotes and within brackets part none.
fn words(text: &str) -> Result<Vec<&str>, &'static str> {
    let mut words = Vec::new();
    let (mut start, mut quote, mut depth) = (None, None, 0u32);
    for (at, ch) in text.char_indices() {
        match (quote, ch) {
            (Some(open), ch) if ch == open => quote = None,
            (Some(_), _) => {}
            (None, '`' | '\'' | '"') => quote = Some(ch),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ch) if ch.is_whitespace() && depth == 0 => {
                words.extend(start.take().map(|from: usize| &text[from..at]));
                continue;
            }
            _ => {}
        }
        start.get_or_insert(at);
    }
    words.extend(start.map(|from| &text[from..]));
    match quote {
        Some(_) => Err(OPEN),
        None => Ok(words),
    }
}

/// A name without the quotes around all of it.
pub(crate) fn unquoted(text: &str) -> String {
    for quote in ['`', '\'', '"'] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            let doubled: String = [quote, quote].iter().collect();
            let single = inner.replace(&doubled, "");
            if !single.contains(quote) {
                return inner.replace(&doubled, &quote.to_string());
            }
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_asked_for_in_any_order() {
        let some = |text: &str| Some(text.to_owned());
        let none = ChartRequest::default();
        let cases = [
            ("", none.clone()),
            (
                "late bar x=carrier y=mean(delay)",
                ChartRequest {
                    of: some("late"),
                    mark: Some(Mark::Bar),
                    x: some("carrier"),
                    y: some("mean(delay)"),
                    color: None,
                },
            ),
            (
                "colour=`dep. time` _ heatmap",
                ChartRequest {
                    of: some("_"),
                    mark: Some(Mark::Heatmap),
                    color: some("dep. time"),
                    ..none.clone()
                },
            ),
            (
                "y='it''s' x=\"a = b\"",
                ChartRequest {
                    x: some("a = b"),
                    y: some("it's"),
                    ..none.clone()
                },
            ),
            (
                "y=sum( `a b` ) x=`a`.`b`",
                ChartRequest {
                    x: some("`a`.`b`"),
                    y: some("sum( `a b` )"),
                    ..none.clone()
                },
            ),
            (
                "y=count(*)",
                ChartRequest {
                    y: some("count(*)"),
                    ..none.clone()
                },
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("x=", NO_COLUMN),
            ("x=``", NO_COLUMN),
            ("x=`a", OPEN),
            ("bar line", EXPECTED),
            ("a b", EXPECTED),
            ("z=1", EXPECTED),
            ("x=a x=b", EXPECTED),
            ("pie-chart", EXPECTED),
            ("1a", EXPECTED),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
