//! Questions about a statement that is not run.

use std::collections::BTreeMap;

use super::Session;
use crate::call::Call;
use crate::error::Error;
use crate::proto::analyze_plan_request::explain::ExplainMode as WireMode;
use crate::proto::analyze_plan_request::{Analyze, Explain, Schema, SparkVersion};
use crate::proto::analyze_plan_response::Result as Answer;
use crate::proto::{AnalyzePlanRequest, DataType};

/// What a plan's explanation shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainMode {
    /// The physical plan.
    Simple,
    /// The logical plans as well.
    Extended,
    /// The generated code.
    Codegen,
    /// The optimised plan with its statistics.
    Cost,
    /// The physical plan as an outline with notes.
    Formatted,
}

impl Session {
    /// How Spark would run `sql`.
    ///
    /// # Errors
    /// As any call; Spark refuses what it cannot parse or resolve.
    pub async fn explain_sql(&self, sql: &str, mode: ExplainMode) -> Result<String, Error> {
        let mode = match mode {
            ExplainMode::Simple => WireMode::Simple,
            ExplainMode::Extended => WireMode::Extended,
            ExplainMode::Codegen => WireMode::Codegen,
            ExplainMode::Cost => WireMode::Cost,
            ExplainMode::Formatted => WireMode::Formatted,
        };
        let question = Explain {
            plan: Some(super::plan::root(sql, None, &BTreeMap::new())),
            explain_mode: mode.into(),
        };
        match self.analyze(Analyze::Explain(question)).await? {
            Answer::Explain(explain) => Ok(explain.explain_string),
            _ => Err(other_answer()),
        }
    }

    /// The columns that `sql` would give, as Spark's own types.
    ///
    /// Only for queries: Spark runs a command when asked for its columns.
    ///
    /// # Errors
    /// As any call; Spark refuses what it cannot parse or resolve.
    pub async fn schema(&self, sql: &str) -> Result<DataType, Error> {
        let question = Schema {
            plan: Some(super::plan::root(sql, None, &BTreeMap::new())),
        };
        match self.analyze(Analyze::Schema(question)).await? {
            Answer::Schema(schema) => schema.schema.ok_or_else(other_answer),
            _ => Err(other_answer()),
        }
    }

    /// The server's version of Spark, such as `4.3.0`.
    ///
    /// # Errors
    /// As any call.
    pub async fn spark_version(&self) -> Result<String, Error> {
        match self.analyze(Analyze::SparkVersion(SparkVersion {})).await? {
            Answer::SparkVersion(version) => Ok(version.version),
            _ => Err(other_answer()),
        }
    }

    async fn analyze(&self, question: Analyze) -> Result<Answer, Error> {
        let request = AnalyzePlanRequest {
            session_id: self.id(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            user_context: self.shared.identity.user_context(),
            client_type: self.client_type(),
            analyze: Some(question),
        };
        match self.shared.client.analyze_plan(request).await {
            Ok(response) => {
                self.identity()
                    .observe(&response.session_id, &response.server_side_session_id)?;
                response.result.ok_or_else(other_answer)
            }
            Err(failure) => Err(self.explain(Call::AnalyzePlan, failure).await),
        }
    }
}

fn other_answer() -> Error {
    Error::Malformed {
        what: "it answers another question".to_owned(),
        source: None,
    }
}
