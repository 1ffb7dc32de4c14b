//! Units arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StockReceived;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
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

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, quantity) = (self.sku.clone(), self.quantity);
        view.product(&sku)?.check_stocked(&sku)?;
        if !view.stock(&sku)?.can_count(quantity.get().into()) {
            return Err(Refusal::AmountOverflow {}.into());
        }
        Ok(vec![StockReceived { sku, quantity }.into()])
    }
}
