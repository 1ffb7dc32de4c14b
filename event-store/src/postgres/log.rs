//! The log as its callers see it: opening, taking over, and the contract. Each operation is in a file of its own.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use sqlx::PgConnection;
use storage::postgres::{PostgresPool, PostgresSettings};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::clock::{self, Clock};
use crate::contract::EventLog;
use crate::error::{AppendError, NoAppends, StoreError};
use crate::recent::Recent;
use crate::types::{
    AppendTransaction, Intent, LoadRequest, Loaded, LogIdentity, Position, RecordedEvent, Snapshot,
    StreamId, Verdict, Version,
};

use super::announcer::Announcer;
use super::answering::{Answering, Tells};
use super::append::Appender;
use super::identity::Identity;
use super::ledger::Ledger;
use super::listener::Listener;
use super::token::{self, Token};
use super::{load, read, read_on, schema, snapshots};

/// Connections that append: one at work, and others for a resend while it is not known what became of the first.
const WRITERS: u32 = 3;

/// A log in a PostgreSQL database.
///
/// It is opened as a standby: it reads, and its appends are refused until it has [taken the log over](Self::take_over).
pub struct PostgresLog {
    writer: PostgresPool,
    reader: PostgresPool,
    identity: Arc<Identity>,
    token: Token,
    head: watch::Sender<Position>,
    /// What this process appended last. Forgotten whenever the database may have become another one.
    recent: Arc<Recent>,
    ledger: Arc<Ledger>,
    /// The head that this process's appends reached, to be announced.
    appended: watch::Sender<Position>,
    clock: Clock,
    answering: Answering,
    background: [AbortHandle; 2],
}

impl PostgresLog {
    /// Makes the tables, as their owner, and gives the role `service` what the service needs: it can read and append,
    /// and can't change or delete an event. Again is harmless, also from two processes at once.
    ///
    /// Without a role whoever asks runs the service. The owner may; a trigger still refuses every change. Another role finds
    /// out that there is nothing to do, or fails.
    pub async fn migrate(owner: &str, service: Option<&str>) -> Result<(), StoreError> {
        let failed = |error| StoreError::new("read the address of the event log", error);
        let settings = PostgresSettings::new(owner, "docket migrations").map_err(failed)?;
        let failed = |error| StoreError::new("migrate the event log", error);
        if service.is_none() && schema::is_complete(&settings).await.map_err(failed)? {
            return Ok(());
        }
        schema::migrate(&settings, service).await.map_err(failed)
    }

    /// Opens the log at this address, whose tables are made already.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let failed = |error| StoreError::new("read the address of the event log", error);
        let settings = PostgresSettings::new(url, "docket event log").map_err(failed)?;
        Self::open_with(settings, clock::system()).await
    }

    /// Opens the log with other settings, which count for its readers and for its writer, and on another clock.
    pub async fn open_with(settings: PostgresSettings, clock: Clock) -> Result<Self, StoreError> {
        let settings = session(settings);
        let writing = settings.clone().connections(WRITERS).session("synchronous_commit", "on");
        let (writer, reader) = (PostgresPool::new(&writing), PostgresPool::new(&settings));
        let start = reader.call(async |connection| {
            let weaknesses = storage::postgres::weaknesses(connection).await?;
            Ok((schema::identity(connection).await?, schema::head(connection).await?, weaknesses))
        });
        let (identity, position, weaknesses) =
            start.await.map_err(|error| StoreError::new("open the event log", error))?;
        for weakness in weaknesses {
            tracing::warn!(weakness, "the event log's database is weak");
        }
        let (head, _) = watch::channel(position);
        let identity = Arc::new(Identity::new(identity));
        let recent = Arc::<Recent>::default();
        let listener = Listener {
            settings,
            head: head.clone(),
            identity: Arc::clone(&identity),
            recent: Arc::clone(&recent),
        };
        let (appended, to_announce) = watch::channel(position);
        let announcer = Announcer { pool: reader.clone(), appended: to_announce };
        let listening = tokio::spawn(listener.run()).abort_handle();
        let announcing = tokio::spawn(announcer.run()).abort_handle();
        let (token, background) = (Token::none(), [listening, announcing]);
        let (ledger, answering) = (Arc::<Ledger>::default(), Answering::default());
        Ok(Self {
            writer,
            reader,
            identity,
            token,
            head,
            recent,
            ledger,
            appended,
            clock,
            answering,
            background,
        })
    }

    /// Makes this the one that appends: from now on every append of any other is refused whole.
    pub async fn take_over(&self) -> Result<(), StoreError> {
        let raised = self.writer.call(token::raise).await;
        self.token.hold(raised.map_err(|error| StoreError::new("take the log over", error))?);
        Ok(())
    }

    /// The token that this one appends with; `None` before it took the log over, and once it was refused because
    /// another did. Rises with every takeover.
    pub fn token(&self) -> watch::Receiver<Option<i64>> {
        self.token.watch()
    }

    /// Begins a new epoch: what was said of positions before counts no more. Every process with this log learns of it.
    /// Refused like an append when another has taken the log over.
    pub async fn raise_epoch(&self) -> Result<LogIdentity, AppendError> {
        let token = self.token.held().ok_or(AppendError::Superseded)?;
        let raised = self.writer.call(async |connection| {
            let identity = schema::raise_epoch(connection, token).await?;
            Ok((identity, schema::head(connection).await?))
        });
        let failed = |error| StoreError::new("raise the log's epoch", error);
        let (identity, position) = raised.await.map_err(failed)?;
        let Some(identity) = identity else {
            self.token.lost(token);
            return Err(AppendError::Superseded);
        };
        self.recent.forget();
        self.identity.found(identity.clone(), position, &self.head);
        Ok(identity)
    }

    /// Whether an append would be answered now, as far as can be told: by how those before it fared. While there are none the
    /// server is asked over the connections that they go over; some seconds after one that failed, for the lock that they take, too.
    pub async fn takes_appends(&self) -> Result<(), NoAppends> {
        let asked = match self.answering.tells() {
            Tells::Whether(said) => return said,
            Tells::Nothing => self.writer.answers().await,
            Tells::HasFailed => self.writer.call(token::lock).await,
        };
        asked.map_err(|error| NoAppends::WouldFail(error.to_string()))
    }

    /// Closes every connection. Calls that are under way are waited for, later ones fail.
    pub async fn close(&self) {
        self.end_background();
        self.writer.close().await;
        self.reader.close().await;
    }

    fn end_background(&self) {
        self.background.iter().for_each(AbortHandle::abort);
    }

    async fn reads<T>(
        &self,
        operation: &'static str,
        read: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        self.reader.call(read).await.map_err(|error| StoreError::new(operation, error))
    }
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        self.end_background();
    }
}

