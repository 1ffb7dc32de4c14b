//! A line is to be added to a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WantedLine;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// A line is to be added to a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddLine {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line: WantedLine,
}

impl Decide for AddLine {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
