//! The command line as clap reads it: every command, flag and example, and nothing that they do.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Many Azure OpenAI deployments behind one API Management gateway: one spec, rendered, deployed, diffed, simulated
#[derive(Debug, Parser)]
#[command(
    name = "aoai-lb",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  aoai-lb validate examples/quickstart.yaml
  aoai-lb deploy examples/quickstart.yaml --cloud local
  aoai-lb plan examples/quickstart.yaml --cloud local --detailed-exitcode

SPEC is the argument, else AOAI_LB_SPEC, else aoai-lb.yaml in this folder or above it up to the \
repository's root.

Exit codes: 0 done, 1 failed, 2 changes present, 3 not allowed, 4 the spec is wrong, \
5 Azure refused, 6 detached or declined, 7 still running, 64 usage, 70 a bug."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Which Azure: `local` is the one in this program
    #[arg(long, global = true, value_name = "CLOUD")]
    pub cloud: Option<String>,
    /// The environment of the spec to apply
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// The Azure subscription's id, before the spec's and AZURE_SUBSCRIPTION_ID
    #[arg(long, global = true, value_name = "ID")]
    pub subscription: Option<String>,
    /// The resource group, before the spec's
    #[arg(long, global = true, value_name = "NAME")]
    pub resource_group: Option<String>,
    /// Sets a key of the spec, as gateway.capacity=2; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE count for auto
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
    /// Say problems only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more; twice for every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What stands on standard output
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t = Form::Text)]
    pub output: Form,
    /// Write what happens to a file, one JSON object a line
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub events: Option<PathBuf>,
    /// Answer yes to what would be asked
    #[arg(short, long, global = true)]
    pub yes: bool,
    /// Never ask; fail where an answer is needed
    #[arg(long, global = true)]
    pub no_input: bool,
    /// How many times faster than Azure the local Azure works
    #[arg(long, global = true, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub time_scale: u32,
}

/// `--color`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// `--output`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Text,
    Json,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE, for example gateway.capacity=2".to_owned()),
    }
}

/// The commands, in the order in which a user meets them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a spec to begin with, and its schema for your editor
    #[command(after_help = "\
Examples:
  aoai-lb init --name contoso-ai --email ai-platform@contoso.com
  aoai-lb init infra --name contoso-ai --email ai@contoso.com --region swedencentral --region francecentral
  aoai-lb init --name contoso-ai --email ai@contoso.com --model gpt-5.1 --force")]
    Init(Init),
    /// Check a spec, offline, and report every problem at once
    #[command(after_help = "\
Examples:
  aoai-lb validate
  aoai-lb validate examples/quickstart.yaml --env dev
  aoai-lb validate --output json | jq '.diagnostics[].message'
  aoai-lb validate --sarif aoai-lb.sarif    # for code scanning, also where the spec is wrong")]
    Validate(Validate),
    /// Write the Bicep, the ARM template and the policy that a spec means
    #[command(after_help = "\
Without -o the files are named on standard error and main.bicep stands on standard output.

Examples:
  aoai-lb render examples/quickstart.yaml -o out
  aoai-lb render examples/quickstart.yaml -o out --check
  aoai-lb render examples/minimal.yaml --expanded
  aoai-lb render examples/quickstart.yaml | less")]
    Render(Render),
    /// Show what deploy would change, and why
    #[command(after_help = "\
Examples:
  aoai-lb plan examples/quickstart.yaml --cloud local
  aoai-lb plan --cloud local --detailed-exitcode    # 0 nothing to change, 2 changes
  aoai-lb plan --cloud local --output json | jq '.plan'")]
    Plan(Plan),
    /// Make Azure match the spec
    #[command(after_help = "\
Shows the plan and asks. Ctrl-C detaches: Azure goes on, and the same command attaches again.

Examples:
  aoai-lb deploy examples/quickstart.yaml --cloud local
  aoai-lb deploy --cloud local --yes --events events.ndjson
  aoai-lb deploy --cloud local --recover apim-contoso     # a name that a soft-deleted service holds
  aoai-lb deploy --cloud local --purge apim-contoso       # or gone for good
  aoai-lb deploy --cloud local --recover all")]
    Deploy(Deploy),
    /// Delete what a spec's stack owns
    #[command(after_help = "\
