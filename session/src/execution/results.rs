//! From responses to events: chunks put together, batches decoded, rows counted.

use std::time::Duration;

use arrow::datatypes::Schema;
use bytes::Bytes;

use crate::engine::{Batch, Done, Event, Progress, Stage};
use crate::error::Error;
use crate::execution::sorted::sorted;
use crate::ipc;
use crate::proto::execute_plan_response::{ArrowBatch, ExecutionProgress, Metrics, ResponseType};

/// Bytes of one batch that are held at most. Spark ends a batch after 4 MB by default, so that a
/// larger one has a row that large.
const LARGEST_BATCH: u64 = 256_000_000;

/// The result so far.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// How many rows the consumer wants, where the server could not be told.
    most: Option<u64>,
    schema_sent: bool,
    chunks: Vec<Bytes>,
    reported: Option<Progress>,
    /// Rows that came.
    came: u64,
    /// Rows that were passed on.
    rows: u64,
    wire_bytes: u64,
    sorted: Option<u64>,
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
    /// A result of which no more than `most` rows are passed on.
    pub(super) fn cut_at(most: Option<u64>) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Takes what Spark counted while it ran.
    pub(super) fn measured(&mut self, metrics: &Metrics) {
        self.sorted = sorted(metrics).or(self.sorted);
    }

    /// Takes the next response, `elapsed` after the request.
    pub(super) fn take(
        &mut self,
        response: ResponseType,
        elapsed: Duration,
    ) -> Result<Taken, Error> {
        match response {
            ResponseType::ArrowBatch(batch) => self.batch(batch),
            ResponseType::ExecutionProgress(report) => Ok(self.progress(progress(report))),
            ResponseType::ResultComplete(_) => self.complete(elapsed),
            // Results of commands that a statement's text does not lead to.
            _ => Ok(Taken::default()),
        }
    }

    /// Spark reports at intervals and at the end, whether anything changed or not.
    fn progress(&mut self, progress: Progress) -> Taken {
        if self.reported.as_ref() == Some(&progress) {
            return Taken::default();
        }
        self.reported = Some(progress.clone());
        let events = vec![Event::Progress(progress)];
        Taken { events, bytes: 0 }
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
            && u64::try_from(start) != Ok(self.came)
        {
            return Err(malformed(format!(
                "a batch begins at row {start} where row {} was due",
                self.came
            )));
        }
        let bytes = batch.data.len() as u64;
        let held: u64 = self.chunks.iter().map(|chunk| chunk.len() as u64).sum();
        if held + bytes > LARGEST_BATCH {
            return Err(Error::RowTooLarge {
                at_most: LARGEST_BATCH,
            });
        }
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
            came += rows.num_rows() as u64;
            let left = self.most.map_or(u64::MAX, |most| most - self.rows);
            let rows = rows.slice(
                0,
                usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(rows.num_rows()),
            );
            if rows.num_rows() == 0 {
                continue;
            }
            self.rows += rows.num_rows() as u64;
            let wire_bytes = std::mem::take(&mut wire_bytes);
            events.push(Event::Batch(Batch { rows, wire_bytes }));
        }
        if u64::try_from(announced) != Ok(came) {
            return Err(malformed(format!(
                "{came} rows came in a batch that announced {announced}"
            )));
        }
        self.came += came;
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
            sorted: self.sorted,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field};
    use arrow::ipc::writer::StreamWriter;

    use super::*;
    use crate::proto::execute_plan_response::ResultComplete;
    use crate::proto::execute_plan_response::execution_progress::StageInfo;

    fn ipc(rows: std::ops::Range<i64>) -> Bytes {
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
        let column = Arc::new(Int64Array::from_iter_values(rows));
        let batch = RecordBatch::try_new(schema.clone(), vec![column]).expect("a batch");
        let mut writer = StreamWriter::try_new(Vec::new(), &schema).expect("a writer");
        writer.write(&batch).expect("written");
        writer.into_inner().expect("finished").into()
    }

    fn batch(rows: std::ops::Range<i64>) -> ArrowBatch {
        ArrowBatch {
            row_count: rows.end - rows.start,
            start_offset: Some(rows.start),
            data: ipc(rows),
            ..ArrowBatch::default()
        }
    }

    fn chunk(whole: &ArrowBatch, cut: std::ops::Range<usize>, index: i64, of: i64) -> ArrowBatch {
        ArrowBatch {
            data: whole.data.slice(cut),
            chunk_index: Some(index),
            num_chunks_in_batch: Some(of),
            ..whole.clone()
        }
    }

    /// What a consumer sees of responses, in words.
    fn told(results: &mut Results, responses: Vec<ResponseType>) -> Result<Vec<String>, Error> {
        let mut told = Vec::new();
        for response in responses {
            for event in results.take(response, Duration::ZERO)?.events {
                told.push(match event {
                    Event::Progress(progress) => format!("progress {}", progress.stages.len()),
                    Event::Schema(schema) => format!("schema {}", schema.fields().len()),
                    Event::Batch(batch) => format!("rows {}", batch.rows.num_rows()),
                    Event::Done(done) => format!("done {}", done.rows),
                });
            }
        }
        Ok(told)
    }

    fn complete() -> ResponseType {
        ResponseType::ResultComplete(ResultComplete {})
    }

    #[test]
    fn responses_become_events() {
        use ResponseType::ArrowBatch as Rows;
        let whole = batch(0..100);
        let middle = whole.data.len() / 2;
        let report = |stages| {
            ResponseType::ExecutionProgress(ExecutionProgress {
                stages: vec![StageInfo::default(); stages],
                num_inflight_tasks: 0,
            })
        };
        type Case = (
            &'static str,
            Option<u64>,
            Vec<ResponseType>,
            &'static [&'static str],
        );
        let cases: [Case; 7] = [
            ("nothing", None, vec![complete()], &["schema 0", "done 0"]),
            (
                "no rows",
                None,
                vec![Rows(batch(0..0)), complete()],
                &["schema 1", "done 0"],
            ),
            (
                "two batches",
                None,
                vec![Rows(batch(0..3)), Rows(batch(3..5)), complete()],
                &["schema 1", "rows 3", "rows 2", "done 5"],
            ),
            (
                "a batch in chunks",
                None,
                vec![
                    Rows(chunk(&whole, 0..middle, 0, 2)),
                    Rows(chunk(&whole, middle..whole.data.len(), 1, 2)),
                    complete(),
                ],
                &["schema 1", "rows 100", "done 100"],
            ),
            (
                "more than wanted",
                Some(4),
                vec![
                    Rows(batch(0..3)),
                    Rows(batch(3..6)),
                    Rows(batch(6..9)),
                    complete(),
                ],
                &["schema 1", "rows 3", "rows 1", "done 4"],
            ),
            (
                "none wanted",
                Some(0),
                vec![Rows(batch(0..3)), complete()],
                &["schema 1", "done 0"],
            ),
            (
                "repeated progress",
                None,
                vec![report(0), report(0), report(1), report(1), complete()],
                &["progress 0", "progress 1", "schema 0", "done 0"],
            ),
        ];
        for (name, most, responses, expected) in cases {
            let events = told(&mut Results::cut_at(most), responses).expect(name);
            assert_eq!(events, expected, "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        use ResponseType::ArrowBatch as Rows;
        let whole = batch(0..100);
        let miscounted = ArrowBatch {
            row_count: 4,
            ..batch(0..3)
        };
        let garbage = ArrowBatch {
            row_count: 1,
            data: Bytes::from_static(b"not Arrow at all"),
            ..ArrowBatch::default()
        };
        let cases = [
            ("a gap", vec![Rows(batch(0..3)), Rows(batch(4..5))]),
            ("a repetition", vec![Rows(batch(0..3)), Rows(batch(0..3))]),
            ("a miscount", vec![Rows(miscounted)]),
            ("garbage", vec![Rows(garbage)]),
            (
                "a second chunk first",
                vec![Rows(chunk(&whole, 0..9, 1, 2))],
            ),
            (
                "an end within a batch",
                vec![Rows(chunk(&whole, 0..9, 0, 2)), complete()],
            ),
        ];
        for (name, responses) in cases {
            let error = told(&mut Results::default(), responses).expect_err(name);
            assert!(matches!(error, Error::Malformed { .. }), "{name}: {error}");
        }
    }

    #[test]
    fn a_row_that_does_not_fit_into_memory_is_refused_before_all_of_it_came() {
        let chunk = |index| {
            ResponseType::ArrowBatch(ArrowBatch {
                data: Bytes::from(vec![0; 100_000_000]),
                chunk_index: Some(index),
                num_chunks_in_batch: Some(20),
                row_count: 1,
                ..ArrowBatch::default()
            })
        };
        let mut results = Results::default();
        for index in 0..2 {
            assert!(results.take(chunk(index), Duration::ZERO).is_ok());
        }
        let error = results
            .take(chunk(2), Duration::ZERO)
            .expect_err("too large");
        assert_eq!(
            error.to_string(),
            "a row of the result is larger than the 256 MB that are fetched at once; \
             select fewer columns, or a part of the value with `substring`"
        );
    }
}
