//! Lines are to be taken out of a parcel that has not left.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ShipmentCancellationRefused, ShipmentCancelled, ShipmentStatus};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId, ShipmentId};
use crate::orders::LineQuantity;
use crate::stream::Stream;
use crate::text::Reason;

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

    /// Too late is an event, not a refusal: the saga that asked waits for it in the shipment's own stream.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let shipment = view.shipment(&self.shipment_id)?;
        if shipment.is_cancelled_by(&self.cancellation_id) {
            return Ok(vec![]);
        }
        let (shipment_id, order_id) = (self.shipment_id.clone(), self.order_id.clone());
        let cancellation_id = self.cancellation_id.clone();
        let ours = shipment.order_id() == Some(&self.order_id);
        let pending = shipment.status() == Some(ShipmentStatus::Pending);
        let left = if ours && pending { shipment.without(&self.lines) } else { None };
        Ok(vec![if let Some(left) = left {
            let (lines, whole) = (self.lines.clone(), left.is_empty());
            ShipmentCancelled { shipment_id, order_id, cancellation_id, lines, whole }.into()
        } else {
            let code = Reason::code("already_shipped");
            ShipmentCancellationRefused { shipment_id, order_id, cancellation_id, code }.into()
        }])
    }
}
