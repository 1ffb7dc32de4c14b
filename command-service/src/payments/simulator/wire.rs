//! What is said to the simulated provider over HTTP.

use serde::{Deserialize, Serialize};

use crate::payments::provider::ProviderCall;

/// Where calls go.
pub(crate) const CALLS: &str = "/calls";
/// Where probes go.
pub(crate) const PROBES: &str = "/probes";

/// Asks what became of a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Probe {
    /// The call.
    pub(crate) call: ProviderCall,
    /// Whether a key that was never seen is closed.
    pub(crate) close: bool,
}
