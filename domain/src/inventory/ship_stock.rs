//! Units held for an order leave the house.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use super::{ReservationShipped, StockShipped, sku_sum};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ShipmentId};
use crate::stream::Stream;

/// Units held for an order leave the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipStock {
    /// The order.
    pub order_id: OrderId,
    /// The shipment that they leave with.
    pub shipment_id: ShipmentId,
    /// What leaves.
    pub lines: Vec<SkuQuantity>,
}

impl Decide for ShipStock {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let reservation = view.reservation(&self.order_id)?;
        if reservation.has_shipped(&self.shipment_id) {
            return Ok(vec![]);
        }
        let lines = sku_sum::sum(&self.lines)?;
        reservation.check_held(&lines)?;
        let order_id = &self.order_id;
        let left = lines.iter().map(|line| {
            StockShipped {
                sku: line.sku.clone(),
                order_id: order_id.clone(),
                quantity: line.quantity,
            }
            .into()
        });
        let mut events: Vec<Event> = left.collect();
        let (order_id, shipment_id) = (order_id.clone(), self.shipment_id.clone());
        events.push(ReservationShipped { order_id, shipment_id, lines }.into());
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{holding, of, order_id, shipment_id, shipped};
    use super::*;
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn ship(nth: u32, lines: &[SkuQuantity]) -> ShipStock {
        let shipment_id = ShipmentId::nth(&order_id(), nth);
        ShipStock { order_id: order_id(), shipment_id, lines: lines.to_vec() }
    }

    #[test]
    fn a_shipment_takes_its_units_once() {
        given(holding())
            .when(ship(1, &[of("A", 1), of("A", 1)]))
            .then(shipped(&[of("A", 2)]))
            .when(ship(1, &[of("A", 2)]))
            .then_nothing();
        assert_eq!(shipment_id(), ShipmentId::nth(&order_id(), 1));
    }

    #[test]
    fn two_shipments_can_not_take_the_same_units() {
        let exceeded =
            Refusal::QuantityExceeded { what: "`A`".to_owned(), requested: 2, allowed: 1 };
        given(holding())
            .and(shipped(&[of("A", 2)]))
            .when(ship(2, &[of("A", 2)]))
            .then_refused(&exceeded);
    }

    #[test]
    fn a_shipment_without_stocked_units_is_remembered_too() {
        given(holding()).when(ship(1, &[])).then(shipped(&[])).when(ship(1, &[])).then_nothing();
    }
}
