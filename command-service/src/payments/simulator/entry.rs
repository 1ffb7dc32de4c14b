//! A line of the provider's ledger.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryStatus {
    /// The money is held, taken or given back.
    Done,
    /// The provider refused.
    Refused,
    /// It was never done and never will be: a probe closed the key.
    Closed,
}

impl EntryStatus {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Closed => "closed",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Done, Self::Refused, Self::Closed].into_iter().find(|status| status.name() == name)
    }
}

/// One call and what it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LedgerEntry {
    /// Its place in the ledger.
    #[serde(skip)]
    pub number: i64,
    /// The idempotency key.
    pub key: String,
    /// The payment.
    pub payment_id: String,
    /// `authorize`, `capture`, `void` or `refund`.
    pub operation: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// What became of it.
    pub status: EntryStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether a further attempt may succeed.
    #[serde(skip)]
    pub retriable: bool,
    /// How it is paid; an authorization says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Until when the money of an authorization is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub at: DateTime<Utc>,
}
