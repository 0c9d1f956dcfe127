//! Running statements.

use tokio_util::sync::CancellationToken;

use super::Session;
use super::plan::{Limited, plan};
use crate::engine::{Engine, Events, Statement};
use crate::execution::{self, Job, Operation};

impl Engine for Session {
    fn run(&self, statement: Statement, stop: CancellationToken) -> Events {
        // The server refuses an operation id that it has seen, so on one and the same server
        // sending again cannot run anything twice.
        let resend = statement.pure || self.client().address().incarnation.is_some();
        let Limited { plan, rows } = plan(&statement);
        execution::events(Job {
            operation: Operation::new(self.clone(), plan),
            rows,
            resend,
            stop,
        })
    }
}
