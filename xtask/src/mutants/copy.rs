//! The copy of the tree that mutants are put into. A file is written only where it differs, so that cargo builds anew no more
//! than what a mutant changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Makes the copy the same as the tree, with what is not committed yet.
pub(super) fn refresh(root: &Path, copy: &Path) -> anyhow::Result<()> {
    let files = listed(root)?;
    for file in &files {
        put_back(root, copy, file)?;
    }
    remove_others(copy, copy, &files)
}

/// Makes one file of the copy what it is in the tree.
fn put_back(root: &Path, copy: &Path, file: &Path) -> anyhow::Result<()> {
    let (from, to) = (root.join(file), copy.join(file));
    let failed = || format!("{} can't be copied", file.display());
    let wanted = match fs::read(&from) {
        Ok(wanted) => wanted,
        // Listed, and removed since: it is no part of the copy.
        Err(_) if !from.exists() => return Ok(()),
        Err(error) => return Err(error).with_context(failed),
    };
    if fs::read(&to).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    fs::write(&to, wanted).with_context(failed)
}

/// Every file of the tree that git does not ignore, in order.
fn listed(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.output().context("`git ls-files` can't be started")?;
    if !output.status.success() {
        bail!("`git ls-files` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let names = String::from_utf8(output.stdout).context("a file's name is no text")?;
    let mut files: Vec<PathBuf> = names
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|file| root.join(file).exists())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// What an earlier tree had.
fn remove_others(copy: &Path, folder: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            remove_others(copy, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(copy).unwrap_or(&path).to_path_buf();
        if files.binary_search(&name).is_err() {
            fs::remove_file(&path)
                .with_context(|| format!("{} can't be removed", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_written_where_it_differs_and_loses_what_the_tree_lost() {
        let folder = std::env::temp_dir().join(format!("docket-mutants-{}", std::process::id()));
        let (root, copy) = (folder.join("tree"), folder.join("copy"));
        fs::create_dir_all(root.join("a")).unwrap();
        fs::create_dir_all(&copy).unwrap();
        let git = Command::new("git").arg("init").arg("--quiet").arg(&root).status().unwrap();
        assert!(git.success());
        for (file, text) in [("a/one", "1"), ("two", "2"), (".gitignore", "three"), ("three", "3")]
        {
            fs::write(root.join(file), text).unwrap();
        }
        refresh(&root, &copy).unwrap();
        let written = || fs::metadata(copy.join("two")).unwrap().modified().unwrap();
        let (before, read) = (written(), |file: &str| fs::read_to_string(copy.join(file)).ok());
        assert_eq!((read("a/one"), read("three")), (Some("1".to_owned()), None));
        fs::write(copy.join("a/one"), "mutated").unwrap();
        fs::write(root.join("three-more"), "3").unwrap();
        refresh(&root, &copy).unwrap();
        fs::remove_file(root.join("three-more")).unwrap();
        refresh(&root, &copy).unwrap();
        assert_eq!((read("a/one"), read("three-more")), (Some("1".to_owned()), None));
        assert_eq!(written(), before);
        fs::remove_dir_all(&folder).unwrap();
    }
}
