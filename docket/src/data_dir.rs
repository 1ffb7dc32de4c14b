//! The data folder: what lies where in it.

use std::convert::Infallible;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{CheckError, MasterKey};
use event_store::postgres::PostgresLog;
use event_store::sqlite::SqliteLog;
use event_store::{EventLog, Position};
use messaging::embedded::EmbeddedFeed;
use messaging::feed::Feed;

/// Where the data is; the same for every command that reads it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DataDirArg {
    /// Folder of the data
    #[arg(long, env = "DOCKET_DATA_DIR", value_name = "DIR", default_value = "data")]
    pub(crate) data_dir: PathBuf,
    /// Not taken: it stands here to say what is.
    #[arg(long, hide = true, value_name = "URL", value_parser = no_address)]
    url: Option<Infallible>,
}

/// What these commands look at is not shown over HTTP; so an address is answered with the words that they do take.
fn no_address(_: &str) -> Result<Infallible, &'static str> {
    Err(
        "this looks at the data itself, which no address of a platform shows; name its folder with --data-dir (the platform \
         may be running), or the databases of its services as `--help` says",
    )
}

/// A data folder.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// A folder that has data, or a sentence that says why it has none.
    pub(crate) fn existing(folder: &Path) -> Result<Self> {
        let found = Self(folder.to_owned());
        check_no_file(folder)?;
        if !folder.is_dir() {
            bail!("there is no folder {}; name the data with --data-dir", folder.display());
        }
        if !found.log().is_file() {
            bail!(
                "{} holds no Docket data (no log.db in it); name the data with --data-dir",
                folder.display()
            );
        }
        Ok(found)
    }

    /// A folder to write to, made if need be.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        check_no_file(folder)?;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("the data folder {} can't be made", folder.display()))?;
        Ok(Self(folder.to_owned()))
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Held by the one process that writes here.
    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("docket.lock")
    }

    /// Where a backup is while it is put back.
    pub(crate) fn restoring(&self) -> PathBuf {
        self.0.join(".restoring")
    }

    /// The keys of personal data, wrapped by the master key.
    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys.db")
    }

    /// The master key.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.0.join("master.key")
    }

    /// The master key, drawn for a folder without data. Data without its key is refused: another key would open no personal
    /// data, and would take repeats of old commands for other commands.
    pub(crate) fn load_master_key(&self) -> Result<MasterKey> {
        let path = self.master_key();
        if !path.exists() && (self.log().exists() || self.keys().exists()) {
            bail!(
                "{} is missing, and {} holds data: without its key personal data can't be opened and repeated commands \
                 can't be recognized. Put the file back from your backup",
                path.display(),
                self.0.display()
            );
        }
        MasterKey::load_or_create(&path)
            .with_context(|| format!("the master key {} can't be read", path.display()))
    }

    /// Refuses a folder whose log is gone: what was made from the log is there, and a new one would be empty.
    pub(crate) fn check_log(&self) -> Result<()> {
        if self.restoring().exists() {
            bail!(
                "a restore into {} was not finished: empty the folder and restore the backup again",
                self.0.display()
            );
        }
        let made_from_it = [self.sagas(), self.ledger(), self.projections()];
        if self.log().exists() || !made_from_it.iter().any(|path| path.exists()) {
            return Ok(());
        }
        bail!(
            "{} is missing, and {} holds what was made from it. Put log.db back from your backup, with log.db-wal if there \
             is one; to begin anew, take an empty folder. Nothing was changed",
            self.log().display(),
            self.0.display()
        )
    }

    /// Refuses a ledger that is gone while the log has events: the provider would deny what it did.
    pub(crate) fn check_ledger(&self, log: &SqliteLog) -> Result<()> {
        if self.ledger().exists() || *log.head().borrow() == 0 {
            return Ok(());
        }
        bail!(
            "{} is missing: the simulated provider would know of no payment that the log tells of. Put the file back from \
             your backup",
            self.ledger().display()
        )
    }

    /// The keys of personal data, with the one master key that opens them. Keys that are gone are refused, and so is
    /// another master key: what is sealed anew then would be open to no backup.
    pub(crate) async fn open_keys(&self, master: &MasterKey) -> Result<SqliteKeys> {
        let (path, master_path) = (self.keys(), self.master_key());
        if !path.exists() && self.log().exists() {
            bail!(
                "{} is missing, and {} holds data: without people's keys personal data can't be opened. Put the file \
                 back from your backup",
                path.display(),
                self.0.display()
            );
        }
        let keys = SqliteKeys::open(&path).await.with_context(|| {
            format!(
                "the keys of personal data can't be opened; nothing was changed. If {} is damaged, put it back from your \
                 backup",
                path.display()
            )
        })?;
        match master.bind(&keys).await {
            Ok(()) => Ok(keys),
            Err(CheckError::WrongMasterKey) => {
                keys.close().await;
                bail!(
                    "{} is not the master key of {}: it opens no personal data. Put back the master.key that belongs to \
                     this data from your backup, or, if keys.db was put back, the keys.db that belongs to this key. \
                     Nothing was changed",
                    master_path.display(),
                    path.display()
                )
            }
            Err(error) => Err(anyhow!(error).context("the master key can't be checked")),
        }
    }

    /// The event log.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("log.db")
    }

    /// The read models.
    pub(crate) fn projections(&self) -> PathBuf {
        self.0.join("projections")
    }

    /// The orchestrator's database.
    pub(crate) fn sagas(&self) -> PathBuf {
        self.0.join("sagas.db")
    }

    /// Messages of the command queue that nobody could carry out.
    pub(crate) fn dead_letters(&self) -> PathBuf {
        self.0.join("dead-letters.db")
    }

    /// Webhooks, and what they are told.
    pub(crate) fn notifications(&self) -> PathBuf {
        self.0.join("notifications.db")
    }

    /// The simulated provider's own ledger.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.join("payments-simulator.db")
    }

    /// The log, to be looked at only; another process may be writing it.
    pub(crate) async fn open_log(&self) -> Result<ReadLog> {
        let path = self.log();
        let log = SqliteLog::open_read_only(&path)
            .await
            .with_context(|| format!("{} can't be read as an event log", path.display()))?;
        Ok(ReadLog::of(Backend::Sqlite(Arc::new(log))))
    }
}

