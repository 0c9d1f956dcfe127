use tonic::Code;

use super::*;

const ZERO: Duration = Duration::ZERO;
const FIRST: Duration = Duration::from_millis(50);

fn failure(kind: Kind) -> Failure {
    Failure {
        kind,
        code: Code::Unknown,
        message: "said".to_owned(),
        info: None,
        retry_after: None,
    }
}

fn failed(kind: Kind) -> Input {
    Input::Failed(failure(kind))
}

fn response(id: &str) -> Input {
    let id = id.to_owned();
    let complete = id == "end";
    Input::Response { id, complete }
}

fn open(stream: Open, after: Duration) -> Action {
    Action::Open { stream, after }
}

fn reattach(last: &str, after: Duration) -> Action {
    let last = Some(last.to_owned()).filter(|last| !last.is_empty());
    open(Open::Reattach(last), after)
}

fn until(id: &str) -> Action {
    Action::ReleaseUntil(id.to_owned())
}

fn interrupt(after: Duration) -> Action {
    Action::Interrupt { after }
}

fn ending(verdict: Verdict) -> Vec<Action> {
    vec![Action::ReleaseAll, Action::Fail(verdict), Action::Finish]
}

fn ending_in(kind: Kind) -> Vec<Action> {
    ending(Verdict::Failure(failure(kind)))
}

/// An execution on a clock that stands unless it is moved.
struct Bench {
    execution: Execution,
    now: Instant,
}

impl Bench {
    fn new(resend: bool) -> Self {
        let rules = Rules {
            resend,
            retry: Retry::PROMPT,
        };
        let now = Instant::now();
        let (execution, first) = Execution::begin(rules, Moment { now, chance: 0.0 });
        assert_eq!(first, [open(Open::Execute, ZERO)]);
        Self { execution, now }
    }

    fn step(&mut self, input: Input) -> Vec<Action> {
        let moment = Moment {
            now: self.now,
            chance: 0.0,
        };
        self.execution.step(input, moment)
    }
}

type Script = Vec<(Input, Vec<Action>)>;

/// Each case: its name, whether the plan may be sent again, and what follows from what.
fn cases() -> Vec<(&'static str, bool, Script)> {
    let quiet = || vec![Action::Emit];
    let complete = || vec![Action::Emit, Action::ReleaseAll, Action::Finish];
    vec![
        (
            "a result in one stream",
            false,
            vec![
                (response("a"), quiet()),
                (response("end"), complete()),
                (Input::Ended, vec![]),
                (Input::Released, vec![]),
                (Input::Gone, vec![]),
            ],
        ),
        (
            "a stream that ends early is reattached after its last response",
            false,
            vec![
                (response("a"), quiet()),
                (Input::Ended, vec![reattach("a", ZERO)]),
                (response("b"), quiet()),
                (Input::Ended, vec![reattach("b", ZERO)]),
                (response("end"), complete()),
            ],
        ),
        (
            "a response that is repeated after a reattach is dropped",
            false,
            vec![
                (response("a"), quiet()),
                (failed(Kind::Unavailable), vec![reattach("a", FIRST)]),
                (response("a"), vec![]),
                (response("b"), quiet()),
                (response("end"), complete()),
            ],
        ),
        (
            "a broken stream is reattached, and each response makes the budget whole",
            false,
            vec![
                (response("a"), quiet()),
                (failed(Kind::Unavailable), vec![reattach("a", FIRST)]),
                (failed(Kind::Unavailable), vec![reattach("a", FIRST * 4)]),
                (response("b"), quiet()),
                (failed(Kind::CursorDisconnected), vec![reattach("b", FIRST)]),
            ],
        ),
        (
            "a stream that outlived its deadline is reattached",
            false,
            vec![
                (response("a"), quiet()),
                (failed(Kind::Deadline), vec![reattach("a", ZERO)]),
            ],
        ),
        (
            "a plan that was certainly not sent is sent",
            false,
            vec![
                (failed(Kind::NotSent), vec![open(Open::Execute, FIRST)]),
                (failed(Kind::NotSent), vec![open(Open::Execute, FIRST * 4)]),
                (failed(Kind::Unavailable), vec![reattach("", FIRST * 16)]),
                (
                    failed(Kind::NotSent),
                    vec![reattach("", Duration::from_secs(1))],
                ),
            ],
        ),
        (
            "an operation the server never saw is sent again where that is allowed",
            true,
            vec![
                (failed(Kind::Unavailable), vec![reattach("", FIRST)]),
                (
                    failed(Kind::OperationNotFound),
                    vec![open(Open::Execute, FIRST * 4)],
                ),
                (failed(Kind::Unavailable), vec![reattach("", FIRST * 16)]),
                (
                    failed(Kind::SessionNotFound),
                    vec![open(Open::Execute, Duration::from_secs(1))],
                ),
                (response("end"), complete()),
            ],
        ),
        (
            "an operation the server never saw is not sent again where it could run twice",
            false,
            vec![
                (failed(Kind::Unavailable), vec![reattach("", FIRST)]),
                (
                    failed(Kind::OperationNotFound),
                    ending(Verdict::MayHaveRun("said".to_owned())),
                ),
            ],
        ),
        (
            "a lost session is told as such where nothing may be sent again",
            false,
            vec![
                (failed(Kind::Unavailable), vec![reattach("", FIRST)]),
                (
                    failed(Kind::SessionNotFound),
                    ending_in(Kind::SessionNotFound),
                ),
            ],
        ),
        (
            "nothing is sent again after a response",
            true,
            vec![
                (response("a"), quiet()),
                (failed(Kind::Unavailable), vec![reattach("a", FIRST)]),
                (
                    failed(Kind::OperationNotFound),
                    ending(Verdict::ResultLost("said".to_owned())),
                ),
            ],
        ),
        (
            "a session that is lost after a response is told as such",
            true,
            vec![
                (response("a"), quiet()),
                (Input::Ended, vec![reattach("a", ZERO)]),
                (
                    failed(Kind::SessionNotFound),
                    ending_in(Kind::SessionNotFound),
                ),
            ],
        ),
        (
            "a refused plan is not sent again",
            true,
            vec![(
                failed(Kind::SessionNotFound),
                ending_in(Kind::SessionNotFound),
            )],
        ),
        (
            "an answer that cannot be used ends it, and its author tells why",
            false,
            vec![(Input::Broken, vec![Action::ReleaseAll, Action::Finish])],
        ),
        (
            "the user stops it, and the server confirms",
            false,
            vec![
                (response("a"), quiet()),
                (Input::Interrupted { again: false }, vec![]),
                (
                    failed(Kind::Cancelled),
                    ending(Verdict::Cancelled { confirmed: true }),
                ),
            ],
        ),
    ]
}

