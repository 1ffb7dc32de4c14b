//! `cargo xtask mutants`: known bugs are put into a copy of the tree, one at a time, and the simulation has to find each.
//!
//! **Invariant:** the tree itself is never changed; what is shipped has no switch for any of it.

mod copy;
mod hunt;
mod patch;
mod run;
mod table;

pub(crate) use run::mutants;
