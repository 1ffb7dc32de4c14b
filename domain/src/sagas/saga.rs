//! One saga of an order, whichever it is: what a runner stores, feeds and asks.
//!
//! Pure: it reads no clock and sends nothing. What it wants sent it returns; sending again until the log shows the
//! effect is the runner's part. **Invariant:** an event that was folded already, or is none of its business, changes
//! nothing and asks for nothing.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::cancellation_saga::CancellationSaga;
use super::explain::{foremost, not_by_hand};
use super::order_saga::OrderSaga;
use super::process::Process;
use super::purse::Purse;
use super::return_saga::ReturnSaga;
use super::{EventContext, Outgoing, SagaKind, SagaState, SagaStatus, Timeouts};
use crate::event::Event;
use crate::ids::{OrderId, SagaId};
use crate::orders::OrderEvent;
use crate::payments::{ByHand, PaymentEvent};
use crate::text::Reason;

/// The version of the definitions that new sagas start on; a running one finishes on its own.
pub const DEFINITION: u32 = 1;

/// Why an operator's action is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SagaActionError {
    /// Only a saga that needs attention can be retried or resolved.
    #[error("the saga does not need attention: its state is {state}")]
    NotNeeded {
        /// Where it stands.
        state: SagaState,
    },
    /// Only what the provider refused to take or to give back can be settled by hand.
    #[error("what failed at {step} can't be settled by hand: {instead}")]
    NotByHand {
        /// The step that failed.
        step: String,
        /// What to do instead.
        instead: &'static str,
    },
}

/// One saga: its status columns and its own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saga {
    /// What the runner stores beside it and searches.
    pub status: SagaStatus,
    /// The version of the definition that it started on.
    pub definition: u32,
    /// The position of the last event that was folded.
    seen: u64,
    /// The position of the event that brought it where it is.
    pub(super) cause: u64,
    /// How a person settled what failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved: Option<Reason>,
    pub(super) body: Body,
}

/// Which of the three it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Order(Box<OrderSaga>),
    Cancellation(Box<CancellationSaga>),
    Return(Box<ReturnSaga>),
}

impl Body {
    pub(super) fn process(&self) -> &dyn Process {
        match self {
            Self::Order(saga) => saga.as_ref(),
            Self::Cancellation(saga) => saga.as_ref(),
            Self::Return(saga) => saga.as_ref(),
        }
    }

    fn process_mut(&mut self) -> &mut dyn Process {
        match self {
            Self::Order(saga) => saga.as_mut(),
            Self::Cancellation(saga) => saga.as_mut(),
            Self::Return(saga) => saga.as_mut(),
        }
    }

    fn purse(&self) -> &Purse {
        match self {
            Self::Order(saga) => &saga.facts.purse,
            Self::Cancellation(saga) => saga.purse(),
            Self::Return(saga) => saga.purse(),
        }
    }
}

impl Saga {
    /// The saga that this event starts, if it starts one, with what it wants sent. `siblings` are the order's other
    /// sagas, ended ones too: cancellations and returns learn lines, prices and parcels from the order's own.
    pub fn start(
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
        siblings: &[Self],
    ) -> Option<(Self, Vec<Outgoing>)> {
        let Event::Order(event) = event else { return None };
        let order = siblings.iter().find_map(|saga| match &saga.body {
            Body::Order(order) => Some(&order.facts),
            Body::Cancellation(_) | Body::Return(_) => None,
        });
        let (id, kind, body) = match event {
            OrderEvent::OrderPlaced(placed) => {
                let saga = OrderSaga::start(placed, context, timeouts);
                let id = SagaId::of_order(&placed.order_id);
                (id, SagaKind::Order, Body::Order(Box::new(saga)))
            }
            OrderEvent::CancellationRequested(event) => {
                let cancellation_id = event.cancellation_id.as_ref()?;
                let saga = CancellationSaga::start(order?, cancellation_id, &event.lines, context);
                let id = SagaId::of_cancellation(cancellation_id);
                (id, SagaKind::Cancellation, Body::Cancellation(Box::new(saga)))
            }
            OrderEvent::ReturnRequested(event) => {
                let freshest = siblings.iter().max_by_key(|saga| saga.seen)?;
                let saga = ReturnSaga::start(order?, freshest.body.purse(), event, context);
                let id = SagaId::of_return(&event.return_id);
                (id, SagaKind::Return, Body::Return(Box::new(saga)))
            }
            OrderEvent::DraftCreated(_)
            | OrderEvent::LineAdded(_)
            | OrderEvent::QuantityChanged(_)
            | OrderEvent::LineRemoved(_)
            | OrderEvent::OrderConfirmed(_)
            | OrderEvent::PaymentReplaced(_)
            | OrderEvent::RejectionStarted(_)
            | OrderEvent::OrderRejected(_)
            | OrderEvent::OrderHeld(_)
            | OrderEvent::HoldReleased(_)
            | OrderEvent::CancellationDeclined(_)
            | OrderEvent::LinesCancelled(_)
            | OrderEvent::OrderCancelled(_)
            | OrderEvent::LinesShipped(_)
            | OrderEvent::LinesDelivered(_)
            | OrderEvent::ReturnReceived(_)
            | OrderEvent::OrderCompleted(_)
            | OrderEvent::OrderErased(_) => return None,
        };
        if siblings.iter().any(|saga| saga.status.id == id) {
            return None;
        }
        let mut saga = Self::begin(id, kind, event.order().clone(), body, context);
        let sends = saga.body.process_mut().advance(&saga.status.id, context.recorded_at);
        saga.settle(context.recorded_at, timeouts);
        Some((saga, sends))
    }

