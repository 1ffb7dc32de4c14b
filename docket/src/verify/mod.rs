//! `docket verify`: is everything in a data folder as it must be? It only looks, also beside a running platform.
//!
//! **Invariant:** nothing in the data folder is written; what is compared was read in an order in which a platform that
//! goes on meanwhile can't look wrong.

mod answers;
mod before;
mod event_ids;
mod followers;
mod journals;
mod keys;
pub(crate) mod ledger;
mod person_keys;
mod persons;
mod place;
mod read_models;
mod report;
mod run;
mod sagas;
mod walk;

pub(crate) use run::{VerifyArgs, run};
