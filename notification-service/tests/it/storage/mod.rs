//! What a crash of the database leaves behind, made by hand.

mod crashed;

pub(crate) use crashed::{Kept, take_unheard};
