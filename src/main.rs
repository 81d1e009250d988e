//! The `aoai-lb` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(aoai_lb::cli::main() as u8)
}
