//! A shipment left the house and its money is captured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineQuantity;
use super::{LinesShipped, line_sum};
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

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (order_id, shipment_id) = (self.order_id.clone(), self.shipment_id.clone());
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.shipped.contains(&shipment_id) {
            return Ok(vec![]);
        }
        order.check_in_progress(&order_id)?;
        let lines = line_sum::sum(&self.lines)?;
        for line in &lines {
            let open = order.line(&order_id, line.line)?.open();
            if line.quantity.get() > open {
                return Err(line_sum::exceeded(line.line, line.quantity.get(), open).into());
            }
        }
        Ok(vec![LinesShipped { order_id, shipment_id, lines }.into()])
    }
}
