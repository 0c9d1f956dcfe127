//! Compiles Spark Connect's protos (as shipped in Spark 4.3.0's own jar) without protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let descriptors = protox::compile(["spark/connect/base.proto"], ["proto"])?;
    println!("cargo::rerun-if-changed=proto");
    // Arrow data stays in the buffer it was received in.
    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}
