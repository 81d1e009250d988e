//! `completions`: a script that lets a shell complete our commands and flags.

use super::args::{self, Cli};
use super::context::Context;
use super::{Done, Result};
use clap::CommandFactory;
use serde_json::json;

pub(super) fn run(context: &Context, args: &args::Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    context.text(&script)?;
    Ok(Done::new(json!({ "shell": args.shell.to_string(), "script": script })))
}
