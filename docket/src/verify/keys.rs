//! P13: whether the master key opens people's keys.

use anyhow::{Context as _, Result};
use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{CheckError, MasterKey};
use invariants::{Finding, Rule};

use crate::data_dir::DataDir;

/// What was found, and what should be known.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
}

/// Looks at keys and master key. A copy of a log without them can be verified too.
pub(super) async fn check(data: &DataDir) -> Result<Checked> {
    let mut checked = Checked::default();
    let (path, master_path) = (data.keys(), data.master_key());
    for (path, name) in [(&path, "keys.db"), (&master_path, "master.key")] {
        if !path.is_file() {
            checked.notes.push(format!("There is no {name}: people's keys were not checked."));
            return Ok(checked);
        }
    }
    let master = MasterKey::load(&master_path)
        .with_context(|| format!("the master key {} can't be read", master_path.display()))?;
    let unreadable = || format!("{} can't be read as a key store", path.display());
    let keys = SqliteKeys::open_read_only(&path).await.with_context(unreadable)?;
    let outcome = master.check(&keys).await;
    keys.close().await;
    match outcome {
        Ok(()) => Ok(checked),
        Err(CheckError::WrongMasterKey) => {
            let statement = format!(
                "{} is not the master key of {}: personal data can't be opened. Put the right one back from your backup.",
                master_path.display(),
                path.display(),
            );
            let look = "docket dev".to_owned();
            checked.findings.push(Finding::elsewhere(Rule::Erasable, statement, look));
            Ok(checked)
        }
        Err(error) => Err(error).with_context(unreadable),
    }
}
