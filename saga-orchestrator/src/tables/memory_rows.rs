//! The rows of tables in memory, shown as they are or as a transaction's own copy.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::sagas::{Saga, SagaState};
use event_store::{LogIdentity, Position};
use messaging::commands::CommandMessage;
use storage::{Fence, Passed};
use uuid::Uuid;

use super::contract::{Outcome, Rows};
use super::memory::Kept;
use crate::audit::AuditedSaga;
use crate::storage::{Checkpoint, OutboxRow, PastAction, SagaRow};

/// Everything that is kept. Cheap to copy: a transaction works on a copy.
#[derive(Clone, Default)]
pub(super) struct Data {
    /// Raised by each commit.
    version: u64,
    /// In the order in which they began.
    pub(super) sagas: Vec<Arc<KeptSaga>>,
    pub(super) outbox: BTreeMap<Arc<str>, Arc<Sent>>,
    pub(super) checkpoint: Option<Checkpoint>,
    alive_at: Option<DateTime<Utc>>,
    pub(super) actions: BTreeMap<String, Arc<Done>>,
}

impl Data {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn at_version(self, version: u64) -> Self {
        Self { version, ..self }
    }
}

/// A saga as it was written.
pub(super) struct KeptSaga {
    saga: Saga,
    row: SagaRow,
}

impl KeptSaga {
    pub(super) fn audited(&self) -> AuditedSaga {
        let status = &self.saga.status;
        AuditedSaga {
            id: status.id.to_string(),
            kind: status.kind,
            order_id: status.order_id.to_string(),
            state: status.state,
            step: status.step.clone(),
            wake_at: status.wake_at,
            // A row and its data are one here.
            is_whole: true,
        }
    }

    /// From its text, as from a database.
    fn read(&self) -> Outcome<(Saga, SagaRow)> {
        let saga: Saga = serde_json::from_str(&self.row.data)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let written_state = Some(saga.status.state);
        Ok((saga, SagaRow { written_state, ..self.row.clone() }))
    }
}

/// A command of the outbox.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) row: OutboxRow,
    pub(super) created_at: DateTime<Utc>,
    next_at: DateTime<Utc>,
    pub(super) sends: u32,
}

/// An operator's action.
pub(super) struct Done {
    action: PastAction,
    pub(super) saga_id: String,
    at: DateTime<Utc>,
}

/// The rows, as a connection or a transaction has them.
pub(crate) struct MemoryRows {
    kept: Arc<Kept>,
    copy: Option<Data>,
    /// The lease that the transaction showed.
    fence: Fence,
}

impl MemoryRows {
    pub(super) fn shown(kept: Arc<Kept>) -> Self {
        Self { kept, copy: None, fence: Fence::Open }
    }

    pub(super) fn copied(kept: Arc<Kept>) -> Self {
        let copy = Some(kept.data().clone());
        Self { kept, copy, fence: Fence::Open }
    }

    /// Puts the copy in its place.
    pub(super) fn settle(self, durable: bool) -> Outcome<()> {
        let mut data = self.kept.data();
        let Some(mut copy) = self.copy.filter(|copy| copy.version == data.version) else {
            return Err(sqlx::Error::Protocol("another transaction was first".into()));
        };
        if !holds(&self.kept, &self.fence) {
            return Err(sqlx::Error::Protocol("another has taken the lease".into()));
        }
        copy.version += 1;
        self.kept.put(&mut data, copy, durable);
        Ok(())
    }

    fn see<R>(&self, look: impl FnOnce(&Data) -> R) -> R {
        match &self.copy {
            Some(copy) => look(copy),
            None => look(&self.kept.data()),
        }
    }

    fn change<R>(&mut self, change: impl FnOnce(&mut Data) -> R) -> R {
        match &mut self.copy {
            Some(copy) => change(copy),
            None => change(&mut self.kept.data()),
        }
    }

    fn each_sent(&mut self, command_ids: &[&str], change: impl Fn(&mut Sent)) {
        self.change(|data| {
            for id in command_ids {
                data.outbox.get_mut(*id).map(Arc::make_mut).into_iter().for_each(&change);
            }
        });
    }
}

