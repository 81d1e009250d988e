//! The fuzz targets over their seeds and over mutations of them, the same ones each time.

#[path = "../../fuzz/targets.rs"]
mod targets;

use aoai_lb::rng::{Stream, below, draw};
use std::path::Path;

/// Mutations of each seed; a hundred times as many at night.
fn mutations() -> u64 {
    if std::env::var_os("AOAI_LB_NIGHTLY").is_some() { 20_000 } else { 200 }
}

#[test]
fn every_target_returns_whatever_it_is_given() {
    for (name, target) in targets::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).expect(name).map(|entry| entry.expect(name).path()).collect();
        files.sort();
        assert!(!files.is_empty(), "no seed for {name}");
        target(b"");
        for (number, file) in files.iter().enumerate() {
            let seed = std::fs::read(file).expect(name);
            target(&seed);
            for round in 0..mutations() {
                let mutant = mutate(&seed, number as u64 * 1_000_000 + round);
                let caught = std::panic::catch_unwind(|| target(&mutant));
                assert!(caught.is_ok(), "{name}, {}: {:?}", file.display(), String::from_utf8_lossy(&mutant));
            }
        }
    }
}

/// Bytes that mean something to one reader or another.
const TELLING: &[u8] = b"\0\"'{}[]()<>&:,-\n\t 09@$%/\\";

/// A few bytes changed, cut out, doubled, or taken from elsewhere in the seed.
fn mutate(seed: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for step in 0..=below(draw(1, Stream::Lengths, number, 0), 4) as u32 {
        let random = |purpose, n: usize| below(draw(1, purpose, number, step + 1), n.max(1) as u64) as usize;
        let at = random(Stream::Arrival, bytes.len());
        let to = (at + 1 + random(Stream::Latency, 12)).min(bytes.len());
        if at >= to {
            break;
        }
        match random(Stream::Fault, 5) {
            0 => bytes[at] ^= 1 << random(Stream::Pick, 8),
            1 => drop(bytes.drain(at..to)),
            2 => bytes.truncate(at),
            3 => {
                let piece = bytes[at..to].to_vec();
                let here = random(Stream::Backoff, bytes.len());
                bytes.splice(here..here, piece);
            }
            _ => bytes[at] = TELLING[random(Stream::Caller, TELLING.len())],
        }
    }
    bytes
}
