use super::*;
use crate::chart::plan::Bars;

const ROWS: usize = 1000;

fn facts(name: &str, kind: Option<Kind>, distinct: Option<usize>) -> Facts {
    Facts {
        name: name.to_owned(),
        type_name: kind.map_or_else(|| "array<int>".to_owned(), |kind| format!("{kind:?}")),
        kind,
        filled: true,
        distinct,
    }
}

/// Columns by a letter each: `n` and `m` are numbers, `c` and `d` names that come again, `u` names
/// that do not, `t` a time, `a` an array, `e` an empty number.
fn columns(letters: &str) -> Vec<Facts> {
    letters
        .chars()
        .map(|letter| {
            let name = letter.to_string();
            match letter {
                'n' | 'm' => facts(&name, Some(Kind::Fraction), None),
                'c' | 'd' => facts(&name, Some(Kind::Text), Some(5)),
                'u' => facts(&name, Some(Kind::Text), Some(ROWS)),
                't' => facts(&name, Some(Kind::Time), None),
                'a' => facts(&name, None, None),
                'e' => Facts {
                    filled: false,
                    ..facts(&name, Some(Kind::Whole), None)
                },
                other => facts(&format!("the {other}"), Some(Kind::Whole), None),
            }
        })
        .collect()
}

/// A plan in one line: what is drawn of which columns, by their letters.
fn said(letters: &str, plan: Plan) -> String {
    let all: Vec<char> = letters.chars().collect();
    let column = |number: usize| all[number].to_string();
    let measure = |measure: Measure| match measure {
        Measure::Rows => "count".to_owned(),
        Measure::Of(None, number) => column(number),
        Measure::Of(Some(function), number) => format!("{}({})", function.name(), column(number)),
    };
    let color =
        |color: Option<usize>| color.map_or_else(String::new, |c| format!(" in {}", column(c)));
    match plan {
        Plan::Bars(p) => {
            let kind = if p.ranges { "hist" } else { "bar" };
            format!(
                "{kind} {} by {}{}",
                measure(p.measure),
                column(p.along),
                color(p.color)
            )
        }
        Plan::Lines(p) => {
            let kind = if p.filled { "area" } else { "line" };
            format!(
                "{kind} {} by {}{}",
                measure(p.measure),
                column(p.along),
                color(p.color)
            )
        }
        Plan::Scatter(p) => format!(
            "scatter {} by {}{}",
            column(p.y),
            column(p.x),
            color(p.color)
        ),
        Plan::Tiles(p) => format!(
            "heatmap {} by {} {}",
            measure(p.measure),
            column(p.x),
            column(p.y)
        ),
    }
}