Shows what goes and asks for the stack's name. Without --purge-soft-deleted Azure keeps
deleted services and accounts, and their names, for a while.

Examples:
  aoai-lb destroy examples/quickstart.yaml --cloud local
  aoai-lb destroy examples/quickstart.yaml --cloud local --purge-soft-deleted --yes")]
    Destroy(Destroy),
    /// Replay traffic through the pool and its breakers, and show what callers would have seen
    #[command(after_help = "\
A trace is CSV with a heading: when a request comes, and its tokens.

Examples:
  aoai-lb simulate examples/quickstart.yaml --trace examples/traces/burst.csv
  aoai-lb simulate --trace burst.csv --seed 7 --output json | jq '.report'")]
    Simulate(Simulate),
    /// Serve the local Azure over HTTP on 127.0.0.1, for other clients
    #[command(after_help = "\
The same state as --cloud local in this folder. Every request needs the token that is printed at the start; so does \
the page for a browser, whose address is printed too.

Examples:
  aoai-lb emulator --port 4141
  aoai-lb emulator --port 0 --output json
  aoai-lb emulator --scenario examples/scenarios/throttled.yaml
  curl -H \"Authorization: Bearer $TOKEN\" 'http://127.0.0.1:4141/subscriptions?api-version=2022-12-01'")]
    Emulator(Emulator),
    /// Make a spec of somebody's ARM template or policy document, and say what it could not carry over
    #[command(after_help = "\
FILE is an ARM template (JSON) or a policy document (XML). Bicep: compile it with `bicep build` first.
What the file does not say is left out, and `validate` asks for it; nothing is invented.

Examples:
  aoai-lb import main.json --resource-group rg-contoso-ai --location eastus2 -o aoai-lb.yaml
  aoai-lb import main.json --parameters main.parameters.json > aoai-lb.yaml
  aoai-lb import policy.xml --output json | jq '.missing'
  bicep build main.bicep --stdout | aoai-lb import -")]
    Import(Import),
    /// Check somebody's policy or ARM template for errors and known traps
    #[command(after_help = "\
FILE is a policy document (XML, or rawxml with unescaped expressions), a policy fragment, or an ARM \
template (JSON), whose policies are checked too. Bicep: compile it with `bicep build` first.
Exits with 4 where there are errors, with 0 where there are only warnings and notes.

Examples:
  aoai-lb lint policy.xml
  aoai-lb lint main.json --output json | jq '.diagnostics[].code'
  bicep build main.bicep --stdout | aoai-lb lint -")]
    Lint(Lint),
    /// Explain a diagnostic's code, or list all codes
    #[command(after_help = "\
Examples:
  aoai-lb explain AL0102
  aoai-lb explain")]
    Explain(Explain),
    /// Print the JSON Schema of the spec, for editors
    #[command(after_help = "\
Examples:
  aoai-lb schema > aoai-lb.schema.json
  # and as the first line of the spec:
  # yaml-language-server: $schema=./aoai-lb.schema.json")]
    Schema,
    /// Print completions for a shell
    #[command(after_help = "\
Examples:
  aoai-lb completions bash > ~/.local/share/bash-completion/completions/aoai-lb
  aoai-lb completions zsh > ~/.zfunc/_aoai-lb
  aoai-lb completions fish > ~/.config/fish/completions/aoai-lb.fish")]
    Completions(Completions),
}

/// `init`
#[derive(Debug, Args)]
pub struct Init {
    /// The folder in which aoai-lb.yaml is written
    #[arg(value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// The stack: names follow from it; lower-case letters, digits and hyphens
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// An address that is read: Azure writes to it
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// A region, the first also the gateway's; may be repeated
    #[arg(long, value_name = "REGION", default_values_t = ["eastus2".to_owned(), "swedencentral".to_owned()])]
    pub region: Vec<String>,
    /// A model; left out, a current one
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Write over a spec that is there
    #[arg(long)]
    pub force: bool,
}

