//! Holding money: an intent that is confirmed at once and captured by hand.

use chrono::{DateTime, TimeDelta, Utc};
use domain::payments::ProviderOutcome;
use domain::text::ProviderReference;

use super::amounts::to_stripe;
use super::client::StripeClient;
use super::failed::{Failed, refused};
use super::form::Form;
use super::list::newest;
use super::objects::{CLOSES, Intent, KEY, ORDER, PAYMENT, Page, Status};
use crate::payments::provider::{ProviderAnswer, ProviderCall};

/// How long money is held at least, where Stripe does not say until when.
const HELD: TimeDelta = TimeDelta::days(5);
/// By how much Stripe's clock may be behind ours.
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// What is older is found by a search; that is up to date after an hour, whatever happens at Stripe.
const LISTED: TimeDelta = TimeDelta::hours(1);

pub(super) async fn call(stripe: &StripeClient, call: &ProviderCall) -> ProviderAnswer {
    let Some((amount, currency)) = to_stripe(call.amount) else {
        return refused("amount_too_fine", false);
    };
    let Some(method) = &call.method else { return refused("unknown_payment_method", false) };
    let form = Form::default()
        .with("amount", &amount)
        .with("currency", &currency)
        .with("payment_method", method)
        .with("payment_method_types[]", "card")
        .with("payment_method_options[card][request_multicapture]", "if_available")
        .with("capture_method", "manual")
        .with("confirm", "true")
        .with("expand[]", "latest_charge")
        .noting(KEY, &call.key)
        .noting(PAYMENT, &call.payment_id)
        .noting(ORDER, &call.order_id);
    match stripe.post("/v1/payment_intents", &call.key, &form).await {
        Ok(intent) => held(stripe, call, &intent).await,
        Err(failed) => failed.answer(),
    }
}

/// What became of it. Stripe lists what it has done without delay, and searches with some; so what is young is looked for
/// among the newest, and what is older is searched as well.
pub(super) async fn find(
    stripe: &StripeClient,
    call: &ProviderCall,
    now: DateTime<Utc>,
) -> Result<Option<ProviderAnswer>, Failed> {
    let recent = now - LISTED;
    let opened_at = call.opened_at.unwrap_or(DateTime::<Utc>::MIN_UTC);
    let mut found = among_newest(stripe, call, opened_at.max(recent)).await?;
    if found.is_none() && opened_at < recent {
        found = searched(stripe, call).await?;
    }
    let Some(found) = found else { return Ok(None) };
    let path = format!("/v1/payment_intents/{}", found.id);
    let intent = stripe.get(&path, &Form::default().with("expand[]", "latest_charge")).await?;
    Ok(Some(held(stripe, call, &intent).await))
}

async fn among_newest(
    stripe: &StripeClient,
    call: &ProviderCall,
    since: DateTime<Utc>,
) -> Result<Option<Intent>, Failed> {
    let mut pages = newest(stripe, since - SKEW, None);
    while let Some(page) = pages.next().await? {
        let found = of_call(page, call);
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn searched(stripe: &StripeClient, call: &ProviderCall) -> Result<Option<Intent>, Failed> {
    let key = call.key.replace('\\', r"\\").replace('\'', r"\'");
    let form = Form::default().with("query", &format!("metadata['{KEY}']:'{key}'"));
    let page: Page<Intent> = stripe.get("/v1/payment_intents/search", &form).await?;
    Ok(of_call(page.data, call))
}

/// The intent of the call. Should there be two, the one that holds money is what has to be known.
fn of_call(intents: Vec<Intent>, call: &ProviderCall) -> Option<Intent> {
    let is_it =
        |intent: &Intent| intent.noted(KEY) == Some(&call.key) && intent.noted(CLOSES).is_none();
    intents.into_iter().filter(is_it).max_by_key(holds)
}

fn holds(intent: &Intent) -> bool {
    matches!(intent.status, Status::RequiresCapture | Status::Succeeded)
}

/// What an intent says of the authorization. One that waits for the customer is given up: nobody is there to ask.
async fn held(stripe: &StripeClient, call: &ProviderCall, intent: &Intent) -> ProviderAnswer {
    match intent.status {
        Status::RequiresCapture | Status::Succeeded => {
            let Ok(reference) = ProviderReference::parse(&intent.id) else {
                return ProviderOutcome::Unknown.into();
            };
            let created = DateTime::from_timestamp(intent.created, 0).unwrap_or_default();
            let expires_at = intent.capture_before().unwrap_or(created + HELD);
            let (multi_capture, reference) = (intent.multi_capture(), Some(reference));
            let outcome = ProviderOutcome::Authorized { expires_at, multi_capture, reference };
            ProviderAnswer::Said { outcome, amount: intent.amount() }
        }
        Status::RequiresPaymentMethod => {
            let error = intent.last_payment_error.as_ref();
            refused(error.and_then(|error| error.code()).unwrap_or("card_declined"), false)
        }
        Status::RequiresAction | Status::RequiresConfirmation => {
            let path = format!("/v1/payment_intents/{}/cancel", intent.id);
            let key = format!("{}/given-up", call.key);
            match stripe.post::<Intent>(&path, &key, &Form::default()).await {
                Ok(_) => refused("authentication_required", false),
                // It may be confirmed yet.
                Err(Failed::Refused { .. }) => ProviderOutcome::Unknown.into(),
                Err(failed) => failed.answer(),
            }
        }
        Status::Canceled => refused("canceled", false),
        Status::Processing | Status::Other => ProviderOutcome::Unknown.into(),
    }
}
