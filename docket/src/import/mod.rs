//! `docket import online-retail`: a real shop's rows become commands to a running platform, over HTTP.
//!
//! The pure half (`rows`, `classify`, `planner`, `matching`) knows files and rules and no platform; the other half
//! (`client`, `run` and the phases) carries the plan out. **Invariant:** every command's key is derived from the
//! content that it carries, so an import that is run again, or goes on after an interruption, changes nothing twice.

mod args;
mod classify;
mod client;
mod history;
mod last_line;
mod lines;
mod matching;
mod names;
mod opening;
mod order_way;
mod plan;
mod planner;
mod price;
mod progress;
mod report;
mod return_way;
mod rows;
mod run;
mod source;
mod timestamp;
mod watch;

#[cfg(test)]
mod tests;

pub(crate) use args::ImportArgs;
pub(crate) use run::run;
