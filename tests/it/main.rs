//! One integration test binary.

mod bicep;
mod render;
