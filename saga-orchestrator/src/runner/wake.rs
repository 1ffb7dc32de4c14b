//! The reconciler: sagas whose time has come are woken. Level-triggered, by an index on `wake_at`: a wake-up that was
//! lost costs a tick, never a saga.

use chrono::{DateTime, Utc};
use domain::ids::OrderId;

use super::commit::ToSend;
use super::run::{RunError, Runner};
use super::work::{Cause, Work};
use crate::tables::{Rows as _, Tables};

/// Orders woken with one commit, at most: the rest is due at the next tick.
const WAKE_AT_MOST: u32 = 500;

impl<T: Tables> Runner<T> {
    /// Wakes whatever is due.
    pub(super) async fn wake(&mut self) -> Result<(), RunError> {
        let Some(now) = self.saga_time() else { return Ok(()) };
        let mut connection = self.store.writer().await?;
        let due = connection.orders_to_wake(now, WAKE_AT_MOST).await?;
        drop(connection);
        if due.is_empty() {
            return Ok(());
        }
        let order_ids: Vec<OrderId> = due
            .iter()
            .map(|id| OrderId::parse(id))
            .collect::<Result<_, _>>()
            .map_err(|error| self.fault_here(error.to_string()))?;
        let orders = self.take_orders(order_ids.iter().map(|id| (id, false))).await?;
        let mut work = Work { orders, ..Work::default() };
        for order_id in &order_ids {
            let Some(sagas) = work.orders.get_mut(order_id) else { continue };
            let wanted = sagas.wake(now, &self.settings.timeouts);
            work.want(order_id, wanted, Cause::Other).map_err(RunError::bug)?;
        }
        self.commit(work, ToSend::Now).await
    }

    /// The sagas' clock: the wall clock where everything was read, else the time of the last event that was folded. So
    /// no deadline passes while the event that meets it waits to be read.
    pub(super) fn saga_time(&self) -> Option<DateTime<Utc>> {
        let head = *self.head.borrow();
        if self.checkpoint.position >= head { Some(self.clock.now()) } else { self.folded_at }
    }
}
