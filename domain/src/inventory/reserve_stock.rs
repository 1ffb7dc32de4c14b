//! All lines of an order are to be held, or none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All lines of an order are to be held, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveStock {
    /// The order.
    pub order_id: OrderId,
    /// What is to be held; lines of one SKU are summed before checking.
    pub lines: Vec<SkuQuantity>,
}

impl Decide for ReserveStock {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
