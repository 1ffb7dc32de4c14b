//! The half of the importer that reads files, as it stands in `docket`, which is a program and no library.
#![allow(dead_code, reason = "the other half calls the rest of it")]

#[path = "../../docket/src/import/classify.rs"]
pub(crate) mod classify;
#[path = "../../docket/src/import/last_line.rs"]
pub(crate) mod last_line;
#[path = "../../docket/src/import/lines.rs"]
pub(crate) mod lines;
#[path = "../../docket/src/import/names.rs"]
pub(crate) mod names;
#[path = "../../docket/src/import/price.rs"]
pub(crate) mod price;
#[path = "../../docket/src/import/rows.rs"]
pub(crate) mod rows;
#[path = "../../docket/src/import/source.rs"]
pub(crate) mod source;
#[path = "../../docket/src/import/timestamp.rs"]
pub(crate) mod timestamp;
