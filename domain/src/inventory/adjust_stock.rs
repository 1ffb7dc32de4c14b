//! The count is to be corrected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::stream::Stream;
use crate::text::Reason;

/// The count is to be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustStock {
    /// The SKU.
    pub sku: Sku,
    /// Units to add or, negative, to take away; not 0.
    pub delta: i64,
    /// Why.
    pub reason: Reason,
}

impl Decide for AdjustStock {
    fn target(&self) -> Stream {
        Stream::Stock(self.sku.clone())
    }

    fn decide(&self, _view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        Err(Halt::Busy)
    }
}
