//! A cancellation is carried out: parcel stopped, stock released, money voided.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId};
use crate::stream::Stream;

/// A cancellation is carried out: parcel stopped, stock released, money voided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleCancellation {
    /// The order.
    pub order_id: OrderId,
    /// The cancellation.
    pub cancellation_id: CancellationId,
}

impl Decide for SettleCancellation {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
