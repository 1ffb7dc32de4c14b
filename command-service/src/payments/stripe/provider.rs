//! The port, over Stripe.

use domain::payments::{Operation, ProviderOutcome};
use domain::text::ProviderReference;
use futures::future::BoxFuture;
use service_kit::clock::Clock;

use super::client::{InvalidAddress, StripeClient, StripeSettings};
use super::failed::{Failed, refused};
use super::form::Form;
use super::objects::Intent;
use super::{authorize, capture, close, refund, void};
use crate::payments::provider::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};

/// Stripe, as the payment provider.
#[derive(Clone)]
pub struct StripeProvider {
    pub(super) client: StripeClient,
    pub(super) clock: Clock,
}

impl std::fmt::Debug for StripeProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StripeProvider").field(&self.client).finish()
    }
}

impl StripeProvider {
    /// The provider behind this account.
    pub fn new(settings: StripeSettings, clock: Clock) -> Result<Self, InvalidAddress> {
        Ok(Self { client: StripeClient::new(settings)?, clock })
    }

    async fn look(&self, call: &ProviderCall, when_absent: WhenAbsent) -> ProviderAnswer {
        let stripe = &self.client;
        let found = match call.operation {
            Operation::Authorize => authorize::find(stripe, call, (self.clock)()).await,
            Operation::Capture => capture::find(stripe, call).await,
            Operation::Void => void::find(stripe, call).await,
            Operation::Refund => refund::find(stripe, call).await,
        };
        match (found, when_absent) {
            (Ok(Some(answer)), _) => answer,
            (Ok(None), WhenAbsent::LeaveOpen) => ProviderOutcome::NeverDone.into(),
            (Ok(None), WhenAbsent::Close) => close::close(stripe, call).await,
            // A look that was refused tells nothing of what was looked for.
            (Err(Failed::Refused { .. }), _) => ProviderOutcome::Unknown.into(),
            (Err(failed), _) => failed.answer(),
        }
    }
}

impl PaymentProvider for StripeProvider {
    fn call<'a>(&'a self, call: &'a ProviderCall) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(async move {
            let stripe = &self.client;
            match call.operation {
                Operation::Authorize => authorize::call(stripe, call).await,
                Operation::Capture => capture::call(stripe, call).await,
                Operation::Void => void::call(stripe, call).await,
                Operation::Refund => refund::call(stripe, call).await,
            }
        })
    }

    fn probe<'a>(
        &'a self,
        call: &'a ProviderCall,
        when_absent: WhenAbsent,
    ) -> BoxFuture<'a, ProviderAnswer> {
        Box::pin(self.look(call, when_absent))
    }
}

/// The intent of a payment, with its charge.
pub(super) async fn intent_of(
    stripe: &StripeClient,
    reference: &ProviderReference,
) -> Result<Intent, Failed> {
    let path = format!("/v1/payment_intents/{reference}");
    stripe.get(&path, &Form::default().with("expand[]", "latest_charge")).await
}

/// A payment that Stripe has no name for was made by another provider, before this one was set.
pub(super) fn of_another_provider() -> ProviderAnswer {
    refused("payment_of_another_provider", false)
}
