//! How an event travels: CloudEvents 1.0 in structured JSON, and back without loss.
//!
//! The payload stands in `data` byte for byte. A payload that is no plain JSON text travels as a string, with
//! `datacontenttype` `text/plain`. What an event has beyond CloudEvents' own attributes stands in extension attributes;
//! numbers are strings there, because the integers of CloudEvents have 32 bits.
//!
//! **Invariant:** `decode(encode(event)) == event`, personal fields sealed as they were.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use event_store::{LogIdentity, Metadata, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The only version of CloudEvents there is.
const VERSION: &str = "1.0";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// An event, and the log that it is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Which log it is of.
    pub log: LogIdentity,
    /// The event.
    pub event: RecordedEvent,
}

/// Why a message is no event of ours.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// It is no JSON, or lacks what every event has.
    #[error("it is no event in CloudEvents JSON: {0}")]
    NoEvent(#[from] serde_json::Error),
    /// An attribute does not mean what it should.
    #[error("its attribute `{attribute}` is `{value}`")]
    Attribute {
        /// Which one.
        attribute: &'static str,
        /// What stands there.
        value: String,
    },
}

/// The message as it is written and read. Names of attributes are CloudEvents': small letters and digits only.
#[derive(Serialize, Deserialize)]
struct Message<'m> {
    #[serde(borrow)]
    specversion: Cow<'m, str>,
    id: Uuid,
    #[serde(borrow)]
    source: Cow<'m, str>,
    #[serde(rename = "type")]
    event_type: Arc<str>,
    subject: Arc<str>,
    time: DateTime<Utc>,
    #[serde(borrow)]
    datacontenttype: Cow<'m, str>,
    log: Arc<str>,
    #[serde(borrow)]
    epoch: Cow<'m, str>,
    #[serde(borrow)]
    position: Cow<'m, str>,
    #[serde(borrow)]
    streamversion: Cow<'m, str>,
    #[serde(borrow)]
    schemaversion: Cow<'m, str>,
    actor: Arc<str>,
    commandid: Arc<str>,
    correlationid: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    causationid: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Arc<str>>,
    businesstime: DateTime<Utc>,
    data: Cow<'m, RawValue>,
}

/// Writes the message of an event.
pub fn encode(log: &LogIdentity, event: &RecordedEvent) -> Result<Bytes, EnvelopeError> {
    let (datacontenttype, data) = match serde_json::from_str::<&RawValue>(&event.payload) {
        Ok(json) if json.get().len() == event.payload.len() => (JSON, Cow::Borrowed(json)),
        _ => (TEXT, Cow::Owned(serde_json::value::to_raw_value(&event.payload)?)),
    };
    let metadata = &event.metadata;
    let message = Message {
        specversion: VERSION.into(),
        id: event.id,
        source: source(&log.log).into(),
        event_type: Arc::clone(&event.event_type),
        subject: Arc::clone(&event.stream),
        time: event.recorded_at,
        datacontenttype: datacontenttype.into(),
        log: Arc::clone(&log.log),
        epoch: log.epoch.to_string().into(),
        position: event.position.to_string().into(),
        streamversion: event.version.to_string().into(),
        schemaversion: event.schema_version.to_string().into(),
        actor: Arc::clone(&metadata.actor),
        commandid: Arc::clone(&metadata.command_id),
        correlationid: Arc::clone(&metadata.correlation_id),
        causationid: metadata.causation_id.clone(),
        traceparent: metadata.traceparent.clone(),
        businesstime: metadata.occurred_at,
        data,
    };
    Ok(serde_json::to_vec(&message)?.into())
}

/// Reads the event of a message.
pub fn decode(message: &[u8]) -> Result<Received, EnvelopeError> {
    let message: Message<'_> = serde_json::from_slice(message)?;
    expect("specversion", &message.specversion, VERSION)?;
    expect("source", &message.source, &source(&message.log))?;
    let payload = match message.datacontenttype.as_ref() {
        JSON => Box::<str>::from(message.data.into_owned()).into(),
        TEXT => serde_json::from_str(message.data.get())?,
        other => return Err(attribute("datacontenttype", other)),
    };
    let log = LogIdentity { log: message.log, epoch: number("epoch", &message.epoch)? };
    let event = RecordedEvent {
        position: number("position", &message.position)?,
        stream: message.subject,
        version: number("streamversion", &message.streamversion)?,
        id: message.id,
        event_type: message.event_type,
        schema_version: number("schemaversion", &message.schemaversion)?,
        payload,
        metadata: Arc::new(Metadata {
            command_id: message.commandid,
            actor: message.actor,
            correlation_id: message.correlationid,
            causation_id: message.causationid,
            traceparent: message.traceparent,
            occurred_at: message.businesstime,
        }),
        recorded_at: message.time,
    };
    Ok(Received { log, event })
}

