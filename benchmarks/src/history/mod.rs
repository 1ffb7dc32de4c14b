//! A long history, made fast: orders of every fate are carried out by the platform once, and then told again and again with other
//! names, in large batches through the log itself.

mod fill;
mod templates;

pub(crate) use fill::{BUSY_CUSTOMER, POPULAR_SKU, Size, customer, fill, sku};
pub(crate) use templates::Templates;
