//! Lines of one SKU, summed before anything is checked.

use std::collections::BTreeMap;

use super::SkuQuantity;
use crate::ids::Sku;
use crate::refusal::Refusal;
use crate::text::Quantity;

/// One entry a SKU, in the order of the SKUs; refused when a sum is more than a quantity can be.
pub(super) fn sum(lines: &[SkuQuantity]) -> Result<Vec<SkuQuantity>, Refusal> {
    let mut sums: BTreeMap<&Sku, Quantity> = BTreeMap::new();
    for SkuQuantity { sku, quantity } in lines {
        let sum = match sums.get(sku) {
            None => *quantity,
            Some(so_far) => {
                so_far.checked_add(*quantity).ok_or_else(|| Refusal::QuantityExceeded {
                    what: format!("`{sku}`"),
                    requested: u64::from(so_far.get()) + u64::from(quantity.get()),
                    allowed: Quantity::MAX.into(),
                })?
            }
        };
        sums.insert(sku, sum);
    }
    Ok(sums.into_iter().map(|(sku, quantity)| SkuQuantity { sku: sku.clone(), quantity }).collect())
}