fn holds(kept: &Kept, fence: &Fence) -> bool {
    match fence {
        Fence::Open => true,
        Fence::Token { token, .. } => *token == kept.token(),
    }
}

impl Rows for MemoryRows {
    async fn pass(&mut self, fence: &Fence) -> Outcome<bool> {
        self.fence = fence.clone();
        Ok(holds(&self.kept, fence))
    }

    async fn start_checkpoint(&mut self, log: &LogIdentity) -> Outcome<()> {
        let first = || Checkpoint { position: 0, event_id: None, log: log.clone() };
        self.change(|data| {
            data.checkpoint.get_or_insert_with(first);
        });
        Ok(())
    }

    async fn read_checkpoint(&mut self) -> Outcome<Checkpoint> {
        self.see(|data| data.checkpoint.clone()).ok_or(sqlx::Error::RowNotFound)
    }

    async fn read_position(&mut self) -> Outcome<Position> {
        Ok(self.see(|data| data.checkpoint.as_ref().map_or(0, |at| at.position)))
    }

    async fn advance(
        &mut self,
        fence: &Fence,
        from: &Checkpoint,
        to: Position,
        event_id: Option<Uuid>,
    ) -> Outcome<Passed> {
        if !self.pass(fence).await? {
            return Ok(Passed::LeaseLost);
        }
        Ok(self.change(|data| match &mut data.checkpoint {
            Some(at) if at.position == from.position && at.log == from.log => {
                (at.position, at.event_id) = (to, event_id);
                Passed::Through
            }
            _ => Passed::Moved,
        }))
    }

    async fn read_alive_at(&mut self) -> Outcome<Option<DateTime<Utc>>> {
        Ok(self.see(|data| data.alive_at))
    }

    async fn write_alive_at(&mut self, now: DateTime<Utc>) -> Outcome<()> {
        self.change(|data| data.alive_at = Some(now));
        Ok(())
    }

    async fn read_of_orders(&mut self, order_ids: &[&str]) -> Outcome<Vec<(Saga, SagaRow)>> {
        self.see(|data| {
            let of =
                |kept: &&Arc<KeptSaga>| order_ids.contains(&kept.saga.status.order_id.as_str());
            data.sagas.iter().filter(of).map(|kept| kept.read()).collect()
        })
    }

    async fn orders_to_wake(&mut self, now: DateTime<Utc>, limit: u32) -> Outcome<Vec<String>> {
        let mut due = self.see(|data| {
            let status = |kept: &Arc<KeptSaga>| {
                let at = kept.saga.status.wake_at.filter(|at| *at <= now)?;
                Some((at, kept.saga.status.order_id.to_string()))
            };
            data.sagas.iter().filter_map(status).collect::<Vec<_>>()
        });
        due.sort_by_key(|(at, _)| *at);
        Ok(due.into_iter().take(limit as usize).map(|(_, order_id)| order_id).collect())
    }

