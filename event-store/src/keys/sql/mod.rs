//! What the SQL stores of keys have in common: statements that read the same in both dialects, and how rows become ours.

pub(super) mod mark;
pub(super) mod rows;
pub(super) mod statements;
