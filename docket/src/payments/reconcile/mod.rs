//! `docket payments reconcile`: what the log says of payments beside what the provider's own record says, for a period.
//!
//! It only reads, also beside a running platform: what moved while it read is not judged, but said.

mod compare;
mod log;
mod period;
mod record;
mod report;
mod run;

pub(crate) use run::ReconcileArgs;
