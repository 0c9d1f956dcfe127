//! The stream between a kernel and its keeper.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tonic::{Code, Status, Streaming};

use super::proto::{
    self, Alive, FromKeeper, FromKernel, Goodbye, Holds, Keep, Running, Welcome, from_keeper,
    from_kernel,
};
use super::state::{DriverState, Executors, Outlook, Phase, PodName};
use crate::backend::{News, Notices, Word};
use crate::cause::{Cause, Kind};
use crate::profile::Span;

/// What a kernel is told of its driver, on the side of those who tell.
#[derive(Debug)]
pub(crate) struct Board {
    state: watch::Sender<DriverState>,
    outlook: watch::Sender<Outlook>,
    notices: Arc<Notices>,
    /// What came before the keeper, which knows of its own time alone.
    before: Mutex<Option<Before>>,
}

/// The part of a start that is over when a keeper begins.
#[derive(Debug, Clone)]
struct Before {
    since: Instant,
    passed: Vec<(Phase, Duration)>,
}

impl Board {
    /// A board that shows `state`, and what reads it.
    pub(crate) fn new(state: DriverState) -> (Self, News) {
        let board = Self {
            state: watch::Sender::new(state),
            outlook: watch::Sender::default(),
            notices: Arc::default(),
            before: Mutex::default(),
        };
        let news = News {
            state: board.state.subscribe(),
            outlook: board.outlook.subscribe(),
            notices: Arc::clone(&board.notices),
        };
        (board, news)
    }

    /// Puts phases before those that the keeper tells of.
    pub(crate) fn begin(&self, since: Instant, passed: Vec<(Phase, Duration)>) {
        *self.before() = Some(Before { since, passed });
    }

    /// Shows another state; the end stays.
    pub(crate) fn show(&self, state: DriverState) {
        self.state.send_if_modified(|shown| {
            let changes = !matches!(shown, DriverState::Ended(_)) && *shown != state;
            if changes {
                *shown = state;
            }
            changes
        });
    }

    /// Whether the end is shown.
    pub(crate) fn over(&self) -> bool {
        matches!(*self.state.borrow(), DriverState::Ended(_))
    }

    /// Adds a sentence for the user.
    pub(crate) fn notice(&self, sentence: String) {
        self.notices.add(sentence);
    }

    /// Shows what a keeper says of its driver.
    fn told(&self, mut state: DriverState) {
        if let (DriverState::Starting { since, passed, .. }, Some(before)) =
            (&mut state, &*self.before())
        {
            *since = before.since;
            passed.splice(0..0, before.passed.iter().copied());
        }
        self.show(state);
    }

    fn before(&self) -> MutexGuard<'_, Option<Before>> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outlook(&self, change: impl FnOnce(&mut Outlook)) {
        self.outlook.send_modify(change);
    }
}

/// What a kernel has to say to its keeper, and what it said last: a keeper that is met again has
/// to hear it again.
#[derive(Debug)]
pub(crate) struct Words {
    spoken: mpsc::UnboundedReceiver<Word>,
    running: Option<u32>,
    holds: Option<String>,
    /// A wish to keep the driver that nobody was there to hear, and when it was made.
    keep: Option<(Duration, Instant)>,
    leaves: bool,
}

impl Words {
    /// Words that come from `spoken`.
    pub(crate) fn new(spoken: mpsc::UnboundedReceiver<Word>) -> Self {
        Self {
            spoken,
            running: None,
            holds: None,
            keep: None,
            leaves: false,
        }
    }

    /// Whether the kernel has said goodbye, or is gone.
    pub(crate) fn leaves(&self) -> bool {
        self.leaves
    }

    /// The next word; nothing follows a goodbye. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Word {
        let word = self.spoken.recv().await.unwrap_or(Word::Goodbye);
        match &word {
            Word::Running(cells) => self.running = Some(*cells),
            Word::Holds(what) => self.holds = Some(what.clone()),
            Word::Goodbye => self.leaves = true,
            Word::Keep(_) => {}
        }
        word
    }

    /// Takes words in until the goodbye, while there is nobody to say them to. Cancel-safe.
    pub(crate) async fn goodbye(&mut self) {
        while !self.leaves {
            if let Word::Keep(time) = self.next().await {
                self.keep = Some((time, Instant::now()));
            }
        }
    }

    /// What a keeper that is met again has to hear. It remembers itself for how long it keeps.
    fn again(&mut self) -> Vec<Word> {
        let running = self.running.map(Word::Running);
        let holds = self.holds.clone().map(Word::Holds);
        let keep = self.keep.take().and_then(|(time, since)| {
            let left = time.saturating_sub(since.elapsed());
            // What is over meanwhile is not said: nothing left would take back what others wish.
            (time.is_zero() || left.as_secs() > 0).then_some(Word::Keep(left))
        });
        running.into_iter().chain(holds).chain(keep).collect()
    }
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnd {
    /// The kernel said goodbye, or the keeper that the driver has ended.
    Over,
    /// The keeper gave the kernel up, which was silent for longer than this.
    Dropped(Span),
    /// The connection broke. Whether the keeper lives is not known.
    Broken,
}

/// What a keeper ends the stream of a kernel with that it gave up.
pub(crate) fn over() -> Status {
    Status::cancelled("the attachment is over")
}

