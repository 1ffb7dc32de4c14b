//! A service's own tables, in SQLite or PostgreSQL: SQL that is the same in both dialects exists once.
//!
//! Thin: statements stay SQL, and every difference between the dialects has one place. **Invariant:** whoever uses a
//! [`Store`] cannot tell which it is, except from the place that it was opened at.

mod bindings;
mod columns;
mod connection;
mod ddl;
mod location;
mod open;
mod query;
mod row;
mod schema;
mod sql;
mod value;

pub use bindings::Bindings;
pub(crate) use bindings::Target;
pub(crate) use columns::{Columns, Values};
pub use connection::{Connection, Transaction};
pub use location::Location;
pub use open::{Migrations, Store};
pub use query::Query;
pub use row::Row;
pub use sql::Sql;
pub use value::{Column, Parameter};
