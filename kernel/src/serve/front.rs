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

/// Serves a request from control; what is not made to be served at once is queued, to be answered
/// there.
pub(super) fn control(shared: &Shared, received: Received, answers: &Answers) -> Verdict {
    match received.parent.message_type() {
        "kernel_info_request" => {
            let _bracket = Bracket::open(&shared.iopub, &received.parent);
            kernel_info::answer(&shared.about, &received, answers);
            Verdict::GoOn
        }
        "interrupt_request" => {
            let _bracket = Bracket::open(&shared.iopub, &received.parent);
            shared.interrupt();
            interrupt::answer(&received, answers);
            Verdict::GoOn
        }
        "shutdown_request" => {
            let _bracket = Bracket::open(&shared.iopub, &received.parent);
            let restart = shutdown::answer(&received, answers);
            Verdict::End { restart }
        }
        _ => queue(shared, received, answers),
    }
}

/// Serves what must not wait, although it came on shell, and queues the rest.
///
/// Interrupt and shutdown belong on control, but older front ends send them here.
pub(super) fn shell(shared: &Shared, received: Received, answers: &Answers) -> Verdict {
    match received.parent.message_type() {
        "interrupt_request" | "shutdown_request" => control(shared, received, answers),
        _ => queue(shared, received, answers),
    }
}

fn queue(shared: &Shared, received: Received, answers: &Answers) -> Verdict {
    let answers = answers.clone();
    shared.push(Request { received, answers });
    Verdict::GoOn
}
