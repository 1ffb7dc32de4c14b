//! A line is to be added to a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::WantedLine;
use super::{LineAdded, LineNumber, pricing};
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

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.line.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let draft = view.order(&self.order_id)?.draft(&self.order_id)?;
        pricing::check_count(draft.lines.len() + 1)?;
        // Refused early, for the client's sake; the price counts when the order is placed.
        pricing::price(&self.line, draft.head.currency, view)?;
        Ok(vec![LineAdded::new(self.order_id.clone(), draft.next_line(), &self.line).into()])
    }
}

impl LineAdded {
    pub(super) fn new(order_id: OrderId, line: LineNumber, wanted: &WantedLine) -> Self {
        Self {
            order_id,
            line,
            sku: wanted.sku.clone(),
            quantity: wanted.quantity,
            unit_price: wanted.unit_price,
        }
    }
}