fn check_no_file(folder: &Path) -> Result<()> {
    if folder.is_file() {
        bail!("{} is a file, not a folder; name the data with --data-dir", folder.display());
    }
    Ok(())
}

/// A log that is only read. In a file its head stays where it was when it was opened; in a database it may rise.
#[derive(Clone)]
pub(crate) struct ReadLog {
    backend: Backend,
    /// Where it ended when it was opened.
    head: Position,
}

#[derive(Clone)]
enum Backend {
    Sqlite(Arc<SqliteLog>),
    Postgres(Arc<PostgresLog>),
}

impl ReadLog {
    /// The log in a database, beside the command-service that owns it.
    pub(crate) async fn in_database(url: &str, place: &str) -> Result<Self> {
        let log = PostgresLog::open(url).await;
        let log = log.with_context(|| format!("{place} can't be read as an event log"))?;
        Ok(Self::of(Backend::Postgres(Arc::new(log))))
    }

    fn of(backend: Backend) -> Self {
        let head = match &backend {
            Backend::Sqlite(log) => *log.head().borrow(),
            Backend::Postgres(log) => *log.head().borrow(),
        };
        Self { backend, head }
    }

    /// Where it ended when it was opened.
    pub(crate) fn head_when_opened(&self) -> Position {
        self.head
    }

    /// Its events, as read models read them.
    pub(crate) fn feed(&self) -> Arc<dyn Feed> {
        let log: Arc<dyn EventLog> = match &self.backend {
            Backend::Sqlite(log) => Arc::clone(log) as Arc<dyn EventLog>,
            Backend::Postgres(log) => Arc::clone(log) as Arc<dyn EventLog>,
        };
        Arc::new(EmbeddedFeed::new(log))
    }

    /// Closes it.
    pub(crate) async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(log) => log.close().await,
            Backend::Postgres(log) => log.close().await,
        }
    }
}

impl Deref for ReadLog {
    type Target = dyn EventLog;

    fn deref(&self) -> &(dyn EventLog + 'static) {
        match &self.backend {
            Backend::Sqlite(log) => &**log,
            Backend::Postgres(log) => &**log,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_missing_or_foreign_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let missing = DataDir::existing(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(missing.contains("there is no folder"), "{missing}");
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for refused in [DataDir::existing(&file), DataDir::create(&file)] {
            let said = refused.unwrap_err().to_string();
            assert!(said.contains("is a file, not a folder"), "{said}");
        }
        let foreign = DataDir::existing(folder.path()).unwrap_err().to_string();
        assert!(foreign.contains("holds no Docket data"), "{foreign}");
    }

    #[test]
    fn a_master_key_is_drawn_for_a_new_folder_and_never_for_one_with_data() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        data.load_master_key().unwrap();
        data.load_master_key().unwrap();
        std::fs::write(data.log(), "").unwrap();
        data.load_master_key().unwrap();
        std::fs::remove_file(data.master_key()).unwrap();
        let error = data.load_master_key().unwrap_err().to_string();
        assert!(error.contains("Put the file back from your backup"), "{error}");
        assert!(!data.master_key().exists(), "nothing was drawn");
    }

    #[tokio::test]
    async fn keys_are_opened_with_their_own_master_key_only_and_never_made_beside_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let master = data.load_master_key().unwrap();
        data.open_keys(&master).await.unwrap().close().await;
        data.open_keys(&master).await.unwrap().close().await;
        let other = MasterKey::generate().unwrap();
        let error = data.open_keys(&other).await.err().unwrap().to_string();
        assert!(error.contains("master.key is not the master key of"), "{error}");
        std::fs::remove_file(data.keys()).unwrap();
        std::fs::write(data.log(), "").unwrap();
        let error = data.open_keys(&master).await.err().unwrap().to_string();
        assert!(error.contains("keys.db is missing"), "{error}");
        assert!(!data.keys().exists(), "nothing was made");
    }

    #[tokio::test]
    async fn a_file_that_is_no_log_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("log.db"), "nothing that SQLite wrote").unwrap();
        let data = DataDir::existing(folder.path()).unwrap();
        let error = data.open_log().await.err().map(|error| error.to_string()).unwrap();
        assert!(error.contains("log.db can't be read as an event log"), "{error}");
    }
}
