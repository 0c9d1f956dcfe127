//! Calls into the interpreter that can neither hang nor bring the kernel down.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::run::interpreter::Failure;

/// How long a person at a prompt waits for a proposal, or for what is known about a word.
const ANSWER: Duration = Duration::from_secs(10);

/// Runs a call to its end; a panic becomes a failure.
pub(super) async fn caught<T>(call: impl Future<Output = T>) -> Result<T, Failure> {
    AssertUnwindSafe(call)
        .catch_unwind()
        .await
        .map_err(|panic| panicked(panic.as_ref()))
}

/// The same, for a call that is no future.
pub(super) fn caught_now<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(call)).map_err(|panic| panicked(panic.as_ref()))
}

/// Runs a call until it answers, `stop` is cancelled, or nobody would wait any longer.
pub(super) async fn answered<T>(
    stop: &CancellationToken,
    call: impl Future<Output = T>,
) -> Result<T, Failure> {
    let in_time = tokio::time::timeout(ANSWER, caught(call));
    match stop.run_until_cancelled(in_time).await {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => Err(Failure {
            name: "Timeout".to_owned(),
            value: format!("no answer within {} s", ANSWER.as_secs()),
            traceback: Vec::new(),
            ..Failure::default()
        }),
        None => Err(interrupted()),
    }
}

/// What an interrupted request shows; front ends know it by this name.
pub(super) fn interrupted() -> Failure {
    Failure {
        name: "KeyboardInterrupt".to_owned(),
        value: "interrupted".to_owned(),
        traceback: vec!["Interrupted. Views and settings are kept.".to_owned()],
        ..Failure::default()
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Failure {
    let said = panic
        .downcast_ref::<&str>()
        .map(|said| (*said).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(said, "a request made the kernel panic");
    let value = format!("the kernel failed at this request, by a fault of its own: {said}");
    Failure {
        name: "InternalError".to_owned(),
        traceback: vec![
            value.clone(),
            "The kernel goes on; please report this with the cell.".to_owned(),
        ],
        value,
        ..Failure::default()
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_panics_or_is_stopped_is_a_failure() {
        let go_on = CancellationToken::new();
        let stopped = CancellationToken::new();
        stopped.cancel();
        let name = |answer: Result<(), Failure>| answer.map_err(|failure| failure.name);
        assert_eq!(name(answered(&go_on, async {}).await), Ok(()));
        let hangs = name(answered(&go_on, future::pending()).await);
        assert_eq!(hangs, Err("Timeout".to_owned()));
        let interrupted = name(answered(&stopped, future::pending()).await);
        assert_eq!(interrupted, Err("KeyboardInterrupt".to_owned()));
        let panics = name(answered(&go_on, async { panic!("oh") }).await);
        assert_eq!(panics, Err("InternalError".to_owned()));
        assert_eq!(
            caught_now(|| panic!("oh {}", 1)).map_err(|f: Failure| f.name),
            panics
        );
    }
}
