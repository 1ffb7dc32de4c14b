//! `docket backup` and `docket restore`: a data folder copied while the platform runs, and put back.
//!
//! **Invariant:** what is derived from the log is copied as of an earlier moment than the log, never a later one; keys and
//! the provider's ledger are of the log's own moment. So nothing is lost and nothing is done twice when it is put back.

mod checksum;
mod cut;
mod manifest;
mod restore;
mod take;

pub(crate) use restore::RestoreArgs;
pub(crate) use take::BackupArgs;
