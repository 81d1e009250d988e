//! Ctrl-C and SIGTERM while Azure works: said at once, nothing lost, the next deploy attaches.
#![cfg(unix)]

use super::{Place, Ran};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Sends a signal to one process that a test has started.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(status.success(), "kill -{name}");
}

/// Starts a command that takes long, waits until its progress has begun, sends a signal, and waits for the end.
#[track_caller]
fn interrupted(place: &Place, command: &str, with: &str) -> Ran {
    let line = format!("{command} quickstart.yaml --cloud local --yes --time-scale 20 --events events.ndjson");
    let mut child = place
        .command(&line.split(' ').collect::<Vec<_>>())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("Ctrl-C detaches") {
        assert!(reader.read_line(&mut err).unwrap() > 0, "ended before it began:\n{err}");
    }
    std::thread::sleep(Duration::from_millis(700));
    let sent = Instant::now();
    signal(&child, with);
    reader.read_to_string(&mut err).unwrap();
    let took = sent.elapsed();
    assert!(took < Duration::from_secs(2), "{with} was answered after {took:?}");
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let run = Ran { code: child.wait().unwrap().code().unwrap_or(-1), out, err }.exits(6).says("Detached");
    assert!(!run.err.contains('\x1b'));
    // nothing half-written
    serde_json::from_str::<serde_json::Value>(&place.read(".aoai-lb/local/state.json")).unwrap();
    assert!(place.read("events.ndjson").lines().last().unwrap().contains("\"exit\":6"));
    run
}

#[test]
fn an_interrupted_deployment_goes_on_and_the_next_attaches() {
    let place = Place::quickstart();
    interrupted(&place, "deploy", "INT").says("aoai-lb deploy quickstart.yaml");
    place.run("deploy quickstart.yaml --cloud local --yes --time-scale 20").exits(0).says("Attached to aoai-lb-");
    place.run("plan quickstart.yaml --cloud local --detailed-exitcode").exits(0);
}

#[test]
fn a_terminated_deployment_keeps_others_out_until_it_has_ended() {
    let place = Place::quickstart();
    interrupted(&place, "deploy", "TERM");
    place.edit("quickstart.yaml", "weight: 10", "weight: 30");
    place.run("deploy quickstart.yaml --cloud local --yes --time-scale 20").exits(7).says("AL0505");
    place.edit("quickstart.yaml", "weight: 30", "weight: 10");
    place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
}

#[test]
fn an_interrupted_destroy_can_be_run_again() {
    let place = Place::quickstart();
    place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
    interrupted(&place, "destroy", "INT").says("aoai-lb destroy quickstart.yaml");
    place.run("destroy quickstart.yaml --cloud local --yes --purge-soft-deleted").exits(0);
    place.run("destroy quickstart.yaml --cloud local --yes").exits(0).says("Nothing to delete");
}
