//! Stripe's record of payments: what it lists, newest first.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::money::Money;

use super::amounts::from_stripe;
use super::client::StripeClient;
use super::failed::Failed;
use super::form::Form;
use super::objects::{CLOSES, Charge, Intent, KEY, PAYMENT, Page, Refund, Status};
use super::provider::StripeProvider;

/// As many as Stripe lists at once.
const PAGE: usize = 100;
/// What is younger is passed over by reading it: a filter is for what is long ago.
const RECENT: TimeDelta = TimeDelta::days(1);

/// Intents that were made from `since` on, and before `until` or a little later, newest first.
pub(super) fn newest(
    stripe: &StripeClient,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
) -> Newest<'_> {
    Newest { stripe, since, until, after: None, ended: false }
}

/// Pages of intents.
pub(super) struct Newest<'s> {
    stripe: &'s StripeClient,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    after: Option<String>,
    ended: bool,
}

impl Newest<'_> {
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Intent>>, Failed> {
        if self.ended {
            return Ok(None);
        }
        let mut form = Form::default().with("limit", &PAGE).with("expand[]", "data.latest_charge");
        if let Some(after) = &self.after {
            form = form.with("starting_after", after);
        }
        if let Some(until) = self.until {
            form = form.with("created[lt]", &until.timestamp());
        }
        let page: Page<Intent> = self.stripe.get("/v1/payment_intents", &form).await?;
        let oldest = page.data.last();
        let reaches_back = oldest.is_none_or(|oldest| oldest.created < self.since.timestamp());
        self.ended = !page.has_more || reaches_back;
        self.after = oldest.map(|intent| intent.id.clone());
        Ok(Some(page.data))
    }
}

/// All refunds of an intent.
pub(super) async fn refunds_of(stripe: &StripeClient, intent: &str) -> Result<Vec<Refund>, Failed> {
    let mut found: Vec<Refund> = Vec::new();
    loop {
        let mut form = Form::default().with("payment_intent", intent).with("limit", &PAGE);
        if let Some(last) = found.last() {
            form = form.with("starting_after", &last.id);
        }
        let page: Page<Refund> = stripe.get("/v1/refunds", &form).await?;
        let is_end = !page.has_more || page.data.is_empty();
        found.extend(page.data);
        if is_end {
            return Ok(found);
        }
    }
}

/// What Stripe has of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripePayment {
    /// Stripe's id of it.
    pub reference: String,
    /// Ours, where it is one of ours.
    pub payment_id: Option<String>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// What was held; 0 when nothing ever was.
    pub authorized: Money,
    /// What was taken.
    pub captured: Money,
    /// What was given back of that.
    pub refunded: Money,
    /// Whether it holds money still.
    pub holds: bool,
}

/// Why the record can't be read.
#[derive(Debug, thiserror::Error)]
#[error("Stripe's record of payments can't be read: {0}")]
pub struct StripeRecord(String);

