//! The parcel arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ShipmentDelivered, ShipmentStatus};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::ShipmentId;
use crate::refusal::Refusal;
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

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let shipment = view.shipment(&self.shipment_id)?;
        let missing = || Refusal::ShipmentNotFound { shipment_id: self.shipment_id.clone() };
        let order_id = shipment.order_id().ok_or_else(missing)?.clone();
        match shipment.status() {
            Some(ShipmentStatus::Shipped) => Ok(vec![
                ShipmentDelivered {
                    shipment_id: self.shipment_id.clone(),
                    order_id,
                    lines: shipment.lines().to_vec(),
                }
                .into(),
            ]),
            Some(ShipmentStatus::Delivered) => Ok(vec![]),
            Some(status @ (ShipmentStatus::Pending | ShipmentStatus::Cancelled)) => {
                Err(Refusal::WrongState { what: "shipment", state: status.name() }.into())
            }
            None => Err(missing().into()),
        }
    }
}
