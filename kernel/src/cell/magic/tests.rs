use super::*;
use crate::cell::{Piece, parse};

#[test]
fn a_sentence_about_a_long_word_is_short() {
    let long = "x".repeat(1_000_000);
    for cell in [
        format!("%{long}"),
        format!("%%{long}\nSELECT 1"),
        format!("%limit {long}"),
        format!("%%sql {long}\nSELECT 1"),
        format!("SELECT 1; %{long}"),
    ] {
        let sentence = parse(&cell).unwrap_err().to_string();
        assert!(sentence.contains("xxx…`"), "{sentence}");
        assert!(sentence.chars().count() < 250, "{sentence}");
    }
}

#[test]
fn a_wrong_magic_says_what_is_right() {
    let cases = [
        (
            "%limt 5",
            1,
            "There is no magic `%limt`. Did you mean `%limit`?",
        ),
        ("%sql", 1, "There is no magic `%sql`. Did you mean `%%sql`?"),
        (
            "%%sqk\nSELECT 1",
            1,
            "There is no magic `%%sqk`. Did you mean `%%sql`?",
        ),
        (
            "%%limit 5",
            1,
            "There is no magic `%%limit`. Did you mean `%limit`?",
        ),
        (
            "SELECT 1;\n%graph",
            2,
            "There is no magic `%graph`. `%lsmagic` lists those there are.",
        ),
        (
            "% 3",
            1,
            "There is no magic `%`. `%lsmagic` lists those there are.",
        ),
        (
            "%limit ten",
            1,
            "`%limit [[rows] N|all] [bytes SIZE]`: give it a number of rows or `all`, or `bytes` and a size up to 2GB such as `200MB`, or nothing, not `ten`.",
        ),
        (
            "%set 2nd 1",
            1,
            "`%set [NAME [VALUE]]`: give it a name of letters, digits and `_`, and a value, not `2nd 1`.",
        ),
        (
            "%limit -1",
            1,
            "`%limit [[rows] N|all] [bytes SIZE]`: give it a number of rows or `all`, or `bytes` and a size up to 2GB such as `200MB`, or nothing, not `-1`.",
        ),
        (
            "%dryrun big small",
            1,
            "`%dryrun [NAME]`: give it one name or nothing, not `big small`.",
        ),
        ("%stop now", 1, "`%stop`: it takes nothing, not `now`."),
        (
            "%keep 2 h",
            1,
            "`%keep [TIME]`: give it a time up to a day such as `2h` or `90m`, `off` or nothing, not `2 h`.",
        ),
        (
            "%logs executor all",
            1,
            "`%logs [executor NUMBER] [LINES]`: give it a number of lines, and before it `executor` and a number, or nothing, not `executor all`.",
        ),
        (
            "%help graph",
            1,
            "`%help [MAGIC]`: give it the name of a magic that `%lsmagic` lists, not `graph`.",
        ),
        (
            "\n%%sql SELECT 1",
            2,
            "`%%sql [-o NAME] [-n ROWS]`: `-o NAME` and `-n ROWS` may stand on the line, and the SQL below it, not `SELECT 1`.",
        ),
        (
            "%%sql -n\nSELECT 1",
            1,
            "`%%sql [-o NAME] [-n ROWS]`: `-n` is followed by a number of rows or `all`, not `-n`.",
        ),
        (
            "%%sql -n 5 -o\nSELECT 1",
            1,
            "`%%sql [-o NAME] [-n ROWS]`: `-o` is followed by a name to keep the result under, not `-n 5 -o`.",
        ),
        (
            "%%sql -o _\nSELECT 1",
            1,
            "`%%sql [-o NAME] [-n ROWS]`: a result is kept under a name of letters, digits and `_`, other than `_`, which is the last result, not `-o _`.",
        ),
        (
            "%%sql -o 2nd\nSELECT 1",
            1,
            "`%%sql [-o NAME] [-n ROWS]`: a result is kept under a name of letters, digits and `_`, other than `_`, which is the last result, not `-o 2nd`.",
        ),
        (
            "%%sql -o a -o b\nSELECT 1",
            1,
            "`%%sql [-o NAME] [-n ROWS]`: `-o NAME` and `-n ROWS` may stand on the line, and the SQL below it, not `-o a -o b`.",
        ),
        (
            "\n%%sql  -o made\nCREATE VIEW v AS SELECT 1",
            2,
            "`%%sql [-o NAME] [-n ROWS]`: `-o` keeps the result of a query, and below the line stands none, not `-o made`.",
        ),
        (
            "%set _ 5",
            1,
            "`%set [NAME [VALUE]]`: `:_` is the last result; give it another name, and a value, not `_ 5`.",
        ),
        (
            "%vars a",
            1,
            "`%vars [drop NAME]`: give it nothing, or `drop` and the name of a kept result, not `a`.",
        ),
        (
            "SELECT 1;\n%%sql",
            2,
            "`%%sql` stands on the first line of a cell.",
        ),
        (
            "SELECT 1; %limit 5",
            1,
            "`%limit` stands on a line of its own.",
        ),
    ];
    for (source, line, message) in cases {
        let error = parse(source).unwrap_err();
        assert_eq!(
            (error.line, error.to_string().as_str()),
            (line, message),
            "{source}"
        );
    }
}

