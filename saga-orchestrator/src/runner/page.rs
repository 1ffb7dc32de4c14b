//! A page of events becomes one commit: decode what sagas read, load the orders that it is about, fold in memory.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use domain::event::Event;
use domain::ids::OrderId;
use domain::orders::OrderEvent;
use domain::sagas::READS;
use event_store::RecordedEvent;
use service_kit::trace;

use super::commit::ToSend;
use super::log_clock::set_back_from;
use super::run::{RunError, Runner};
use super::work::{Cause, Work};
use crate::tables::{Rows as _, Tables};

static READ_TYPES: LazyLock<HashSet<&str>> = LazyLock::new(|| READS.iter().copied().collect());

impl<T: Tables> Runner<T> {
    /// Folds a page and commits it; what the sagas want sent goes out afterwards.
    pub(super) async fn fold_page(&mut self, page: &[RecordedEvent]) -> Result<(), RunError> {
        let (before, after) = page.split_at(self.right_until(page));
        self.fold_part(before).await?;
        if let Some(first) = after.first() {
            self.set_clock(first.recorded_at).await?;
        }
        self.fold_part(after).await
    }

    /// How much of a page is by the sagas' clock. Of what was not recorded just now nothing can be said, but that it is no older
    /// than what was known of the log's time before it.
    fn right_until(&self, page: &[RecordedEvent]) -> usize {
        if !self.is_live() {
            return self.alive_at.map_or(page.len(), |alive_at| set_back_from(page, alive_at));
        }
        let last = page.last().map_or(0, |last| last.position);
        let is_new = last >= *self.head.borrow();
        if is_new { self.clock.wrong_from(page) } else { page.len() }
    }

    async fn fold_part(&mut self, page: &[RecordedEvent]) -> Result<(), RunError> {
        let Some(last) = page.last() else { return Ok(()) };
        let events = decode(page)?;
        let traced = self.is_live() && trace::is_on();
        let mut work = Work { last: Some(last.clone()), traced, ..Work::default() };
        let order_ids = events.iter().map(|(_, event, order_id)| (order_id, begins(event)));
        work.orders = self.take_orders(order_ids).await?;
        let mut asked_at = Vec::new();
        for (recorded, event, order_id) in &events {
            let Some(sagas) = work.orders.get_mut(order_id) else { continue };
            let wanted = sagas.fold(event, recorded, &self.settings.timeouts);
            asked_at.resize(asked_at.len() + wanted.len(), recorded.position);
            work.want(order_id, wanted, Cause::Event(recorded)).map_err(RunError::bug)?;
        }
        work.forget_answered(&asked_at, page);
        let ids: HashSet<_> = page.iter().map(|event| &event.metadata.command_id).collect();
        work.done = ids.into_iter().cloned().collect();
        metrics::counter!("docket_saga_events_total").increment(page.len() as u64);
        let send = if self.is_live() { ToSend::Now } else { ToSend::Later };
        self.commit(work, send).await
    }

    /// All sagas of these orders: from memory, the rest in one query. Of an order that only begins there is nothing to be
    /// read.
    pub(super) async fn take_orders<'o>(
        &mut self,
        order_ids: impl Iterator<Item = (&'o OrderId, bool)>,
    ) -> Result<HashMap<OrderId, super::order_sagas::OrderSagas>, RunError> {
        let mut orders = HashMap::new();
        let mut missing = Vec::new();
        for (order_id, begins) in order_ids {
            if orders.contains_key(order_id) {
                continue;
            }
            let sagas = self.cache.take(order_id);
            if sagas.is_none() && !begins {
                missing.push(order_id.as_str());
            }
            orders.insert(order_id.clone(), sagas.unwrap_or_default());
        }
        if !missing.is_empty() {
            let mut connection = self.store.writer().await?;
            let rows = connection.read_of_orders(&missing).await?;
            for (saga, row) in rows {
                if let Some(sagas) = orders.get_mut(&saga.status.order_id) {
                    sagas.push((saga, row));
                }
            }
        }
        Ok(orders)
    }
}

/// Whether no saga of the order can be older than this event: an order is placed once, and what was folded of it was
/// committed with its position.
fn begins(event: &Event) -> bool {
    matches!(event, Event::Order(OrderEvent::OrderPlaced(_)))
}

type Decoded<'p> = (&'p RecordedEvent, Event, OrderId);

/// The events of the page that sagas read. One that can't be read is a fault: passing over it could lose an order.
fn decode(page: &[RecordedEvent]) -> Result<Vec<Decoded<'_>>, RunError> {
    let read = page.iter().filter(|event| READ_TYPES.contains(event.event_type.as_ref()));
    let mut events = Vec::new();
    for recorded in read {
        let event =
            Event::from_json(&recorded.event_type, recorded.schema_version, &recorded.payload)
                .map_err(|error| RunError::Fault {
                    position: recorded.position,
                    cause: error.to_string(),
                })?;
        if let Some(order_id) = event.order_id().cloned() {
            events.push((recorded, event, order_id));
        }
    }
    Ok(events)
}
