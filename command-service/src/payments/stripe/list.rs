//! Stripe's record of payments: what it lists, newest first.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::money::Money;

use super::amounts::from_stripe;
use super::client::StripeClient;
use super::failed::Failed;
use super::form::Form;
use super::objects::{CLOSES, Intent, PAYMENT, Page, Refund, Status};
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
        now: DateTime<Utc>,
    ) -> Result<Vec<StripePayment>, StripeRecord> {
        let unread = |failed: Failed| StripeRecord(format!("{failed:?}"));
        let filter = (until < now - RECENT).then_some(until);
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
    let was_held = intent.charge().is_some_and(|_| {
        intent.status != Status::RequiresPaymentMethod && intent.status != Status::Processing
    });
    let mut refunded = none;
    for refund in refunds.iter().filter(|refund| counts(refund)) {
        refunded = refunded.checked_add(from_stripe(refund.amount, &refund.currency)?)?;
    }
    let captured = intent.received().or((intent.status == Status::Succeeded).then_some(amount));
    Some(StripePayment {
        reference: intent.id.clone(),
        payment_id: intent.noted(PAYMENT).map(str::to_owned),
        created,
        authorized: if was_held { amount } else { none },
        captured: captured.unwrap_or(none),
        refunded,
        holds: intent.status == Status::RequiresCapture,
    })
}

/// Not one that failed.
fn counts(refund: &Refund) -> bool {
    !matches!(refund.status.as_deref(), Some("failed" | "canceled"))
}
