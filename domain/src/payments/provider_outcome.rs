//! What a call to the provider came to.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Reason;

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
}
