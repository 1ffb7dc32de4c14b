//! Docket as a library: the processor over a log, without HTTP, sagas or read models.

mod backend;
mod loaded;
mod rows;
mod stocks;

pub(crate) use backend::Backend;
pub(crate) use rows::{append_prepared, measure};
