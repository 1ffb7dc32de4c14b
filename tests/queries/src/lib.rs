//! Every list and filter of a query API, and how a database finds what each asks for.

pub mod catalogue;
pub mod heard;
pub mod plan;
