//! The journal of a run: JSON lines, each on disk before what it tells of goes on.

use std::collections::HashSet;
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

/// Lines, and who waits until they are on disk.
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

    /// A new one beside it, of the same attempts.
    pub(crate) fn next(&self) -> Result<Self> {
        let next = Self::create(&self.path.with_extension("next.jsonl"))?;
        Ok(Self { attempts: Arc::clone(&self.attempts), ..next })
    }

    /// What was acknowledged so far: each command with its answer.
    pub(crate) fn acknowledged_so_far(&self) -> Result<Vec<JournalLine>> {
        let text = std::fs::read_to_string(&*self.path)?;
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines: Vec<JournalLine> =
            whole.map(serde_json::from_str).collect::<Result<_, _>>().context("a journal")?;
        let done = |line: &JournalLine| match line {
            JournalLine::Answered(answered) if answered.status < 300 => Some(answered.attempt),
            _ => None,
        };
        let done: HashSet<u64> = lines.iter().filter_map(done).collect();
        let is_of_it = |line: &JournalLine| match line {
            JournalLine::Asked(asked) => done.contains(&asked.attempt),
            JournalLine::Answered(answered) => done.contains(&answered.attempt),
            JournalLine::Lost { .. } | JournalLine::Seen(_) => false,
        };
        Ok(lines.into_iter().filter(is_of_it).collect())
    }

    /// The number of the next attempt.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes a line; it is on disk when this returns.
    pub(crate) async fn write(&self, line: &JournalLine) -> Result<()> {
        self.write_all(std::slice::from_ref(line)).await
    }

    /// Writes several, which wait for the disk but once.
    pub(crate) async fn write_all(&self, lines: &[JournalLine]) -> Result<()> {
        let (done, written) = oneshot::channel();
        let mut text = String::new();
        for line in lines {
            text += &serde_json::to_string(line)?;
            text.push('\n');
        }
        self.lines.send((text, done)).ok().context("the journal has ended")?;
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
