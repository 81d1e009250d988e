//! `completions`: a script that lets a shell complete our commands and flags.

use super::args::{self, Cli};
use super::context::Context;
use super::{Done, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

/// clap_complete 4.6 names the states of a subcommand in two ways where the program's name has a hyphen, so that bash
/// completes no flag of any subcommand.
fn repaired(shell: Shell, script: &str) -> String {
    match shell {
        Shell::Bash => script.replace("aoai__subcmd__lb__subcmd__", "aoai__lb__subcmd__"),
        _ => script.to_owned(),
    }
}

pub(super) fn run(context: &Context, args: &args::Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut script);
    let script = repaired(args.shell, &String::from_utf8_lossy(&script));
    context.text(&script)?;
    Ok(Done::new(json!({ "shell": args.shell.to_string(), "script": script })))
}
