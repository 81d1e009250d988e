//! One integration test binary.

mod bicep;
