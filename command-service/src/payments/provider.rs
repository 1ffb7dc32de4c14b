//! The port to a payment provider.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, PaymentId};
use domain::money::Money;
use domain::payments::{Operation, ProviderOutcome};
use domain::text::{PaymentMethod, ProviderReference};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// One thing that is asked of the provider; also what an open intent keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderCall {
    /// The provider's idempotency key: `{payment}/{operation}/{attempt}`.
    pub key: String,
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What is asked.
    pub operation: Operation,
    /// Counted from 1 per operation of the payment.
    pub attempt: u32,
    /// How much it is about.
    pub amount: Money,
    /// How it is paid; only an authorization says it, the provider remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<PaymentMethod>,
    /// What the provider calls the payment, once it has said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ProviderReference>,
    /// Since when the provider may have been asked; none while the intent is only being appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<DateTime<Utc>>,
    /// What it is all about, across services.
    pub correlation_id: String,
    /// Business time, handed on to the outcome.
    pub occurred_at: DateTime<Utc>,
    /// W3C trace context of what asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Arc<str>>,
}

/// What a probe does when the provider has never seen the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenAbsent {
    /// Nothing: the call may still be made.
    LeaveOpen,
    /// It closes the key: a call that arrives late is refused, so that "never done" stays true.
    Close,
}

/// What a provider answered, or that it was not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderAnswer {
    /// What became of the call, and how much it was about where the provider says it.
    Said {
        /// What became of it.
        outcome: ProviderOutcome,
        /// How much was held, taken or given back by the provider's own words.
        amount: Option<Money>,
    },
    /// This question did nothing, for certain: it was not sent, or turned away before anybody looked at it. Nothing is known
    /// by that of an earlier one under the same key, so it is no outcome.
    NotAsked {
        /// When it makes sense to ask again.
        again_in: Duration,
    },
}

impl From<ProviderOutcome> for ProviderAnswer {
    fn from(outcome: ProviderOutcome) -> Self {
        Self::Said { outcome, amount: None }
    }
}

/// A payment provider. Every call is idempotent by its key. What stands around it, the deadline as well, is
/// [`Guarded`](super::Guarded).
pub trait PaymentProvider: Send + Sync + 'static {
    /// Holds, takes or gives back money.
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer>;

    /// What became of a call: its outcome, [`ProviderOutcome::NeverDone`] when the provider has not seen the key, or
    /// [`ProviderOutcome::Unknown`] when the provider can't say now.
    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer>;
}
