//! A shipment left the house and its money is captured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ShipmentId};
use crate::stream::Stream;

/// A shipment left the house and its money is captured.
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