    async fn read_unfinished(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Outcome<(Vec<(Saga, SagaRow)>, i64)> {
        self.see(|data| {
            let numbered = (1..)
                .zip(&data.sagas)
                .filter(|(number, kept)| *number > after && !kept.saga.status.state.is_ended());
            let page: Vec<_> = numbered.take(limit as usize).collect();
            let last = page.last().map_or(after, |(number, _)| *number);
            let sagas = page.into_iter().map(|(_, kept)| kept.read()).collect::<Outcome<_>>()?;
            Ok((sagas, last))
        })
    }

    async fn write_sagas(&mut self, sagas: &[(&Saga, &SagaRow)]) -> Outcome<bool> {
        Ok(self.change(|data| {
            let mut all = true;
            for (saga, row) in sagas {
                let kept = Arc::new(KeptSaga { saga: (*saga).clone(), row: (*row).clone() });
                let id = &saga.status.id;
                match data.sagas.iter_mut().find(|kept| kept.saga.status.id == *id) {
                    Some(before) if before.row.version + 1 == row.version => *before = kept,
                    Some(_) => all = false,
                    None => data.sagas.push(kept),
                }
            }
            all
        }))
    }

    async fn count_states(&mut self) -> Outcome<HashMap<SagaState, u64>> {
        Ok(self.see(|data| {
            let mut counts = HashMap::new();
            for kept in &data.sagas {
                *counts.entry(kept.saga.status.state).or_default() += 1;
            }
            counts
        }))
    }

    async fn count_outbox(&mut self) -> Outcome<u64> {
        Ok(self.see(|data| data.outbox.len() as u64))
    }

    async fn insert_outbox(
        &mut self,
        rows: &[OutboxRow],
        now: DateTime<Utc>,
        next_send_at: DateTime<Utc>,
        sends: u32,
    ) -> Outcome<u64> {
        Ok(self.change(|data| {
            let before = data.outbox.len();
            for row in rows {
                let sent = Sent { row: row.clone(), created_at: now, next_at: next_send_at, sends };
                let id = Arc::clone(&row.message.command_id);
                data.outbox.entry(id).or_insert_with(|| Arc::new(sent));
            }
            (data.outbox.len() - before) as u64
        }))
    }

    async fn delete_done(&mut self, command_ids: &[&str]) -> Outcome<u64> {
        Ok(self.change(|data| {
            let there = command_ids.iter().filter(|id| data.outbox.remove(**id).is_some());
            there.count() as u64
        }))
    }

    async fn make_due(&mut self, command_ids: &[&str], now: DateTime<Utc>) -> Outcome<()> {
        self.each_sent(command_ids, |sent| {
            (sent.next_at, sent.sends) = (now, sent.sends.saturating_sub(1));
        });
        Ok(())
    }

    async fn make_all_due(&mut self, now: DateTime<Utc>) -> Outcome<()> {
        self.change(|data| {
            data.outbox.values_mut().for_each(|sent| Arc::make_mut(sent).next_at = now);
        });
        Ok(())
    }

    async fn read_due(&mut self, now: DateTime<Utc>, limit: u32) -> Outcome<Vec<CommandMessage>> {
        self.see(|data| {
            let mut due: Vec<_> = data.outbox.values().filter(|sent| sent.next_at <= now).collect();
            due.sort_by_key(|sent| sent.next_at);
            let due = due.into_iter().take(limit as usize);
            let message = |sent: &Arc<Sent>| serde_json::from_str(&sent.row.body);
            due.map(message).collect::<Result<_, _>>()
        })
        .map_err(|error| sqlx::Error::Decode(error.into()))
    }

    async fn reschedule(
        &mut self,
        command_ids: &[&str],
        now: DateTime<Utc>,
        every: Duration,
    ) -> Outcome<()> {
        self.each_sent(command_ids, |sent| {
            let times = if sent.sends < 3 { sent.sends + 1 } else { 4 };
            (sent.next_at, sent.sends) = (now + every * times, sent.sends + 1);
        });
        Ok(())
    }

    async fn find_action(&mut self, key: &str) -> Outcome<Option<(PastAction, DateTime<Utc>)>> {
        Ok(self.see(|data| data.actions.get(key).map(|done| (done.action.clone(), done.at))))
    }

    async fn insert_action(
        &mut self,
        key: &str,
        saga_id: &str,
        action: &PastAction,
        now: DateTime<Utc>,
    ) -> Outcome<()> {
        let done = Done { action: action.clone(), saga_id: saga_id.to_owned(), at: now };
        self.change(|data| data.actions.insert(key.to_owned(), Arc::new(done)));
        Ok(())
    }

    async fn put_aside(&mut self, _epoch: u32) -> Outcome<()> {
        // Nobody looks at what was put aside here.
        self.change(|data| {
            let log = data.checkpoint.take().map(|at| at.log);
            let checkpoint = log.map(|log| Checkpoint { position: 0, event_id: None, log });
            *data = Data { version: data.version, checkpoint, ..Data::default() };
        });
        Ok(())
    }

    async fn enter_epoch(&mut self, epoch: u32) -> Outcome<()> {
        self.change(|data| {
            data.checkpoint.iter_mut().for_each(|checkpoint| checkpoint.log.epoch = epoch);
        });
        Ok(())
    }
}
