//! The query API: reads of the models, each of which says from which position it is.
//!
//! Handlers parse, read and answer. **Invariant:** the position in `Docket-Position` is read in the transaction that
//! reads the rows; personal data is opened here and nowhere before.

mod answer;
mod app;
pub mod customers;
pub mod decide;
mod history;
mod opening;
pub mod operator;
pub mod order_answer;
pub mod orders;
pub mod paging;
pub mod parking;
pub mod payments;
pub mod products;
pub mod projections;
mod reading;
pub mod rebuild;
mod routes;
pub mod sagas;
pub mod sales_report;
pub mod shipments;
pub mod stock;
mod waiting;
mod whose;

pub use app::App;
pub use routes::router;
