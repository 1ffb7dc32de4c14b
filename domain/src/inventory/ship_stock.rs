//! Units held for an order leave the house.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
