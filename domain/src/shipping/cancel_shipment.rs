//! Lines are to be taken out of a parcel that has not left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId, ShipmentId};
use crate::orders::LineQuantity;
use crate::stream::Stream;

/// Lines are to be taken out of a parcel that has not left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelShipment {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// The cancellation that asks for it.
    pub cancellation_id: CancellationId,
    /// What is to be taken out.
    pub lines: Vec<LineQuantity>,
}

impl Decide for CancelShipment {
    fn target(&self) -> Stream {
        Stream::Shipment(self.shipment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
