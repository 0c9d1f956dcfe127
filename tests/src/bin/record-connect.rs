//! Records the scripts in `tests/data/connect` from a real Spark: `cargo run --bin record-connect`.

use firesteel_tests::connect::real::Spark;
use firesteel_tests::connect::record::record;

fn main() -> std::io::Result<()> {
    let Some(spark) = Spark::start(&[]) else {
        return Err(std::io::Error::other("there is no Spark to record from"));
    };
    tokio::runtime::Runtime::new()?.block_on(record(&spark));
    spark.stop();
    Ok(())
}
