//! A cart's line is to have another quantity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineNumber;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
