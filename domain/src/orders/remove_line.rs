//! A line is to be taken out of a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineNumber;
use super::LineRemoved;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// A line is to be taken out of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveLine {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line: LineNumber,
}

impl Decide for RemoveLine {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, line } = self.clone();
        view.order(&order_id)?.draft(&order_id)?.line(&order_id, line)?;
        Ok(vec![LineRemoved { order_id, line }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{added, cart, order_id, placed};
    use super::*;
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};

    fn remove(line: LineNumber) -> RemoveLine {
        RemoveLine { order_id: order_id(), line }
    }

    #[test]
    fn a_line_that_is_there_is_taken_out() {
        let missing = Refusal::LineNotFound { order_id: order_id(), line: 1 };
        cart()
            .and([added(1, "A", 6)])
            .when(remove(1))
            .then([LineRemoved { order_id: order_id(), line: 1 }])
            .when(remove(1))
            .then_refused(&missing);
    }

    #[test]
    fn only_a_cart_is_changed() {
        given_nothing()
            .when(remove(1))
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
        given([placed()])
            .when(remove(1))
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }
}
