//! The contract of the runner's tables, in SQL. Each method is a statement of its own module.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::sagas::{Saga, SagaState};
use event_store::{LogIdentity, Position};
use messaging::commands::CommandMessage;
use storage::{Connection, Fence, Passed, Store, Transaction};
use uuid::Uuid;

use super::{Checkpoint, OutboxRow, PastAction, SagaRow};
use crate::tables::{Committing, Rows, Tables};

type Outcome<T> = Result<T, sqlx::Error>;

impl Tables for Store {
    type Rows = Connection;
    type Transaction = Transaction;

    async fn begin(&self) -> Outcome<Transaction> {
        Store::begin(self).await
    }

    async fn begin_durable(&self) -> Outcome<Transaction> {
        Store::begin_durable(self).await
    }

    async fn writer(&self) -> Outcome<Connection> {
        Store::writer(self).await
    }

    async fn reader(&self) -> Outcome<Connection> {
        Store::reader(self).await
    }
}

impl Committing for Transaction {
    async fn commit(self) -> Outcome<()> {
        Transaction::commit(self).await
    }
}

impl Rows for Connection {
    async fn pass(&mut self, fence: &Fence) -> Outcome<bool> {
        fence.pass(self).await
    }

    async fn start_checkpoint(&mut self, log: &LogIdentity) -> Outcome<()> {
        super::start_checkpoint(self, log).await
    }

    async fn read_checkpoint(&mut self) -> Outcome<Checkpoint> {
        super::read_checkpoint(self).await
    }

    async fn read_position(&mut self) -> Outcome<Position> {
        super::read_position(self).await
    }

    async fn advance(
        &mut self,
        fence: &Fence,
        from: &Checkpoint,
        to: Position,
        event_id: Option<Uuid>,
    ) -> Outcome<Passed> {
        super::advance(self, fence, from, to, event_id).await
    }

    async fn read_alive_at(&mut self) -> Outcome<Option<DateTime<Utc>>> {
        super::read_alive_at(self).await
    }

    async fn write_alive_at(&mut self, now: DateTime<Utc>) -> Outcome<()> {
        super::write_alive_at(self, now).await
    }

    async fn read_of_orders(&mut self, order_ids: &[&str]) -> Outcome<Vec<(Saga, SagaRow)>> {
        super::read_of_orders(self, order_ids).await
    }

    async fn orders_to_wake(&mut self, now: DateTime<Utc>, limit: u32) -> Outcome<Vec<String>> {
        super::orders_to_wake(self, now, limit).await
    }

    async fn read_unfinished(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Outcome<(Vec<(Saga, SagaRow)>, i64)> {
        super::read_unfinished(self, after, limit).await
    }

    async fn write_sagas(&mut self, sagas: &[(&Saga, &SagaRow)]) -> Outcome<bool> {
        super::write_sagas(self, sagas).await
    }

    async fn count_states(&mut self) -> Outcome<HashMap<SagaState, u64>> {
        super::count_states(self).await
    }

    async fn count_outbox(&mut self) -> Outcome<u64> {
        super::count_outbox(self).await
    }

    async fn insert_outbox(
        &mut self,
        rows: &[OutboxRow],
        now: DateTime<Utc>,
        next_send_at: DateTime<Utc>,
        sends: u32,
    ) -> Outcome<u64> {
        super::insert_outbox(self, rows, now, next_send_at, sends).await
    }

    async fn delete_done(&mut self, command_ids: &[&str]) -> Outcome<u64> {
        super::delete_done(self, command_ids).await
    }

    async fn make_due(&mut self, command_ids: &[&str], now: DateTime<Utc>) -> Outcome<()> {
        super::make_due(self, command_ids, now).await
    }

    async fn make_all_due(&mut self, now: DateTime<Utc>) -> Outcome<()> {
        super::make_all_due(self, now).await
    }

    async fn read_due(&mut self, now: DateTime<Utc>, limit: u32) -> Outcome<Vec<CommandMessage>> {
        super::read_due(self, now, limit).await
    }

    async fn reschedule(
        &mut self,
        command_ids: &[&str],
        now: DateTime<Utc>,
        every: Duration,
    ) -> Outcome<()> {
        super::reschedule(self, command_ids, now, every).await
    }

    async fn find_action(&mut self, key: &str) -> Outcome<Option<(PastAction, DateTime<Utc>)>> {
        super::find_action(self, key).await
    }

    async fn insert_action(
        &mut self,
        key: &str,
        saga_id: &str,
        action: &PastAction,
        now: DateTime<Utc>,
    ) -> Outcome<()> {
        super::insert_action(self, key, saga_id, action, now).await
    }

    async fn put_aside(&mut self, epoch: u32) -> Outcome<()> {
        super::put_aside(self, epoch).await
    }

    async fn enter_epoch(&mut self, epoch: u32) -> Outcome<()> {
        super::enter_epoch(self, epoch).await
    }
}
