//! What Stripe answers with, as far as it is read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::money::Money;
use serde::Deserialize;

use super::amounts::from_stripe;
use super::failed::StripeError;

/// The key of the call that made an object.
pub(super) const KEY: &str = "docket_key";
/// The payment that it belongs to.
pub(super) const PAYMENT: &str = "docket_payment_id";
/// The order that it pays.
pub(super) const ORDER: &str = "docket_order_id";
/// At an intent that is none: it was made to use up the key of a call that must not be done any more.
pub(super) const CLOSES: &str = "docket_closes";

/// Where an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Canceled,
    Succeeded,
    #[serde(other)]
    Other,
}

/// A `PaymentIntent`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) status: Status,
    amount: i64,
    currency: String,
    pub(super) created: i64,
    #[serde(default)]
    amount_received: Option<i64>,
    #[serde(default)]
    pub(super) amount_capturable: Option<i64>,
    #[serde(default)]
    pub(super) cancellation_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(default)]
    latest_charge: Option<Expanded<Charge>>,
    #[serde(default)]
    pub(super) last_payment_error: Option<StripeError>,
}

/// An object, or only its id.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Expanded<T> {
    Whole(Box<T>),
    Id(#[expect(dead_code, reason = "told apart from the whole object only")] String),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Charge {
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) amount_refunded: Option<i64>,
    #[serde(default)]
    payment_method_details: Option<Details>,
}

#[derive(Debug, Clone, Deserialize)]
struct Details {
    #[serde(default)]
    card: Option<Card>,
}

#[derive(Debug, Clone, Deserialize)]
struct Card {
    #[serde(default)]
    capture_before: Option<i64>,
    #[serde(default)]
    multicapture: Option<Multicapture>,
}

#[derive(Debug, Clone, Deserialize)]
struct Multicapture {
    status: String,
}

impl Intent {
    /// What it is about.
    pub(super) fn amount(&self) -> Option<Money> {
        from_stripe(self.amount, &self.currency)
    }

    /// What was taken.
    pub(super) fn received(&self) -> Option<Money> {
        from_stripe(self.amount_received?, &self.currency)
    }

    pub(super) fn charge(&self) -> Option<&Charge> {
        match self.latest_charge.as_ref()? {
            Expanded::Whole(charge) => Some(charge),
            Expanded::Id(_) => None,
        }
    }

    fn card(&self) -> Option<&Card> {
        self.charge()?.payment_method_details.as_ref()?.card.as_ref()
    }

    /// Until when it can be captured, where Stripe says so.
    pub(super) fn capture_before(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.card()?.capture_before?, 0)
    }

    /// Whether it can be captured more than once.
    pub(super) fn multi_capture(&self) -> bool {
        let granted = self.card().and_then(|card| card.multicapture.as_ref());
        granted.is_some_and(|granted| granted.status == "available")
    }

    pub(super) fn noted(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).map(String::as_str)
    }
}

/// A Refund.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) failure_reason: Option<String>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}
