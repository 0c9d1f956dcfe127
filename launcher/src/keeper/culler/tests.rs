use proptest::prelude::*;

use super::*;
use crate::keeper::standing::tests::{Step, at, attached, opened, play_by, release, step};
use crate::keeper::standing::{Action, AttachmentId, Fact, Policy, Standing};

const HOUR: u64 = 3600;

fn policy(idle: Option<u64>, age: Option<u64>) -> Policy {
    Policy {
        grace: Duration::from_secs(60),
        lease: Duration::from_secs(900),
        limits: Limits::new(idle.map(Duration::from_secs), age.map(Duration::from_secs)),
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn keep(time: u64) -> Fact {
    Fact::Keep(1, seconds(time))
}

fn idle(time: u64) -> Action {
    Action::End(Why::Idle(seconds(time)))
}

/// What is done about a kernel that is there from the start, says that it lives, and says this.
fn story(policy: Policy, said: &[(u64, Fact)]) -> Vec<(u64, Action)> {
    let mut facts = vec![(0, attached(1, "a"))];
    facts.extend((1..).map(|n| (n * 60, Fact::Heard(1))).take(500));
    facts.extend_from_slice(said);
    facts.sort_by_key(|(when, _)| *when);
    let mut done = play_by(policy, &facts, 30_000);
    // What comes after the end is another story.
    let end = done
        .iter()
        .position(|(_, action)| matches!(action, Action::End(_)));
    done.truncate(end.map_or(done.len(), |end| end + 1));
    done
}

#[test]
fn the_warning_comes_a_quarter_before_the_end_within_bounds() {
    for (limit, warning) in [(1, 2), (3, 2), (60, 15), (1200, 300), (HOUR, 300)] {
        let limits = Limits::new(Some(seconds(limit)), None);
        assert_eq!(limits.warning, seconds(warning), "{limit}");
    }
}

#[test]
fn a_driver_that_nothing_runs_on_is_warned_of_and_ended() {
    let hour = policy(Some(HOUR), None);
    let warn = |at, time| (at, Action::WarnOfEnd(seconds(time)));
    // What happens, as facts at their seconds, and what is done at which.
    type Case = (&'static str, Vec<(u64, Fact)>, Vec<(u64, Action)>);
    let cases: [Case; 10] = [
        ("idle", vec![], vec![warn(3300, 300), (3600, idle(3600))]),
        (
            "a cell in time",
            vec![(3000, Fact::Running(1, 1)), (3010, Fact::Running(1, 0))],
            vec![warn(6310, 300), (6610, idle(3600))],
        ),
        (
            "a cell during the warning",
            vec![(3599, Fact::Running(1, 1)), (4000, Fact::Running(1, 0))],
            vec![
                warn(3300, 300),
                (3599, Action::Unwarn),
                warn(7300, 300),
                (7600, idle(3600)),
            ],
        ),
        (
            "a cell that runs for hours",
            vec![(10, Fact::Running(1, 1))],
            vec![],
        ),
        (
            "a call of another client",
            vec![(10, opened(1, "elsewhere", None)), (5000, Fact::Closed(1))],
            vec![warn(8300, 300), (8600, idle(3600))],
        ),
        (
            "another kernel comes during the warning, and goes",
            vec![(3400, attached(2, "b")), (3500, Fact::Gone(2))],
            vec![
                warn(3300, 300),
                (3400, Action::Unwarn),
                (3500, release("b")),
                warn(6700, 300),
                (7000, idle(3600)),
            ],
        ),
        (
            "a session that holds something",
            vec![(20, Fact::Holds(1, true))],
            vec![warn(3 * HOUR - 300, 300), (3 * HOUR, idle(3 * HOUR))],
        ),
        (
            "what it held is dropped",
            vec![(20, Fact::Holds(1, true)), (5000, Fact::Holds(1, false))],
            vec![warn(5000, 300), (5300, idle(5300))],
        ),
        (
            "kept for two hours during the warning",
            vec![(3400, keep(2 * HOUR))],
            vec![
                warn(3300, 300),
                (3400, Action::Unwarn),
                warn(3400 + 2 * HOUR - 300, 300),
                (3400 + 2 * HOUR, idle(3400 + 2 * HOUR)),
            ],
        ),
        (
            "kept, and no longer",
            vec![(100, keep(2 * HOUR)), (4000, keep(0))],
            vec![warn(4000, 300), (4300, idle(4300))],
        ),
    ];
    for (what, said, expected) in cases {
        assert_eq!(story(hour, &said), expected, "{what}");
    }
}

#[test]
fn without_a_limit_a_driver_stays_while_somebody_is_there() {
    assert_eq!(story(policy(None, None), &[]), []);
}

#[test]
fn an_old_driver_ends_when_it_has_been_idle_for_a_moment() {
    let day = policy(None, Some(20_000));
    let warn = |at| (at, Action::WarnOfEnd(seconds(300)));
    let old = |at| (at, Action::End(Why::Old(seconds(at))));
    assert_eq!(story(day, &[]), [warn(19_700), old(20_000)]);
    let busy = [(19_000, Fact::Running(1, 1)), (21_000, Fact::Running(1, 0))];
    assert_eq!(story(day, &busy), [warn(21_300), old(21_600)]);
}

#[test]
fn a_wish_to_keep_it_lasts_when_who_wished_has_left() {
    let said = [(100, keep(2 * HOUR)), (200, Fact::Gone(1))];
    let end = (100 + 2 * HOUR, Action::End(Why::Unused));
    assert_eq!(
        story(policy(Some(HOUR), None), &said),
        [(200, release("a")), end]
    );
    // A day at most.
    let said = [(100, keep(u64::MAX)), (200, Fact::Gone(1))];
    let done = play_by(
        policy(None, None),
        &[&[(0, attached(1, "a"))], &said[..]].concat(),
        90_000,
    );
    let end = (100 + 24 * HOUR, Action::End(Why::Unused));
    assert_eq!(done.last(), Some(&end));
}

#[test]
fn a_kernel_that_is_silent_holds_its_driver_until_its_lease_ends() {
    // It says nothing after 0; half its lease is 450 s.
    let facts = [(0, attached(1, "a"))];
    let done = play_by(policy(Some(600), None), &facts, 2000);
    assert_eq!(
        done,
        [
            (900, Action::Drop(1)),
            (900, release("a")),
            (960, Action::End(Why::Unused))
        ]
    );
    // One that falls silent during the warning takes it back.
    let facts = [(0, attached(1, "a")), (100, Fact::Heard(1))];
    let done = play_by(policy(Some(700), None), &facts, 551);
    assert_eq!(
        done,
        [
            (525, Action::WarnOfEnd(seconds(175))),
            (550, Action::Unwarn)
        ]
    );
}

#[test]
fn a_machine_that_slept_through_the_warning_ends_nothing_until_it_was_out_for_its_time() {
    let mut standing = Standing::new(policy(Some(HOUR), None), at(0));
    standing.note(attached(1, "a"), at(0));
    standing.note(Fact::Heard(1), at(3299));
    let warned = standing.tick(at(3300));
    assert_eq!(warned, [Action::WarnOfEnd(seconds(300))]);
    // It sleeps for a day, and wakes.
    let morning = 3300 + 24 * HOUR;
    standing.note(Fact::Heard(1), at(morning));
    assert_eq!(standing.tick(at(morning)), []);
    let mut end = None;
    for second in morning..morning + 400 {
        if standing.next().is_some_and(|next| next <= at(second))
            && let [Action::End(Why::Idle(_))] = standing.tick(at(second))[..]
        {
            end = Some(second - morning);
            break;
        }
    }
    // The sleep counts for a tenth.
    assert_eq!(end, Some(270));
}

const RANDOM: Policy = Policy {
    grace: Duration::from_secs(60),
    lease: Duration::from_secs(900),
    limits: Limits {
        idle: Some(Duration::from_secs(200)),
        age: Some(Duration::from_secs(4000)),
        warning: Duration::from_secs(50),
    },
};

fn random() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => step(),
        1 => (0_u64..4, 0_u64..600)
            .prop_map(|(id, time)| Step::Fact(Fact::Keep(id, seconds(time)))),
    ]
}

/// Judges actions by what it sees itself.
#[derive(Default)]
struct Judge {
    kept: u64,
    there: Vec<AttachmentId>,
    quiet: u64,
    warned: Option<u64>,
    ticks: u32,
    ended: bool,
}

impl Judge {
    fn fact(&mut self, fact: &Fact, now: u64) {
        if let Fact::Keep(_, time) = fact {
            self.kept = if time.is_zero() {
                0
            } else {
                now + time.as_secs()
            };
        }
        if let Fact::Attached { id, .. } = fact {
            self.there.push(*id);
            self.quiet = now;
        }
    }

    fn actions(
        &mut self,
        actions: &[Action],
        standing: &Standing,
        now: u64,
    ) -> Result<(), TestCaseError> {
        for action in actions {
            match action {
                Action::WarnOfEnd(time) => {
                    prop_assert!(self.warned.is_none(), "warned twice");
                    prop_assert!(*time >= seconds(50), "warned too late");
                    prop_assert!(!standing.is_busy(), "warned while busy");
                    self.warned = Some(now);
                    self.ticks = 0;
                }
                Action::Unwarn => {
                    prop_assert!(self.warned.take().is_some(), "took back what was not said");
                }
                Action::End(why) => {
                    prop_assert!(!self.ended, "ended twice");
                    prop_assert!(!standing.is_busy(), "ended while busy");
                    prop_assert!(now >= self.kept, "ended while kept");
                    let unused = standing.sessions().next().is_none();
                    prop_assert_eq!(unused, *why == Why::Unused);
                    if !unused {
                        let warned = self.warned.map(|at| now - at);
                        prop_assert!(warned.is_some_and(|out| out >= 50), "not warned");
                        prop_assert!(self.ticks >= PARTS, "the warning was slept through");
                        prop_assert!(now - self.quiet >= 50, "ended after it was used");
                    }
                    self.ended = true;
                }
                Action::Drop(_) | Action::Release(_) => {}
            }
        }
        if standing.is_busy() {
            self.quiet = now;
            prop_assert!(self.warned.is_none(), "a warning is out while busy");
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn whatever_happens_busy_and_kept_drivers_stay_and_others_are_warned_first(
        steps in proptest::collection::vec(random(), 0..80),
        sleeps in any::<bool>(),
    ) {
        let mut standing = Standing::new(RANDOM, at(0));
        let mut judge = Judge::default();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Fact(fact) => {
                    judge.fact(&fact, now);
                    let actions = standing.note(fact, at(now));
                    judge.actions(&actions, &standing, now)?;
                }
                // A machine that sleeps looks at its clock when it wakes.
                Step::Wait(wait) if sleeps => {
                    now += wait;
                    judge.ticks += 1;
                    let actions = standing.tick(at(now));
                    judge.actions(&actions, &standing, now)?;
                }
                Step::Wait(wait) => for _ in 0..wait {
                    now += 1;
                    if standing.next().is_some_and(|next| next <= at(now)) {
                        judge.ticks += 1;
                        let actions = standing.tick(at(now));
                        judge.actions(&actions, &standing, now)?;
                        let next = standing.next();
                        prop_assert!(judge.ended || next.is_none_or(|next| next > at(now)), "{next:?}");
                    }
                },
            }
            if judge.ended { break; }
        }
    }

    #[test]
    fn who_looks_when_told_to_misses_nothing(steps in proptest::collection::vec(random(), 0..80)) {
        let mut told = Standing::new(RANDOM, at(0));
        let mut always = Standing::new(RANDOM, at(0));
        let mut now = 0;
        for step in steps {
            match step {
                Step::Fact(fact) => {
                    let seen = told.note(fact.clone(), at(now));
                    prop_assert_eq!(seen, always.note(fact, at(now)));
                }
                Step::Wait(wait) => for _ in 0..wait {
                    now += 1;
                    let due = told.next().is_some_and(|next| next <= at(now));
                    let seen = if due { told.tick(at(now)) } else { Vec::new() };
                    prop_assert_eq!(seen, always.tick(at(now)), "at {}", now);
                },
            }
        }
    }
}
