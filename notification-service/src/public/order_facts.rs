//! What has to be remembered of an order to tell of it: what it was placed with.

use domain::ids::OrderId;
use domain::orders::OrderPlaced;

use super::payloads::{Amount, OrderHead};

/// What an order was placed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFacts {
    pub(crate) customer_id: Option<String>,
    reference: Option<String>,
    currency: String,
    total: i64,
}

impl OrderFacts {
    /// Those of an order that was just placed.
    pub fn of(placed: &OrderPlaced) -> Self {
        Self {
            customer_id: placed.customer_id.as_ref().map(ToString::to_string),
            reference: placed.reference.as_ref().map(|reference| reference.as_str().to_owned()),
            currency: placed.currency.to_string(),
            total: placed.total,
        }
    }

    pub(super) fn head(&self, order_id: &OrderId) -> OrderHead {
        OrderHead {
            order_id: order_id.to_string(),
            customer_id: self.customer_id.clone(),
            reference: self.reference.clone(),
        }
    }

    pub(super) fn total(&self) -> Amount {
        self.amount(self.total)
    }

    /// So much in the order's currency.
    pub(super) fn amount(&self, amount: i64) -> Amount {
        Amount { amount, currency: self.currency.clone() }
    }
}
