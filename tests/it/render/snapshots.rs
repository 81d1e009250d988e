//! What is rendered, as raw files under `snapshots/render/`. `UPDATE_SNAPSHOTS=1 cargo test` rewrites them.

use super::topologies::examples;
use super::write;
use aoai_lb::template::files;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn rendered_files_are_as_recorded() {
    for (name, topology) in examples() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/render").join(&name);
        let files = files(&topology);
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            let _ = std::fs::remove_dir_all(&folder);
            write(&folder, &files);
        }
        let rendered: BTreeSet<PathBuf> = files.iter().map(|file| folder.join(&file.path)).collect();
        assert_eq!(recorded(&folder), rendered, "the files of {name}; UPDATE_SNAPSHOTS=1 rewrites them");
        for file in files {
            let path = folder.join(&file.path);
            let recorded = std::fs::read_to_string(&path).expect("a recorded file");
            assert!(recorded == file.text, "{} differs; UPDATE_SNAPSHOTS=1 rewrites it", path.display());
        }
    }
}

fn recorded(folder: &Path) -> BTreeSet<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { recorded(&path) } else { BTreeSet::from([path]) }).collect()
}