    fn begin(
        id: SagaId,
        kind: SagaKind,
        order_id: OrderId,
        body: Body,
        context: &EventContext<'_>,
    ) -> Self {
        let status = SagaStatus {
            id,
            kind,
            order_id,
            state: SagaState::Running,
            step: String::new(),
            since: context.recorded_at,
            wake_at: None,
        };
        let (seen, cause) = (context.position, context.position);
        Self { status, definition: DEFINITION, seen, cause, resolved: None, body }
    }

    /// Folds an event of its order. Unknown or late events change nothing.
    pub fn on_event(
        &mut self,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) -> Vec<Outgoing> {
        if self.status.state.is_ended() || context.position <= self.seen {
            return vec![];
        }
        self.seen = context.position;
        self.note_settlement(event, context);
        let process = self.body.process_mut();
        process.fold(&self.status.id, event, context, timeouts);
        let sends = if process.over().is_none() {
            process.advance(&self.status.id, context.recorded_at)
        } else {
            vec![]
        };
        if self.settle(context.recorded_at, timeouts) {
            self.cause = context.position;
        }
        sends
    }

    /// Notes how a person settled what failed, when it was this saga that asked for it.
    fn note_settlement(&mut self, event: &Event, context: &EventContext<'_>) {
        if let Event::Payment(PaymentEvent::PaymentSettledByHand(event)) = event
            && context.command_id.split('/').next() == Some(self.status.id.as_str())
        {
            self.resolved = Some(event.reason.clone());
        }
    }

    /// To be called when `status.wake_at` has passed; earlier does no harm.
    pub fn on_time(&mut self, now: DateTime<Utc>, timeouts: &Timeouts) -> Vec<Outgoing> {
        if self.status.state.is_ended() {
            return vec![];
        }
        let process = self.body.process_mut();
        process.on_time(now, timeouts);
        for track in process.tracks() {
            track.on_time(now, timeouts);
        }
        let sends = process.advance(&self.status.id, now);
        self.settle(now, timeouts);
        sends
    }

    /// An operator wants the failed step's next attempt made now.
    pub fn retry(
        &mut self,
        now: DateTime<Utc>,
        timeouts: &Timeouts,
    ) -> Result<Vec<Outgoing>, SagaActionError> {
        self.check_action()?;
        let process = self.body.process_mut();
        for track in process.tracks() {
            if track.needs_attention() {
                track.retry(now);
            }
        }
        let sends = process.advance(&self.status.id, now);
        self.settle(now, timeouts);
        Ok(sends)
    }

    /// An operator settled by hand what the provider did not do: that is recorded on the payment instead of the next attempt,
    /// and the saga goes on. Refused when a person can't settle what failed.
    pub fn resolve(
        &mut self,
        by_hand: &ByHand,
        now: DateTime<Utc>,
        timeouts: &Timeouts,
    ) -> Result<Vec<Outgoing>, SagaActionError> {
        self.check_action()?;
        let standings = self.body.process().standings();
        let resolvable: Vec<bool> = standings.iter().map(|at| at.resolvable).collect();
        if !resolvable.contains(&true) {
            return Err(not_by_hand(&standings));
        }
        let process = self.body.process_mut();
        for (track, resolvable) in process.tracks().into_iter().zip(resolvable) {
            if resolvable {
                track.resolve(by_hand);
            }
        }
        let sends = process.advance(&self.status.id, now);
        self.settle(now, timeouts);
        Ok(sends)
    }

    fn check_action(&self) -> Result<(), SagaActionError> {
        match self.status.state {
            SagaState::NeedsAttention => Ok(()),
            state @ (SagaState::Running
            | SagaState::Waiting
            | SagaState::Completed
            | SagaState::Compensated) => Err(SagaActionError::NotNeeded { state }),
        }
    }

    /// How a person settled what failed last, if one did: as the log has it.
    pub fn resolved(&self) -> Option<&Reason> {
        self.resolved.as_ref()
    }

    /// Shifts every deadline by a pause of the platform: that clock stands still while it is down.
    /// What follows another's clock, such as the end of an authorization, stays.
    pub fn shift(&mut self, by: Duration, timeouts: &Timeouts) {
        let process = self.body.process_mut();
        process.shift(by);
        for track in process.tracks() {
            track.shift(by);
        }
        self.set_wake(timeouts);
    }

    /// An ended saga wants to be woken no more.
    fn set_wake(&mut self, timeouts: &Timeouts) {
        let wake_at = self.body.process().next_wake(timeouts);
        self.status.wake_at = wake_at.filter(|_| !self.status.state.is_ended());
    }

    /// Brings the status columns up to date; true when it stands elsewhere than before.
    fn settle(&mut self, now: DateTime<Utc>, timeouts: &Timeouts) -> bool {
        let process = self.body.process();
        let standings = process.standings();
        let step = foremost(&standings).map_or_else(String::new, |at| at.step.to_owned());
        let deadline_runs = process.deadline().is_some();
        let state = if let Some(end) = process.over() {
            end
        } else if standings.iter().any(|at| at.track.needs_attention()) {
            SagaState::NeedsAttention
        } else if deadline_runs || standings.iter().any(|at| at.track.is_running()) {
            SagaState::Running
        } else {
            SagaState::Waiting
        };
        let step = if state.is_ended() { self.status.step.clone() } else { step };
        let moved = state != self.status.state || step != self.status.step;
        if moved {
            self.status.since = now;
        }
        self.status.state = state;
        self.status.step = step;
        self.set_wake(timeouts);
        moved
    }
}
