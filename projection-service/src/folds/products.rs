//! Products: what is sold, at which price.

use domain::catalog::ProductEvent;
use domain::ids::Sku;
use domain::money::Money;
use serde::{Deserialize, Serialize};

use super::{FoldError, Seen};

/// A product of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// Its stock keeping unit.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// The catalog price of one unit.
    pub unit_price: Money,
    /// Whether units of it are kept in stock.
    pub stocked: bool,
    /// True when it is sold no more.
    pub discontinued: bool,
    /// The version of its stream.
    pub version: u64,
}

/// Folds an event of a product.
pub fn fold(
    row: Option<ProductRow>,
    event: &ProductEvent,
    seen: Seen,
) -> Result<ProductRow, FoldError> {
    let begun = |row: Option<ProductRow>| {
        row.ok_or_else(|| FoldError::nothing_began(event.event_type(), event.sku().as_str()))
    };
    let row = match event {
        ProductEvent::ProductRegistered(event) => ProductRow {
            sku: event.sku.clone(),
            name: event.name.as_str().to_owned(),
            unit_price: event.unit_price,
            stocked: event.stocked,
            discontinued: false,
            version: 0,
        },
        ProductEvent::PriceChanged(event) => {
            ProductRow { unit_price: event.unit_price, ..begun(row)? }
        }
        ProductEvent::ProductRenamed(event) => {
            ProductRow { name: event.name.as_str().to_owned(), ..begun(row)? }
        }
        ProductEvent::ProductDiscontinued(_) => ProductRow { discontinued: true, ..begun(row)? },
    };
    Ok(ProductRow { version: seen.version, ..row })
}
