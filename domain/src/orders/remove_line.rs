//! A line is to be taken out of a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineNumber;
use super::LineRemoved;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// A line is to be taken out of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveLine {
    /// The order.
    pub order_id: OrderId,
    /// The line.
    pub line: LineNumber,
}

impl Decide for RemoveLine {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, line } = self.clone();
        view.order(&order_id)?.draft(&order_id)?.line(&order_id, line)?;
        Ok(vec![LineRemoved { order_id, line }.into()])
    }
}
