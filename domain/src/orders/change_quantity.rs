//! A cart's line is to have another quantity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineNumber;
use super::QuantityChanged;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Quantity;

/// A cart's line is to have another quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeQuantity {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line: LineNumber,
    /// How many units.
    pub quantity: Quantity,
}

impl Decide for ChangeQuantity {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, line, quantity } = self.clone();
        let draft = view.order(&order_id)?.draft(&order_id)?;
        if draft.line(&order_id, line)?.quantity == quantity {
            return Ok(vec![]);
        }
        Ok(vec![QuantityChanged { order_id, line, quantity }.into()])
    }
}
