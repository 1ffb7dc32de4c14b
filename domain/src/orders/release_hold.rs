//! The order is to go on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::HoldReleased;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// The order is to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseHold {
    /// The order.
    pub order_id: OrderId,
}

impl Decide for ReleaseHold {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        if order.status().is_terminal() {
            return Err(order.refusal(&order_id).into());
        }
        if !order.held {
            return Ok(vec![]);
        }
        Ok(vec![HoldReleased { order_id }.into()])
    }
}
