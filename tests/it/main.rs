//! One integration test binary.

mod plan;
