//! The twelve calls of the service and how long each may take.

use std::fmt;
use std::time::Duration;

/// One of the calls of `spark.connect.SparkConnectService`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Starts an operation and streams its responses.
    ExecutePlan,
    /// Continues the responses of an operation.
    ReattachExecute,
    /// Lets go of responses or of a whole operation.
    ReleaseExecute,
    /// Asks about a plan.
    AnalyzePlan,
    /// Reads and writes the session's settings.
    Config,
    /// Sends files.
    AddArtifacts,
    /// Asks which files are there.
    ArtifactStatus,
    /// Cancels operations.
    Interrupt,
    /// Asks what operations do.
    GetStatus,
    /// Ends the session.
    ReleaseSession,
    /// Copies the session.
    CloneSession,
    /// Asks for all of an error.
    FetchErrorDetails,
}

impl Call {
    /// Its name in the service.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExecutePlan => "ExecutePlan",
            Self::ReattachExecute => "ReattachExecute",
            Self::ReleaseExecute => "ReleaseExecute",
            Self::AnalyzePlan => "AnalyzePlan",
            Self::Config => "Config",
            Self::AddArtifacts => "AddArtifacts",
            Self::ArtifactStatus => "ArtifactStatus",
            Self::Interrupt => "Interrupt",
            Self::GetStatus => "GetStatus",
            Self::ReleaseSession => "ReleaseSession",
            Self::CloneSession => "CloneSession",
            Self::FetchErrorDetails => "FetchErrorDetails",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How long each call may take, over all of its attempts' own time but not the waits between them.
///
/// The long ones are those of pyspark 4.3's `RpcDeadlines`; the calls a person waits for, or that
/// only tidy up, have shorter ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// One stream of an execution. When it passes, the stream is reattached: this is no limit on
    /// the statement.
    pub stream: Duration,
    /// Analysis may list the files of a large table.
    pub analyze: Duration,
    /// Settings.
    pub config: Duration,
    /// Sending files.
    pub artifacts: Duration,
    /// Copying a session.
    pub clone: Duration,
    /// Interrupting, asking for states.
    pub control: Duration,
    /// Releasing operations and sessions.
    pub release: Duration,
    /// Details of an error, for which an error in the cell waits.
    pub details: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        Self {
            stream: minutes(10),
            analyze: minutes(60),
            config: minutes(10),
            artifacts: minutes(60),
            clone: minutes(1),
            control: Duration::from_secs(20),
            release: Duration::from_secs(10),
            details: Duration::from_secs(5),
        }
    }
}

impl Deadlines {
    /// The deadline of one call.
    pub fn of(&self, call: Call) -> Duration {
        match call {
            Call::ExecutePlan | Call::ReattachExecute => self.stream,
            Call::AnalyzePlan => self.analyze,
            Call::Config => self.config,
            Call::AddArtifacts | Call::ArtifactStatus => self.artifacts,
            Call::CloneSession => self.clone,
            Call::Interrupt | Call::GetStatus => self.control,
            Call::ReleaseExecute | Call::ReleaseSession => self.release,
            Call::FetchErrorDetails => self.details,
        }
    }
}
