//! What a decision needs to know of a customer: only whether they may order. How they are reached decides nothing.

use serde::{Deserialize, Serialize};

use super::CustomerEvent;
use crate::decide::Aggregate;
use crate::ids::CustomerId;
use crate::refusal::Refusal;

/// What a decision needs to know of a customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Customer {
    /// Never registered.
    #[default]
    Absent,
    /// May order.
    Active,
    /// May not order any more.
    Blocked,
    /// Their data can't be read any more. For ever.
    Erased,
}

impl Customer {
    /// Refuses an order of a customer who may not order.
    pub fn check_may_order(self, customer_id: &CustomerId) -> Result<(), Refusal> {
        let customer_id = customer_id.clone();
        match self {
            Self::Absent => Err(Refusal::UnknownCustomer { customer_id }),
            Self::Active => Ok(()),
            Self::Blocked => Err(Refusal::CustomerBlocked { customer_id }),
            Self::Erased => Err(Refusal::CustomerErased { customer_id }),
        }
    }
}

impl Aggregate for Customer {
    type Event = CustomerEvent;

    fn evolve(self, event: &CustomerEvent) -> Self {
        match event {
            CustomerEvent::CustomerRegistered(_) => Self::Active,
            CustomerEvent::ContactChanged(_) => self,
            CustomerEvent::CustomerBlocked(_) => Self::Blocked,
            CustomerEvent::CustomerErased(_) => Self::Erased,
        }
    }
}
