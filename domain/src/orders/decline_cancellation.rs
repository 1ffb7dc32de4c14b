//! A cancellation came too late.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId};
use crate::stream::Stream;
use crate::text::Reason;

/// A cancellation came too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclineCancellation {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation.
    pub cancellation_id: CancellationId,
    /// A stable code.
    pub reason: Reason,
}

impl Decide for DeclineCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
