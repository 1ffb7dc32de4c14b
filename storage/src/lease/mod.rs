//! One of several may write: whoever holds the lease. It stands in the database that it guards, runs out by the
//! database's own clock, and has a token that rises with each holder.
//!
//! **Invariant:** a transaction that passed the [`Fence`] commits before anybody else can take the lease, or not at
//! all. So one who slept through the end of its lease is refused whole, whatever it believes.

mod asked;
mod fence;
mod held;
mod row;
mod shared;
mod sql_row;

pub use asked::{Asked, Told};
pub use fence::{Fence, Guarded, Passed};
pub use held::Held;
pub use row::LeaseRow;
pub use shared::{Lease, LeaseSettings};
