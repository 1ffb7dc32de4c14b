//! The parcel arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::ShipmentId;
use crate::stream::Stream;

/// The parcel arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkDelivered {
    /// The shipment.
    pub shipment_id: ShipmentId,
}

impl Decide for MarkDelivered {
    fn target(&self) -> Stream {
        Stream::Shipment(self.shipment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
