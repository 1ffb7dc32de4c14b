//! A cancellation came too late.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CancellationDeclined;
use super::placed_order::CancellationState;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CancellationId, OrderId};
use crate::refusal::Refusal;
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

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self { order_id, cancellation_id, reason } = self.clone();
        let order = view.order(&order_id)?.placed(&order_id)?;
        match &order.cancellation(&cancellation_id)?.state {
            CancellationState::Running(_) => {
                Ok(vec![CancellationDeclined { order_id, cancellation_id, reason }.into()])
            }
            CancellationState::Declined => Ok(vec![]),
            CancellationState::Settled => {
                Err(Refusal::WrongState { what: "cancellation", state: "settled" }.into())
            }
        }
    }
}
