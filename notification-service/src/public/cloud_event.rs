//! A public event as it leaves the house: CloudEvents 1.0 in structured JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::event::Event;
use event_store::{Position, RecordedEvent};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::event::PublicEvent;
use super::notice::NoticeKind;
use super::order_facts::OrderFacts;
use super::publisher::publish;

/// The only version of CloudEvents there is.
const VERSION: &str = "1.0";

/// A public event in its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvent {
    /// The id of the stored event: the same whenever it is told again.
    pub id: Uuid,
    /// Where in the log the stored event is.
    pub position: Position,
    /// Its type, such as `order.placed`.
    pub name: &'static str,
    /// What it is to the customer whose order it is about, if it is anything.
    pub notice: Option<NoticeKind>,
    /// What it is about, such as `orders/o1`: what is told of one subject is told in order.
    pub subject: String,
    /// The order, where it is about one.
    pub order_id: Option<String>,
    /// The customer whose it is, where it is somebody's.
    pub customer_id: Option<String>,
    /// When the stored event was appended.
    pub recorded_at: DateTime<Utc>,
    /// All of it, as JSON.
    pub body: String,
}

/// The envelope as it is written. Names of attributes are CloudEvents': small letters and digits only.
#[derive(Serialize)]
struct Envelope<'e> {
    specversion: &'static str,
    id: Uuid,
    source: String,
    r#type: &'static str,
    subject: &'e str,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    /// The extension `sequence`: of two about one subject the greater was later.
    sequence: String,
    data: Box<RawValue>,
}

impl CloudEvent {
    /// What is told of a stored event of this log, which was read from it; `None` when nobody is told.
    pub fn of(
        log: &str,
        recorded: &RecordedEvent,
        event: &Event,
        order: Option<&OrderFacts>,
    ) -> serde_json::Result<Option<Self>> {
        let Some(public) = publish(event, order) else { return Ok(None) };
        let order_id = event.order_id().map(ToString::to_string);
        let (subject, customer_id) = match (&order_id, &public) {
            (_, PublicEvent::CustomerErased(erased)) => {
                (format!("customers/{}", erased.customer_id), Some(erased.customer_id.clone()))
            }
            (Some(order_id), _) => {
                (format!("orders/{order_id}"), order.and_then(|facts| facts.customer_id.clone()))
            }
            (None, _) => (String::new(), None),
        };
        let envelope = Envelope {
            specversion: VERSION,
            id: recorded.id,
            source: format!("/docket/logs/{log}"),
            r#type: public.name(),
            subject: &subject,
            time: recorded.metadata.occurred_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            datacontenttype: "application/json",
            dataschema: format!("urn:docket:public-event:{}:{}", public.name(), public.version()),
            sequence: format!("{:020}", recorded.position),
            data: public.data()?,
        };
        let body = serde_json::to_string(&envelope)?;
        Ok(Some(Self {
            id: recorded.id,
            position: recorded.position,
            name: public.name(),
            notice: public.notice(),
            subject,
            order_id,
            customer_id,
            recorded_at: recorded.recorded_at,
            body,
        }))
    }
}
