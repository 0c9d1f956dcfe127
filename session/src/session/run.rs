//! Running statements.

use tokio_util::sync::CancellationToken;

use super::Session;
use crate::engine::{Engine, Events, Statement};
use crate::execution::{self, Job, Operation};
use crate::proto;

impl Engine for Session {
    fn run(&self, statement: Statement, stop: CancellationToken) -> Events {
        // The server refuses an operation id that it has seen, so on one and the same server
        // sending again cannot run anything twice.
        let resend = statement.pure || self.client().address().incarnation.is_some();
        let plan = plan(&statement.sql, statement.rows);
        execution::events(Job {
            operation: Operation::new(self.clone(), plan),
            resend,
            stop,
        })
    }
}

/// The plan of a statement: its text as the root relation, under a limit where there is one.
pub(super) fn plan(sql: &str, rows: Option<u64>) -> proto::Plan {
    use proto::plan::OpType;
    use proto::relation::RelType;

    let relation = |rel_type: RelType| proto::Relation {
        common: None,
        rel_type: Some(rel_type),
    };
    let text = relation(RelType::Sql(proto::Sql {
        query: sql.to_owned(),
        ..proto::Sql::default()
    }));
    let root = match rows {
        None => text,
        Some(rows) => relation(RelType::Limit(Box::new(proto::Limit {
            input: Some(Box::new(text)),
            limit: i32::try_from(rows).unwrap_or(i32::MAX),
        }))),
    };
    proto::Plan {
        op_type: Some(OpType::Root(root)),
    }
}
