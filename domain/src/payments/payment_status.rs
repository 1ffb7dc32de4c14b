//! Where a payment stands, for people. Derived, never set by hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing was asked of the provider.
    #[default]
    None,
    /// The provider was asked to hold the amount.
    Requested,
    /// The provider did not answer in time; it is asked until it tells.
    Unknown,
    /// The provider holds the amount.
    Authorized,
    /// The provider took the amount, or a part of it.
    Captured,
    /// All that was taken was given back.
    Refunded,
    /// The provider gave back what it held.
    Voided,
    /// Nothing was taken by the provider, and a person settled by hand what was due.
    SettledByHand,
    /// The provider refused to hold the amount.
    Declined,
    /// The provider gave up holding the amount.
    Expired,
}
