//! The order saga: from placed to completed, or undone.
//!
//! **Invariant:** undoing begins with the order's own event, which refuses the pivot from then on; it runs in reverse
//! and not while an outcome is unknown.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::definition::{Answer, Did};
use super::desk::Desk;
use super::expiry::EXPIRY;
use super::order_facts::OrderFacts;
use super::order_steps::{ORDER, REJECT, UNDOS};
use super::parcel_steps::{ParcelCase, parcel_rows};
use super::parcels::Place;
use super::process::{Process, Standing};
use super::renewal::{HOLD, RENEWAL};
use super::track::{Phase, Track};
use super::{EventContext, Outgoing, SagaId, SagaState, Timeouts};
use crate::event::Event;
use crate::ids::{PaymentId, ShipmentId};
use crate::orders::{OrderEvent, OrderPlaced};
use crate::text::Reason;

/// The order saga's own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct OrderSaga {
    pub(super) facts: OrderFacts,
    forward: Track,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reject: Option<Track>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo: Option<Track>,
    #[serde(default)]
    pub(super) parcels: BTreeMap<ShipmentId, Track>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) renewal: Option<Track>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hold: Option<Track>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expiry: Option<Track>,
    /// Until when the order has to be confirmed.
    #[serde(default)]
    deadline: Option<DateTime<Utc>>,
}

impl OrderSaga {
    pub(super) fn start(
        placed: &OrderPlaced,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) -> Self {
        Self {
            facts: OrderFacts::new(placed, context),
            forward: Track::new(),
            reject: None,
            undo: None,
            parcels: BTreeMap::new(),
            renewal: None,
            hold: None,
            expiry: None,
            deadline: Some(context.recorded_at + timeouts.order_deadline),
        }
    }

    /// The deadline, while it runs: not on hold, not while an outcome is unknown, not when the matter is decided.
    fn running_deadline(&self) -> Option<DateTime<Utc>> {
        let stands_still = self.facts.held_since.is_some()
            || self.facts.confirmed
            || self.facts.ending.is_some()
            || self.reject.is_some()
            || matches!(self.forward.phase, Phase::Unknown { .. });
        self.deadline.filter(|_| !stands_still)
    }

    fn begin_rejection(&mut self, code: &str) {
        let reason = Reason::parse(code).unwrap_or_else(|_| Reason::code("step_refused"));
        self.facts.rejecting = Some(reason);
        self.reject = Some(Track::new());
    }

    /// A step was refused: before the pivot the order is rejected, after it the step is tried again.
    fn judge_forward(&mut self, answer: Answer, now: DateTime<Utc>, timeouts: &Timeouts) {
        let Answer::Refused { code, retriable } = answer else { return };
        if !ORDER.is_up_to_pivot(self.forward.at) {
            return self.forward.fail(retriable, now, timeouts);
        }
        match code.as_str() {
            "on_hold" => self.forward.again(),
            "cancellation_requested" | "rejection_started" => self.forward.phase = Phase::Refused,
            code => {
                self.forward.phase = Phase::Refused;
                if self.undo.is_none() && self.reject.is_none() {
                    self.begin_rejection(code);
                }
            }
        }
    }

    /// The order refused to be rejected. When it was only late, it was decided otherwise in time.
    fn judge_reject(&mut self, answer: Answer, now: DateTime<Utc>, timeouts: &Timeouts) {
        let (Answer::Refused { .. }, Some(reject)) = (answer, &mut self.reject) else {
            return;
        };
        if self.forward.phase == Phase::Refused {
            reject.fail(true, now, timeouts);
        } else {
            self.reject = None;
            self.facts.rejecting = None;
            self.deadline = None;
        }
    }

