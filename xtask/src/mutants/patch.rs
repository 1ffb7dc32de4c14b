//! A mutant: a small patch with a few words before it, in `simulation/mutants/`.
//!
//! The words are lines of `Name: value`. `Breaks` says which promise is broken and how, in one line; `Seeds` how many seeds
//! the simulation may need to find it. What follows is what `git diff` writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Where they are.
pub(super) const FOLDER: &str = "simulation/mutants";

/// A known bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutant {
    /// The file's name without its end.
    pub(super) name: String,
    /// The patch.
    pub(super) file: PathBuf,
    /// What it breaks.
    pub(super) breaks: String,
    /// Seeds within which it has to be found.
    pub(super) seeds: u64,
    /// The files that it changes, from the root of the tree.
    pub(super) changes: Vec<PathBuf>,
}

/// Every mutant, in order of their names; those of these names where any are given.
pub(super) fn read_all(root: &Path, names: &[&str]) -> anyhow::Result<Vec<Mutant>> {
    let folder = root.join(FOLDER);
    let mut mutants = Vec::new();
    let entries = fs::read_dir(&folder).with_context(|| format!("{FOLDER} can't be listed"))?;
    for entry in entries {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "patch") {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file)
                .with_context(|| format!("{} can't be read", file.display()))?;
            mutants.push(parse(name, file, &text)?);
        }
    }
    mutants.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(unknown) = names.iter().find(|name| mutants.iter().all(|of| of.name != **name)) {
        bail!("there is no mutant `{unknown}` in {FOLDER}");
    }
    mutants.retain(|mutant| names.is_empty() || names.contains(&mutant.name.as_str()));
    Ok(mutants)
}

fn parse(name: String, file: PathBuf, text: &str) -> anyhow::Result<Mutant> {
    let words = text.lines().take_while(|line| !line.starts_with("diff --git "));
    let said = |wanted: &str| {
        let mut words = words.clone();
        let value = words.find_map(|line| line.strip_prefix(wanted)?.strip_prefix(": "));
        value.with_context(|| format!("{name}: no line `{wanted}: …` before the patch"))
    };
    let breaks = said("Breaks")?.to_owned();
    let seeds = said("Seeds")?.parse().with_context(|| format!("{name}: `Seeds` is a number"))?;
    let files = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
    let changes: Vec<PathBuf> = files.map(PathBuf::from).collect();
    if changes.is_empty() {
        bail!("{name}: the patch changes nothing");
    }
    Ok(Mutant { name, file, breaks, seeds, changes })
}

impl Mutant {
    /// Whether it can be put into the tree there; changes nothing.
    pub(super) fn check(&self, tree: &Path) -> anyhow::Result<()> {
        self.git_apply(tree, &["--check"])
    }

    /// Puts it into the tree there.
    pub(super) fn apply(&self, tree: &Path) -> anyhow::Result<()> {
        self.git_apply(tree, &[])
    }

    /// Takes it out of the tree there.
    pub(super) fn take_out(&self, tree: &Path) -> anyhow::Result<()> {
        self.git_apply(tree, &["--reverse"])
    }

    fn git_apply(&self, tree: &Path, options: &[&str]) -> anyhow::Result<()> {
        let mut git = Command::new("git");
        git.current_dir(tree).arg("apply").args(options).arg(&self.file);
        if let Some(above) = tree.parent() {
            // A copy below a repository is none: paths are from where it begins.
            git.env("GIT_CEILING_DIRECTORIES", above);
        }
        let output = git.output().context("`git apply` can't be started")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{}: the patch does not apply to the tree: {}", self.name, why.trim());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "Breaks: P2: a key is not looked for\nSeeds: 40\n\ndiff --git a/x.rs b/x.rs\n\
        --- a/x.rs\n+++ b/x.rs\n@@ -1 +1 @@\n-one\n+two\n";

    fn read(text: &str) -> anyhow::Result<Mutant> {
        parse("key".to_owned(), "key.patch".into(), text)
    }

    #[test]
    fn a_patch_says_what_it_breaks_and_how_soon_that_is_found() {
        let mutant = read(PATCH).unwrap();
        assert_eq!((mutant.breaks.as_str(), mutant.seeds), ("P2: a key is not looked for", 40));
        assert_eq!(mutant.changes, [PathBuf::from("x.rs")]);
        let silent = read(&PATCH.replace("Seeds: 40\n", "")).unwrap_err().to_string();
        assert_eq!(silent, "key: no line `Seeds: …` before the patch");
        assert!(read("Breaks: nothing\nSeeds: 1\n").is_err());
    }

    #[test]
    fn every_mutant_can_still_be_put_into_the_tree() {
        let root = crate::workspace();
        let mutants = read_all(&root, &[]).unwrap();
        assert!(mutants.len() >= 15, "{}", mutants.len());
        let rotten: Vec<String> = mutants
            .iter()
            .filter_map(|mutant| Some(mutant.check(&root).err()?.to_string()))
            .collect();
        assert_eq!(rotten, [""; 0]);
    }

    #[test]
    fn a_mutant_that_is_not_there_is_named() {
        let unknown = read_all(&crate::workspace(), &["gnat"]).unwrap_err().to_string();
        assert_eq!(unknown, format!("there is no mutant `gnat` in {FOLDER}"));
    }
}
