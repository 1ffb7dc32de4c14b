//! The parcel left the house.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::ShipmentId;
use crate::orders::LineQuantity;
use crate::stream::Stream;
use crate::text::Label;

/// The parcel left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkShipped {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// Who carries it.
    pub carrier: Label,
    /// The carrier's tracking number.
    pub tracking: Label,
    /// What left; `None`: all of it. What is left over moves to a new shipment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LineQuantity>>,
}

impl Decide for MarkShipped {
    fn target(&self) -> Stream {
        Stream::Shipment(self.shipment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