#[test]
fn each_script_leads_to_its_actions() {
    for (name, resend, script) in cases() {
        let mut bench = Bench::new(resend);
        for (index, (input, expected)) in script.into_iter().enumerate() {
            let told = format!("{name}, step {}: {input:?}", index + 1);
            assert_eq!(bench.step(input), expected, "{told}");
        }
    }
}

#[test]
fn failures_that_are_final_end_it() {
    let kinds = [
        Kind::Unauthenticated,
        Kind::SessionClosed,
        Kind::SessionChanged,
        Kind::OperationAbandoned,
        Kind::OperationDuplicate,
        Kind::Cursor,
        Kind::Spark,
        Kind::Other,
    ];
    for kind in kinds {
        assert_eq!(
            Bench::new(true).step(failed(kind)),
            ending_in(kind),
            "{kind:?}"
        );
    }
}

#[test]
fn what_the_server_never_had_is_not_released() {
    let mut bench = Bench::new(false);
    let last = loop {
        let actions = bench.step(failed(Kind::NotSent));
        match actions.as_slice() {
            [Action::Open { after, .. }] => bench.now += *after,
            _ => break actions,
        }
    };
    let verdict = Verdict::Failure(failure(Kind::NotSent));
    assert_eq!(last, [Action::Fail(verdict), Action::Finish]);
}

#[test]
fn streams_that_end_at_once_are_not_reopened_for_ever() {
    let mut bench = Bench::new(true);
    let mut waits = Vec::new();
    let last = loop {
        let actions = bench.step(Input::Ended);
        match actions.as_slice() {
            [Action::Open { after, .. }] => {
                waits.push(*after);
                bench.now += *after;
            }
            _ => break actions,
        }
    };
    assert_eq!(last, ending(Verdict::NoProgress));
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{waits:?}");
    assert!(waits.iter().sum::<Duration>() < Duration::from_secs(60));
}

#[test]
fn streams_that_live_are_reopened_for_as_long_as_the_statement_takes() {
    let mut bench = Bench::new(true);
    for _ in 0..1000 {
        bench.now += LIVED;
        assert_eq!(bench.step(Input::Ended), [reattach("", ZERO)]);
    }
}

