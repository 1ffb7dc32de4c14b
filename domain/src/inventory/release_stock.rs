//! Units held for an order are to be available again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SkuQuantity;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// Units held for an order are to be available again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseStock {
    /// The order.
    pub order_id: OrderId,
    /// What is to be given back; `None`: all that it still holds, and nothing may be reserved for it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<SkuQuantity>>,
}

impl Decide for ReleaseStock {
    fn target(&self) -> Stream {
        Stream::Reservation(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
