//! A shipment left the house; its money is captured next.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use super::{LinesShipped, line_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ShipmentId};
use crate::stream::Stream;

/// A shipment left the house; its money is captured next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordShipped {
    /// The order.
    pub order_id: OrderId,
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// What is in it.
    pub lines: Vec<LineQuantity>,
}

impl Decide for RecordShipped {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (order_id, shipment_id) = (self.order_id.clone(), self.shipment_id.clone());
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.shipped.contains(&shipment_id) {
            return Ok(vec![]);
        }
        order.check_in_progress(&order_id)?;
        let lines = line_sum::sum(&self.lines)?;
        for line in &lines {
            let open = order.line(&order_id, line.line)?.open();
            if line.quantity.get() > open {
                return Err(line_sum::exceeded(line.line, line.quantity.get(), open).into());
            }
        }
        Ok(vec![LinesShipped { order_id, shipment_id, lines }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        cancellation, cancellation_id, confirmed_order, of, order_id, placed, shipment_id, shipped,
    };
    use super::*;
    use crate::orders::LinesCancelled;
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn record(nth: u32, lines: &[LineQuantity]) -> RecordShipped {
        let shipment_id = shipment_id(nth);
        RecordShipped { order_id: order_id(), shipment_id, lines: lines.to_vec() }
    }

    #[test]
    fn a_shipment_is_recorded_once() {
        given(confirmed_order())
            .when(record(1, &[of(1, 2), of(1, 2)]))
            .then([shipped(1, &[of(1, 4)])])
            .when(record(1, &[of(1, 4)]))
            .then_nothing()
            .when(record(2, &[of(1, 2)]))
            .then([shipped(2, &[of(1, 2)])]);
    }

    #[test]
    fn only_open_units_are_shipped() {
        let exceeded = |allowed| Refusal::QuantityExceeded {
            what: "line 1".to_owned(),
            requested: 6,
            allowed,
        };
        given(confirmed_order())
            .and([shipped(1, &[of(1, 1)])])
            .when(record(2, &[of(1, 6)]))
            .then_refused(&exceeded(5));
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 2)])])
            .and([LinesCancelled {
                order_id: order_id(),
                cancellation_id: cancellation_id(1),
                lines: vec![of(1, 2)],
                amount: 510,
            }])
            .when(record(2, &[of(1, 6)]))
            .then_refused(&exceeded(4));
    }

    #[test]
    fn a_parcel_that_left_while_a_cancellation_ran_is_recorded() {
        given(confirmed_order())
            .and([cancellation(Some(1), &[of(1, 6)])])
            .when(record(1, &[of(1, 6)]))
            .then([shipped(1, &[of(1, 6)])]);
    }

    #[test]
    fn lines_are_named_and_there() {
        given(confirmed_order()).when(record(1, &[])).then_refused(&Refusal::NoLines {});
        for line in [0, 4] {
            given(confirmed_order())
                .when(record(1, &[of(line, 1)]))
                .then_refused(&Refusal::LineNotFound { order_id: order_id(), line });
        }
    }

    #[test]
    fn nothing_is_shipped_before_the_pivot() {
        given([placed()])
            .when(record(1, &[of(1, 1)]))
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }
}
