//! What the handlers share.

use std::sync::Arc;

use domain::command::Command;
use domain::ids::SubjectId;
use domain::operations::{OperatorAction, RecordAction};
use domain::text::{Label, Reason};
use messaging::commands::CommandMessage;
use messaging::feed::{Feed, Freshness};
use messaging::record::{RecordError, Recorder};
use service_kit::clock::Clock;
use service_kit::idempotency;
use service_kit::position::PositionToken;
use service_kit::problem::{self, Code, Problem};
use service_kit::stale::Stale;
use storage::{Connection, Fence, Store, Transaction};
use tokio::sync::{Mutex, MutexGuard, Notify, watch};

use crate::book::Book;
use crate::egress::Sender;
use crate::mail::Mailer;
use crate::status::{Phase, Status};
use crate::storage::{self as tables, Checkpoint};
use crate::webhooks::Endpoint;

/// What the API is made of.
pub(crate) struct ApiParts {
    pub(crate) store: Store,
    pub(crate) fence: Fence,
    pub(crate) book: Arc<Book>,
    pub(crate) sender: Sender,
    /// Sends mail, where customers get any.
    pub(crate) mailer: Option<Mailer>,
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) clock: Clock,
    /// Tells that something may be due.
    pub(crate) told: Arc<Notify>,
    /// Where the reader stands.
    pub(crate) status: watch::Receiver<Status>,
}

/// How far the log was read for what an answer shows.
pub(super) struct SeenAt {
    pub(super) token: PositionToken,
    /// Why that may be less than the log, if somebody has to be told.
    pub(super) stale: Option<Stale>,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

struct Shared {
    parts: ApiParts,
    /// Changes take turns: what one found is so until it has changed it.
    changing: Mutex<()>,
}

/// Who asks for a change, under which key, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) key: &'a str,
    pub(super) actor: &'a str,
    pub(super) reason: &'a Reason,
}

impl std::ops::Deref for Api {
    type Target = ApiParts;

    fn deref(&self) -> &ApiParts {
        &self.0.parts
    }
}

impl Api {
    pub(crate) fn new(parts: ApiParts) -> Self {
        Self(Arc::new(Shared { parts, changing: Mutex::new(()) }))
    }

    /// A connection to read with, also what was just written.
    pub(super) async fn reader(&self) -> Result<Connection, Problem> {
        self.store.reader().await.map_err(failed)
    }

    /// How far the log was read for what is found now; to be asked before that is read.
    pub(super) async fn seen(&self, reader: &mut Connection) -> Result<SeenAt, Problem> {
        let (position, log) = match tables::read_checkpoint(reader).await {
            Ok(Checkpoint { position, log, .. }) => (position, log),
            // Nothing was read yet.
            Err(sqlx::Error::RowNotFound) => (0, self.feed.identity()),
            Err(error) => return Err(failed(error)),
        };
        let token = PositionToken { log: log.log.to_string(), epoch: log.epoch, position };
        let stale = match self.status.borrow().phase.clone() {
            Phase::Faulted { position, cause } => Some(Stale { position, cause }),
            _ => (*self.feed.freshness().borrow() == Freshness::Unknown)
                .then(|| Stale::unheard(position)),
        };
        Ok(SeenAt { token, stale })
    }

    /// An endpoint that is there.
    pub(super) async fn find(&self, id: &str) -> Result<Endpoint, Problem> {
        let mut reader = self.reader().await?;
        self.find_in(&mut reader, id).await
    }

    /// The same, as a transaction has left it.
    pub(super) async fn find_in(
        &self,
        connection: &mut Connection,
        id: &str,
    ) -> Result<Endpoint, Problem> {
        let found = tables::find_endpoint(connection, self.book.sealing(), id).await;
        found.map_err(failed)?.ok_or_else(|| not_found(id))
    }

    /// Nobody else changes anything until this is dropped.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().await
    }

    /// Begins a change, which is on disk when it is committed.
    pub(super) async fn begin(&self) -> Result<Transaction, Problem> {
        let mut transaction = self.store.begin_durable().await.map_err(failed)?;
        if tables::take_turn(&mut transaction, &self.fence).await.map_err(failed)? {
            return Ok(transaction);
        }
        let told = "another notification-service has taken over";
        Err(Problem::from(Code::Unavailable).detail(told).retry_after(1))
    }

    /// Makes a change so, and everybody sees it.
    pub(super) async fn commit(&self, transaction: Transaction) -> Result<(), Problem> {
        transaction.commit().await.map_err(failed)?;
        self.book.reload(&self.store).await.map_err(failed)?;
        self.told.notify_one();
        Ok(())
    }

    /// Says in the log that this is about to be done to a webhook, or to what a key names of it.
    pub(super) async fn record(
        &self,
        (id, key): (&str, Option<&str>),
        action: OperatorAction,
        asked: Asked<'_>,
    ) -> Result<(), Problem> {
        let Some(subject) = SubjectId::of_webhook(id) else { return Err(not_found(id)) };
        self.record_about((subject, key), action, asked).await
    }

    /// The same, to anything. Again under the same key is harmless, and says nothing of whether it was done: that stands in our own
    /// database, see [`once`](super::once).
    pub(super) async fn record_about(
        &self,
        (subject, key): (SubjectId, Option<&str>),
        action: OperatorAction,
        asked: Asked<'_>,
    ) -> Result<(), Problem> {
        let label = |text: &str| Label::parse(text).map_err(|error| problem::internal(&error));
        let record = Command::from(RecordAction {
            subject,
            action,
            key: key.map(label).transpose()?,
            position: None,
            actor: label(asked.actor)?,
            reason: Some(asked.reason.clone()),
        });
        let body = serde_json::to_string(&record).map_err(|error| problem::internal(&error))?;
        let command_id = format!("operations/notifications/{}", asked.key);
        let message = CommandMessage::of_its_own(command_id, body, (self.clock)());
        self.recorder.record(message).await.map_err(|error| match error {
            RecordError::IdReused => idempotency::reused(asked.key, None),
            RecordError::Refused(_) => problem::internal(&error),
            RecordError::Unavailable(_) => {
                let told = "the log, where it is recorded who acts, can't be reached";
                Problem::from(Code::Unavailable).detail(told).retry_after(1)
            }
        })
    }
}

/// The database could not answer: gone for now, or something is wrong.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
pub(super) fn failed(error: sqlx::Error) -> Problem {
    if storage::is_away(&error) {
        tracing::warn!(%error, "the database of the notifications can't be reached");
        let told = "the database of the notifications does not answer";
        return Problem::from(Code::Unavailable).detail(told).retry_after(1);
    }
    problem::internal(&error)
}

pub(super) fn not_found(id: &str) -> Problem {
    Problem::from(Code::WebhookNotFound).detail(format!("there is no webhook `{id}`"))
}
