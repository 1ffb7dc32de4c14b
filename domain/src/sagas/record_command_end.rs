//! A saga's command left no other event: it was refused, unneeded or parked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CommandEnd;
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

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
