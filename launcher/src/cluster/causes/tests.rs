use super::page::fields_of;
use super::table::SECTIONS;
use super::*;

/// Every cause as what tells it tells it, in words.
fn examples() -> Vec<(Why, Cause)> {
    let mut all = crate::backend::examples();
    all.extend(crate::cluster::trouble::examples());
    all.extend(crate::cluster::executors::examples());
    all.extend(crate::driver::examples());
    all
}

/// Whether a text is a template with its fields filled in.
fn is_of(text: &str, template: &'static str) -> bool {
    let mut rest = text;
    let pieces = template.split('{').enumerate().map(|(place, piece)| {
        let piece = if place == 0 {
            piece
        } else {
            piece.split_once('}').map_or(piece, |(_, after)| after)
        };
        // A field that is empty takes the colon before it along.
        piece.trim_end_matches([':', ' '])
    });
    let there = pieces
        .into_iter()
        .all(|piece| match rest.split_once(piece) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        });
    let is_filled = |name| !text.contains(&format!("{{{name}}}"));
    there && fields_of(template).all(is_filled)
}

#[test]
fn every_cause_of_the_table_has_an_example_and_its_words_come_from_there() {
    let examples = examples();
    for (why, cause) in &examples {
        let row = why.row();
        assert!(is_of(&cause.sentence, row.happens), "{why:?}: {cause}");
        assert!(is_of(&cause.remedy, row.remedy), "{why:?}: {cause}");
        assert_eq!(cause.kind, row.kind, "{why:?}");
        assert!(
            !cause.sentence.ends_with(['.', ':', ' ']),
            "{why:?}: {cause}"
        );
        assert!(cause.remedy.ends_with('.'), "{why:?}: {cause}");
        assert!(!cause.to_string().contains("  "), "{why:?}: {cause}");
    }
    let all = SECTIONS.iter().flat_map(|(_, causes)| *causes);
    let missing: Vec<&Why> = all
        .filter(|why| !examples.iter().any(|(told, _)| told == *why))
        .collect();
    assert!(missing.is_empty(), "no test tells {missing:?}");
}

#[test]
fn what_is_said_is_never_read_for_fields() {
    let cause = Why::NotTaken.cause(&[("said", "{said} {server}")]);
    assert_eq!(
        cause.sentence,
        "The cluster does not take what the profile asks for: {said} {server}"
    );
    let nothing = Why::NotTaken.cause(&[("said", "")]);
    assert_eq!(
        nothing.sentence,
        "The cluster does not take what the profile asks for"
    );
}

#[test]
fn a_refusal_is_one_line_and_not_long() {
    let said = format!(
        "admission webhook \"w\" denied the request: a\n\u{1b}[31m{}",
        "é".repeat(2000)
    );
    let asked = Asked {
        thing: "the driver's pod",
        namespace: "sparks",
        part: Part::Driver,
    };
    let cause = read(&said).unwrap().cause(&asked);
    assert!(
        cause.sentence.contains("let the driver's pod in: a [31mé"),
        "{cause}"
    );
    assert!(cause.sentence.chars().count() < 1000);
    assert!(!cause.sentence.contains(char::is_control));
}

#[test]
fn the_page_is_the_table() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("causes.md");
    let page = page();
    if std::env::var_os("FIRESTEEL_ACCEPT").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == page,
        "launcher/causes.md is not what the table says: FIRESTEEL_ACCEPT=1 writes it"
    );
}
