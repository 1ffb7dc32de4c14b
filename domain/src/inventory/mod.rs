//! Inventory: the stock of every SKU, and what each order holds of it.
//!
//! Two kinds of streams move together, in one append: `stock-{sku}` counts units, `reservation-{order}` remembers what
//! an order took, so that it can be given back or shipped exactly once.

mod adjust_stock;
mod events;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod laws;
mod receive_stock;
mod release_stock;
mod reservation;
mod reserve_stock;
mod restock_return;
mod ship_stock;
mod sku_sum;
mod stock;
mod write_off;

pub use adjust_stock::AdjustStock;
pub use events::*;
pub use receive_stock::ReceiveStock;
pub use release_stock::ReleaseStock;
pub use reservation::Reservation;
pub use reserve_stock::ReserveStock;
pub use restock_return::RestockReturn;
pub use ship_stock::ShipStock;
pub use stock::Stock;
pub use write_off::WriteOff;
