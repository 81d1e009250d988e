//! Rendering: what is written is what the Bicep compiler, the contracts and the policy schemas want.

mod checks;
mod cut;
mod import;
mod laws;
mod lint;
mod observed;
mod snapshots;
mod specs;
mod strings;
pub mod topologies;

use aoai_lb::template::File;
use proptest::test_runner::{Config, RngSeed};
use std::path::Path;

/// The same cases every time, unless the nightly run asks for many new ones.
fn cases(cases: u32) -> Config {
    match std::env::var_os("AOAI_LB_NIGHTLY") {
        None => Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() },
        Some(_) => Config { cases: cases * 100, failure_persistence: None, ..Config::default() },
    }
}

/// Writes rendered files into a folder.
fn write(folder: &Path, files: &[File]) {
    for file in files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, &file.text).expect("the file is written");
    }
}

/// A rendered file by its path.
fn text<'a>(files: &'a [File], path: &str) -> &'a str {
    files.iter().find(|file| file.path == path).map_or_else(|| panic!("{path} is not rendered"), |file| &file.text)
}
