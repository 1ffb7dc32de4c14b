//! What a client may wait for with `Prefer: wait`, and what the log says of it.
//!
//! **Invariant:** the first decision counts: a repeat hears what the first request heard, whatever came later.

use axum::response::Response;
use domain::event::Event;
use domain::ids::{CancellationId, OrderId, PaymentId, ReturnId};
use domain::orders::OrderEvent;
use domain::payments::{PaymentEvent, Unmet};
use domain::stream::Stream;
use event_store::{EventLog, RecordedEvent, StoreError};
use service_kit::problem::Problem;

use super::accepted;
use super::app::App;
use super::prefer::Wait;
use crate::codec;
use crate::processor::Outcome;

/// Events of a stream read at once.
const PAGE: usize = 256;

/// What a client would rather wait for.
#[derive(Debug, Clone)]
pub(super) enum Awaited {
    /// The order is confirmed, rejected or cancelled.
    Order(OrderId),
    /// The cancellation is carried out or declined. Before an order is confirmed it has no id: the order is cancelled.
    Cancellation(OrderId, Option<CancellationId>),
    /// The money of a return that arrived is given back.
    Refund(OrderId, ReturnId),
}

/// How it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decided {
    status: &'static str,
    reason: Option<String>,
    /// Of the order, when the decision is an event of it.
    version: Option<u64>,
    position: u64,
}

impl App {
    /// Waits for the decision and answers with it; answers as without a wait when it takes too long.
    pub(super) async fn decided(
        &self,
        mut outcome: Outcome,
        wait: Wait,
        awaited: impl FnOnce(&OrderId, &Members) -> Awaited,
    ) -> Result<Response, Problem> {
        let mut members = accepted::members(&outcome);
        // The order of the stored answer: on a repeat no other id counts.
        let id = members.get("id").and_then(|id| id.as_str());
        let Some(order_id) = id.and_then(|id| OrderId::parse(id).ok()) else {
            return Ok(accepted::response(self, &outcome));
        };
        let awaited = awaited(&order_id, &members);
        let waited = self.waiters.wait(&*self.log, &awaited, wait.time()).await;
        if let Some(decided) = waited.map_err(|error| self.unreadable_log(&error))? {
            members.insert("status".into(), decided.status.into());
            members.insert("reason".into(), decided.reason.into());
            outcome.version = decided.version.unwrap_or(outcome.version);
            outcome.position = decided.position;
        }
        let mut response = accepted::response_with(self, &outcome, members);
        wait.say(response.headers_mut());
        Ok(response)
    }

    /// Waits for the cancellation that was begun, if the client would rather.
    pub(super) async fn cancelled(
        &self,
        outcome: Outcome,
        wait: Option<Wait>,
    ) -> Result<Response, Problem> {
        let Some(wait) = wait else { return Ok(accepted::response(self, &outcome)) };
        let awaited = |order_id: &OrderId, members: &Members| {
            let id = members.get("cancellation_id").and_then(|id| id.as_str());
            let id = id.and_then(|id| CancellationId::parse(id).ok());
            Awaited::Cancellation(order_id.clone(), id)
        };
        self.decided(outcome, wait, awaited).await
    }
}

/// The members of a stored answer.
type Members = serde_json::Map<String, serde_json::Value>;

impl Awaited {
    pub(super) fn order_id(&self) -> &OrderId {
        match self {
            Self::Order(id) | Self::Cancellation(id, _) | Self::Refund(id, _) => id,
        }
    }

    /// What the log says of it by now.
    pub(super) async fn decision(&self, log: &dyn EventLog) -> Result<Option<Decided>, StoreError> {
        let stream = Stream::Order(self.order_id().clone());
        match self {
            Self::Order(_) => first(log, &stream, order_decided).await,
            Self::Cancellation(_, None) => first(log, &stream, order_cancelled).await,
            Self::Cancellation(_, Some(id)) => {
                first(log, &stream, |event, rest| cancellation_decided(id, event, rest)).await
            }
            Self::Refund(_, id) => refund_decided(log, &stream, id).await,
        }
    }
}

/// Which order may have something decided by this event.
pub(super) fn decides_about(event: &Event) -> Option<&OrderId> {
    match event {
        Event::Order(
            event @ (OrderEvent::OrderConfirmed(_)
            | OrderEvent::OrderRejected(_)
            | OrderEvent::OrderCancelled(_)
            | OrderEvent::LinesCancelled(_)
            | OrderEvent::CancellationDeclined(_)
            | OrderEvent::ReturnReceived(_)),
        ) => Some(event.order()),
        Event::Payment(PaymentEvent::PaymentRefunded(event)) => Some(&event.order_id),
        Event::Payment(PaymentEvent::RefundFailed(event)) => Some(&event.order_id),
        Event::Payment(PaymentEvent::PaymentSettledByHand(event)) => Some(&event.order_id),
        _ => None,
    }
}

