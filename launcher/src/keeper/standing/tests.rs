use proptest::prelude::*;

use super::*;

const POLICY: Policy = Policy {
    grace: Duration::from_secs(60),
    lease: Duration::from_secs(900),
    limits: Limits {
        idle: None,
        age: None,
        warning: Duration::from_secs(300),
    },
};

pub(in crate::keeper) fn at(seconds: u64) -> Clock {
    Clock::from_secs(seconds)
}

pub(in crate::keeper) fn attached(id: AttachmentId, session: &str) -> Fact {
    Fact::Attached {
        id,
        session: session.to_owned(),
    }
}

pub(in crate::keeper) fn opened(call: u64, session: &str, operation: Option<&str>) -> Fact {
    Fact::Opened(Opened {
        call,
        session: session.to_owned(),
        operation: operation.map(str::to_owned),
    })
}

fn released(session: &str, operation: &str) -> Fact {
    Fact::Released {
        session: session.to_owned(),
        operation: operation.to_owned(),
    }
}

/// Plays facts at their seconds and gives everything that was to be done, with the second it was
/// found at. Ticks come when they were asked for.
fn play(facts: &[(u64, Fact)], until: u64) -> Vec<(u64, Action)> {
    play_by(POLICY, facts, until)
}

pub(in crate::keeper) fn play_by(
    policy: Policy,
    facts: &[(u64, Fact)],
    until: u64,
) -> Vec<(u64, Action)> {
    let mut standing = Standing::new(policy, at(0));
    let mut done = Vec::new();
    let mut facts = facts.iter().cloned().peekable();
    for second in 0..=until {
        while let Some((_, fact)) = facts.next_if(|(when, _)| *when == second) {
            done.extend(
                standing
                    .note(fact, at(second))
                    .into_iter()
                    .map(|a| (second, a)),
            );
        }
        if standing.next().is_some_and(|next| next <= at(second)) {
            done.extend(standing.tick(at(second)).into_iter().map(|a| (second, a)));
        }
    }
    done
}

/// Lives through these seconds, and finds nothing to do but what silence makes necessary.
fn live(standing: &mut Standing, from: u64, until: u64) {
    for second in from..=until {
        standing.tick(at(second));
    }
}

pub(in crate::keeper) fn release(session: &str) -> Action {
    Action::Release(session.to_owned())
}

#[test]
fn a_driver_nobody_came_for_ends_after_its_grace() {
    assert_eq!(play(&[], 200), [(60, Action::End(Why::Unused))]);
}

#[test]
fn the_kernel_that_had_a_driver_started_is_waited_for_however_short_the_grace() {
    let policy = Policy {
        grace: at(1),
        ..POLICY
    };
    assert_eq!(play_by(policy, &[], 200), [(30, Action::End(Why::Unused))]);
    let facts = [(12, attached(1, "a")), (15, Fact::Gone(1))];
    assert_eq!(
        play_by(policy, &facts, 200),
        [(15, release("a")), (16, Action::End(Why::Unused))]
    );
}

#[test]
fn a_driver_ends_a_grace_after_its_last_kernel() {
    let facts = [
        (1, attached(1, "a")),
        (5, attached(2, "b")),
        (10, Fact::Gone(1)),
        (100, Fact::Gone(2)),
    ];
    let done = play(&facts, 300);
    assert_eq!(
        done,
        [
            (10, release("a")),
            (100, release("b")),
            (160, Action::End(Why::Unused))
        ]
    );
}

#[test]
fn who_comes_within_the_grace_keeps_the_driver() {
    let facts = [
        (1, attached(1, "a")),
        (10, Fact::Gone(1)),
        (69, attached(2, "b")),
    ];
    assert_eq!(play(&facts, 300), [(10, release("a"))]);
}

#[test]
fn a_silent_kernel_goes_when_its_lease_ends_whatever_it_runs() {
    let facts = [
        (0, attached(1, "a")),
        (10, Fact::Running(1, 1)),
        (20, opened(7, "a", Some("op"))),
    ];
    let done = play(&facts, 2000);
    assert_eq!(
        done,
        [
            (910, Action::Drop(1)),
            (910, release("a")),
            (970, Action::End(Why::Unused))
        ]
    );
}

