//! What the front end asked for and has not got yet, in order.

use std::collections::VecDeque;

/// What becomes of a request whose turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is served.
    Serve,
    /// It is answered with `aborted`, because an execution before it failed.
    Abort,
}

/// Requests in the order they came.
#[derive(Debug)]
pub struct Queue<T> {
    waiting: VecDeque<(T, Fate)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
        }
    }
}

impl<T> Queue<T> {
    /// Adds a request as the last.
    pub fn push(&mut self, request: T) {
        self.waiting.push_back((request, Fate::Serve));
    }

    /// The request whose turn it is.
    pub fn pop(&mut self) -> Option<(T, Fate)> {
        self.waiting.pop_front()
    }

    /// Aborts those that wait now and are executions. Only those: clients wait for the answers to
    /// all others.
    pub fn abort(&mut self, is_execution: impl Fn(&T) -> bool) {
        for (request, fate) in &mut self.waiting {
            if is_execution(request) {
                *fate = Fate::Abort;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_keep_their_order_and_only_waiting_executions_are_aborted() {
        let mut queue = Queue::default();
        for request in ["execute a", "kernel_info", "execute b"] {
            queue.push(request);
        }
        queue.abort(|request| request.starts_with("execute"));
        queue.push("execute later");
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(
            order,
            [
                ("execute a", Fate::Abort),
                ("kernel_info", Fate::Serve),
                ("execute b", Fate::Abort),
                ("execute later", Fate::Serve),
            ]
        );
    }
}
