//! The cancellation saga: takes lines of a confirmed order back, all of them or none.
//!
//! | # | step | kind |
//! |--|--|--|
//! | 1 | `cancel_shipment` | pivot: the parcel may have left |
//! | 2 | `release_stock` | retriable |
//! | 3 | `void_authorization` | retriable |
//! | 4 | `settle_cancellation` | retriable |
//!
//! An order has at most one parcel in the house at a time (what a parcel leaves behind moves to the next), so that one
//! parcel carries all lines that can still be cancelled. When a parcel left while it was asked, the next one is asked;
//! when none carries the lines any more, the cancellation is declined and nothing was touched.

use std::sync::LazyLock;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::definition::{Answer, Ask, Definition, Did, Heard, Row};
use super::desk::Desk;
use super::order_facts::{OrderFacts, pairs};
use super::order_steps::{refused, void_answer};
use super::parcels::Parcels;
use super::process::{Process, Standing};
use super::purse::Purse;
use super::track::{Phase, Track};
use super::{EventContext, Outgoing, SagaId, SagaState, Timeouts};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId, PaymentId};
use crate::inventory::{ReleaseStock, ReservationEvent, SkuQuantity};
use crate::money::Money;
use crate::orders::{DeclineCancellation, LineQuantity, OrderEvent, SettleCancellation};
use crate::payments::{PaymentEvent, VoidAuthorization};
use crate::shipping::{CancelShipment, ShipmentEvent};
use crate::text::Reason;

pub(super) static CANCELLATION: LazyLock<Definition<Facts>> = LazyLock::new(|| {
    Definition::begin()
        .pivot(Row::new("cancel_shipment", cancel_shipment, shipment_cancelled))
        .retriable(Row::new("release_stock", release_stock, stock_released))
        .retriable(Row::new("void_authorization", void_authorization, voided))
        .retriable(Row::new("settle_cancellation", settle_cancellation, settled))
        .build()
});

pub(super) static DECLINE: LazyLock<Vec<Row<Facts>>> =
    LazyLock::new(|| vec![Row::new("decline_cancellation", decline_cancellation, declined)]);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    order_id: OrderId,
    cancellation_id: CancellationId,
    lines: Vec<LineQuantity>,
    stock: Vec<SkuQuantity>,
    amount: Money,
    parcels: Parcels,
    purse: Purse,
    occurred_at: DateTime<Utc>,
    code: Option<Reason>,
    /// A further payment that is about to replace the one that expires: only then is it known which one to void.
    renewing: Option<PaymentId>,
    over: Option<SagaState>,
}

/// The cancellation saga's own data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CancellationSaga {
    facts: Facts,
    forward: Track,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decline: Option<Track>,
}

fn cancel_shipment(facts: &Facts, _: Did) -> Ask {
    match facts.parcels.here_with(&facts.lines) {
        Some(shipment_id) => Ask::send(CancelShipment {
            shipment_id: shipment_id.clone(),
            order_id: facts.order_id.clone(),
            cancellation_id: facts.cancellation_id.clone(),
            lines: facts.lines.clone(),
        }),
        None => Ask::wait("a parcel to take the lines out of"),
    }
}

fn shipment_cancelled(facts: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Shipment(event) = heard.event else { return None };
    match event {
        ShipmentEvent::ShipmentCancelled(event) => {
            (event.cancellation_id == facts.cancellation_id).then_some(Answer::Done)
        }
        ShipmentEvent::ShipmentCancellationRefused(event) => {
            (event.cancellation_id == facts.cancellation_id).then(|| refused(event.code.as_str()))
        }
        ShipmentEvent::ShipmentCreated(_)
        | ShipmentEvent::ShipmentSplit(_)
        | ShipmentEvent::ShipmentShipped(_)
        | ShipmentEvent::ShipmentDelivered(_) => None,
    }
}

fn release_stock(facts: &Facts, _: Did) -> Ask {
    if facts.stock.is_empty() {
        return Ask::Nothing;
    }
    Ask::send(ReleaseStock {
        order_id: facts.order_id.clone(),
        lines: Some(facts.stock.clone()),
        cancellation_id: Some(facts.cancellation_id.clone()),
    })
}

fn stock_released(_: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Reservation(event) = heard.event else { return None };
    (heard.is_ours && matches!(event, ReservationEvent::ReservationReleased(_)))
        .then_some(Answer::Done)
}

fn void_authorization(facts: &Facts, _: Did) -> Ask {
    if facts.amount.is_zero() {
        return Ask::Nothing;
    }
    if facts.renewing.is_some() {
        return Ask::wait("the authorization to be renewed");
    }
    Ask::send(VoidAuthorization {
        payment_id: facts.purse.current.clone(),
        order_id: facts.order_id.clone(),
        amount: Some(facts.amount),
        cancellation_id: Some(facts.cancellation_id.clone()),
    })
}

fn voided(_: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    if heard.is_ours { void_answer(event) } else { None }
}

fn settle_cancellation(facts: &Facts, _: Did) -> Ask {
    Ask::send(SettleCancellation {
        order_id: facts.order_id.clone(),
        cancellation_id: facts.cancellation_id.clone(),
    })
}

