//! A cancellation came too late.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CancellationDeclined;
use super::placed_order::CancellationState;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId};
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// A cancellation came too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineCancellation {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation.
    pub cancellation_id: CancellationId,
    /// A stable code.
    pub reason: Reason,
}

impl Decide for DeclineCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, cancellation_id, reason } = self.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.cancellation(&cancellation_id)?.state {
            CancellationState::Running(_) => {
                Ok(vec![CancellationDeclined { order_id, cancellation_id, reason }.into()])
            }
            CancellationState::Declined => Ok(vec![]),
            CancellationState::Settled => {
                Err(Refusal::WrongState { what: "cancellation", state: "settled" }.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{cancellation, cancellation_id, confirmed_order, of, order_id};
    use super::*;
    use crate::orders::{CancelLines, LinesCancelled, SettleCancellation};
    use crate::spec::given;

    fn decline() -> DeclineCancellation {
        let reason = Reason::parse("already_shipped").unwrap();
        DeclineCancellation { order_id: order_id(), cancellation_id: cancellation_id(1), reason }
    }

    #[test]
    fn a_cancellation_that_came_too_late_frees_its_units() {
        let DeclineCancellation { order_id, cancellation_id, reason } = decline();
        let lines = vec![of(1, 6)];
        given(confirmed_order())
            .and([cancellation(Some(1), &lines)])
            .when(decline())
            .then([CancellationDeclined {
                order_id: order_id.clone(),
                cancellation_id: cancellation_id.clone(),
                reason,
            }])
            .when(decline())
            .then_nothing()
            .when(SettleCancellation { order_id: order_id.clone(), cancellation_id })
            .then_refused(&Refusal::WrongState { what: "cancellation", state: "declined" })
            .when(CancelLines { order_id, lines: lines.clone(), reason: None })
            .then([cancellation(Some(2), &lines)]);
    }

    #[test]
    fn what_is_settled_is_not_declined() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 6)])])
            .and([LinesCancelled {
                order_id: order_id(),
                cancellation_id: cancellation_id(1),
                lines: vec![of(1, 6)],
                amount: 6 * 255,
            }])
            .when(decline())
            .then_refused(&Refusal::WrongState { what: "cancellation", state: "settled" });
    }

    #[test]
    fn a_cancellation_that_nobody_asked_for_is_not_found() {
        given(confirmed_order())
            .when(decline())
            .then_refused(&Refusal::CancellationNotFound { cancellation_id: cancellation_id(1) });
    }
}
