//! What is served at once, whatever runs.

use super::requests::{interrupt, kernel_info, shutdown};
use super::{Request, Shared};
use crate::wire::frames::Received;
use crate::wire::iopub::Bracket;
use crate::wire::router::Answers;

/// Whether the kernel goes on.
pub(super) enum Verdict {
    GoOn,
    End { restart: bool },
}

/// Serves a request from control.
pub(super) fn control(shared: &Shared, received: &Received, answers: &Answers) -> Verdict {
    match received.parent.message_type() {
        "kernel_info_request" => {
            let _bracket = Bracket::open(&shared.iopub, &received.parent);
            kernel_info::answer(&shared.about, received, answers);
            Verdict::GoOn
        }
        "interrupt_request" => {
            // First, because a front end that floods may hold iopub back.
            shared.interrupt();
            let _bracket = Bracket::open(&shared.iopub, &received.parent);
            interrupt::answer(received, answers);
            Verdict::GoOn
        }
        "shutdown_request" => {
            let _bracket = Bracket::open(&shared.iopub, &received.parent);
            let restart = shutdown::answer(received, answers);
            Verdict::End { restart }
        }
        other => {
            tracing::debug!(message_type = other, "control does not know this message");
            Verdict::GoOn
        }
    }
}

/// Serves what must not wait, although it came on shell, and queues the rest.
///
/// Interrupt and shutdown belong on control, but older front ends send them here.
pub(super) fn shell(shared: &Shared, received: Received, answers: &Answers) -> Verdict {
    match received.parent.message_type() {
        "interrupt_request" | "shutdown_request" => control(shared, &received, answers),
        _ => {
            shared.push(Request {
                received,
                answers: answers.clone(),
            });
            Verdict::GoOn
        }
    }
}
