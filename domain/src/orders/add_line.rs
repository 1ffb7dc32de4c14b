//! A line is to be added to a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WantedLine;
use super::{LineAdded, LineNumber, pricing};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// A line is to be added to a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddLine {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line: WantedLine,
}

impl Decide for AddLine {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.line.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let draft = view.order(&self.order_id)?.draft(&self.order_id)?;
        pricing::check_count(draft.lines.len() + 1)?;
        // Refused early, for the client's sake; the price counts when the order is placed.
        pricing::price(&self.line, draft.head.currency, view)?;
        Ok(vec![LineAdded::new(self.order_id.clone(), draft.next_line(), &self.line).into()])
    }
}

impl LineAdded {
    pub(super) fn new(order_id: OrderId, line: LineNumber, wanted: &WantedLine) -> Self {
        Self {
            order_id,
            line,
            sku: wanted.sku.clone(),
            quantity: wanted.quantity,
            unit_price: wanted.unit_price,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{added, cart, order_id, placed, wanted};
    use super::*;
    use crate::catalog::fixtures::sku;
    use crate::orders::LineRemoved;
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};

    fn add(code: &str) -> AddLine {
        AddLine { order_id: order_id(), line: wanted(code, 1, None) }
    }

    #[test]
    fn a_number_is_given_once_also_when_its_line_was_removed() {
        cart()
            .when(add("A"))
            .then([added(1, "A", 1)])
            .and([LineRemoved { order_id: order_id(), line: 1 }])
            .when(add("A"))
            .then([added(2, "A", 1)]);
    }

    #[test]
    fn a_line_that_could_not_be_placed_is_refused_early() {
        cart().when(add("Z")).then_refused(&Refusal::UnknownProduct { sku: sku("Z") });
        let full = (1..=2_000).map(|line| added(line, "A", 1));
        cart()
            .and(full)
            .when(add("A"))
            .then_refused(&Refusal::TooManyLines { lines: 2_001, limit: 2_000 });
    }

    #[test]
    fn only_a_cart_takes_lines() {
        given_nothing()
            .when(add("A"))
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
        given([placed()])
            .when(add("A"))
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }
}
