//! Every run that ever ended, a line each, so that a table can be made of runs that were made in pieces.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::run::Outcome;

/// Lines of JSON, in the folder of reports.
const FILE: &str = "runs.jsonl";

/// Remembers a run.
pub(crate) fn add(folder: &Path, outcome: &Outcome) -> Result<()> {
    let mut file = File::options().create(true).append(true).open(folder.join(FILE))?;
    let line = serde_json::to_string(outcome)? + "\n";
    Ok(file.write_all(line.as_bytes())?)
}

/// All that is remembered.
pub(crate) fn read(folder: &Path) -> Result<Vec<Outcome>> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} remembers no run", path.display()))?;
    let parse = |line| serde_json::from_str(line).context("a line of runs.jsonl can't be read");
    text.lines().map(parse).collect()
}