/// Why a kernel has no driver any more that was given up.
pub(crate) fn away(lease: Span) -> Cause {
    Cause::new(
        Kind::Away,
        format!(
            "The kernel was silent for more than {lease}, so what it ran was interrupted and its Spark session released"
        ),
        "The next cell opens a new session. `away` in the profile says how long a silent kernel is waited for.",
    )
}

/// An open stream, after the keeper's welcome.
pub(crate) struct Line {
    pub(super) keeper: Streaming<FromKeeper>,
    pub(super) out: mpsc::Sender<FromKernel>,
    /// How the keeper introduced itself.
    pub(crate) welcome: Welcome,
    /// The pod the keeper is in; none on this machine.
    pub(crate) pod: Option<PodName>,
}

impl Line {
    /// Shows the state and the warnings that came with the welcome.
    pub(crate) fn show_welcome(&mut self, board: &Board) {
        let state = self.welcome.state.take().unwrap_or_default();
        board.told(self.read(state));
        for warning in std::mem::take(&mut self.welcome.warnings) {
            board.notice(warning);
        }
    }

    /// Says what the kernel has to say, and that it lives; shows what the keeper says. Lasts until
    /// one of them ends it.
    pub(crate) async fn hold(mut self, words: &mut Words, board: &Board) -> LineEnd {
        let lease = Span::seconds(self.welcome.lease_seconds);
        let mut alive = interval(
            (lease.duration() / 4).clamp(Duration::from_millis(100), Duration::from_secs(30)),
        );
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for word in words.again() {
            self.say(said(word)).await;
        }
        loop {
            tokio::select! {
                heard = self.keeper.message() => match heard {
                    Ok(Some(FromKeeper { message: Some(message) })) => self.show(message, board),
                    Ok(Some(FromKeeper { message: None })) => {}
                    Err(status) if is_over(&status) && !board.over() => {
                        return LineEnd::Dropped(lease);
                    }
                    Ok(None) | Err(_) => break,
                },
                word = words.next(), if !words.leaves() => self.say(said(word)).await,
                _ = alive.tick() => self.say(from_kernel::Message::Alive(Alive {})).await,
            }
        }
        if words.leaves() || board.over() {
            LineEnd::Over
        } else {
            LineEnd::Broken
        }
    }

    async fn say(&self, message: from_kernel::Message) {
        let message = FromKernel {
            message: Some(message),
        };
        // A keeper that is gone is noticed by the end of its stream.
        let _gone = self.out.send(message).await;
    }

    fn read(&self, state: proto::State) -> DriverState {
        DriverState::read(state, &self.welcome, self.pod.as_ref(), Instant::now())
    }

    fn show(&self, message: from_keeper::Message, board: &Board) {
        match message {
            from_keeper::Message::State(state) => {
                board.told(self.read(state));
            }
            from_keeper::Message::Executors(executors) => board.outlook(|outlook| {
                outlook.executors = Some(Executors {
                    running: executors.running,
                    pending: executors.pending,
                });
            }),
            from_keeper::Message::GiveBack(planned) => board.outlook(|outlook| {
                outlook.given_back_at = planned
                    .in_milliseconds
                    .and_then(|wait| Instant::now().checked_add(Duration::from_millis(wait)));
            }),
            from_keeper::Message::Notice(notice) => board.notice(notice.text),
            from_keeper::Message::Welcome(_) | from_keeper::Message::Refused(_) => {}
        }
    }
}

/// Whether a stream ended with [`over`], and not with a connection.
fn is_over(status: &Status) -> bool {
    status.code() == Code::Cancelled && status.message() == over().message()
}

fn said(word: Word) -> from_kernel::Message {
    match word {
        Word::Running(cells) => from_kernel::Message::Running(Running { cells }),
        Word::Keep(time) => from_kernel::Message::Keep(Keep {
            seconds: time.as_secs(),
        }),
        Word::Holds(what) => from_kernel::Message::Holds(Holds { what }),
        Word::Goodbye => from_kernel::Message::Goodbye(Goodbye {}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_to_keep_that_nobody_heard_is_said_to_the_next_who_listens() {
        let second = Duration::from_secs(1);
        for (wish, expected) in [
            (Duration::from_secs(7200), Some(7199)),
            (Duration::ZERO, Some(0)),
            // Over before anybody listened.
            (second / 2, None),
        ] {
            let (speak, spoken) = mpsc::unbounded_channel();
            let mut words = Words::new(spoken);
            speak.send(Word::Running(0)).unwrap();
            speak.send(Word::Keep(wish)).unwrap();
            // Nobody listens, for as long as nothing more is said.
            let silence = tokio::time::timeout(Duration::from_millis(50), words.goodbye());
            assert!(silence.await.is_err());
            let kept: Vec<Option<u64>> = words
                .again()
                .into_iter()
                .filter(|word| *word != Word::Running(0))
                .map(|word| match word {
                    Word::Keep(time) => Some(time.as_secs()),
                    _ => None,
                })
                .collect();
            assert_eq!(kept, expected.map(Some).into_iter().collect::<Vec<_>>());
            assert_eq!(words.again(), [Word::Running(0)], "it is said once");
        }
    }
}
