//! The workspace's Rust files, so that rules can be checked on them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 3] = ["target", ".git", "data"];

/// A Rust file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Where, from the workspace's root.
    pub(crate) path: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

impl SourceFile {
    /// Whether it stands in a folder of that name.
    pub(crate) fn is_under(&self, folder: &str) -> bool {
        self.path.parent().is_some_and(|parent| parent.iter().any(|part| part == folder))
    }

    /// Whether it holds tests and nothing else.
    pub(crate) fn is_test(&self) -> bool {
        self.is_under("tests")
            || self.is_under("benches")
            || self.path.file_stem().is_some_and(|stem| stem == "tests")
    }

    /// The lines before the file's own tests.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines()).take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }
}

/// Every Rust file of the workspace, in order of their paths.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    walk(root, root, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    for entry in
        fs::read_dir(folder).with_context(|| format!("{} can't be listed", folder.display()))?
    {
        let entry = entry?;
        let path = entry.path();
        // Links are not followed: they may lead out of the workspace, or round in circles.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !FOREIGN.iter().any(|foreign| entry.file_name() == *foreign) {
                walk(root, &path, files)?;
            }
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{} can't be read", path.display()))?;
            let path = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            files.push(SourceFile { path, text });
        }
    }
    Ok(())
}
