//! The port to a payment provider.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, PaymentId};
use domain::money::Money;
use domain::payments::{Operation, ProviderOutcome};
use domain::text::PaymentMethod;
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

/// A payment provider. Every call is idempotent by its key; the runner sets the deadline.
pub trait PaymentProvider: Send + Sync + 'static {
    /// Holds, takes or gives back money.
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderOutcome>;

    /// What became of a call: its outcome, [`ProviderOutcome::NeverDone`] when the provider has not seen the key, or
    /// [`ProviderOutcome::Unknown`] when the provider can't say now.
    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderOutcome>;
}
