//! Fetches a result into Arrow and says how fast: `fetch PORT SQL [SETTING=VALUE …]`, from a Connect server on this machine. Prints
//! a line of JSON: rows, bytes in memory, seconds, and the most memory that the process ever held.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench fails loudly, where it is"
)]

use std::time::Instant;

use arrow::array::{Array as _, RecordBatch};
use firesteel_session::address::Address;
use firesteel_session::client::{Client, Options};
use firesteel_session::engine::{Engine as _, Event};
use firesteel_session::session::Session;
use firesteel_tests::connect::outcome::{query, statement};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().and_then(|port| port.parse().ok());
    let sql = arguments.next().expect("a statement");
    let address = Address::tcp("localhost", port.expect("a port"), "bench");
    let session = Session::new(Client::new(address, Options::local()).unwrap());
    for setting in arguments {
        let set = statement(&format!("SET {setting}"));
        let mut events = session.run(set, CancellationToken::new());
        while let Some(event) = events.next().await {
            event.unwrap();
        }
    }
    let begun = Instant::now();
    let mut batches = Vec::new();
    let mut events = session.run(query(&sql), CancellationToken::new());
    while let Some(event) = events.next().await {
        if let Event::Batch(batch) = event.unwrap() {
            batches.push(batch.rows);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let columns = batches.iter().flat_map(RecordBatch::columns);
    let sizes = columns.map(|column| column.to_data().get_slice_memory_size().unwrap());
    let told = serde_json::json!({
        "rows": rows,
        "bytes": sizes.sum::<usize>(),
        "seconds": seconds,
        "peak_kib": peak(),
    });
    println!("{told}");
    let _gone_with_the_server = session.close().await;
}

/// The most memory that this process held, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().split(' ').next());
    number.expect("a figure").parse().unwrap()
}