    fn hear(
        &mut self,
        id: &SagaId,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) {
        let now = context.recorded_at;
        let occurred_at = self.facts.occurred_at;
        let desk = Desk { saga_id: id, part: None, occurred_at, now };
        let facts = &self.facts;
        if let Some(answer) = self.forward.hear(ORDER.steps(), facts, event, context, &desk) {
            self.judge_forward(answer, now, timeouts);
        }
        if let Some(reject) = &mut self.reject
            && let Some(answer) = reject.hear(&REJECT, &self.facts, event, context, &desk)
        {
            self.judge_reject(answer, now, timeouts);
        }
        if let Some(undo) = &mut self.undo
            && let Some(Answer::Refused { retriable, .. }) =
                undo.hear(&UNDOS, &self.facts, event, context, &desk)
        {
            undo.fail(retriable, now, timeouts);
        }
        self.hear_renewal(event, context, timeouts, id);
        self.hear_expiry(id, event, context, timeouts);
        for (shipment_id, track) in &mut self.parcels {
            let Some(parcel) = self.facts.parcels.0.get(shipment_id) else { continue };
            let case = ParcelCase { order: &self.facts, shipment_id, parcel };
            let part = Some(shipment_id.as_str());
            let desk = Desk { saga_id: id, part, occurred_at: parcel.occurred_at, now };
            if let Some(Answer::Refused { retriable, .. }) =
                track.hear(&parcel_rows(), &case, event, context, &desk)
            {
                track.fail(retriable, now, timeouts);
            }
        }
    }
}

impl Process for OrderSaga {
    fn fold(
        &mut self,
        id: &SagaId,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) {
        if let Event::Order(OrderEvent::HoldReleased(_)) = event
            && let (Some(since), Some(deadline)) = (self.facts.held_since, &mut self.deadline)
        {
            *deadline += context.recorded_at - since;
        }
        self.facts.fold(event, context);
        for (shipment_id, parcel) in &self.facts.parcels.0 {
            if parcel.place != Place::Here && !self.parcels.contains_key(shipment_id) {
                self.parcels.insert(shipment_id.clone(), Track::new());
            }
        }
        self.learn(id, event, context);
        self.hear(id, event, context, timeouts);
        if self.may_renew() && self.facts.purse.is_spent() {
            self.begin_renewal();
        }
        if self.facts.ending.is_some() && self.undo.is_none() {
            self.reject = None;
            self.undo = Some(Track::new());
        }
    }

    fn advance(&mut self, id: &SagaId, now: DateTime<Utc>) -> Vec<Outgoing> {
        let mut sends = vec![];
        let facts = &self.facts;
        let desk = Desk { saga_id: id, part: None, occurred_at: facts.occurred_at, now };
        if let Some(expiry) = &mut self.expiry {
            let part = facts.expiring.as_ref().map(PaymentId::as_str);
            sends.extend(expiry.advance(&EXPIRY, facts, |_| Did::Never, &Desk { part, ..desk }));
        }
        if let Some(undo) = &mut self.undo {
            sends.extend(undo.advance(&UNDOS, facts, |step| self.forward.did(step), &desk));
            return sends;
        }
        if let Some(reject) = &mut self.reject {
            sends.extend(reject.advance(&REJECT, facts, |_| Did::Never, &desk));
            return sends;
        }
        let payment = facts.further_payment();
        let of_payment = Desk { part: payment.as_ref().map(PaymentId::as_str), ..desk };
        if let Some(renewal) = &mut self.renewal {
            sends.extend(renewal.advance(RENEWAL.steps(), facts, |_| Did::Never, &of_payment));
        }
        if let Some(hold) = &mut self.hold {
            sends.extend(hold.advance(&HOLD, facts, |_| Did::Never, &of_payment));
        }
        // A cancellation needs the parcel to take its lines out of, so that one is created even on hold.
        let for_cancellation = facts.confirmed && !facts.cancellations.is_empty();
        if facts.held_since.is_none() || for_cancellation {
            sends.extend(self.forward.advance(ORDER.steps(), facts, |_| Did::Never, &desk));
        }
        for (shipment_id, track) in &mut self.parcels {
            let Some(parcel) = facts.parcels.0.get(shipment_id) else { continue };
            let case = ParcelCase { order: facts, shipment_id, parcel };
            let part = Some(shipment_id.as_str());
            let desk = Desk { saga_id: id, part, occurred_at: parcel.occurred_at, now };
            sends.extend(track.advance(&parcel_rows(), &case, |_| Did::Never, &desk));
        }
        sends
    }

