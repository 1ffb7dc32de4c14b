//! What is told of endpoints and deliveries.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::waiting::{WaitsFor, waits};
use crate::storage::{AttemptRow, DeliveryRow, DeliveryState};
use crate::webhooks::{Endpoint, EndpointState, Secret};

/// Whether an endpoint is told
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookState {
    /// It is told.
    Enabled,
    /// What is for it waits.
    Disabled,
}

/// Somebody who is told of public events
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct WebhookItem {
    /// Its name.
    id: String,
    /// Where it is told.
    url: String,
    /// Of which types: names such as `order.placed`, groups such as `order.*`; of all when empty.
    events: Vec<String>,
    /// What it is, in the words of who registered it.
    description: Option<String>,
    /// Whether it is told.
    state: WebhookState,
    /// Why it is not.
    disabled_reason: Option<String>,
    /// Since when it is not.
    disabled_at: Option<DateTime<Utc>>,
    /// Since when nothing got through; `null` when the last attempt did.
    failing_since: Option<DateTime<Utc>>,
    /// Until when the secret before this one signs, too.
    previous_secret_until: Option<DateTime<Utc>>,
    /// When it was registered.
    created_at: DateTime<Utc>,
}

/// The same, with what is still to be told
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct WholeWebhook {
    #[serde(flatten)]
    webhook: WebhookItem,
    /// Deliveries that wait.
    pub(super) waiting: u64,
}

/// The same, with the secret that signs
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: WebhookItem,
    /// The secret, which is told only here. `null` in a repeat when what the first request drew signs no more: another was drawn
    /// since, and told to whoever asked for that.
    secret: Option<String>,
}

impl From<&Endpoint> for WebhookItem {
    fn from(endpoint: &Endpoint) -> Self {
        let (state, disabled) = match endpoint.state.clone() {
            EndpointState::Enabled => (WebhookState::Enabled, None),
            EndpointState::Disabled { why, at } => (WebhookState::Disabled, Some((why, at))),
        };
        let (disabled_reason, disabled_at) = disabled.unzip();
        Self {
            id: endpoint.id.clone(),
            url: endpoint.url.to_string(),
            events: endpoint.filter.words().to_vec(),
            description: endpoint.description.clone(),
            state,
            disabled_reason,
            disabled_at,
            failing_since: endpoint.failing_since,
            previous_secret_until: endpoint.secrets.previous.as_ref().map(|(_, until)| *until),
            created_at: endpoint.created_at,
        }
    }
}

impl WholeWebhook {
    pub(super) fn of(endpoint: &Endpoint, waiting: u64) -> Self {
        Self { webhook: endpoint.into(), waiting }
    }
}

impl WebhookWithSecret {
    /// With the secret that was drawn now.
    pub(super) fn new(webhook: WebhookItem, secret: &Secret) -> Self {
        Self { webhook, secret: Some(secret.reveal()) }
    }

    /// As it was answered when this key drew a secret; with that, as long as it signs.
    pub(super) fn again(
        webhook: WebhookItem,
        known: &Endpoint,
        key: &str,
        at: DateTime<Utc>,
    ) -> Self {
        Self { webhook, secret: known.secrets.drawn_under(key, at).map(Secret::reveal) }
    }
}

/// What became of something that a webhook is to be told
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
pub(super) enum State {
    /// It waits for its time, or for what comes before it.
    Waiting,
    /// It got through.
    Delivered,
    /// It was given up.
    Failed,
}

impl From<DeliveryState> for State {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Delivered => Self::Delivered,
            // Of webhooks nothing is dropped.
            DeliveryState::Failed | DeliveryState::Dropped => Self::Failed,
        }
    }
}

impl From<State> for DeliveryState {
    fn from(state: State) -> Self {
        match state {
            State::Waiting => Self::Waiting,
            State::Delivered => Self::Delivered,
            State::Failed => Self::Failed,
        }
    }
}

/// Something that a webhook was told, or is to be
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DeliveryItem {
    /// Its number.
    id: i64,
    /// The event's id, which is the header `webhook-id`.
    event_id: String,
    /// The event's type.
    event_type: String,
    /// What it is about, such as `orders/o1`.
    subject: String,
    /// Where in the log it is.
    position: u64,
    /// What became of it.
    state: State,
    /// What it waits for; `null` once it is settled.
    waits_for: Option<WaitsFor>,
    /// When it is tried next, where it waits for that.
    next_attempt_at: Option<DateTime<Utc>>,
    /// How often it was tried, since it came or was asked for again.
    attempts: u32,
    /// When it came.
    created_at: DateTime<Utc>,
    /// When it got through, or was given up.
    settled_at: Option<DateTime<Utc>>,
}

/// One attempt
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct AttemptItem {
    /// When it was made.
    at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    /// The HTTP status, of a mail the SMTP status, if there was an answer.
    status: Option<u16>,
    /// Why it did not get through, where the status does not say it.
    error: Option<String>,
}

/// The same, with every attempt and what is told
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct WholeDelivery {
    #[serde(flatten)]
    delivery: DeliveryItem,
    /// Every attempt, the first first.
    log: Vec<AttemptItem>,
    /// What is told: the event, as it is sent.
    #[schema(value_type = Object)]
    event: Box<RawValue>,
}

impl DeliveryItem {
    /// Of a webhook that is told, or is not for now.
    pub(super) fn of(row: DeliveryRow, is_enabled: bool) -> Self {
        let (waits_for, next_attempt_at) = waits(&row, is_enabled);
        Self {
            id: row.number,
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

impl WholeDelivery {
    /// Of a webhook that is told, or is not for now.
    pub(super) fn of(
        row: DeliveryRow,
        attempts: Vec<AttemptRow>,
        is_enabled: bool,
    ) -> serde_json::Result<Self> {
        let event = RawValue::from_string(row.body.clone())?;
        let log = attempts.into_iter().map(AttemptItem::from).collect();
        Ok(Self { log, event, delivery: DeliveryItem::of(row, is_enabled) })
    }
}

impl From<AttemptRow> for AttemptItem {
    fn from(attempt: AttemptRow) -> Self {
        Self {
            at: attempt.at,
            duration_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            status: attempt.status,
            error: attempt.error,
        }
    }
}