/// Every statement of the log looks things up in an index, whatever the tables' statistics say: they are of yesterday, and
/// plans are made once.
fn session(settings: PostgresSettings) -> PostgresSettings {
    let off = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"];
    off.into_iter()
        .fold(settings, |settings, name| settings.session(name, "off"))
        .session("plan_cache_mode", "force_generic_plan")
}

impl EventLog for PostgresLog {
    fn identity(&self) -> LogIdentity {
        self.identity.get()
    }

    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        let appender = Appender {
            writer: self.writer.clone(),
            token: self.token.clone(),
            head: self.head.clone(),
            recent: Arc::clone(&self.recent),
            ledger: Arc::clone(&self.ledger),
            appended: self.appended.clone(),
            clock: self.clock.clone(),
            answering: self.answering.clone(),
        };
        // A task of its own: what a caller no longer waits for is still announced.
        async move {
            let append = tokio::spawn(appender.append(batch)).await;
            append.unwrap_or_else(|error| Err(StoreError::new("append", error).into()))
        }
        .boxed()
    }

    fn shut_out(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        async move {
            let token = self.token.held().ok_or(AppendError::Superseded)?;
            // It waits for an append that is under way; one that comes later has an old token.
            let renewed =
                self.writer.call(async |connection| token::renew(connection, token).await);
            let failed = |error| StoreError::new("shut out what was given up", error);
            let Some(newer) = renewed.await.map_err(failed)? else {
                self.token.lost(token);
                return Err(AppendError::Superseded);
            };
            self.token.hold(newer);
            Ok(())
        }
        .boxed()
    }

    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        self.reads("load", async |connection| load::load(connection, request).await).boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        self.reads("read a stream", async move |connection| {
            read::stream(connection, stream, after, limit).await
        })
        .boxed()
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        // A page that is not full is the log's end.
        let head = *self.head.borrow();
        let is_whole = |page: &Vec<RecordedEvent>| {
            page.len() == limit || page.last().is_some_and(|last| last.position >= head)
        };
        if let Some(page) = self.recent.page(after, limit).filter(is_whole) {
            return std::future::ready(Ok(page)).boxed();
        }
        self.reads("read the log", async move |connection| {
            read::all(connection, after, limit).await
        })
        .boxed()
    }

    fn read_on(
        &self,
        after: Position,
        to: Position,
    ) -> BoxStream<'_, Result<Vec<RecordedEvent>, StoreError>> {
        read_on::pages(self.reader.clone(), after, to)
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        self.reads("read open intents", read::open_intents).boxed()
    }

    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let saved = self.writer.call(async |connection| {
                snapshots::save(connection, schema_hash, &snapshots).await
            });
            saved.await.map_err(|error| StoreError::new("save snapshots", error))
        }
        .boxed()
    }
}
