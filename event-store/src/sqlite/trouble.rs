//! What keeps the log's file from being read or written: noticed in the errors of its calls, and told to who runs it.
//!
//! **Invariant:** it is told until it is over. A file that can't be written is written to again and again until it can; one that
//! is damaged stays so until another process opens it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use storage::Database;

use crate::error::StoreError;

/// How often a file that can't be written is written to.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// Takes more room than a batch usually does, in a table whose rows nobody misses; then gives it back.
const TRY: [&str; 2] = [
    "INSERT OR REPLACE INTO snapshots (stream, schema_hash, version, state)
        VALUES ('', 0, 0, hex(zeroblob(131072)))",
    "DELETE FROM snapshots WHERE stream = ''",
];

/// Notices and tells; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    path: Arc<PathBuf>,
    database: Database,
    now: Arc<Mutex<Option<Kind>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unwritable,
    Damaged,
}

/// An error of the file, in the words for who runs it.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
struct InTrouble {
    words: String,
    source: sqlx::Error,
}

impl Trouble {
    pub(super) fn new(path: &Path, database: Database) -> Self {
        Self { path: Arc::new(path.to_owned()), database, now: Arc::default() }
    }

    /// In words, with what to do; `None` when nothing is known to be wrong.
    pub(super) fn words(&self) -> Option<String> {
        let kind = *self.now();
        kind.map(|kind| self.words_for(kind))
    }

    /// The error of a call, once it is known whether it says more than that the call failed.
    pub(super) fn failed(&self, operation: &'static str, error: sqlx::Error) -> StoreError {
        let kind = if storage::is_damaged(&error) {
            Kind::Damaged
        } else if storage::is_unwritable(&error) {
            Kind::Unwritable
        } else {
            return StoreError::new(operation, error);
        };
        if self.notice(kind) && kind == Kind::Unwritable {
            tokio::spawn(self.clone().try_until_it_is_over());
        }
        StoreError::new(operation, InTrouble { words: self.words_for(kind), source: error })
    }

    /// True when it is news.
    fn notice(&self, kind: Kind) -> bool {
        let mut now = self.now();
        let is_news = *now != Some(kind) && *now != Some(Kind::Damaged);
        if is_news {
            *now = Some(kind);
            drop(now);
            tracing::error!(trouble = self.words_for(kind), "the event log can't do its work");
        }
        is_news
    }

    async fn try_until_it_is_over(self) {
        loop {
            tokio::select! {
                () = self.database.writer().close_event() => return,
                () = tokio::time::sleep(TRY_EVERY) => {}
            }
            if self.can_be_written().await.is_ok() {
                let mut now = self.now();
                if now.take_if(|kind| *kind == Kind::Unwritable).is_some() {
                    tracing::info!(path = %self.path.display(), "the event log can be written again");
                }
                return;
            }
        }
    }

    async fn can_be_written(&self) -> Result<(), sqlx::Error> {
        for statement in TRY {
            sqlx::query(statement).execute(self.database.writer()).await?;
        }
        Ok(())
    }

    fn words_for(&self, kind: Kind) -> String {
        let path = self.path.display();
        match kind {
            Kind::Damaged => format!(
                "{path} is damaged; stop Docket and put the data folder back from your backup, because nothing else knows what is in it"
            ),
            Kind::Unwritable => format!(
                "{path} can't be written, as when its disk is full; make room, and it goes on by itself"
            ),
        }
    }

    fn now(&self) -> MutexGuard<'_, Option<Kind>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::DateTime;

    use super::super::SqliteLog;
    use crate::contract::EventLog as _;
    use crate::types::{AppendTransaction, Metadata, NewEvent};

    fn append(version: u64) -> Vec<AppendTransaction> {
        let (stream, command_id) = ("s".into(), format!("c{version}").into());
        let event = NewEvent {
            stream,
            event_type: "Happened".into(),
            schema_version: 1,
            payload: format!("\"{}\"", "x".repeat(20_000)),
        };
        let metadata = Metadata {
            command_id: std::sync::Arc::clone(&command_id),
            actor: "test".into(),
            correlation_id: std::sync::Arc::clone(&command_id),
            causation_id: None,
            traceparent: None,
            occurred_at: DateTime::UNIX_EPOCH,
        };
        vec![AppendTransaction {
            command_id,
            request_hash: [0; 32],
            reads: vec![("s".into(), version)],
            events: vec![event],
            metadata: metadata.into(),
            answer: None,
            intents: vec![],
        }]
    }

    #[tokio::test]
    async fn a_full_disk_is_told_with_the_files_name_until_there_is_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = SqliteLog::open(&path).await.unwrap();
        assert_eq!(log.trouble(), None);
        // As many pages as there are: what SQLite says then is what it says of a disk without room.
        let full = sqlx::query("PRAGMA max_page_count = 1");
        full.execute(log.database.writer()).await.unwrap();
        log.append(append(0)).await.unwrap_err();
        let told = log.trouble().unwrap();
        assert!(told.contains("log.db can't be written") && told.contains("make room"), "{told}");
        let room = sqlx::query("PRAGMA max_page_count = 100000");
        room.execute(log.database.writer()).await.unwrap();
        let over = async {
            while log.trouble().is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(2), over).await.unwrap();
        log.append(append(0)).await.unwrap();
        log.close().await;
    }

    #[tokio::test]
    async fn a_file_that_is_damaged_in_the_middle_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let log = SqliteLog::open(&path).await.unwrap();
        for version in 0..5 {
            log.append(append(version)).await.unwrap();
        }
        log.close().await;
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[4096 * 2..middle].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        // Where it is met first depends on which page is read.
        if let Ok(log) = SqliteLog::open(&path).await {
            log.read_all(0, 10).await.unwrap_err();
            let told = log.trouble().unwrap();
            assert!(told.contains("log.db is damaged") && told.contains("backup"), "{told}");
            log.close().await;
        }
    }
}
