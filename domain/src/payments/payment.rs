//! What a decision needs to know of a payment.

use serde::{Deserialize, Serialize};

use super::PaymentEvent;
use crate::decide::Aggregate;

/// What a decision needs to know of a payment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Payment {}

impl Aggregate for Payment {
    type Event = PaymentEvent;

    fn evolve(self, _event: &PaymentEvent) -> Self {
        self
    }
}
