//! What the SQL backends have in common: statements that read the same in both dialects, and how rows become our types.

pub(crate) mod rows;
pub(crate) mod statements;
