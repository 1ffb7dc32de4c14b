//! The contract. What each method promises is a case of the conformance suite.

use std::collections::HashMap;
use std::ops::DerefMut;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::sagas::{Saga, SagaState};
use event_store::{LogIdentity, Position};
use messaging::commands::CommandMessage;
use storage::{Fence, Passed};
use uuid::Uuid;

use crate::storage::{Checkpoint, OutboxRow, PastAction, SagaRow};

/// What a call of the tables comes to. Every backend tells its failures as the driver of SQL does, because what a later
/// try may get past is told by them.
pub(crate) type Outcome<T> = Result<T, sqlx::Error>;

/// The tables of an orchestrator.
pub(crate) trait Tables: Clone + Send + Sync + 'static {
    /// The rows as a connection sees them.
    type Rows: Rows;
    /// The rows as a transaction sees and changes them; dropped, it changed nothing.
    type Transaction: Committing<Target = Self::Rows>;

    /// Begins to write.
    fn begin(&self) -> impl Future<Output = Outcome<Self::Transaction>> + Send;

    /// Begins to write what must not be lost, also where the last of the other commits may be.
    fn begin_durable(&self) -> impl Future<Output = Outcome<Self::Transaction>> + Send;

    /// To read what was just written.
    fn writer(&self) -> impl Future<Output = Outcome<Self::Rows>> + Send;

    /// To read.
    fn reader(&self) -> impl Future<Output = Outcome<Self::Rows>> + Send;
}

/// A transaction, which can be committed.
pub(crate) trait Committing: DerefMut + Send {
    /// Makes it so. When this fails, it may have been done.
    fn commit(self) -> impl Future<Output = Outcome<()>> + Send;
}

/// Reads and changes the rows. What changes rows is called on a transaction only.
pub(crate) trait Rows: Send {
    /// Whether the lease is still this holder's. Else nothing of the transaction may stay.
    fn pass(&mut self, fence: &Fence) -> impl Future<Output = Outcome<bool>> + Send;

    /// Stands before the first event, unless it stands somewhere already.
    fn start_checkpoint(&mut self, log: &LogIdentity) -> impl Future<Output = Outcome<()>> + Send;

    /// Where it stands; an error when it stands nowhere.
    fn read_checkpoint(&mut self) -> impl Future<Output = Outcome<Checkpoint>> + Send;

    /// The last position folded; 0 when it stands nowhere.
    fn read_position(&mut self) -> impl Future<Output = Outcome<Position>> + Send;

    /// Compares the lease, and moves from where we believe to stand.
    fn advance(
        &mut self,
        fence: &Fence,
        from: &Checkpoint,
        to: Position,
        event_id: Option<Uuid>,
    ) -> impl Future<Output = Outcome<Passed>> + Send;

    /// When the platform was last seen alive; `None` when it never was.
    fn read_alive_at(&mut self) -> impl Future<Output = Outcome<Option<DateTime<Utc>>>> + Send;

    /// It is alive.
    fn write_alive_at(&mut self, now: DateTime<Utc>) -> impl Future<Output = Outcome<()>> + Send;

    /// All sagas of these orders, ended ones too, in the order in which they began.
    fn read_of_orders(
        &mut self,
        order_ids: &[&str],
    ) -> impl Future<Output = Outcome<Vec<(Saga, SagaRow)>>> + Send;

    /// Orders with a saga that wants to be woken by now, the one that waits longest first.
    fn orders_to_wake(
        &mut self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> impl Future<Output = Outcome<Vec<String>>> + Send;

    /// A page of the sagas that have not ended, after the `after`th; with the number of the last.
    fn read_unfinished(
        &mut self,
        after: i64,
        limit: u32,
    ) -> impl Future<Output = Outcome<(Vec<(Saga, SagaRow)>, i64)>> + Send;

    /// Writes sagas whose `version` was raised by one; false when one of them was not at the version before. Then nothing of
    /// the transaction may stay.
    fn write_sagas(
        &mut self,
        sagas: &[(&Saga, &SagaRow)],
    ) -> impl Future<Output = Outcome<bool>> + Send;

    /// How many sagas there are in each state.
    fn count_states(&mut self) -> impl Future<Output = Outcome<HashMap<SagaState, u64>>> + Send;

    /// How many commands are on their way.
    fn count_outbox(&mut self) -> impl Future<Output = Outcome<u64>> + Send;

    /// Keeps commands, each once: a command id that is there already stays as it is. Tells how many are new.
    fn insert_outbox(
        &mut self,
        rows: &[OutboxRow],
        now: DateTime<Utc>,
        next_send_at: DateTime<Utc>,
        sends: u32,
    ) -> impl Future<Output = Outcome<u64>> + Send;

    /// Forgets the commands that events bear. Tells how many there were.
    fn delete_done(&mut self, command_ids: &[&str]) -> impl Future<Output = Outcome<u64>> + Send;

    /// Takes back a handover that the queue refused: the commands are due at once.
    fn make_due(
        &mut self,
        command_ids: &[&str],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Outcome<()>> + Send;

    /// All commands are due.
    fn make_all_due(&mut self, now: DateTime<Utc>) -> impl Future<Output = Outcome<()>> + Send;

    /// Commands that are due to be sent again, those that waited longest first.
    fn read_due(
        &mut self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> impl Future<Output = Outcome<Vec<CommandMessage>>> + Send;

    /// Commands were handed over again at this time: the next time is so much later, or up to four times that.
    fn reschedule(
        &mut self,
        command_ids: &[&str],
        now: DateTime<Utc>,
        every: Duration,
    ) -> impl Future<Output = Outcome<()>> + Send;

    /// The action of this key, and when it was carried out.
    fn find_action(
        &mut self,
        key: &str,
    ) -> impl Future<Output = Outcome<Option<(PastAction, DateTime<Utc>)>>> + Send;

    /// Remembers an action of an operator under its key.
    fn insert_action(
        &mut self,
        key: &str,
        saga_id: &str,
        action: &PastAction,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Outcome<()>> + Send;

    /// Puts everything aside that was folded before this epoch, and stands before the first event.
    fn put_aside(&mut self, epoch: u32) -> impl Future<Output = Outcome<()>> + Send;

    /// What is here is of this epoch from now on.
    fn enter_epoch(&mut self, epoch: u32) -> impl Future<Output = Outcome<()>> + Send;
}