#[test]
fn kept_results_are_listed_and_let_go() {
    for (source, expected) in [
        ("%vars", Magic::Vars),
        ("%vars drop a", Magic::Drop("a".to_owned())),
        ("%vars drop _", Magic::Drop("_".to_owned())),
    ] {
        assert_eq!(parse(source), Ok(vec![Piece::Magic(expected)]), "{source}");
    }
    assert!(parse("%vars drop").is_err());
}

#[test]
fn a_parameter_is_set_to_the_rest_of_the_line() {
    use firesteel_session::engine::Argument;

    let set = |name: &str, value| Magic::Set {
        name: name.to_owned(),
        value,
    };
    let text = |text: &str| Argument::String(text.to_owned());
    for (source, expected) in [
        ("%set", Magic::Values),
        ("%set year", Magic::Unset("year".to_owned())),
        ("%set year 2013", set("year", Argument::Integer(2013))),
        ("%set :year  2013 ", set("year", Argument::Integer(2013))),
        ("%set who 'two  words'", set("who", text("two  words"))),
        ("%set who two  words", set("who", text("two  words"))),
        ("%set who\ttab", set("who", text("tab"))),
    ] {
        assert_eq!(parse(source), Ok(vec![Piece::Magic(expected)]), "{source}");
    }
}

#[test]
fn limits_are_of_rows_or_of_bytes() {
    let rows = |count| Some(Limit::Rows(Rows::AtMost(count)));
    let bytes = |size| Some(Limit::Bytes(size));
    let cases = [
        ("%limit", None),
        ("%limit 5", rows(5)),
        ("%limit all", Some(Limit::Rows(Rows::All))),
        ("%limit rows 0", rows(0)),
        ("%limit rows all", Some(Limit::Rows(Rows::All))),
        ("%limit bytes 1", bytes(1)),
        ("%limit bytes 500kB", bytes(500_000)),
        ("%limit bytes 64 MB", bytes(64_000_000)),
        ("%limit bytes 1gib", bytes(1 << 30)),
        ("%limit bytes 2GB", bytes(2_000_000_000)),
    ];
    for (source, expected) in cases {
        let expected = vec![Piece::Magic(Magic::Limit(expected))];
        assert_eq!(parse(source), Ok(expected), "{source}");
    }
    for wrong in [
        "bytes",
        "bytes all",
        "bytes 0",
        "bytes 3GB",
        "bytes 1.5GB",
        "bytes 99999999999999999999",
        "bytes 18446744073709551615 GB",
        "bytes 5 rows",
        "rows",
        "rows 5 5",
        "lines 5",
    ] {
        let source = format!("%limit {wrong}");
        assert!(parse(&source).is_err(), "{source}");
    }
}

#[test]
fn help_and_list_are_the_table_that_parses() {
    let listed = lsmagic();
    let help_text = help(None);
    for name in listed.split_whitespace() {
        assert!(help_text.contains(name), "{name}");
        if !name.starts_with("%%") {
            let problem = parse(name).err().map(|error| error.problem);
            let lacks = matches!(&problem, Some(Problem::Arguments { got, .. }) if got.is_empty());
            assert!(problem.is_none() || lacks, "{name}");
            let bare = name.trim_start_matches('%');
            assert!(help(Some(bare)).starts_with(name), "{name}");
        }
    }
    assert_eq!(
        listed,
        "%%sql  %chart  %describe  %dryrun  %explain  %help  %keep  %limit  %logs  %lsmagic  %profile  %session  %set  %stop  %tables  %tb  %vars"
    );
}

#[test]
fn magics_read_times_and_executors() {
    let keep = |seconds| Some(Magic::Keep(Some(Duration::from_secs(seconds))));
    let logs = |executor: Option<&str>, lines| {
        Some(Magic::Logs {
            executor: executor.map(str::to_owned),
            lines,
        })
    };
    for (source, expected) in [
        ("%keep", Some(Magic::Keep(None))),
        ("%keep off", keep(0)),
        ("%keep 90s", keep(90)),
        ("%keep 30m", keep(1800)),
        ("%keep 30min", keep(1800)),
        ("%keep 24h", keep(86_400)),
        ("%keep 1d", keep(86_400)),
        ("%keep 25h", None),
        ("%keep 0h", None),
        ("%keep h", None),
        ("%keep 2", None),
        ("%keep 99999999999999999999h", None),
        ("%keep 1h 1h", None),
        ("%logs", logs(None, 50)),
        ("%logs 7", logs(None, 7)),
        ("%logs executor 3", logs(Some("3"), 50)),
        ("%logs executor 3 7", logs(Some("3"), 7)),
        ("%logs executor", None),
        ("%logs 7 executor 3", None),
        ("%logs executor 3 7 7", None),
        ("%tables fli*", Some(Magic::Tables("fli*".to_owned()))),
        (
            "%tables  who   flies ",
            Some(Magic::Tables("who flies".to_owned())),
        ),
        ("%tables", None),
    ] {
        let read = parse(source).ok().map(|mut pieces| pieces.remove(0));
        assert_eq!(read, expected.map(Piece::Magic), "{source}");
    }
}
