//! All that was done for an order that was cancelled before the pivot is undone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// All that was done for an order that was cancelled before the pivot is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishCancellation {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for FinishCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
