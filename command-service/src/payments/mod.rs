//! Payments: the port to a provider, the runner that carries intents to their outcome, the simulated provider, and Stripe.
//!
//! A call to the provider is two appends: the intent under the command's id, the outcome under `{id}/outcome`. Between
//! them the open intent is a row that the append kept, so that a repeat, a start-up and a timer all find it.
//!
//! **Invariant:** a provider is never called without an intent on disk, and never twice with different keys for one
//! attempt; an unknown outcome is asked for, never undone or repeated blindly. Every provider stands behind the same guard.

mod carrier;
mod guard;
mod http_provider;
pub(crate) mod intents;
mod news;
mod open_calls;
mod opened;
mod provider;
mod runner;
mod settings;
pub mod simulator;
pub mod stripe;
pub(crate) mod watch;

pub use guard::BreakerSettings;
pub use http_provider::HttpProvider;
pub use news::PaymentNews;
pub use open_calls::open_calls;
pub use opened::{Opened, OpenedIntents, opened_intents};
pub use provider::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
pub use runner::IntentRunner;
pub use settings::RunnerSettings;
