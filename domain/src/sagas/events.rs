//! What became of a saga's command that left no other event.
//!
//! Every command that a saga sends ends in an event that carries its command id: the effect, or one of these. So the
//! orchestrator's outbox empties by reading the log, and never by trusting a broker.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// A participant refused a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRefused {
    /// The order that it was about.
    pub order_id: OrderId,
    /// Its id: `{saga}/{step}/{attempt}`.
    pub command_id: String,
    /// Its name, such as `ConfirmOrder`.
    pub command: String,
    /// The refusal's stable code.
    pub code: Reason,
}

/// A command found that everything was so already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandUnneeded {
    /// The order that it was about.
    pub order_id: OrderId,
    /// Its id: `{saga}/{step}/{attempt}`.
    pub command_id: String,
    /// Its name, such as `ConfirmOrder`.
    pub command: String,
}

/// A command could not be handled; it waits for an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandParked {
    /// The order that it was about.
    pub order_id: OrderId,
    /// Its id: `{saga}/{step}/{attempt}`.
    pub command_id: String,
    /// Its name, such as `ConfirmOrder`.
    pub command: String,
    /// What went wrong.
    pub cause: Reason,
}

context_events! {
    /// The events about commands.
    CommandEvent { CommandRefused = 1, CommandUnneeded = 1, CommandParked = 1 }
}

impl CommandEvent {
    /// The order that the command was about.
    pub fn order(&self) -> &OrderId {
        match self {
            Self::CommandRefused(event) => &event.order_id,
            Self::CommandUnneeded(event) => &event.order_id,
            Self::CommandParked(event) => &event.order_id,
        }
    }

    /// The command's id.
    pub fn command_id(&self) -> &str {
        match self {
            Self::CommandRefused(event) => &event.command_id,
            Self::CommandUnneeded(event) => &event.command_id,
            Self::CommandParked(event) => &event.command_id,
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::Commands(self.order().clone())
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "every context answers this, so that `Event` can ask it"
    )]
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        Some(self.order())
    }
}
