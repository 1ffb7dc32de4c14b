//! The journal of a run: JSON lines, each on disk before what it tells of goes on.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result};
use invariants::JournalLine;
use tokio::sync::oneshot;

type Line = (String, oneshot::Sender<()>);

/// Writes lines; those that come at the same moment share one wait for the disk.
#[derive(Debug, Clone)]
pub(crate) struct JournalFile {
    lines: Sender<Line>,
    attempts: Arc<AtomicU64>,
    path: Arc<PathBuf>,
}

impl JournalFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::create_new(path).context("the journal can't be made")?;
        let (lines, received) = channel();
        thread::Builder::new().name("journal".to_owned()).spawn(move || write(file, &received))?;
        Ok(Self { lines, attempts: Arc::default(), path: Arc::new(path.to_owned()) })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the next attempt.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes a line; it is on disk when this returns.
    pub(crate) async fn write(&self, line: &JournalLine) -> Result<()> {
        let (done, written) = oneshot::channel();
        let line = serde_json::to_string(line)? + "\n";
        self.lines.send((line, done)).ok().context("the journal has ended")?;
        written.await.context("the journal can't be written")
    }
}

fn write(mut file: File, lines: &Receiver<Line>) {
    while let Ok(first) = lines.recv() {
        let batch: Vec<Line> = std::iter::once(first).chain(lines.try_iter()).collect();
        let text: String = batch.iter().map(|(line, _)| line.as_str()).collect();
        if file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).is_err() {
            // Who waits is told by the end of the channel.
            return;
        }
        for (_, done) in batch {
            let _ = done.send(());
        }
    }
}
