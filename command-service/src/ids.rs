//! The one place where this service draws ids: for orders and customers whose client names none.

use domain::ids::{CustomerId, OrderId};

/// An id for an order; time-ordered, so that neighbours in time are neighbours on disk.
pub(crate) fn order_id() -> Option<OrderId> {
    OrderId::parse(&draw()).ok()
}

/// An id for a customer.
pub(crate) fn customer_id() -> Option<CustomerId> {
    CustomerId::parse(&draw()).ok()
}

#[expect(clippy::disallowed_methods, reason = "this is the place that draws ids")]
fn draw() -> String {
    uuid::Uuid::now_v7().to_string()
}
