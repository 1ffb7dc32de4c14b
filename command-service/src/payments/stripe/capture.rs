//! Taking a part of what is held.
//!
//! Where Stripe grants several captures, each leaves a note at the intent in the request that does it: so the intent
//! tells which ones were done. Without that, the one capture is done when the intent has succeeded.

use domain::money::Money;
use domain::payments::ProviderOutcome;

use super::amounts::{from_stripe, to_stripe};
use super::client::StripeClient;
use super::failed::{Failed, refused};
use super::form::Form;
use super::objects::{Intent, Status};
use super::provider::{intent_of, of_another_provider};
use crate::payments::provider::{ProviderAnswer, ProviderCall};

pub(super) async fn call(stripe: &StripeClient, call: &ProviderCall) -> ProviderAnswer {
    let Some(reference) = &call.reference else { return of_another_provider() };
    let Some((amount, _)) = to_stripe(call.amount) else {
        return refused("amount_too_fine", false);
    };
    let intent = match intent_of(stripe, reference).await {
        Ok(intent) => intent,
        Err(failed) => return failed.answer(),
    };
    if let Some(answer) = said(call, &intent) {
        return answer;
    }
    let mut form = Form::default().with("amount_to_capture", &amount);
    if intent.multi_capture() {
        form = form.with("final_capture", "false").noting(&note(call), &amount);
    }
    let path = format!("/v1/payment_intents/{reference}/capture");
    match stripe.post::<Intent>(&path, &call.key, &form).await {
        Ok(intent) => said(call, &intent).unwrap_or_else(|| ProviderOutcome::Unknown.into()),
        Err(failed) => failed.answer(),
    }
}

/// What became of it; none when it was not done.
pub(super) async fn find(
    stripe: &StripeClient,
    call: &ProviderCall,
) -> Result<Option<ProviderAnswer>, Failed> {
    let Some(reference) = &call.reference else { return Ok(Some(of_another_provider())) };
    Ok(said(call, &intent_of(stripe, reference).await?))
}

fn note(call: &ProviderCall) -> String {
    format!("docket_capture_{}", call.attempt)
}

/// What an intent says of the capture; none when it can still be captured.
fn said(call: &ProviderCall, intent: &Intent) -> Option<ProviderAnswer> {
    if let Some(noted) = intent.noted(&note(call)) {
        let currency = call.amount.currency();
        return Some(done(
            noted.parse().ok().and_then(|minor| from_stripe(minor, currency.code())),
        ));
    }
    match intent.status {
        Status::RequiresCapture => None,
        Status::Succeeded if !intent.multi_capture() => Some(done(intent.received())),
        Status::Succeeded => Some(refused("captured_already", false)),
        Status::Canceled if intent.cancellation_reason.as_deref() == Some("automatic") => {
            Some(refused("authorization_expired", false))
        }
        Status::Canceled => Some(refused("canceled", false)),
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction => {
            Some(refused("not_held", false))
        }
        Status::Processing | Status::Other => Some(ProviderOutcome::Unknown.into()),
    }
}

fn done(amount: Option<Money>) -> ProviderAnswer {
    ProviderAnswer::Said { outcome: ProviderOutcome::Done, amount }
}
