//! What happens to a customer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::{CustomerId, OrderId};
use crate::personal::Personal;
use crate::stream::Stream;
use crate::text::Reason;

/// A customer is known from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerRegistered {
    /// The customer.
    pub customer_id: CustomerId,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// Their mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<String>>,
    /// Their telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<String>>,
}

/// How the customer is reached has changed; what is absent stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContactChanged {
    /// The customer.
    pub customer_id: CustomerId,
    /// Their new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// Their new mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<String>>,
    /// Their new telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<String>>,
    /// Why, where somebody else changed it, or whoever did said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The customer may not order any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerBlocked {
    /// The customer.
    pub customer_id: CustomerId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The customer's personal data can't be read any more, anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerErased {
    /// The customer.
    pub customer_id: CustomerId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

context_events! {
    /// The events of a customer.
    CustomerEvent { CustomerRegistered = 1, ContactChanged = 1, CustomerBlocked = 1, CustomerErased = 1 }
}

impl CustomerEvent {
    /// The customer that the event is about.
    pub fn customer_id(&self) -> &CustomerId {
        match self {
            Self::CustomerRegistered(event) => &event.customer_id,
            Self::ContactChanged(event) => &event.customer_id,
            Self::CustomerBlocked(event) => &event.customer_id,
            Self::CustomerErased(event) => &event.customer_id,
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::Customer(self.customer_id().clone())
    }

    #[expect(
        clippy::unused_self,
        reason = "every context answers this, so that `Event` can ask it"
    )]
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        None
    }
}