/// The spec that a command works on.
#[derive(Debug, Args)]
pub struct Spec {
    /// The spec; else AOAI_LB_SPEC, else aoai-lb.yaml here or above
    #[arg(value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub spec: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Validate {
    #[command(flatten)]
    pub spec: Spec,
    /// Write every problem as SARIF 2.1.0; `-` for standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sarif: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Render {
    #[command(flatten)]
    pub spec: Spec,
    /// The folder to write to
    #[arg(short, long = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write nothing; fail where the files in DIR differ or should not be there
    #[arg(long, requires = "out")]
    pub check: bool,
    /// Print the spec's long form, every default filled in
    #[arg(long, conflicts_with_all = ["out", "check"])]
    pub expanded: bool,
}

#[derive(Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    pub spec: Spec,
    /// Exit with 2 where there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
pub struct Deploy {
    #[command(flatten)]
    pub spec: Spec,
    /// Bring back a soft-deleted service or account by its name, or `all`
    #[arg(long, value_name = "NAME")]
    pub recover: Vec<String>,
    /// Purge a soft-deleted service or account by its name, or `all`, for good
    #[arg(long, value_name = "NAME")]
    pub purge: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    pub spec: Spec,
    /// Also purge what Azure would keep soft-deleted, so that the names are free
    #[arg(long)]
    pub purge_soft_deleted: bool,
}

#[derive(Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    pub spec: Spec,
    /// The trace to replay
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: PathBuf,
    /// The same seed gives the same report
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Key of the API that is called; needed where the spec has several
    #[arg(long, value_name = "KEY")]
    pub api: Option<String>,
    /// The deployment that callers name where the trace does not say; needed where the API routes several
    #[arg(long, value_name = "NAME")]
    pub deployment: Option<String>,
}

#[derive(Debug, Args)]
pub struct Emulator {
    /// The port on 127.0.0.1; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = 4141)]
    pub port: u16,
    /// The token that clients must send; a random one where it is left out
    #[arg(long, env = "AOAI_LB_EMULATOR_TOKEN", hide_env_values = true, value_name = "T", value_parser = token)]
    pub token: Option<String>,
    /// Take resource types that the local Azure does not know, as they are sent
    #[arg(long)]
    pub lenient: bool,
    /// Faults to set, in place of those that are set
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub scenario: Option<PathBuf>,
}

impl Emulator {
    /// The only address that it ever listens on.
    pub const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;
}

fn token(text: &str) -> Result<String, String> {
    let fits = text.len() >= 4 && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("a token has at least 4 visible ASCII characters, no blanks".into()) }
}

#[derive(Debug, Args)]
pub struct Import {
    /// The template or the policy; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The spec to write; standard output where it is left out
    #[arg(short, long = "out", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Write over a spec that is there
    #[arg(long, requires = "out")]
    pub force: bool,
    /// Values of the template's parameters, JSON as `bicep build-params` writes it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub parameters: Option<PathBuf>,
    /// The region of the resource group
    #[arg(long, value_name = "REGION")]
    pub location: Option<String>,
}

#[derive(Debug, Args)]
pub struct Lint {
    /// The policy or the template; `-` is standard input
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Write the findings as SARIF 2.1.0 too; `-` is standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub sarif: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Explain {
    /// The code, as AL0102
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_agrees_with_itself() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  aoai-lb "), "{} has no example", command.get_name());
        }
    }

    #[test]
    fn every_exit_code_stands_in_the_help() {
        let help = Cli::command().get_after_help().map(ToString::to_string).unwrap_or_default();
        let codes = help.split_once("Exit codes: ").expect("exit codes").1;
        for (exit, _) in crate::diagnostic::Exit::ALL {
            let number = format!("{} ", exit as u8);
            assert!(codes.split([',', '\n']).any(|part| part.trim_start().starts_with(&number)), "{number}");
        }
    }
}
