//! The local Azure's state when the world outside is unkind: kills, a full disk, a lock that somebody held.
#![cfg(unix)]

use super::Place;
use super::interrupt::signal;
use aoai_lb::rng::{Stream, below, draw};
use serde_json::Value;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

const STATE: &str = ".aoai-lb/local/state.json";

/// Temporary files in the local Azure's folder.
fn litter(place: &Place) -> usize {
    let names = std::fs::read_dir(place.path(".aoai-lb/local")).unwrap();
    names.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".aoai-lb-")).count()
}

#[test]
fn five_kills_and_the_deployment_is_still_finished() {
    let place = Place::quickstart();
    for kill in 0..5 {
        let mut child = place
            .command(&["deploy", "quickstart.yaml", "--cloud", "local", "--yes", "--time-scale", "60"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // anywhere between the first request and some way into the deployment
        let wait = 20 + below(draw(2026, Stream::Fault, kill, 0), 1500);
        std::thread::sleep(Duration::from_millis(wait));
        signal(&child, "KILL");
        child.wait().unwrap();
        if place.path(STATE).exists() {
            let state: Value = serde_json::from_str(&place.read(STATE)).unwrap();
            assert_eq!(state["format"], 2, "after kill {kill}");
            assert!(litter(&place) <= 1);
        }
    }
    place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
    place.run("plan quickstart.yaml --cloud local --detailed-exitcode").exits(0);
    assert_eq!(litter(&place), 0);
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_old_state() {
    let place = Place::quickstart();
    place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
    let before = place.read(STATE);
    place.edit("quickstart.yaml", "weight: 10", "weight: 30");
    // files of more than four blocks cannot be written, and the signal that says so is not wanted
    let binary = env!("CARGO_BIN_EXE_aoai-lb");
    let script = format!("trap '' XFSZ; ulimit -f 4; exec '{binary}' deploy quickstart.yaml --cloud local --yes");
    let mut limited = place.command(&["--version"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(place.path("")).stdin(Stdio::null());
    shell.env_clear().envs(limited.env("COLUMNS", "100").get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = super::ran(&mut shell).exits(1).says("AL0603").says("make room");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert_eq!(place.read(STATE), before);
    assert_eq!(litter(&place), 0);
    place.run("deploy quickstart.yaml --cloud local --yes").exits(0);
    place.run("plan quickstart.yaml --cloud local --detailed-exitcode").exits(0);
}

#[test]
fn a_lock_goes_away_with_the_process_that_held_it() {
    let place = Place::quickstart();
    place.run("plan quickstart.yaml --cloud local").exits(0);
    let lock = place.path(".aoai-lb/local/state.lock");
    let held = Command::new("flock")
        .args([
            "--no-fork".as_ref(),
            lock.as_os_str(),
            "sh".as_ref(),
            "-c".as_ref(),
            "echo held; exec sleep 60".as_ref(),
        ])
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut held) = held else {
        println!("skipped: there is no `flock` here");
        return;
    };
    let mut word = [0; 5];
    held.stdout.take().unwrap().read_exact(&mut word).unwrap();
    let mut waiting =
        place.command(&["plan", "quickstart.yaml", "--cloud", "local"]).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(waiting.try_wait().unwrap(), None, "it did not wait");
    signal(&held, "KILL");
    held.wait().unwrap();
    assert!(waiting.wait().unwrap().success());
}

#[test]
fn two_processes_at_once_lose_nothing() {
    let place = Place::new();
    let servers = [super::emulator::Server::start(&place), super::emulator::Server::start(&place)];
    let url = |name: &str| {
        format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/{name}?api-version=2021-04-01")
    };
    std::thread::scope(|scope| {
        for (n, server) in servers.iter().enumerate() {
            scope.spawn(move || {
                for i in 0..20 {
                    assert_eq!(
                        server.send("PUT", &url(&format!("rg-{n}-{i}")), r#"{"location":"eastus2"}"#).status,
                        201
                    );
                }
            });
        }
    });
    for (n, i) in (0..2).flat_map(|n| (0..20).map(move |i| (n, i))) {
        assert_eq!(servers[1 - n].send("GET", &url(&format!("rg-{n}-{i}")), "").status, 200);
    }
}
