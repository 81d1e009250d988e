//! The command line itself: help, usage, streams, colour, codes.

use super::{Place, ran};

const COMMANDS: [&str; 13] = [
    "init",
    "import",
    "validate",
    "render",
    "plan",
    "deploy",
    "destroy",
    "simulate",
    "emulator",
    "lint",
    "explain",
    "schema",
    "completions",
];

#[test]
fn help_names_every_command_and_no_other() {
    let place = Place::new();
    let help = place.run("--help").exits(0);
    help.snapshot("help");
    assert_eq!(help.err, "");
    for command in COMMANDS {
        let own = place.run(&format!("{command} --help")).exits(0);
        assert!(own.out.contains("Examples:"), "{command}");
        own.snapshot(&format!("help-{command}"));
    }
    for later in ["man", "status", "keys", "serve", "compare", "size", "sweep", "backtest"] {
        let refused = place.run(later).exits(64);
        assert!(refused.err.contains(later) && refused.out.is_empty());
    }
}

#[test]
fn a_wrong_command_line_is_exit_64_on_standard_error() {
    let place = Place::new();
    for line in [
        "",
        "validat",
        "plan --clod local",
        "plan --set weight",
        "plan --output yaml",
        "simulate spec.yaml",
        "deploy --time-scale 0",
        "validate -q -v",
        "render --check",
        "emulator --token abc",
        "completions tcsh",
    ] {
        let run = place.run(line).exits(64);
        assert!(run.out.is_empty() && !run.err.is_empty(), "`{line}`");
    }
    place.run("validat").exits(64).says("validate");
    let version = place.run("--version").exits(0);
    assert_eq!(version.out, format!("aoai-lb {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn other_clouds_are_refused_by_name() {
    let place = Place::quickstart();
    for command in ["plan", "deploy", "destroy"] {
        for cloud in ["public", "usgov", "china", "my-cloud.yaml"] {
            let run = place.run(&format!("{command} quickstart.yaml --cloud {cloud}")).exits(64);
            run.says("AL0902").says(&format!("`{cloud}`")).says("--cloud local");
        }
        place.run(&format!("{command} quickstart.yaml")).exits(64).says("AL0902").says("--cloud local");
    }
    assert!(!place.path(".aoai-lb").exists(), "a refused command made a state");
}

#[test]
fn explain_knows_every_code() {
    let place = Place::new();
    let list = place.run("explain").exits(0);
    for code in list.out.lines().skip(1).filter_map(|line| line.split_whitespace().next()) {
        let text = place.run(&format!("explain {code}")).exits(0);
        assert!(text.out.starts_with(&format!("# {code}: ")) && text.err.is_empty(), "{code}");
    }
    assert_eq!(place.run("explain al0102").exits(0).out, place.run("explain [AL0102]").exits(0).out);
    place.run("explain AL0103x").exits(64).says("AL0907").says("did you mean");
    place.run("explain nonsense").exits(64).says("lists all codes");
    assert_eq!(place.run("explain AL0102 --output json").json()["code"], "AL0102");
}

#[test]
fn completions_are_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&format!("completions {shell}")).exits(0);
        assert!(script.out.contains("simulate") && script.out.contains("detailed-exitcode"), "{shell}");
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_the_flags_of_a_subcommand() {
    let place = Place::new();
    let script = place.run("completions bash").exits(0).out;
    let tail = r#"
        ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
                _aoai__lb aoai-lb "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"; echo "${COMPREPLY[*]}"; }
        ask aoai-lb dep; ask aoai-lb deploy --rec; ask aoai-lb completions z; ask aoai-lb render --exp"#;
    let Ok(output) = std::process::Command::new("bash").args(["-c", &format!("{script}{tail}")]).output() else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), "deploy\n--recover\nzsh\n--expanded\n");
}

#[test]
fn colour_is_for_terminals_and_for_who_asks() {
    let place = Place::quickstart();
    let escapes = |variables: &[(&str, &str)], flags: &[&str]| {
        let arguments: Vec<&str> = ["validate", "quickstart.yaml"].iter().chain(flags).copied().collect();
        let run = ran(place.command(&arguments).envs(variables.iter().copied())).exits(0);
        run.err.contains('\x1b') || run.out.contains('\x1b')
    };
    assert!(!escapes(&[], &[]), "a pipe");
    assert!(!escapes(&[("TERM", "xterm-256color")], &[]), "a pipe that says it is a terminal");
    assert!(escapes(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!escapes(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(escapes(&[], &["--color", "always"]) && escapes(&[("NO_COLOR", "1")], &["--color", "always"]));
    assert!(!escapes(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
}

#[test]
fn standard_output_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let place = Place::quickstart();
    let mut child = place.command(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[cfg(unix)]
#[test]
fn a_full_standard_output_is_an_error() {
    let place = Place::quickstart();
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = place.command(&["schema"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("AL0905"));
}
