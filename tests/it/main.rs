//! One integration test binary.

mod bicep;
mod cli;
mod readme;
