//! The whole comparison: rows, subjects, rounds, report. A subject runs as a process of its own and tells what it
//! measured as JSON, a line each; nothing here knows how a subject measures.

mod catalogue;
mod machine;
mod measurement;
mod plot;
mod report;
mod rounds;
mod summary;
mod targets;

#[cfg(test)]
pub(crate) use catalogue::ROWS;
pub(crate) use catalogue::numbered;
pub(crate) use measurement::Measurement;
pub(crate) use report::write;
pub(crate) use rounds::{Plan, run};
pub(crate) use summary::{Kind, Results};
