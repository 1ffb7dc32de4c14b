//! The catalog: products, their prices, whether they are kept in stock.

mod change_price;
mod discontinue_product;
mod events;
#[cfg(test)]
pub(crate) mod fixtures;
mod product;
mod register_product;
mod rename_product;

pub use change_price::ChangePrice;
pub use discontinue_product::DiscontinueProduct;
pub use events::*;
pub use product::{Listing, Product};
pub use register_product::RegisterProduct;
pub use rename_product::RenameProduct;
