//! A saga's command left no other event: it was refused, unneeded or parked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommandEnd, CommandParked, CommandRefused, CommandUnneeded};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;

/// A saga's command left no other event: it was refused, unneeded or parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordCommandEnd {
    /// The order that the command was about.
    pub order_id: OrderId,
    /// The command's id.
    pub command_id: String,
    /// The command's name.
    pub command: String,
    /// What became of it.
    pub end: CommandEnd,
}

impl Decide for RecordCommandEnd {
    fn target(&self) -> Stream {
        Stream::Commands(self.order_id.clone())
    }

    /// Always an event: that a command ends only once is the store's part, by the command id.
    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (order_id, command_id) = (self.order_id.clone(), self.command_id.clone());
        let command = self.command.clone();
        Ok(vec![match self.end.clone() {
            CommandEnd::Refused { code } => {
                CommandRefused { order_id, command_id, command, code }.into()
            }
            CommandEnd::Unneeded => CommandUnneeded { order_id, command_id, command }.into(),
            CommandEnd::Parked { cause } => {
                CommandParked { order_id, command_id, command, cause }.into()
            }
        }])
    }
}
