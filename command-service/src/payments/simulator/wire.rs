//! What is said to the simulated provider over HTTP, and what it says.

use domain::money::Money;
use domain::payments::ProviderOutcome;
use serde::{Deserialize, Serialize};

use crate::payments::provider::{ProviderAnswer, ProviderCall};

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

/// What it answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Said {
    #[serde(flatten)]
    outcome: ProviderOutcome,
    /// How much it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<Money>,
}

impl From<ProviderAnswer> for Said {
    fn from(answer: ProviderAnswer) -> Self {
        match answer {
            ProviderAnswer::Said { outcome, amount } => Self { outcome, of: amount },
            // Whoever is asked here was asked.
            ProviderAnswer::NotAsked { .. } => Self { outcome: ProviderOutcome::Unknown, of: None },
        }
    }
}

impl From<Said> for ProviderAnswer {
    fn from(said: Said) -> Self {
        Self::Said { outcome: said.outcome, amount: said.of }
    }
}
