//! A return arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ReturnReceived;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, ReturnId};
use crate::refusal::Refusal;
use crate::stream::Stream;

/// A return arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveReturn {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// True when the units can be sold again.
    pub restock: bool,
}

impl Decide for ReceiveReturn {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, return_id, restock } = self.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        let Some(expected) = order.returns.iter().find(|one| one.id == return_id) else {
            return Err(Refusal::ReturnNotFound { return_id }.into());
        };
        if expected.received {
            return Ok(vec![]);
        }
        let lines = expected.lines.clone();
        let amount = order.amount(&order_id, &lines)?;
        Ok(vec![ReturnReceived { order_id, return_id, lines, restock, amount }.into()])
    }
}
