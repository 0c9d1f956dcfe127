//! What no single crate can test: a real Spark, real front ends, whole processes.