/// Reads `bar x=c y=n` as `%chart` does.
fn request(text: &str) -> ChartRequest {
    let Ok(pieces) = crate::cell::parse(&format!("%chart {text}")) else {
        panic!("{text} is no request");
    };
    match pieces.as_slice() {
        [crate::cell::Piece::Magic(crate::cell::Magic::Chart(request))] => (**request).clone(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_chart_is_chosen_by_the_types_of_the_columns_and_what_is_asked() {
    let cases = [
        // What the types alone ask for.
        ("tn", "", "line n by t"),
        ("nt", "", "line n by t"),
        ("tcn", "", "line n by t in c"),
        ("tun", "", "line n by t"),
        ("t", "", "line count by t"),
        ("cn", "", "bar n by c"),
        ("nmc", "", "bar n by c"),
        ("c", "", "bar count by c"),
        ("u", "", "bar count by u"),
        ("ucn", "", "bar n by u"),
        ("cdn", "", "heatmap n by c d"),
        ("cd", "", "heatmap count by c d"),
        ("nm", "", "scatter m by n"),
        ("n", "", "hist count by n"),
        ("an", "", "hist count by n"),
        ("en", "", "hist count by n"),
        // A mark alone.
        ("cn", "hist", "hist count by n"),
        ("tn", "bar", "bar n by t"),
        ("nm", "line", "line m by n"),
        ("tn", "area", "area n by t"),
        ("cnm", "scatter", "scatter m by n in c"),
        ("tn", "scatter", "scatter t by n"),
        ("cn", "heatmap", "heatmap count by c n"),
        ("n", "bar", "bar count by n"),
        // Columns alone.
        ("cn", "x=n", "hist count by n"),
        ("cdn", "x=d", "bar n by d"),
        ("cdn", "x=c y=d", "heatmap n by c d"),
        ("cn", "y=c", "bar n by c"),
        ("cn", "x=n y=c", "bar n by c"),
        ("cn", "x=sum(n) y=c", "bar sum(n) by c"),
        ("nm", "x=m y=n", "scatter n by m"),
        ("nm", "x=m y=mean(n)", "bar mean(n) by m"),
        ("nm", "x=n y=count", "bar count by n"),
        ("tnm", "y=m", "line m by t"),
        ("cn", "y=count", "bar count by c"),
        ("cn", "y=count(*)", "bar count by c"),
        ("cn", "y=COUNT(n)", "bar count(n) by c"),
        ("cn", "y=avg(n)", "bar mean(n) by c"),
        ("cn", "y=max( `n` )", "bar max(n) by c"),
        ("cdn", "color=d", "bar n by c in d"),
        ("tcn", "color=c y=sum(n)", "line sum(n) by t in c"),
        ("tcn", "y=n", "line n by t"),
        ("tucn", "", "line n by t in c"),
        ("n", "y=n", "hist count by n"),
        ("n", "y=count", "hist count by n"),
        ("c", "color=c", "bar count by c"),
        // Both.
        ("tcn", "bar x=c", "bar n by c"),
        ("tnm", "hist x=t", "hist count by t"),
        ("cdnm", "heatmap color=max(m)", "heatmap max(m) by c d"),
        ("cdn", "heatmap color=count", "heatmap count by c d"),
        ("cdn", "bar color=d", "bar n by c in d"),
        ("nc", "hist color=c", "hist count by n in c"),
        ("cn", "x=C", "bar n by c"),
    ];
    for (letters, asked, expected) in cases {
        let plan = decide(&columns(letters), ROWS, &request(asked));
        let plan = plan.map(|plan| said(letters, plan));
        assert_eq!(plan, Ok(expected.to_owned()), "{letters} {asked}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_in_words() {
    let cases = [
        (
            "a",
            "",
            "There is nothing to draw: no column holds numbers, texts, dates or times. `a` is array<int>.",
        ),
        (
            "e",
            "",
            "There is nothing to draw: `e` has no value that is there and finite.",
        ),
        (
            "cn",
            "x=k",
            "The result has no column `k`. Did you mean `c`?",
        ),
        (
            "cn",
            "y=carrier",
            "The result has no column `carrier`. It has `c`, `n`.",
        ),
        (
            "cn",
            "y=median(n)",
            "`median` puts no rows together in a chart: `count`, `sum`, `mean`, `min` and `max` do. Another one is for the SELECT, with GROUP BY.",
        ),
        (
            "cn",
            "y=sum(c)",
            "Such a chart needs a number to put together; `c` is Text.",
        ),
        (
            "an",
            "x=a",
            "`a` is array<int>: numbers, texts, booleans, dates and timestamps are drawn. Take what you need out of it, or CAST it, in the SELECT.",
        ),
        (
            "en",
            "x=e",
            "There is nothing to draw: `e` has no value that is there and finite.",
        ),
        (
            "cn",
            "line",
            "A line needs a time or a number along x; the result has no time, and no number besides the one upwards. `%chart bar` draws what has names.",
        ),
        (
            "cn",
            "line x=c",
            "A line needs a time or a number along x; `c` is Text. `%chart bar` draws it.",
        ),
        (
            "cn",
            "scatter",
            "A scatter plot needs two columns of numbers or times; the result has none that is not used already.",
        ),
        (
            "cn",
            "scatter x=c",
            "A scatter plot needs two columns of numbers or times; `c` is Text. `%chart bar` draws it.",
        ),
        (
            "nm",
            "scatter y=sum(n)",
            "A scatter plot needs two columns of numbers or times; it shows each row, and a function puts rows together. `%chart bar` and `%chart line` draw functions.",
        ),
        (
            "cn",
            "hist x=c",
            "A histogram needs a number or a time; `c` is Text. `%chart bar` counts it.",
        ),
        (
            "c",
            "hist",
            "A histogram needs a number or a time; the result has none that is not used already.",
        ),
        (
            "nm",
            "hist x=n y=m",
            "A histogram needs a number or a time; it counts the values of one column. `%chart bar` draws two.",
        ),
        (
            "cn",
            "bar color=n",
            "`color=` needs a column of texts or booleans; `n` is Fraction. A number of few values becomes one by CAST(… AS STRING) in the SELECT.",
        ),
        (
            "tc",
            "line y=c",
            "A line needs a number upwards; `c` is Text. `y=count` counts rows.",
        ),
        (
            "nm",
            "bar x=sum(n)",
            "A bar chart needs a column along its bars; a function of `n` is none. Functions are for `y=`.",
        ),
        (
            "n",
            "heatmap",
            "A heat map needs two columns, one for each side; the result has none that is not used already.",
        ),
    ];
    for (letters, asked, expected) in cases {
        let refusal = decide(&columns(letters), ROWS, &request(asked)).unwrap_err();
        assert_eq!(refusal.to_string(), expected, "{letters} {asked}");
    }
}

#[test]
fn a_column_that_is_called_like_a_call_or_like_count_is_the_column() {
    let named = |name: &str| {
        vec![
            facts("carrier", Some(Kind::Text), Some(5)),
            facts(name, Some(Kind::Fraction), None),
        ]
    };
    for name in ["avg(delay)", "count", "count(1)", "sum(a, b)"] {
        let asked = request(&format!("y='{name}'"));
        let plan = decide(&named(name), ROWS, &asked);
        let expected = Bars {
            along: 0,
            measure: Measure::Of(None, 1),
            color: None,
            ranges: false,
        };
        assert_eq!(plan, Ok(Plan::Bars(expected)), "{name}");
    }
    // In another case only where no other is meant.
    let alike = [
        facts("Delay", Some(Kind::Fraction), None),
        facts("DELAY", Some(Kind::Fraction), None),
    ];
    assert!(decide(&alike, ROWS, &request("x=delay")).is_err());
    assert!(decide(&alike, ROWS, &request("x=DELAY")).is_ok());
}
