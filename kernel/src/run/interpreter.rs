//! The seam between Jupyter's requests and what a cell means.

use async_trait::async_trait;
use jupyter_protocol::Media;
use tokio_util::sync::CancellationToken;

use crate::wire::iopub::Output;
use crate::wire::stdin::Stdin;

/// Executes cells and answers questions about their text. One per kernel; asked for one thing at
/// a time, in the order the front end asked, on a thread that is nobody else's.
///
/// Every call may be given up before it has ended: the questions when the user interrupts or after
/// some seconds, an execution when it has not ended soon after the kernel was told to. A call that
/// panics becomes an error in the front end. In each case the next call may follow.
#[async_trait]
pub trait Interpreter: Send + 'static {
    /// Runs one cell to its end. The caller shows how it ended; the interpreter shows the rest. When `cell.stop` is cancelled it ends soon, with
    /// [`Outcome::Interrupted`], and everything the user made before stays.
    async fn execute(&mut self, source: &str, cell: Cell) -> Outcome;

    /// The value of one of an execute request's `user_expressions`.
    async fn evaluate(&mut self, expression: &str) -> Result<Media, Failure>;

    /// Whether `source` can be run as it stands. Never runs or compiles anything.
    fn is_complete(&self, source: &str) -> Completeness;

    /// What could stand at `cursor`, an offset into `source` in Unicode code points.
    async fn complete(&mut self, source: &str, cursor: usize) -> Completions;

    /// What is known about the word at `cursor`, an offset in Unicode code points; `detail` is
    /// Jupyter's level, 0 or 1.
    async fn inspect(&mut self, source: &str, cursor: usize, detail: u8) -> Option<Media>;

    /// Does what is to be done between cells, such as updating what one of them showed, in its
    /// [`Output`]. Called when nothing is asked for, given up when something is, and never returns.
    async fn between(&mut self) {
        std::future::pending::<()>().await;
    }

    /// Gives back whatever is held; called once, last. `restart` is what the front end said.
    async fn end(&mut self, restart: bool);
}

/// What one execution may use.
#[derive(Clone)]
pub struct Cell {
    /// Number of the execution; for a silent one the number of the last that was not.
    pub count: u32,
    /// Whether the front end asked for no output and no history.
    pub silent: bool,
    /// Where outputs go.
    pub output: Output,
    /// How to ask the person at the front end, where one can be asked.
    pub stdin: Stdin,
    /// Cancelled when the user interrupts or the kernel is shut down.
    pub stop: CancellationToken,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of the cell ran.
    Done,
    /// A part of it failed; nothing after that part ran.
    Failed(Failure),
    /// The user stopped it.
    Interrupted,
}

/// A failure as Jupyter shows one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Its kind, such as Spark's error class.
    pub name: String,
    /// What happened, in a sentence.
    pub value: String,
    /// Lines shown in the cell; they may carry ANSI colours.
    pub traceback: Vec<String>,
    /// Lines of Spark's own stack trace, shown to who asks for them; empty where there is none.
    pub stack: Vec<String>,
}

/// Whether a piece of source can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// It can.
    Complete,
    /// More must follow; a console shows this indentation on the next line.
    Incomplete {
        /// White space to start the next line with.
        indent: String,
    },
    /// Nothing that may follow makes it right.
    Invalid,
    /// It cannot be told.
    Unknown,
}

/// Proposals for one place in the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// What could stand there, best first, each with its type as JupyterLab names them.
    pub matches: Vec<Completion>,
    /// Start of the text they replace, in Unicode code points.
    pub start: usize,
    /// End of the text they replace, in Unicode code points.
    pub end: usize,
}

/// One proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The text that is put in.
    pub text: String,
    /// What it is: `keyword`, `function`, `magic`, `schema`, `table`, `column`.
    pub kind: &'static str,
    /// A column's type, or what an alias stands for; else empty.
    pub signature: String,
}
