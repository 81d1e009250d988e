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

/// Starts a deployment that takes long, waits until its progress has begun, sends a signal, and waits for the end.
fn interrupted(place: &Place, with: &str) -> (Ran, Duration) {
    let line = "deploy quickstart.yaml --cloud local --yes --time-scale 20";
    let mut child = place
        .command(&line.split(' ').collect::<Vec<_>>())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("Deploying") {
        assert!(reader.read_line(&mut err).unwrap() > 0, "ended before it deployed:\n{err}");
    }
    std::thread::sleep(Duration::from_millis(700));
    let sent = Instant::now();
    signal(&child, with);
    reader.read_to_string(&mut err).unwrap();
    let took = sent.elapsed();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    (Ran { code: child.wait().unwrap().code().unwrap_or(-1), out, err }, took)
}

#[test]
fn an_interrupted_deployment_goes_on_and_the_next_attaches() {
    for name in ["INT", "TERM"] {
        let place = Place::quickstart();
        let (run, took) = interrupted(&place, name);
        let run = run.exits(6).says("Detached").says("aoai-lb deploy");
        assert!(took < Duration::from_secs(2), "{name} was answered after {took:?}");
        assert!(!run.err.contains('\x1b'));
        // nothing half-written: the state is whole, and Azure has gone on
        serde_json::from_str::<serde_json::Value>(&place.read(".aoai-lb/local/state.json")).unwrap();
        place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
        place.run("plan quickstart.yaml --cloud local --detailed-exitcode").exits(0);
    }
}
