//! What an entrance costs: Docket's own, and two that only pass on, so that it is seen what any would.

mod bare;
mod nginx;
mod rows;
mod way;

pub(crate) use bare::serve;
pub(crate) use rows::rows;
