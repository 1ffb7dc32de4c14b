//! A parcel is to be packed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ShipmentCreated, ShipmentLine};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ShipmentId};
use crate::refusal::Refusal;
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

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let shipment = view.shipment(&self.shipment_id)?;
        match shipment.order_id() {
            None if self.lines.is_empty() => Err(Refusal::NoLines {}.into()),
            None => Ok(vec![
                ShipmentCreated {
                    shipment_id: self.shipment_id.clone(),
                    order_id: self.order_id.clone(),
                    lines: self.lines.clone(),
                }
                .into(),
            ]),
            Some(order_id) if *order_id == self.order_id && shipment.created() == self.lines => {
                Ok(vec![])
            }
            Some(_) => {
                Err(Refusal::ShipmentExists { shipment_id: self.shipment_id.clone() }.into())
            }
        }
    }
}