#[test]
fn a_retry_waits_as_long_as_the_server_asks() {
    let mut bench = Bench::new(true);
    let asked = Failure {
        retry_after: Some(Duration::from_secs(2)),
        ..failure(Kind::Other)
    };
    let actions = bench.step(Input::Failed(asked));
    assert_eq!(actions, [reattach("", Duration::from_secs(2))]);
}

#[test]
fn results_are_released_in_lots_one_release_at_a_time() {
    let mut bench = Bench::new(false);
    let half = RELEASE_AFTER / 2;
    let script = [
        (response("a"), vec![Action::Emit]),
        (Input::Taken(half), vec![]),
        (response("b"), vec![Action::Emit]),
        (Input::Taken(half), vec![until("b")]),
        (response("c"), vec![Action::Emit]),
        (Input::Taken(RELEASE_AFTER), vec![]),
        (response("d"), vec![Action::Emit]),
        (Input::Taken(RELEASE_AFTER), vec![]),
        (Input::Released, vec![until("d")]),
        (Input::Released, vec![]),
    ];
    for (input, expected) in script {
        let told = format!("{input:?}");
        assert_eq!(bench.step(input), expected, "{told}");
    }
}

/// An execution that the user has just stopped.
fn stopping() -> Bench {
    let mut bench = Bench::new(true);
    let patience = Action::Expect(bench.now + PATIENCE);
    assert_eq!(bench.step(Input::Stop), [interrupt(ZERO), patience]);
    bench
}

#[test]
fn a_stop_ends_in_whatever_comes_first() {
    let unconfirmed = || Verdict::Cancelled { confirmed: false };
    let cases: [(Input, Vec<Action>); 8] = [
        (
            failed(Kind::Cancelled),
            ending(Verdict::Cancelled { confirmed: true }),
        ),
        (failed(Kind::Spark), ending_in(Kind::Spark)),
        (failed(Kind::Unavailable), ending(unconfirmed())),
        (failed(Kind::OperationNotFound), ending(unconfirmed())),
        (
            response("end"),
            vec![Action::Emit, Action::ReleaseAll, Action::Finish],
        ),
        (response("a"), vec![Action::Emit]),
        (Input::Interrupted { again: true }, vec![interrupt(AGAIN)]),
        (Input::Stop, vec![]),
    ];
    for (input, expected) in cases {
        let told = format!("{input:?}");
        assert_eq!(stopping().step(input), expected, "{told}");
    }
}

#[test]
fn a_stop_that_is_not_confirmed_is_told_and_pursued() {
    let mut bench = stopping();
    let told = Action::Fail(Verdict::Cancelled { confirmed: false });
    let patience = Action::Expect(bench.now + LEAVING_PATIENCE);
    let actions = bench.step(Input::OutOfPatience);
    assert_eq!(actions, [told, interrupt(ZERO), patience]);
    let over = [Action::ReleaseAll, Action::Finish];
    assert_eq!(bench.step(failed(Kind::Cancelled)), over);
}

/// An execution that nobody listens to any more.
fn leaving(answered: bool) -> Bench {
    let mut bench = Bench::new(true);
    if answered {
        assert_eq!(bench.step(response("a")), [Action::Emit]);
    }
    let patience = Action::Expect(bench.now + LEAVING_PATIENCE);
    assert_eq!(bench.step(Input::Gone), [interrupt(ZERO), patience]);
    bench
}

#[test]
fn what_nobody_listens_to_is_released_when_it_is_over() {
    let over = || vec![Action::ReleaseAll, Action::Finish];
    let again = |again| Input::Interrupted { again };
    let cases: [(bool, Input, Vec<Action>); 12] = [
        (true, response("b"), vec![]),
        (true, response("end"), over()),
        (true, failed(Kind::Cancelled), over()),
        (true, failed(Kind::Unavailable), over()),
        (true, Input::OutOfPatience, over()),
        (true, Input::Ended, vec![reattach("a", FIRST)]),
        (true, again(false), vec![]),
        (true, again(true), over()),
        (false, again(false), vec![]),
        (false, again(true), vec![interrupt(AGAIN)]),
        (false, failed(Kind::Cancelled), over()),
        (false, Input::Stop, vec![]),
    ];
    for (answered, input, expected) in cases {
        let told = format!("{answered} {input:?}");
        assert_eq!(leaving(answered).step(input), expected, "{told}");
    }
}

#[test]
fn an_operation_nobody_listens_to_is_not_interrupted_for_ever() {
    let mut bench = leaving(false);
    let again = || Input::Interrupted { again: true };
    let tries = (0..).take_while(|_| bench.step(again()) == [interrupt(AGAIN)]);
    assert_eq!(tries.count() as u32, LEAVING_TRIES - 1);
}
