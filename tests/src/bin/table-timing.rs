//! Prints how many milliseconds the table of 1,000 rows and 20 columns takes, as HTML and as text: `tests/bench` asks for it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::error::ArrowError;
use firesteel_kernel::display::{Facts, Remaining, Zone, table};

const ROWS: i64 = 1000;
const COLUMNS: usize = 20;

/// Of an odd number of tables, the one in the middle counts; the first ones load what is loaded once.
const TABLES: usize = 41;

fn main() -> Result<(), ArrowError> {
    let batch = mixed()?;
    let facts = Facts {
        remaining: Remaining::Nothing,
        rows: ROWS.unsigned_abs(),
        there: None,
        bytes: batch.get_array_memory_size() as u64,
        elapsed: Duration::ZERO,
        bytes_read: None,
    };
    let zone = Zone::utc();
    let batches = [batch];
    let mut times: Vec<Duration> = (0..TABLES)
        .map(|_| {
            let before = Instant::now();
            black_box(table(&batches[0].schema(), &batches, &zone, &facts));
            before.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{}", times[TABLES / 2].as_secs_f64() * 1000.0);
    Ok(())
}

/// Numbers, text, days, instants and truth values, a tenth of which is not there: as `peer_table.py` has them.
fn mixed() -> Result<RecordBatch, ArrowError> {
    let there = |row: i64| row % 10 != 9;
    let columns = (0..COLUMNS).map(|column| {
        let rows = 0..ROWS;
        let values: ArrayRef = match column % 6 {
            0 => Arc::new(Int64Array::from_iter(
                rows.map(|row| there(row).then_some(row * 7919)),
            )),
            1 => Arc::new(Float64Array::from_iter(
                rows.map(|row| there(row).then_some(row as f64 / 7.0)),
            )),
            2 => Arc::new(StringArray::from_iter(
                rows.map(|row| there(row).then(|| format!("carrier <{row}> & co"))),
            )),
            3 => Arc::new(Date32Array::from_iter(
                rows.map(|row| there(row).then_some(15_706 + (row % 365) as i32)),
            )),
            4 => Arc::new(
                TimestampMicrosecondArray::from_iter(
                    rows.map(|row| there(row).then_some(1_356_998_400_000_000 + row * 61_000_001)),
                )
                .with_timezone("UTC"),
            ),
            _ => Arc::new(BooleanArray::from_iter(
                rows.map(|row| there(row).then_some(row % 3 == 0)),
            )),
        };
        (format!("column_{column}"), values)
    });
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true)))
}
