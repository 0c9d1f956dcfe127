//! From responses to events: chunks put together, batches decoded, rows counted.

use std::time::Duration;

use arrow::datatypes::Schema;
use bytes::Bytes;

use crate::engine::{Batch, Done, Event, Progress, Stage};
use crate::error::Error;
use crate::ipc;
use crate::proto::execute_plan_response::{ArrowBatch, ExecutionProgress, ResponseType};

/// The result so far.
#[derive(Debug, Default)]
pub(super) struct Results {
    schema_sent: bool,
    chunks: Vec<Bytes>,
    rows: u64,
    wire_bytes: u64,
}

/// What a response amounts to.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// What the consumer hears of.
    pub(super) events: Vec<Event>,
    /// Bytes of results it held.
    pub(super) bytes: u64,
}

impl Results {
    /// Takes the next response, `elapsed` after the request.
    pub(super) fn take(
        &mut self,
        response: ResponseType,
        elapsed: Duration,
    ) -> Result<Taken, Error> {
        match response {
            ResponseType::ArrowBatch(batch) => self.batch(batch),
            ResponseType::ExecutionProgress(report) => Ok(Taken {
                events: vec![Event::Progress(progress(report))],
                bytes: 0,
            }),
            ResponseType::ResultComplete(_) => self.complete(elapsed),
            // Results of commands that a statement's text does not lead to.
            _ => Ok(Taken::default()),
        }
    }

    fn batch(&mut self, batch: ArrowBatch) -> Result<Taken, Error> {
        let chunk = batch.chunk_index.unwrap_or(0);
        if usize::try_from(chunk) != Ok(self.chunks.len()) {
            return Err(malformed(format!(
                "chunk {chunk} of a batch came where {} was due",
                self.chunks.len()
            )));
        }
        let first = self.chunks.is_empty();
        if let Some(start) = batch.start_offset.filter(|_| first)
            && u64::try_from(start) != Ok(self.rows)
        {
            return Err(malformed(format!(
                "a batch begins at row {start} where row {} was due",
                self.rows
            )));
        }
        let bytes = batch.data.len() as u64;
        self.chunks.push(batch.data);
        let chunks = batch.num_chunks_in_batch.unwrap_or(0).max(1);
        if (self.chunks.len() as u64) < chunks.unsigned_abs() {
            let events = Vec::new();
            return Ok(Taken { events, bytes });
        }
        let events = self.decode(batch.row_count)?;
        Ok(Taken { events, bytes })
    }

    /// Decodes the chunks of one whole batch.
    fn decode(&mut self, announced: i64) -> Result<Vec<Event>, Error> {
        let chunks = std::mem::take(&mut self.chunks);
        let mut wire_bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        self.wire_bytes += wire_bytes;
        let decoded = ipc::decode(chunks).map_err(|source| Error::Malformed {
            what: "a batch of rows cannot be decoded".to_owned(),
            source: Some(source),
        })?;
        let mut events = Vec::new();
        if !self.schema_sent {
            self.schema_sent = true;
            events.push(Event::Schema(decoded.schema));
        }
        let mut came = 0;
        for rows in decoded.batches {
            if rows.num_rows() == 0 {
                continue;
            }
            came += rows.num_rows() as u64;
            let wire_bytes = std::mem::take(&mut wire_bytes);
            events.push(Event::Batch(Batch { rows, wire_bytes }));
        }
        if u64::try_from(announced) != Ok(came) {
            return Err(malformed(format!(
                "{came} rows came in a batch that announced {announced}"
            )));
        }
        self.rows += came;
        Ok(events)
    }

    fn complete(&mut self, elapsed: Duration) -> Result<Taken, Error> {
        if !self.chunks.is_empty() {
            return Err(malformed("it ends in the middle of a batch".to_owned()));
        }
        let mut events = Vec::new();
        if !self.schema_sent {
            self.schema_sent = true;
            events.push(Event::Schema(Schema::empty().into()));
        }
        events.push(Event::Done(Done {
            rows: self.rows,
            wire_bytes: self.wire_bytes,
            elapsed,
        }));
        Ok(Taken { events, bytes: 0 })
    }
}

fn malformed(what: String) -> Error {
    Error::Malformed { what, source: None }
}

fn progress(report: ExecutionProgress) -> Progress {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let mut stages: Vec<Stage> = report
        .stages
        .into_iter()
        .map(|stage| Stage {
            id: stage.stage_id,
            tasks: count(stage.num_tasks),
            tasks_done: count(stage.num_completed_tasks),
            bytes_read: count(stage.input_bytes_read),
            done: stage.done,
        })
        .collect();
    stages.sort_by_key(|stage| stage.id);
    Progress {
        stages,
        running_tasks: count(report.num_inflight_tasks),
    }
}
