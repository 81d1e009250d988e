//! The one integration test binary.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::disallowed_types, missing_docs)]

mod architecture;
mod bicep;
mod cli;
mod configurations;
mod fuzz;
mod plan;
mod policy;
mod readme;
mod render;
