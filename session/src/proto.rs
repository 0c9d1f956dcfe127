//! Spark Connect's messages and service, generated from the protos of Spark 4.3.0.
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated code; its documentation is the protos'"
)]

tonic::include_proto!("spark.connect");