fn settled(facts: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(OrderEvent::LinesCancelled(event)) = heard.event else { return None };
    (event.cancellation_id == facts.cancellation_id).then_some(Answer::Done)
}

fn decline_cancellation(facts: &Facts, _: Did) -> Ask {
    Ask::send(DeclineCancellation {
        order_id: facts.order_id.clone(),
        cancellation_id: facts.cancellation_id.clone(),
        reason: facts.code.clone().unwrap_or_else(|| Reason::code("already_shipped")),
    })
}

fn declined(facts: &Facts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(OrderEvent::CancellationDeclined(event)) = heard.event else { return None };
    (event.cancellation_id == facts.cancellation_id).then_some(Answer::Done)
}

impl CancellationSaga {
    pub(super) fn start(
        order: &OrderFacts,
        cancellation_id: &CancellationId,
        lines: &[LineQuantity],
        context: &EventContext<'_>,
    ) -> Self {
        let facts = Facts {
            order_id: order.order_id.clone(),
            cancellation_id: cancellation_id.clone(),
            lines: lines.to_vec(),
            stock: order.stock(pairs(lines)),
            amount: order.money(order.amount(pairs(lines))),
            parcels: order.parcels.clone(),
            purse: order.purse.clone(),
            occurred_at: context.occurred_at,
            code: None,
            renewing: order.running_renewal(),
            over: None,
        };
        Self { facts, forward: Track::new(), decline: None }
    }

    pub(super) fn purse(&self) -> &Purse {
        &self.facts.purse
    }

    /// Whether no parcel can carry the lines any more: some were packed, and none in the house has them.
    fn is_too_late(&self) -> bool {
        let packed = !self.facts.parcels.0.is_empty();
        packed && self.facts.parcels.here_with(&self.facts.lines).is_none()
    }

    fn begin_decline(&mut self, code: &str) {
        self.facts.code = Some(Reason::parse(code).unwrap_or_else(|_| Reason::code("refused")));
        self.forward.phase = Phase::Refused;
        self.decline = Some(Track::new());
    }
}

impl Process for CancellationSaga {
    fn fold(
        &mut self,
        id: &SagaId,
        event: &Event,
        context: &EventContext<'_>,
        timeouts: &Timeouts,
    ) {
        self.facts.purse.fold(event);
        let declined_payment = if let Event::Payment(PaymentEvent::PaymentDeclined(event)) = event {
            Some(&event.payment_id)
        } else {
            None
        };
        let renewing = self.facts.renewing.as_ref();
        if renewing == Some(&self.facts.purse.current) || renewing == declined_payment {
            self.facts.renewing = None;
        }
        if let Event::Shipment(event) = event {
            self.facts.parcels.fold(event, context);
        }
        if settled(&self.facts, &Heard { event, is_ours: false }).is_some() {
            self.facts.over = Some(SagaState::Completed);
        }
        if declined(&self.facts, &Heard { event, is_ours: false }).is_some() {
            self.facts.over = Some(SagaState::Compensated);
        }
        let now = context.recorded_at;
        let desk = Desk { saga_id: id, part: None, occurred_at: self.facts.occurred_at, now };
        if let Some(decline) = &mut self.decline {
            let answer = decline.hear(&DECLINE, &self.facts, event, context, &desk);
            if let Some(Answer::Refused { retriable, .. }) = answer {
                decline.fail(retriable, now, timeouts);
            }
            return;
        }
        let answer = self.forward.hear(CANCELLATION.steps(), &self.facts, event, context, &desk);
        let Some(Answer::Refused { code, retriable }) = answer else { return };
        if !CANCELLATION.is_up_to_pivot(self.forward.at) {
            self.forward.fail(retriable, now, timeouts);
        } else if self.is_too_late() {
            self.begin_decline(&code);
        } else {
            self.forward.again();
        }
    }

    fn advance(&mut self, id: &SagaId, now: DateTime<Utc>) -> Vec<Outgoing> {
        let waits_in_vain =
            self.forward.at == 0 && self.forward.phase == Phase::Due && self.is_too_late();
        if self.decline.is_none() && waits_in_vain {
            self.begin_decline("already_shipped");
        }
        let facts = &self.facts;
        let desk = Desk { saga_id: id, part: None, occurred_at: facts.occurred_at, now };
        let send = match &mut self.decline {
            Some(decline) => decline.advance(&DECLINE, facts, |_| Did::Never, &desk),
            None => self.forward.advance(CANCELLATION.steps(), facts, |_| Did::Never, &desk),
        };
        send.into_iter().collect()
    }

    fn on_time(&mut self, _now: DateTime<Utc>, _timeouts: &Timeouts) {}

    fn standings(&self) -> Vec<Standing<'_>> {
        let facts = &self.facts;
        vec![match &self.decline {
            Some(decline) => Standing::of(decline, &DECLINE, facts, |_| Did::Never),
            None => Standing::of(&self.forward, CANCELLATION.steps(), facts, |_| Did::Never),
        }]
    }

    fn tracks(&mut self) -> Vec<&mut Track> {
        vec![self.decline.as_mut().unwrap_or(&mut self.forward)]
    }

    fn deadline(&self) -> Option<DateTime<Utc>> {
        None
    }

    fn over(&self) -> Option<SagaState> {
        self.facts.over
    }

    fn shift(&mut self, _by: Duration) {}
}
