//! Whether what was folded from the log is still in it. A `log.db` that was restored from a backup is another history:
//! its epoch is raised, the read models and the sagas are made anew from it.
//!
//! **Invariant:** nothing folded from events that the log does not have is served or acted on; nothing is deleted that
//! the log can't give back.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use event_store::sqlite::SqliteLog;
use event_store::{EventLog, Mark};
use projection_service::offline;

use crate::data_dir::DataDir;

/// Compares the event at every checkpoint with the log's; raises the epoch and puts aside what does not fit.
pub(super) async fn check(log: &mut SqliteLog, data: &DataDir) -> Result<()> {
    let marks = marks(data).await;
    let mut strangers = Vec::new();
    for (reader, mark) in &marks {
        if !is_of(log, mark).await? {
            strangers.push(format!("{reader} (position {})", mark.position));
        }
    }
    if strangers.is_empty() {
        return Ok(());
    }
    let (end, read) = (*log.head().borrow(), furthest(&marks));
    if end == 0 {
        bail!(
            "{} holds no events, and what was read from it is at position {read}: it is not the log of this data. Put \
             log.db back from your backup, with log.db-wal if there is one; to begin anew, take an empty folder. Nothing \
             was changed",
            data.log().display()
        );
    }
    let seen = marks.iter().map(|(_, mark)| mark.log.epoch).max().unwrap_or_default();
    log.raise_epoch(seen).await?;
    let epoch = log.identity().epoch;
    tracing::warn!(
        epoch,
        log_ends_at = end,
        was_read_to = read,
        readers = strangers.join(", "),
        "the log does not have what was read from it, as after a restore: a new epoch begins; read models and sagas \
         are made anew from the log, and positions given out before are refused"
    );
    put_aside(data, epoch)
}

/// How far whoever read the furthest has come.
fn furthest(marks: &[(String, Mark)]) -> u64 {
    marks.iter().map(|(_, mark)| mark.position).max().unwrap_or_default()
}

/// Where every reader stands that can be asked. One that can't says so itself when it is opened.
async fn marks(data: &DataDir) -> Vec<(String, Mark)> {
    let mut marks = Vec::new();
    match offline::survey(&data.projections()).await {
        Ok(survey) => {
            for model in survey.models {
                if let Ok(mark) = model.mark().await {
                    marks.push((model.projector.name().to_owned(), mark));
                }
                model.close().await;
            }
        }
        Err(error) => tracing::warn!(%error, "the read models can't be looked at"),
    }
    if data.sagas().is_file()
        && let Ok(mark) = saga_orchestrator::mark(data.sagas().as_path()).await
    {
        marks.push(("sagas".to_owned(), mark));
    }
    marks
}

/// Whether this reader read this history of this log.
async fn is_of(log: &SqliteLog, mark: &Mark) -> Result<bool> {
    if mark.log != log.identity() {
        return Ok(false);
    }
    let (Some(event_id), Some(before)) = (mark.event_id, mark.position.checked_sub(1)) else {
        return Ok(mark.position == 0);
    };
    let found = log.read_all(before, 1).await?;
    Ok(found.first().is_some_and(|event| event.id == event_id))
}

/// Read models are deleted, the log gives them back. The sagas' file is kept: what people did there is in no log.
fn put_aside(data: &DataDir, epoch: u32) -> Result<()> {
    let models = data.projections();
    if models.is_dir() {
        fs::remove_dir_all(&models)
            .with_context(|| format!("{} can't be removed", models.display()))?;
    }
    let sagas = data.sagas();
    let kept = with_suffix(&sagas, &format!(".before-epoch-{epoch}"));
    // The journal moves first: a file without it would be an older one.
    for part in ["-wal", "-shm", ""] {
        let (from, to) = (with_suffix(&sagas, part), with_suffix(&kept, part));
        if from.is_file() {
            fs::rename(&from, &to).with_context(|| format!("{} can't be moved", from.display()))?;
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
