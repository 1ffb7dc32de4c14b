//! What became of a command that left no other event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Reason;

/// What became of a command that left no other event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum CommandEnd {
    /// It was refused.
    Refused {
        /// The refusal's stable code.
        code: Reason,
    },
    /// Everything was so already.
    Unneeded,
    /// It could not be handled; it waits for an operator.
    Parked {
        /// What went wrong.
        cause: Reason,
    },
}
