//! What is told of mails. Never whom they went to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::answers::AttemptItem;
use super::waiting::{WaitsFor, waits};
use crate::mail::Mailer;
use crate::storage::{AttemptRow, DeliveryRow, DeliveryState};

/// What became of a mail
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum MailState {
    /// It waits for its time, or for an earlier one about the same order.
    Waiting,
    /// The mail server took it.
    Sent,
    /// It was given up.
    Failed,
    /// There was nobody to write to: no address, or the customer was erased.
    Nobody,
}

impl From<DeliveryState> for MailState {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Delivered => Self::Sent,
            DeliveryState::Failed => Self::Failed,
            DeliveryState::Dropped => Self::Nobody,
        }
    }
}

impl From<MailState> for DeliveryState {
    fn from(state: MailState) -> Self {
        match state {
            MailState::Waiting => Self::Waiting,
            MailState::Sent => Self::Delivered,
            MailState::Failed => Self::Failed,
            MailState::Nobody => Self::Dropped,
        }
    }
}

/// A mail to a customer, without whom it went to
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct MailItem {
    /// Its number.
    id: i64,
    /// Its `Message-ID`, the same whenever it is sent; `null` where customers get no mail.
    message_id: Option<String>,
    /// The event that it tells.
    event_id: String,
    /// Its type, such as `parcel.shipped`.
    event_type: String,
    /// What it is about, such as `orders/o1`.
    subject: String,
    /// Where in the log it is.
    position: u64,
    /// What became of it.
    state: MailState,
    /// What it waits for; `null` once it is settled.
    waits_for: Option<WaitsFor>,
    /// When it is tried next, where it waits for that.
    next_attempt_at: Option<DateTime<Utc>>,
    /// How often it was tried, since it came or was asked for again.
    attempts: u32,
    /// When it came.
    created_at: DateTime<Utc>,
    /// When it was sent, given up, or found to be for nobody.
    settled_at: Option<DateTime<Utc>>,
}

/// The same, with every attempt and what it tells
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct WholeMail {
    #[serde(flatten)]
    mail: MailItem,
    /// Every attempt, the first first.
    log: Vec<AttemptItem>,
    /// The event that it tells.
    #[schema(value_type = Object)]
    event: Box<RawValue>,
}

impl MailItem {
    pub(super) fn of(row: DeliveryRow, mailer: Option<&Mailer>) -> Self {
        let (waits_for, next_attempt_at) = waits(&row, mailer.is_some());
        Self {
            id: row.number,
            message_id: mailer.map(|mailer| mailer.message_id(&row.event_id)),
            event_id: row.event_id,
            event_type: row.event_type,
            subject: row.subject,
            position: row.position,
            state: row.state.into(),
            waits_for,
            next_attempt_at,
            attempts: row.tries,
            created_at: row.created_at,
            settled_at: row.settled_at,
        }
    }
}

impl WholeMail {
    pub(super) fn of(
        row: DeliveryRow,
        attempts: Vec<AttemptRow>,
        mailer: Option<&Mailer>,
    ) -> serde_json::Result<Self> {
        let event = RawValue::from_string(row.body.clone())?;
        let log = attempts.into_iter().map(AttemptItem::from).collect();
        Ok(Self { log, event, mail: MailItem::of(row, mailer) })
    }
}
