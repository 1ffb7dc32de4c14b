//! Using up the key of a call that must not be done any more.
//!
//! Stripe can't be told to forget a request that is on its way. But it takes a key for one request only: an intent that
//! asks for nothing is made under it, and a request that arrives later is refused as another one under the same key. After
//! a day Stripe forgets the key; nothing is on its way for so long.

use domain::payments::ProviderOutcome;

use super::amounts::to_stripe;
use super::client::StripeClient;
use super::failed::Failed;
use super::form::Form;
use super::objects::{CLOSES, Intent, PAYMENT};
use crate::payments::provider::{ProviderAnswer, ProviderCall};

/// For a call that was looked for and not found.
pub(super) async fn close(stripe: &StripeClient, call: &ProviderCall) -> ProviderAnswer {
    let Some((amount, currency)) = to_stripe(call.amount) else {
        return ProviderOutcome::NeverDone.into();
    };
    let form = Form::default()
        .with("amount", &amount)
        .with("currency", &currency)
        .with("payment_method_types[]", "card")
        .with("capture_method", "manual")
        .noting(CLOSES, &call.key)
        .noting(PAYMENT, &call.payment_id);
    match stripe.post::<Intent>("/v1/payment_intents", &call.key, &form).await {
        Ok(intent) => {
            let path = format!("/v1/payment_intents/{}/cancel", intent.id);
            let key = format!("{}/closed", call.key);
            // It asks for nothing and holds nothing; cancelled it only looks tidier.
            drop(stripe.post::<Intent>(&path, &key, &Form::default()).await);
            ProviderOutcome::NeverDone.into()
        }
        // The call got there after all: the next look finds it, or a person has to.
        Err(Failed::KeyUsed | Failed::Unknown | Failed::Refused { .. }) => {
            ProviderOutcome::Unknown.into()
        }
        Err(failed @ Failed::NotTaken(_)) => failed.answer(),
    }
}
