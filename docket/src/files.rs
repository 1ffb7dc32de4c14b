//! The files of a data folder: the one place that knows their names.

use std::path::{Path, PathBuf};

/// The event log.
pub(crate) fn log(data: &Path) -> PathBuf {
    data.join("log.db")
}

/// The keys of personal data, wrapped by the master key.
pub(crate) fn keys(data: &Path) -> PathBuf {
    data.join("keys.db")
}

/// The master key.
pub(crate) fn master_key(data: &Path) -> PathBuf {
    data.join("master.key")
}

/// The read models, each generation a file of its own.
pub(crate) fn projections(data: &Path) -> PathBuf {
    data.join("projections")
}

/// Sagas and their outbox.
pub(crate) fn sagas(data: &Path) -> PathBuf {
    data.join("sagas.db")
}

/// The simulated payment provider's own ledger.
pub(crate) fn provider_ledger(data: &Path) -> PathBuf {
    data.join("payments-simulator.db")
}

/// Held by the one process that writes here.
pub(crate) fn lock(data: &Path) -> PathBuf {
    data.join("docket.lock")
}
