//! What a call to the provider came to.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::text::{ProviderReference, Reason};

/// What a call to the provider came to. Not knowing is an outcome of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ProviderOutcome {
    /// The provider holds the amount.
    Authorized {
        /// Until when, by the provider's clock.
        expires_at: DateTime<Utc>,
        /// Whether it can capture more than once.
        multi_capture: bool,
        /// What the provider calls the payment, if it has a name of its own for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<ProviderReference>,
    },
    /// The provider took the amount, gave it back, or gave up holding it.
    Done,
    /// The provider refused.
    Refused {
        /// The provider's code.
        code: Reason,
        /// True when a further attempt may succeed.
        retriable: bool,
    },
    /// It is certain that the provider never did it and never will under this key.
    NeverDone,
    /// The provider did not answer; it may have done it.
    Unknown,
    /// The provider says that it did so much, which is not what it was asked. It is not done, and not undone either: a
    /// person has to look.
    Differs {
        /// What it says it did.
        found: Money,
    },
}

impl ProviderOutcome {
    /// Whether the call is settled: nothing further is asked about it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Authorized { .. } | Self::Done | Self::Refused { .. } | Self::NeverDone => true,
            Self::Unknown | Self::Differs { .. } => false,
        }
    }
}