#[test]
fn a_kernel_that_is_heard_stays() {
    let mut facts = vec![(0, attached(1, "a"))];
    facts.extend((1..10).map(|n| (n * 300, Fact::Heard(1))));
    assert_eq!(play(&facts, 3000), []);
}

#[test]
fn a_call_of_any_client_keeps_the_driver() {
    let facts = [(1, opened(1, "elsewhere", None)), (500, Fact::Closed(1))];
    assert_eq!(play(&facts, 900), [(560, Action::End(Why::Unused))]);
}

#[test]
fn an_operation_is_kept_between_streams_only_for_a_kernel() {
    let facts = [
        (0, opened(1, "elsewhere", Some("op"))),
        (10, Fact::Closed(1)),
    ];
    assert_eq!(play(&facts, 500), [(70, Action::End(Why::Unused))]);

    let mut standing = Standing::new(POLICY, at(0));
    standing.note(attached(1, "a"), at(0));
    standing.note(opened(1, "a", Some("op")), at(1));
    standing.note(Fact::Closed(1), at(2));
    assert!(standing.is_busy());
    standing.note(released("a", "op"), at(3));
    assert!(!standing.is_busy());
}

#[test]
fn an_operation_that_is_released_before_its_stream_ends_is_over_with_it() {
    let mut standing = Standing::new(POLICY, at(0));
    standing.note(attached(1, "a"), at(0));
    standing.note(opened(1, "a", Some("op")), at(1));
    standing.note(released("a", "op"), at(2));
    assert!(standing.is_busy());
    standing.note(Fact::Closed(1), at(3));
    assert!(!standing.is_busy());
}

#[test]
fn an_operation_that_nobody_asks_for_is_over_when_spark_drops_it() {
    let mut standing = Standing::new(POLICY, at(0));
    standing.note(attached(1, "a"), at(0));
    standing.note(opened(1, "a", Some("op")), at(1));
    standing.note(Fact::Closed(1), at(2));
    live(&mut standing, 2, 800);
    standing.note(Fact::Heard(1), at(800));
    live(&mut standing, 800, 901);
    assert!(standing.is_busy());
    standing.tick(at(902));
    assert!(!standing.is_busy());
}

#[test]
fn a_session_is_released_with_its_last_kernel() {
    let facts = [
        (0, attached(1, "a")),
        (0, attached(2, "a")),
        (1, Fact::Gone(1)),
        (2, Fact::Gone(1)),
        (3, Fact::Gone(2)),
    ];
    assert_eq!(play(&facts, 10), [(3, release("a"))]);
}

#[test]
fn a_kernel_that_comes_back_goes_on_as_it_was() {
    let facts = [
        (0, attached(1, "a")),
        (10, Fact::Running(1, 1)),
        (20, opened(7, "a", Some("op"))),
        (30, Fact::Closed(7)),
        (800, Fact::Returned { id: 2, was: 1 }),
        // The end of its old stream is noticed late, and means nothing.
        (805, Fact::Gone(1)),
        // Its cell was asked for again, by the new way.
        (810, opened(8, "a", Some("op"))),
    ];
    // Its lease counts from when it came back.
    assert_eq!(
        play(&facts, 2000),
        [
            (1700, Action::Drop(2)),
            (1700, release("a")),
            (1760, Action::End(Why::Unused))
        ]
    );
    let mut standing = Standing::new(POLICY, at(0));
    let mut before = 0;
    for (second, fact) in facts {
        live(&mut standing, before, second);
        standing.note(fact, at(second));
        before = second;
    }
    live(&mut standing, before, 900);
    assert_eq!(standing.attachment(2, at(900)), Some(("a", 1, at(100))));
    assert_eq!(standing.attachment(1, at(900)), None);
    assert!(standing.is_busy());
}

#[test]
fn a_kernel_whose_lease_ended_does_not_come_back_by_its_old_name() {
    let mut standing = Standing::new(POLICY, at(0));
    standing.note(attached(1, "a"), at(0));
    live(&mut standing, 0, 900);
    standing.note(Fact::Returned { id: 2, was: 1 }, at(901));
    assert_eq!(standing.attachment(2, at(901)), None);
}

