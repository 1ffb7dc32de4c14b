//! The corpora of `fuzz/`, so that every test run goes through them too, with a stable compiler and in no time.

use std::fs;
use std::path::{Path, PathBuf};

/// Everything that is committed for a target: where it begins, and what it once broke on.
pub fn of(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut found = Vec::new();
    for folder in ["seeds", "crashes"] {
        let Ok(entries) = fs::read_dir(fuzz.join(folder).join(target)) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if let Ok(bytes) = fs::read(&path) {
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}
