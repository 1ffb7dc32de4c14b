//! Renewing an authorization that is about to expire while the order waits for its parcels.
//!
//! | # | step | kind | undo |
//! |--|--|--|--|
//! | 1 | `renew_authorization`, as a further payment | compensatable | `void_renewal` |
//! | 2 | `replace_payment` on the order | pivot | |
//! | 3 | `void_replaced` | retriable | |
//!
//! While it runs nothing is captured, so that the further payment covers exactly what is still to be captured. Refused,
//! the order is held and a person is called; the old authorization stays as long as the provider keeps it.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::definition::{Answer, Ask, Definition, Did, Heard, Row};
use super::order_facts::OrderFacts;
use super::order_steps::{authorization_answer, void_answer};
use crate::event::Event;
use crate::ids::PaymentId;
use crate::orders::{HoldOrder, OrderEvent, ReplacePayment};
use crate::payments::{AuthorizePayment, VoidAuthorization};
use crate::text::Reason;

/// A renewal under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Renewal {
    /// The payment that expires.
    pub(super) old: PaymentId,
    /// The number of the further payment.
    pub(super) nth: u32,
    /// It was refused: until a person acts, captures go on from what expires.
    pub(super) refused: bool,
}

/// The table.
pub(super) static RENEWAL: LazyLock<Definition<OrderFacts>> = LazyLock::new(|| {
    Definition::begin()
        .compensatable(Row::new("renew_authorization", renew, renewed).undone_by(Row::new(
            "void_renewal",
            void_renewal,
            renewal_voided,
        )))
        .pivot(Row::new("replace_payment", replace, replaced))
        .retriable(Row::new("void_replaced", void_replaced, replaced_voided))
        .build()
});

/// A refused renewal stops the order.
pub(super) static HOLD: LazyLock<Vec<Row<OrderFacts>>> =
    LazyLock::new(|| vec![Row::new("hold_order", hold, held)]);

fn renew(order: &OrderFacts, _: Did) -> Ask {
    let Some(payment_id) = order.further_payment() else { return Ask::Nothing };
    Ask::send(AuthorizePayment {
        payment_id,
        order_id: order.order_id.clone(),
        amount: order.money(order.uncaptured()),
        method: order.method.clone(),
    })
}

fn renewed(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    if Some(event.payment_id()) == order.further_payment().as_ref() {
        authorization_answer(event)
    } else {
        None
    }
}

fn void(order: &OrderFacts, payment_id: Option<PaymentId>) -> Ask {
    match payment_id {
        Some(payment_id) => {
            let order_id = order.order_id.clone();
            Ask::send(VoidAuthorization {
                payment_id,
                order_id,
                amount: None,
                cancellation_id: None,
            })
        }
        None => Ask::Nothing,
    }
}

fn void_renewal(order: &OrderFacts, did: Did) -> Ask {
    match did {
        Did::Never | Did::Refused => Ask::Nothing,
        Did::Asked => Ask::wait("the provider's answer, before anything is undone"),
        Did::Done => void(order, order.further_payment()),
    }
}

fn renewal_voided(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    if Some(event.payment_id()) == order.further_payment().as_ref() {
        void_answer(event)
    } else {
        None
    }
}

fn replace(order: &OrderFacts, _: Did) -> Ask {
    match order.further_payment() {
        Some(payment_id) => {
            Ask::send(ReplacePayment { order_id: order.order_id.clone(), payment_id })
        }
        None => Ask::Nothing,
    }
}

fn replaced(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(event) = heard.event else { return None };
    matches!(event, OrderEvent::PaymentReplaced(_)).then_some(Answer::Done)
}

fn void_replaced(order: &OrderFacts, _: Did) -> Ask {
    void(order, order.renewal.as_ref().map(|renewal| renewal.old.clone()))
}

fn replaced_voided(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(event) = heard.event else { return None };
    let old = order.renewal.as_ref().map(|renewal| &renewal.old);
    if Some(event.payment_id()) == old { void_answer(event) } else { None }
}

fn hold(order: &OrderFacts, _: Did) -> Ask {
    let reason = Some(Reason::code("authorization_not_renewed"));
    Ask::send(HoldOrder { order_id: order.order_id.clone(), reason })
}

fn held(_: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Order(event) = heard.event else { return None };
    matches!(event, OrderEvent::OrderHeld(_)).then_some(Answer::Done)
}
