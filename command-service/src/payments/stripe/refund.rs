//! Giving back what was taken: one Refund a call, with the call's key in its metadata.

use domain::payments::ProviderOutcome;

use super::amounts::{from_stripe, to_stripe};
use super::client::StripeClient;
use super::failed::{Failed, refused};
use super::form::Form;
use super::list::refunds_of;
use super::objects::{KEY, ORDER, PAYMENT, Refund};
use super::provider::of_another_provider;
use crate::payments::provider::{ProviderAnswer, ProviderCall};

pub(super) async fn call(stripe: &StripeClient, call: &ProviderCall) -> ProviderAnswer {
    let Some(reference) = &call.reference else { return of_another_provider() };
    let Some((amount, _)) = to_stripe(call.amount) else {
        return refused("amount_too_fine", false);
    };
    let form = Form::default()
        .with("payment_intent", reference)
        .with("amount", &amount)
        .noting(KEY, &call.key)
        .noting(PAYMENT, &call.payment_id)
        .noting(ORDER, &call.order_id);
    match stripe.post("/v1/refunds", &call.key, &form).await {
        Ok(refund) => said(&refund),
        Err(failed) => failed.answer(),
    }
}

/// What became of it; none when there is no such refund.
pub(super) async fn find(
    stripe: &StripeClient,
    call: &ProviderCall,
) -> Result<Option<ProviderAnswer>, Failed> {
    let Some(reference) = &call.reference else { return Ok(Some(of_another_provider())) };
    let refunds = refunds_of(stripe, reference.as_str()).await?;
    let found = refunds.iter().find(|refund| refund.metadata.get(KEY) == Some(&call.key));
    Ok(found.map(said))
}

/// One that is on its way is done: Stripe has promised it. Should it fail later, the reconciliation shows it.
fn said(refund: &Refund) -> ProviderAnswer {
    match refund.status.as_deref() {
        Some("succeeded" | "pending") => ProviderAnswer::Said {
            outcome: ProviderOutcome::Done,
            amount: from_stripe(refund.amount, &refund.currency),
        },
        Some("failed" | "canceled") => {
            refused(refund.failure_reason.as_deref().unwrap_or("refund_failed"), false)
        }
        _ => ProviderOutcome::Unknown.into(),
    }
}
