//! A look at the orchestrator's database from outside, for the invariant checker. It only reads, also beside a running
//! orchestrator.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use domain::sagas::{SagaKind, SagaState};
use event_store::{LogIdentity, Mark, Position};
use storage::Location;
use uuid::Uuid;

/// A saga as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditedSaga {
    /// Its id.
    pub id: String,
    /// Which one it is.
    pub kind: SagaKind,
    /// Its order.
    pub order_id: String,
    /// Where it stands.
    pub state: SagaState,
    /// The step it is at.
    pub step: String,
    /// When it wants to be woken though nothing happened.
    pub wake_at: Option<DateTime<Utc>>,
    /// Whether its own data can be read, and says what these columns say.
    pub is_whole: bool,
}

/// A command that is sent until the log shows what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditedCommand {
    /// Its id.
    pub command_id: String,
    /// The saga that sends it.
    pub saga_id: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How often it was sent.
    pub sends: u32,
}

/// Everything in the database that the log has to agree with, as of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Audit {
    /// The log that was folded.
    pub log: LogIdentity,
    /// The last position folded.
    pub position: Position,
    /// The id of the event there; `None` before the first.
    pub event_id: Option<Uuid>,
    /// All sagas, in the order in which they began.
    pub sagas: Vec<AuditedSaga>,
    /// The outbox.
    pub outbox: Vec<AuditedCommand>,
    /// Sagas that an operator acted on. Earlier versions closed those that were resolved, whatever became of their orders.
    pub touched_by_operators: HashSet<String>,
}

/// How far the sagas have folded which log.
pub async fn mark(location: impl Into<Location>) -> Result<Mark, sqlx::Error> {
    crate::storage::read_mark(&location.into()).await
}

/// Reads the database of a running or stopped orchestrator; `None` when it never saw a log.
pub async fn audit(location: impl Into<Location>) -> Result<Option<Audit>, sqlx::Error> {
    crate::storage::read_audit(&location.into()).await
}
