//! A line as a client asks for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Sku;
use crate::money::Money;
use crate::text::Quantity;

/// A line as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedLine {
    /// What is wanted.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// A price agreed for this line, from 0 to 10,000,000,000,000; without it the catalog's holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}
