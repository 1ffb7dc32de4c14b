//! A cart's line is to have another quantity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineNumber;
use super::QuantityChanged;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Quantity;

/// A cart's line is to have another quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeQuantity {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line: LineNumber,
    /// How many units.
    pub quantity: Quantity,
}

impl Decide for ChangeQuantity {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, line, quantity } = self.clone();
        let draft = view.order(&order_id)?.draft(&order_id)?;
        if draft.line(&order_id, line)?.quantity == quantity {
            return Ok(vec![]);
        }
        Ok(vec![QuantityChanged { order_id, line, quantity }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{added, cart, order_id, placed, units};
    use super::*;
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};

    fn change(line: LineNumber, quantity: u32) -> ChangeQuantity {
        ChangeQuantity { order_id: order_id(), line, quantity: units(quantity) }
    }

    #[test]
    fn a_line_has_another_quantity_and_the_same_again_changes_nothing() {
        cart()
            .and([added(1, "A", 6)])
            .when(change(1, 7))
            .then([QuantityChanged { order_id: order_id(), line: 1, quantity: units(7) }])
            .when(change(1, 7))
            .then_nothing();
    }

    #[test]
    fn only_a_line_that_is_there_is_changed() {
        cart()
            .when(change(1, 1))
            .then_refused(&Refusal::LineNotFound { order_id: order_id(), line: 1 });
    }

    #[test]
    fn only_a_cart_is_changed() {
        given_nothing()
            .when(change(1, 1))
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
        given([placed()])
            .when(change(1, 1))
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }
}
