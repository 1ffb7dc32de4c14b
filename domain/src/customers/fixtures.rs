//! Customers for tests.

use super::{CustomerBlocked, CustomerErased, CustomerRegistered};
use crate::ids::CustomerId;
use crate::personal::Personal;

pub(crate) fn customer_id() -> CustomerId {
    CustomerId::parse("17850").unwrap()
}

pub(crate) fn registered() -> CustomerRegistered {
    CustomerRegistered { customer_id: customer_id(), name: None, email: None, phone: None }
}

pub(crate) fn blocked() -> CustomerBlocked {
    CustomerBlocked { customer_id: customer_id(), reason: None }
}

pub(crate) fn erased() -> CustomerErased {
    CustomerErased { customer_id: customer_id(), reason: None }
}

/// What the vault would have sealed.
pub(crate) fn sealed() -> Personal<String> {
    Personal::from_sealed("customer-17850", "c2VhbGVk")
}
