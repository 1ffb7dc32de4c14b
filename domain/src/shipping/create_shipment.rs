//! A parcel is to be packed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ShipmentLine;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ShipmentId};
use crate::stream::Stream;

/// A parcel is to be packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateShipment {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The order.
    pub order_id: OrderId,
    /// What it carries.
    pub lines: Vec<ShipmentLine>,
}

impl Decide for CreateShipment {
    fn target(&self) -> Stream {
        Stream::Shipment(self.shipment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
