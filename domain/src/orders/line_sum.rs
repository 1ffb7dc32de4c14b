//! Quantities of one line, summed before anything is checked.

use std::collections::BTreeMap;

use super::{LineNumber, LineQuantity};
use crate::refusal::Refusal;
use crate::text::Quantity;

/// One entry a line, in the order of the lines; refused when there is none or a sum is more than a quantity can be.
pub(super) fn sum(lines: &[LineQuantity]) -> Result<Vec<LineQuantity>, Refusal> {
    if lines.is_empty() {
        return Err(Refusal::NoLines {});
    }
    let mut sums: BTreeMap<LineNumber, Quantity> = BTreeMap::new();
    for &LineQuantity { line, quantity } in lines {
        let sum = match sums.get(&line) {
            None => quantity,
            Some(so_far) => so_far.checked_add(quantity).ok_or_else(|| {
                let requested = u64::from(so_far.get()) + u64::from(quantity.get());
                exceeded(line, requested, Quantity::MAX)
            })?,
        };
        sums.insert(line, sum);
    }
    Ok(sums.into_iter().map(|(line, quantity)| LineQuantity { line, quantity }).collect())
}

/// More units of a line than there are.
pub(super) fn exceeded(line: LineNumber, requested: impl Into<u64>, allowed: u32) -> Refusal {
    Refusal::QuantityExceeded {
        what: format!("line {line}"),
        requested: requested.into(),
        allowed: allowed.into(),
    }
}
