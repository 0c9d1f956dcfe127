use firesteel_launcher::rehearsal::Made;
use jupyter_protocol::MediaType;

use super::super::text::width;
use super::folded::WIDTH;
use super::*;

fn finding(verdict: Verdict, found: &str, remedy: Option<&str>) -> Finding {
    Finding {
        name: "quota",
        verdict,
        found: found.to_owned(),
        remedy: remedy.map(str::to_owned),
    }
}

fn start(findings: Vec<Finding>) -> Rehearsal {
    Rehearsal {
        profile: "big".to_owned(),
        user: "ada".to_owned(),
        place: "in namespace `sparks` of a cluster".to_owned(),
        findings,
        conf: [
            ("spark.app.name", "firesteel big"),
            ("spark.executor.cores", "4"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        made: vec![Made {
            title: "Job firesteel-1".to_owned(),
            text: "kind: Job\nmetadata:\n  name: firesteel-1\n".to_owned(),
        }],
    }
}

fn shown(rehearsed: &Rehearsal) -> (String, String) {
    let mut of = (String::new(), String::new());
    for content in rehearsal(rehearsed).content {
        match content {
            MediaType::Html(html) => of.0 = html,
            MediaType::Plain(text) => of.1 = text,
            other => panic!("{other:?}"),
        }
    }
    of
}

#[test]
fn what_is_in_the_way_is_said_first_and_all_of_it_is_there() {
    let (html, text) = shown(&start(vec![
        finding(
            Verdict::Bad,
            "Quota `small` has no room",
            Some("Ask for `more`."),
        ),
        finding(Verdict::Untried, "You may not list nodes", None),
        finding(Verdict::Good, "The rest is fine", None),
    ]));
    assert_eq!(
        text,
        "A driver of profile `big` for `ada` in namespace `sparks` of a cluster
Nothing was made. 1 thing is in its way. 1 thing could not be looked at.

BAD   quota         Quota `small` has no room
                    → Ask for `more`.
-     quota         You may not list nodes
ok    quota         The rest is fine

Spark's settings: 2
    spark.app.name = firesteel big
    spark.executor.cores = 4

Job firesteel-1
    kind: Job
    metadata:
      name: firesteel-1"
    );
    assert!(
        html.contains(
            "<ul><li><mark>✗ quota</mark> Quota <code>small</code> has no room<br>→ Ask for \
             <code>more</code>.</li><li><b>? quota</b> You may not list nodes</li></ul>\
             <details><summary>As it should be: 1</summary><ul>"
        ),
        "{html}"
    );
    assert!(
        html.contains("<details><summary>Job firesteel-1</summary><div class=")
            && html.contains("<pre>kind: Job\n"),
        "{html}"
    );
}

#[test]
fn how_it_stands_is_said_in_a_sentence() {
    for (verdicts, words) in [
        (vec![Verdict::Good], "Nothing would refuse it."),
        (vec![Verdict::Poor], "Nothing would refuse it."),
        (
            vec![Verdict::Untried, Verdict::Untried],
            "Nothing that is known would refuse it. 2 things could not be looked at.",
        ),
        (vec![Verdict::Bad, Verdict::Bad], "2 things are in its way."),
    ] {
        let findings = verdicts
            .into_iter()
            .map(|verdict| finding(verdict, "x", None));
        let said = standing(&start(findings.collect()));
        assert!(said.ends_with(words), "{said}");
    }
}

#[test]
fn nothing_hostile_becomes_an_element_or_an_order_to_a_terminal() {
    let evil = "</pre></details><img src=x onerror=alert(1)>`<b>`\u{1b}[31m\u{202e}\"'&";
    let mut rehearsed = start(vec![
        finding(Verdict::Bad, evil, Some(evil)),
        finding(Verdict::Good, evil, None),
    ]);
    rehearsed.user = evil.to_owned();
    rehearsed.place = evil.to_owned();
    rehearsed.conf.insert(evil.to_owned(), format!("{evil}\nx"));
    rehearsed.made.push(Made {
        title: evil.to_owned(),
        text: format!("{evil}\r\n\u{7}{}", "x".repeat(300)),
    });
    let (html, text) = shown(&rehearsed);
    assert!(
        !html.contains("<img") && !html.contains("<b>`") && !html.contains('\u{1b}'),
        "{html}"
    );
    assert!(html.contains("&lt;img"), "{html}");
    assert_eq!(
        html.matches("<details>").count(),
        html.matches("</details>").count()
    );
    for c in text.chars().filter(|c| *c != '\n') {
        assert!(!c.is_control() && c != '\u{202e}', "{c:?} in {text}");
    }
    let widest = text.lines().map(width).max();
    assert!(widest <= Some(WIDTH), "{widest:?}");
}
