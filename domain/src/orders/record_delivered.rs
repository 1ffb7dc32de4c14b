//! A shipment arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use super::{LinesDelivered, line_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ShipmentId};
use crate::refusal::Refusal;
use crate::stream::Stream;

/// A shipment arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDelivered {
    /// The order.
    pub order_id: OrderId,
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What was in it.
    pub lines: Vec<LineQuantity>,
}

impl Decide for RecordDelivered {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (order_id, shipment_id) = (self.order_id.clone(), self.shipment_id.clone());
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.delivered.contains(&shipment_id) {
            return Ok(vec![]);
        }
        order.check_in_progress(&order_id)?;
        if !order.shipped.contains(&shipment_id) {
            let state = "not recorded as shipped";
            return Err(Refusal::WrongState { what: "shipment", state }.into());
        }
        let lines = line_sum::sum(&self.lines)?;
        for quantity in &lines {
            let line = order.line(&order_id, quantity.line)?;
            let on_its_way = line.shipped.saturating_sub(line.delivered);
            if quantity.quantity.get() > on_its_way {
                let units = quantity.quantity.get();
                return Err(line_sum::exceeded(quantity.line, units, on_its_way).into());
            }
        }
        Ok(vec![LinesDelivered { order_id, shipment_id, lines }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{confirmed_order, delivered, of, order_id, shipment_id, shipped};
    use super::*;
    use crate::spec::given;

    fn record(nth: u32, lines: &[LineQuantity]) -> RecordDelivered {
        let shipment_id = shipment_id(nth);
        RecordDelivered { order_id: order_id(), shipment_id, lines: lines.to_vec() }
    }

    #[test]
    fn a_delivery_is_recorded_once() {
        given(confirmed_order())
            .and([shipped(1, &[of(1, 6)])])
            .when(record(1, &[of(1, 6)]))
            .then([delivered(1, &[of(1, 6)])])
            .when(record(1, &[of(1, 6)]))
            .then_nothing();
    }

    #[test]
    fn only_what_was_shipped_arrives() {
        given(confirmed_order())
            .and([shipped(1, &[of(1, 2)])])
            .when(record(1, &[of(1, 3)]))
            .then_refused(&Refusal::QuantityExceeded {
                what: "line 1".to_owned(),
                requested: 3,
                allowed: 2,
            });
        given(confirmed_order())
            .and([shipped(1, &[of(1, 2)])])
            .when(record(2, &[of(1, 2)]))
            .then_refused(&Refusal::WrongState {
                what: "shipment",
                state: "not recorded as shipped",
            });
    }
}
