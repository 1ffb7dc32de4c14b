//! Where an order stands, as the public sees it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an order stands. While a rejection or a cancellation before the pivot is being carried out, the order is still
/// `Placed`: it may take a while until stock and money are back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// A cart.
    Draft,
    /// It stands, but stock and money are not held yet.
    Placed,
    /// It stands still until someone releases it.
    OnHold,
    /// It will be carried out.
    Confirmed,
    /// Something was shipped.
    Fulfilling,
    /// Everything is delivered or cancelled, and paid.
    Completed,
    /// It could not be filled or paid, and is undone.
    Rejected,
    /// Everything of it was cancelled.
    Cancelled,
}

impl OrderStatus {
    /// The name that answers and rows carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Placed => "placed",
            Self::OnHold => "on_hold",
            Self::Confirmed => "confirmed",
            Self::Fulfilling => "fulfilling",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// True when no business command is accepted any more, but for returns of a completed order.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Rejected | Self::Cancelled => true,
            Self::Draft | Self::Placed | Self::OnHold | Self::Confirmed | Self::Fulfilling => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OrderStatus as S;

    #[test]
    fn a_status_is_written_as_it_is_named() {
        for status in [S::Draft, S::Placed, S::OnHold, S::Confirmed, S::Fulfilling, S::Completed] {
            let written = serde_json::to_value(status).unwrap();
            assert_eq!(written, status.as_str());
        }
    }
}
