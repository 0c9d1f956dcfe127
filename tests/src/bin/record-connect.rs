//! Records the scripts in `tests/data/connect` from a real Spark: `cargo run --bin record-connect`.

use firesteel_tests::connect::real::Spark;
use firesteel_tests::connect::record::record;

fn main() {
    let Some(spark) = Spark::start(&[]) else {
        std::process::exit(1);
    };
    let runtime = tokio::runtime::Runtime::new();
    runtime.unwrap().block_on(record(&spark));
    spark.stop();
}
