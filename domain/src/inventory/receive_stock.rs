//! Units arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::stream::Stream;
use crate::text::Quantity;

/// Units arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveStock {
    /// The SKU.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
}

impl Decide for ReceiveStock {
    fn target(&self) -> Stream {
        Stream::Stock(self.sku.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