fn source(log: &str) -> String {
    format!("/docket/logs/{log}")
}

fn expect(name: &'static str, value: &str, expected: &str) -> Result<(), EnvelopeError> {
    if value == expected { Ok(()) } else { Err(attribute(name, value)) }
}

fn number<N: std::str::FromStr>(name: &'static str, value: &str) -> Result<N, EnvelopeError> {
    value.parse().map_err(|_| attribute(name, value))
}

fn attribute(attribute: &'static str, value: &str) -> EnvelopeError {
    EnvelopeError::Attribute { attribute, value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use serde_json::Value;

    use super::*;

    fn text() -> impl Strategy<Value = Arc<str>> {
        ".{1,20}".prop_map(Arc::from)
    }

    fn time() -> impl Strategy<Value = DateTime<Utc>> {
        (0..=4_000_000_000_i64, 0..1_000_000_000_u32)
            .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
    }

    /// JSON with any spacing, and texts that are no JSON.
    fn payload() -> impl Strategy<Value = String> {
        prop_oneof![
            (".*", any::<i64>(), " *").prop_map(|(text, number, space)| {
                let text = Value::String(text);
                format!("{{\"a\":{space}{text},{space}\"b\":\n[{number}, 1e2, 1.50]}}")
            }),
            ".*",
            Just(" {} ".to_owned()),
            Just("{\"a\":1,\"a\":2}".to_owned()),
        ]
    }

    fn metadata() -> impl Strategy<Value = Metadata> {
        let optional = || proptest::option::of(text());
        (text(), text(), text(), optional(), optional(), time()).prop_map(
            |(command_id, actor, correlation_id, causation_id, traceparent, occurred_at)| {
                Metadata {
                    command_id,
                    actor,
                    correlation_id,
                    causation_id,
                    traceparent,
                    occurred_at,
                }
            },
        )
    }

    fn event() -> impl Strategy<Value = RecordedEvent> {
        let place = (any::<u64>(), text(), any::<u64>(), any::<u128>());
        (place, text(), any::<u32>(), payload(), metadata(), time()).prop_map(
            |(
                (position, stream, version, id),
                event_type,
                schema_version,
                payload,
                metadata,
                at,
            )| {
                RecordedEvent {
                    position,
                    stream,
                    version,
                    id: Uuid::from_u128(id),
                    event_type,
                    schema_version,
                    payload,
                    metadata: Arc::new(metadata),
                    recorded_at: at,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn an_event_comes_back_as_it_was(event in event(), log in "[a-z0-9]{1,12}", epoch: u32) {
            let log = LogIdentity { log: log.into(), epoch };
            let message = encode(&log, &event).unwrap();
            prop_assert_eq!(decode(&message).unwrap(), Received { log, event });
        }

        #[test]
        fn a_message_has_what_cloudevents_requires(event in event()) {
            let log = LogIdentity { log: "main".into(), epoch: 1 };
            let message = encode(&log, &event).unwrap();
            let Value::Object(attributes) = serde_json::from_slice(&message).unwrap() else {
                panic!("structured mode is an object")
            };
            prop_assert_eq!(&attributes["specversion"], "1.0");
            for required in ["id", "source", "type"] {
                let value = attributes[required].as_str().unwrap();
                prop_assert!(!value.is_empty(), "{} is empty", required);
            }
            for (name, value) in &attributes {
                let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
                prop_assert!(plain && name.len() <= 20, "{} is no name of an attribute", name);
                prop_assert!(name == "data" || value.is_string(), "{} is {}", name, value);
            }
            let time = attributes["time"].as_str().unwrap();
            prop_assert!(DateTime::parse_from_rfc3339(time).is_ok(), "{}", time);
        }
    }

    #[test]
    fn the_payload_stands_in_the_message_as_it_is() {
        let log = LogIdentity { log: "main".into(), epoch: 1 };
        let payload = r#"{"total": 1.10,  "lines":[ ]}"#;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let mut event = event().new_tree(&mut runner).unwrap().current();
        event.payload = payload.to_owned();
        let message = encode(&log, &event).unwrap();
        let text = std::str::from_utf8(&message).unwrap();
        assert!(text.contains(&format!("\"data\":{payload}")), "{text}");
    }

    #[test]
    fn what_is_no_event_of_ours_is_told() {
        for message in ["", "{}", "hello", r#"{"specversion":"1.0","id":"x"}"#, "[1]"] {
            assert!(decode(message.as_bytes()).is_err(), "{message}");
        }
    }
}
