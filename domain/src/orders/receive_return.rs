//! A return arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ReturnReceived;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ReturnId};
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// A return arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveReturn {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// True when the units can be sold again.
    pub restock: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for ReceiveReturn {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, return_id, restock, reason } = self.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        let Some(expected) = order.returns.iter().find(|one| one.id == return_id) else {
            return Err(Refusal::ReturnNotFound { return_id }.into());
        };
        match expected.restocked {
            Some(restocked) if restocked == restock => return Ok(vec![]),
            Some(restock) => return Err(Refusal::ReturnReceived { return_id, restock }.into()),
            None => {}
        }
        let lines = expected.lines.clone();
        let amount = order.amount(&order_id, &lines)?;
        Ok(vec![ReturnReceived { order_id, return_id, lines, restock, amount, reason }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{delivered_order, of, order_id, return_id};
    use super::*;
    use crate::orders::{RequestReturn, ReturnRequested};
    use crate::spec::given;

    fn receive() -> ReceiveReturn {
        ReceiveReturn { order_id: order_id(), return_id: return_id(1), restock: true, reason: None }
    }

    fn requested() -> ReturnRequested {
        let lines = vec![of(1, 2), of(2, 1)];
        ReturnRequested { order_id: order_id(), return_id: return_id(1), lines, reason: None }
    }

    fn received() -> ReturnReceived {
        ReturnReceived {
            order_id: order_id(),
            return_id: return_id(1),
            lines: vec![of(1, 2), of(2, 1)],
            restock: true,
            amount: 2 * 255 + 339,
            reason: None,
        }
    }

    #[test]
    fn a_return_arrives_once_with_what_its_units_cost() {
        given(delivered_order())
            .and([requested()])
            .when(receive())
            .then([received()])
            .when(receive())
            .then_nothing();
    }

    #[test]
    fn why_a_return_is_taken_so_is_kept_when_it_is_said() {
        let reason = Some(Reason::parse("scratched").unwrap());
        given(delivered_order())
            .and([requested()])
            .when(ReceiveReturn { restock: false, reason: reason.clone(), ..receive() })
            .then([ReturnReceived { restock: false, reason, ..received() }]);
    }

    #[test]
    fn units_that_went_into_stock_are_not_written_off_later_nor_the_other_way_round() {
        for restock in [true, false] {
            given(delivered_order())
                .and([requested()])
                .when(ReceiveReturn { restock, ..receive() })
                .after()
                .when(ReceiveReturn { restock: !restock, ..receive() })
                .then_refused(&Refusal::ReturnReceived { return_id: return_id(1), restock });
        }
    }

    #[test]
    fn returned_units_are_not_returned_again() {
        given(delivered_order())
            .and([requested()])
            .when(receive())
            .after()
            .when(RequestReturn { order_id: order_id(), lines: vec![of(1, 5)], reason: None })
            .then_refused(&Refusal::AlreadyReturned { order_id: order_id(), line: 1 });
    }

    #[test]
    fn a_return_that_nobody_asked_for_is_not_found() {
        given(delivered_order())
            .when(receive())
            .then_refused(&Refusal::ReturnNotFound { return_id: return_id(1) });
    }
}
