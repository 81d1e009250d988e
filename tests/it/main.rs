//! One integration test binary.

mod bicep;
mod cli;
mod plan;
mod readme;
mod render;
