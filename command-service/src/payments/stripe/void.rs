//! Giving back a part of what is held.
//!
//! Stripe gives back all of it or nothing. A part is noted at the intent, and is given back with the last capture, which
//! releases what it does not take, or with the intent's end.

use domain::payments::ProviderOutcome;

use super::amounts::to_stripe;
use super::client::StripeClient;
use super::failed::{Failed, refused};
use super::form::Form;
use super::objects::{Intent, Status};
use super::provider::{intent_of, of_another_provider};
use crate::payments::provider::{ProviderAnswer, ProviderCall};

const NOTE: &str = "docket_void_";

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
    let is_all = intent
        .amount_capturable
        .or(to_stripe_amount(&intent))
        .is_none_or(|held| noted(&intent).saturating_add(amount) >= held);
    let (path, form) = if is_all {
        (format!("/v1/payment_intents/{reference}/cancel"), Form::default())
    } else {
        let form = Form::default().noting(&note(call), &amount);
        (format!("/v1/payment_intents/{reference}"), form)
    };
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
    format!("{NOTE}{}", call.attempt)
}

/// What was noted to be given back before, as Stripe counts.
fn noted(intent: &Intent) -> i64 {
    let of_voids = intent.metadata.iter().filter(|(name, _)| name.starts_with(NOTE));
    of_voids.filter_map(|(_, amount)| amount.parse::<i64>().ok()).sum()
}

fn to_stripe_amount(intent: &Intent) -> Option<i64> {
    to_stripe(intent.amount()?).map(|(amount, _)| amount)
}

/// What an intent says of the void; none when money is held that is not noted.
fn said(call: &ProviderCall, intent: &Intent) -> Option<ProviderAnswer> {
    let outcome = match intent.status {
        // A capture released what it did not take.
        Status::Canceled | Status::Succeeded => ProviderOutcome::Done,
        Status::RequiresCapture => {
            return intent.noted(&note(call)).map(|_| ProviderOutcome::Done.into());
        }
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction => {
            return None;
        }
        Status::Processing | Status::Other => ProviderOutcome::Unknown,
    };
    Some(outcome.into())
}
