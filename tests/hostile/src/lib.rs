//! What somebody might send: strategies for property tests, from noise to what is nearly right.
//!
//! For tests only. **Invariant:** nothing here knows what is tested with it.

pub mod bytes;
pub mod corpus;
pub mod json;
pub mod schema;
