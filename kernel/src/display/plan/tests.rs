use super::*;
use jupyter_protocol::MediaType;

fn forms(media: &Media) -> (String, String) {
    match media.content.as_slice() {
        [MediaType::Html(html), MediaType::Plain(plain)] => (html.clone(), plain.clone()),
        other => panic!("{other:?}"),
    }
}

fn text(explained: &str) -> String {
    forms(&plan(explained)).1
}

#[test]
fn print() {
    for f in std::fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/display/plan/recorded"
    ))
    .unwrap()
    {
        let f = f.unwrap().path();
        println!(
            "##### {}\n{}",
            f.display(),
            text(&std::fs::read_to_string(&f).unwrap())
        );
    }
}