#[test]
fn time_that_nobody_lived_through_ends_no_lease() {
    let mut standing = Standing::new(POLICY, at(0));
    standing.note(attached(1, "a"), at(0));
    standing.note(Fact::Running(1, 1), at(1));
    standing.note(opened(7, "a", Some("op")), at(2));
    standing.note(Fact::Closed(7), at(3));
    live(&mut standing, 3, 100);
    // The machine slept for a day, and the keeper wakes before the kernel does.
    let day = 24 * 3600;
    assert_eq!(standing.tick(at(day)), []);
    assert!(standing.is_busy());
    let (_, _, silent) = standing.attachment(1, at(day)).unwrap();
    assert_eq!(silent, at(99 + 90));
    // A kernel that sleeps on is silent for the rest of its lease.
    live(&mut standing, day, day + 711 - 1);
    assert!(standing.is_busy());
    let actions = standing.tick(at(day + 711));
    assert_eq!(actions, [Action::Drop(1), release("a")]);
}

/// One step of a random history.
#[derive(Debug, Clone)]
pub(in crate::keeper) enum Step {
    Fact(Fact),
    Wait(u64),
}

pub(in crate::keeper) fn step() -> impl Strategy<Value = Step> {
    let id = 0_u64..4;
    let session = (0_u8..3).prop_map(|n| format!("s{n}"));
    let operation = (0_u8..3).prop_map(|n| format!("o{n}"));
    prop_oneof![
        (id.clone(), session.clone())
            .prop_map(|(id, session)| Step::Fact(Fact::Attached { id, session })),
        id.clone().prop_map(|id| Step::Fact(Fact::Heard(id))),
        (id.clone(), id.clone()).prop_map(|(id, was)| Step::Fact(Fact::Returned { id, was })),
        (id.clone(), 0_u32..3).prop_map(|(id, cells)| Step::Fact(Fact::Running(id, cells))),
        (id.clone(), any::<bool>()).prop_map(|(id, holds)| Step::Fact(Fact::Holds(id, holds))),
        id.prop_map(|id| Step::Fact(Fact::Gone(id))),
        (
            0_u64..6,
            session.clone(),
            proptest::option::of(operation.clone())
        )
            .prop_map(
                |(call, session, operation)| Step::Fact(Fact::Opened(Opened {
                    call,
                    session,
                    operation
                }))
            ),
        (0_u64..6).prop_map(|call| Step::Fact(Fact::Closed(call))),
        (session, operation)
            .prop_map(|(session, operation)| Step::Fact(Fact::Released { session, operation })),
        (1_u64..400).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn busy_is_never_ended_and_unused_always_is(steps in proptest::collection::vec(step(), 0..60)) {
        let mut standing = Standing::new(POLICY, at(0));
        let mut now = 0;
        // Kept apart from the code under test: since when nobody has been there.
        let mut alone = Some(0_u64);
        let mut ended = false;
        for step in steps {
            let wait = match step {
                Step::Fact(fact) => {
                    standing.note(fact, at(now));
                    0
                }
                Step::Wait(seconds) => seconds,
            };
            for _ in 0..=wait {
                let used = standing.is_busy() || standing.sessions().next().is_some();
                alone = if used { None } else { alone.or(Some(now)) };
                if standing.next().is_some_and(|next| next <= at(now)) {
                    let actions = standing.tick(at(now));
                    let used = standing.is_busy() || standing.sessions().next().is_some();
                    alone = if used { None } else { alone.or(Some(now)) };
                    if actions.contains(&Action::End(Why::Unused)) {
                        prop_assert!(!ended, "ended twice");
                        prop_assert!(!standing.is_busy(), "ended while busy");
                        prop_assert!(alone.is_some_and(|since| now - since >= 60), "ended early");
                        ended = true;
                    }
                }
                if let Some(since) = alone {
                    prop_assert!(ended || now - since <= 60, "not ended in time");
                }
                if wait > 0 { now += 1; }
            }
            if ended { break; }
        }
    }

    #[test]
    fn a_clock_that_stands_still_ends_nothing(steps in proptest::collection::vec(step(), 0..60)) {
        let mut standing = Standing::new(POLICY, at(1000));
        for step in steps {
            if let Step::Fact(fact) = step {
                standing.note(fact, at(1000));
                prop_assert_eq!(standing.tick(at(1000)), []);
                // A reading from before is no reason to end anything either.
                prop_assert_eq!(standing.tick(at(10)), []);
            }
        }
    }
}
