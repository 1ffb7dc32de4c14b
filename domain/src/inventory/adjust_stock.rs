//! The count is to be corrected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StockAdjusted;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::Sku;
use crate::refusal::Refusal;
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

    fn reads(&self) -> Vec<Stream> {
        vec![self.target(), Stream::Product(self.sku.clone())]
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let (sku, delta) = (self.sku.clone(), self.delta);
        view.product(&sku)?.check_stocked(&sku)?;
        let stock = view.stock(&sku)?;
        if delta == 0 || delta == i64::MIN || !stock.can_count(delta) {
            return Err(Refusal::InvalidDelta { delta }.into());
        }
        if stock.available() + delta < 0 {
            let (requested, available) = (-delta, stock.available());
            return Err(Refusal::OutOfStock { sku, requested, available }.into());
        }
        Ok(vec![StockAdjusted { sku, delta, reason: self.reason.clone() }.into()])
    }
}
