//! What the provider said, or that it said nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operation, ProviderOutcome};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::stream::Stream;

/// What the provider said, or that it said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPaymentOutcome {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What was asked.
    pub operation: Operation,
    /// The attempt that this is the outcome of.
    pub attempt: u32,
    /// What it came to.
    pub outcome: ProviderOutcome,
}

impl Decide for RecordPaymentOutcome {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
