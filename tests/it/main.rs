//! One integration test binary.

mod bicep;
mod plan;
mod render;
