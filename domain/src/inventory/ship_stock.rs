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