/// The first decision that is found in a stream; `decided` gets what follows an event as well.
async fn first(
    log: &dyn EventLog,
    stream: &Stream,
    decided: impl Fn(&RecordedEvent, &[RecordedEvent]) -> Option<Decided>,
) -> Result<Option<Decided>, StoreError> {
    let events = read(log, stream).await?;
    let mut rest = events.as_slice();
    while let Some((event, following)) = rest.split_first() {
        if let Some(decided) = decided(event, following) {
            return Ok(Some(decided));
        }
        rest = following;
    }
    Ok(None)
}

/// All events of a stream.
pub(super) async fn read(
    log: &dyn EventLog,
    stream: &Stream,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let stream = codec::stream_id(stream);
    let mut events: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = events.last().map_or(0, |last| last.version);
        let page = log.read_stream(&stream, after, PAGE).await?;
        let is_last = page.len() < PAGE;
        events.extend(page);
        if is_last {
            return Ok(events);
        }
    }
}

fn order_event(recorded: &RecordedEvent) -> Option<OrderEvent> {
    match codec::decode(recorded) {
        Ok(Event::Order(event)) => Some(event),
        Ok(_) | Err(_) => None,
    }
}

/// An event of the order decided so.
fn by(recorded: &RecordedEvent, status: &'static str, reason: Option<String>) -> Decided {
    Decided { status, reason, version: Some(recorded.version), position: recorded.position }
}

fn order_decided(recorded: &RecordedEvent, _: &[RecordedEvent]) -> Option<Decided> {
    match order_event(recorded)? {
        OrderEvent::OrderConfirmed(_) => Some(by(recorded, "confirmed", None)),
        OrderEvent::OrderRejected(event) => {
            Some(by(recorded, "rejected", Some(event.reason.to_string())))
        }
        _ => order_cancelled(recorded, &[]),
    }
}

fn order_cancelled(recorded: &RecordedEvent, _: &[RecordedEvent]) -> Option<Decided> {
    match order_event(recorded)? {
        OrderEvent::OrderCancelled(event) => {
            Some(by(recorded, "cancelled", event.reason.map(|reason| reason.to_string())))
        }
        _ => None,
    }
}

fn cancellation_decided(
    id: &CancellationId,
    recorded: &RecordedEvent,
    following: &[RecordedEvent],
) -> Option<Decided> {
    match order_event(recorded)? {
        OrderEvent::LinesCancelled(event) if event.cancellation_id == *id => {
            // When nothing of the order is left, the same append cancels it.
            let same = following.first().filter(|next| next.metadata == recorded.metadata);
            let whole = same.and_then(|next| order_cancelled(next, &[]));
            Some(whole.unwrap_or_else(|| by(recorded, "cancelled", None)))
        }
        OrderEvent::CancellationDeclined(event) if event.cancellation_id == *id => {
            Some(by(recorded, "declined", Some(event.reason.to_string())))
        }
        _ => None,
    }
}

/// A return is paid back by as many payments of its order as it takes.
async fn refund_decided(
    log: &dyn EventLog,
    stream: &Stream,
    return_id: &ReturnId,
) -> Result<Option<Decided>, StoreError> {
    let mut due = None;
    let mut payments: Vec<PaymentId> = Vec::new();
    for recorded in read(log, stream).await? {
        match order_event(&recorded) {
            Some(OrderEvent::OrderConfirmed(event)) => payments.extend(event.payment_id),
            Some(OrderEvent::PaymentReplaced(event)) => payments.push(event.payment_id),
            Some(OrderEvent::ReturnReceived(event)) if event.return_id == *return_id => {
                if event.amount == 0 {
                    return Ok(Some(by(&recorded, "refunded", None)));
                }
                due = Some(event.amount);
            }
            Some(_) | None => {}
        }
    }
    let Some(mut due) = due else { return Ok(None) };
    let mut events = Vec::new();
    for payment in payments {
        events.extend(read(log, &Stream::Payment(payment)).await?);
    }
    events.sort_by_key(|event| event.position);
    for recorded in &events {
        let decided = |status, reason| {
            Ok(Some(Decided { status, reason, version: None, position: recorded.position }))
        };
        match codec::decode(recorded) {
            Ok(Event::Payment(PaymentEvent::PaymentRefunded(event)))
                if event.return_id == *return_id =>
            {
                due -= event.amount.minor();
                if due <= 0 {
                    return decided("refunded", None);
                }
            }
            Ok(Event::Payment(PaymentEvent::RefundFailed(event)))
                if event.return_id == *return_id && !event.retriable =>
            {
                return decided("refund_failed", Some(event.code.to_string()));
            }
            Ok(Event::Payment(PaymentEvent::PaymentSettledByHand(event)))
                if is_of(&event.unmet, return_id) =>
            {
                return decided("settled_by_hand", Some(event.reason.to_string()));
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(None)
}

fn is_of(unmet: &Unmet, id: &ReturnId) -> bool {
    matches!(unmet, Unmet::Refund { return_id } if return_id == id)
}