impl StripeProvider {
    /// Every payment that was made from `since` on and before `until`.
    pub async fn payments(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<StripePayment>, StripeRecord> {
        let unread = |failed: Failed| StripeRecord(failed.to_string());
        let filter = (until < (self.clock)() - RECENT).then_some(until);
        let mut found: BTreeMap<String, StripePayment> = BTreeMap::new();
        let mut pages = newest(&self.client, since, filter);
        while let Some(page) = pages.next().await.map_err(unread)? {
            for intent in page {
                let created = DateTime::from_timestamp(intent.created, 0).unwrap_or_default();
                if intent.noted(CLOSES).is_some() || created < since || created >= until {
                    continue;
                }
                let refunds = self.refunds(&intent).await.map_err(unread)?;
                let payment = summed(&intent, created, &refunds);
                let payment =
                    payment.ok_or_else(|| StripeRecord(format!("what is {}?", intent.id)))?;
                found.insert(intent.id.clone(), payment);
            }
        }
        Ok(found.into_values().collect())
    }

    /// They are asked for only where there are some.
    async fn refunds(&self, intent: &Intent) -> Result<Vec<Refund>, Failed> {
        let has_none = intent.charge().is_some_and(|charge| charge.amount_refunded == Some(0));
        if intent.status != Status::Succeeded && intent.received().is_none_or(Money::is_zero)
            || has_none
        {
            return Ok(Vec::new());
        }
        refunds_of(&self.client, &intent.id).await
    }
}

fn summed(intent: &Intent, created: DateTime<Utc>, refunds: &[Refund]) -> Option<StripePayment> {
    let amount = intent.amount()?;
    let none = Money::zero(amount.currency());
    let went_through =
        |charge: &Charge| charge.status.as_deref().is_none_or(|status| status == "succeeded");
    let was_held =
        intent.status != Status::RequiresPaymentMethod && intent.charge().is_some_and(went_through);
    let captured = intent.received().or((intent.status == Status::Succeeded).then_some(amount));
    let captured = captured.unwrap_or(none);
    // What a capture did not take is released, which Stripe shows as a refund that nobody asked for.
    let mut released = amount.checked_sub(captured).filter(|released| !released.is_zero());
    let mut refunded = none;
    for refund in refunds.iter().filter(|refund| counts(refund)) {
        let back = from_stripe(refund.amount, &refund.currency)?;
        if released == Some(back) && !refund.metadata.contains_key(KEY) {
            released = None;
        } else {
            refunded = refunded.checked_add(back)?;
        }
    }
    Some(StripePayment {
        reference: intent.id.clone(),
        payment_id: intent.noted(PAYMENT).map(str::to_owned),
        created,
        authorized: if was_held { amount } else { none },
        captured,
        refunded,
        holds: intent.status == Status::RequiresCapture,
    })
}

/// Not one that failed.
fn counts(refund: &Refund) -> bool {
    !matches!(refund.status.as_deref(), Some("failed" | "canceled"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Held, taken and given back of an intent over 1,000.
    fn sums(status: &str, received: i64, refunds: &[Value]) -> (i64, i64, i64) {
        sums_of("succeeded", status, received, refunds)
    }

    fn sums_of(charge: &str, status: &str, received: i64, refunds: &[Value]) -> (i64, i64, i64) {
        let intent = json!({ "id": "pi_1", "status": status, "amount": 1000, "amount_received": received,
            "currency": "gbp", "created": 0, "latest_charge": { "id": "ch_1", "status": charge } });
        let refunds: Vec<Refund> =
            refunds.iter().map(|one| serde_json::from_value(one.clone()).unwrap()).collect();
        let intent = serde_json::from_value(intent).unwrap();
        let payment = summed(&intent, DateTime::UNIX_EPOCH, &refunds).unwrap();
        (payment.authorized.minor(), payment.captured.minor(), payment.refunded.minor())
    }

    fn refund(amount: i64, status: &str, metadata: &Value) -> Value {
        json!({ "id": "re_1", "amount": amount, "currency": "gbp", "status": status, "metadata": metadata })
    }

    #[test]
    fn what_a_capture_released_is_not_given_back_though_stripe_shows_it_so() {
        let released = refund(400, "succeeded", &json!({}));
        assert_eq!(sums("succeeded", 600, &[]), (1_000, 600, 0));
        assert_eq!(sums("succeeded", 600, std::slice::from_ref(&released)), (1_000, 600, 0));
        assert_eq!(sums("succeeded", 600, &[released.clone(), released]), (1_000, 600, 400));
        let ours = refund(400, "succeeded", &json!({ "docket_key": "o-p1/refund/1" }));
        assert_eq!(sums("succeeded", 600, &[ours]), (1_000, 600, 400));
    }

    #[test]
    fn a_refund_that_failed_gave_nothing_back_and_a_declined_card_held_nothing() {
        let failed = refund(300, "failed", &json!({}));
        assert_eq!(sums("succeeded", 1_000, &[failed]), (1_000, 1_000, 0));
        assert_eq!(sums("requires_payment_method", 0, &[]), (0, 0, 0));
        assert_eq!(sums("requires_capture", 0, &[]), (1_000, 0, 0));
        assert_eq!(sums("canceled", 0, &[]), (1_000, 0, 0));
        assert_eq!(sums_of("failed", "canceled", 0, &[]), (0, 0, 0));
    }
}