    fn on_time(&mut self, now: DateTime<Utc>, timeouts: &Timeouts) {
        if self.next_expiry().is_some_and(|until| until <= now) {
            self.begin_expiry();
        }
        if self.renewal_due(timeouts).is_some_and(|due| due <= now) {
            self.begin_renewal();
        }
        if self.running_deadline().is_some_and(|deadline| deadline <= now) {
            self.begin_rejection("deadline_passed");
        }
    }

    fn standings(&self) -> Vec<Standing<'_>> {
        let mut all = vec![];
        let unknown = matches!(self.forward.phase, Phase::Unknown { .. });
        if let Some(expiry) = &self.expiry {
            all.push(Standing::of(expiry, &EXPIRY, &self.facts, |_| Did::Never));
        }
        if let Some(undo) = &self.undo {
            all.push(Standing::of(undo, &UNDOS, &self.facts, |step| self.forward.did(step)));
            if unknown {
                all.push(Standing::of(&self.forward, ORDER.steps(), &self.facts, |_| Did::Never));
            }
            return all;
        }
        if let Some(reject) = &self.reject {
            all.push(Standing::of(reject, &REJECT, &self.facts, |_| Did::Never));
            return all;
        }
        if let Some(renewal) = &self.renewal {
            all.push(Standing::of(renewal, RENEWAL.steps(), &self.facts, |_| Did::Never));
        }
        if let Some(hold) = &self.hold {
            all.push(Standing::of(hold, &HOLD, &self.facts, |_| Did::Never));
        }
        for (shipment_id, track) in &self.parcels {
            let Some(parcel) = self.facts.parcels.0.get(shipment_id) else { continue };
            let case = ParcelCase { order: &self.facts, shipment_id, parcel };
            all.push(Standing::of(track, &parcel_rows(), &case, |_| Did::Never));
        }
        let mut main = Standing::of(&self.forward, ORDER.steps(), &self.facts, |_| Did::Never);
        if self.facts.held_since.is_some() && self.forward.phase == Phase::Due {
            main.waits_for = Some("the hold to be released".into());
        }
        all.push(main);
        all
    }

    fn tracks(&mut self) -> Vec<&mut Track> {
        let expiry = self.expiry.as_mut().into_iter();
        if let Some(undo) = &mut self.undo {
            let unknown = matches!(self.forward.phase, Phase::Unknown { .. });
            let forward = unknown.then_some(&mut self.forward);
            return expiry.chain([undo]).chain(forward).collect();
        }
        if let Some(reject) = &mut self.reject {
            return expiry.chain([reject]).collect();
        }
        let (renewal, hold) = (self.renewal.as_mut(), self.hold.as_mut());
        let parcels = self.parcels.values_mut();
        expiry.chain(renewal).chain(hold).chain(parcels).chain([&mut self.forward]).collect()
    }

    fn deadline(&self) -> Option<DateTime<Utc>> {
        self.running_deadline()
    }

    fn reminder(&self, timeouts: &Timeouts) -> Option<DateTime<Utc>> {
        self.renewal_due(timeouts).into_iter().chain(self.next_expiry()).min()
    }

    fn over(&self) -> Option<SagaState> {
        self.facts.over
    }

    fn shift(&mut self, by: Duration) {
        // The release of a hold gives its whole time back, with the pause that was in it.
        if self.facts.held_since.is_none()
            && let Some(deadline) = &mut self.deadline
        {
            *deadline += by;
        }
    }
}
