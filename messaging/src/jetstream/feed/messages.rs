//! What a message of the stream is for a reader of the log.

use event_store::{LogIdentity, Position, RecordedEvent};

use crate::jetstream::carrier::Incoming;
use crate::jetstream::envelope;

/// What a message is for a reader of this log.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// The log's event of this position.
    Event(RecordedEvent),
    /// It stands at this sequence and is not: a hole.
    Hole(Position, String),
    /// The log has a later epoch than is known here.
    Later(u32),
}

pub(super) fn read(message: &Incoming, log: &LogIdentity) -> Read {
    read_at(message.sequence, &message.envelope, log)
}

/// The most characters that are told of what stands in a message: it may be as large as the broker lets it.
const MOST_TOLD: usize = 300;

/// What stands at a sequence. Whoever may publish decides what that is, so nothing of it is believed before it fits.
fn read_at(sequence: Position, payload: &[u8], log: &LogIdentity) -> Read {
    let hole = |why: String| Read::Hole(sequence, why.chars().take(MOST_TOLD).collect());
    match envelope::decode(payload) {
        Err(error) => hole(error.to_string()),
        Ok(received) if received.log.log != log.log => {
            hole(format!("it is of another log, {}", received.log.log))
        }
        Ok(received) if received.event.position != sequence => {
            hole(format!("it is the event of position {}", received.event.position))
        }
        Ok(received) if received.log.epoch > log.epoch => Read::Later(received.log.epoch),
        Ok(received) if received.log.epoch < log.epoch => {
            hole(format!("it is of the older epoch {}", received.log.epoch))
        }
        Ok(received) => Read::Event(received.event),
    }
}

#[cfg(test)]
mod tests {
    use hostile_input::{bytes, corpus, json};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const HERE: Position = 7;

    fn log() -> LogIdentity {
        LogIdentity { log: "l".into(), epoch: 1 }
    }

    /// The message of the event of position 7 of the log.
    fn message() -> Value {
        json!({
            "specversion": "1.0", "id": "0190c0de-0000-7000-8000-000000000001", "source": "/docket/logs/l",
            "type": "OrderPlaced", "subject": "order-o", "time": "2010-12-01T08:26:00Z",
            "datacontenttype": "application/json", "log": "l", "epoch": "1", "position": "7",
            "streamversion": "1", "schemaversion": "1", "actor": "client", "commandid": "client/1",
            "correlationid": "client/1", "businesstime": "2010-12-01T08:26:00Z", "data": { "order_id": "o" },
        })
    }

    /// Panics unless it is the log's event of that place, or is not taken for one.
    fn check(payload: &[u8]) {
        match read_at(HERE, payload, &log()) {
            Read::Event(event) => {
                assert_eq!(event.position, HERE);
                let again = envelope::encode(&log(), &event).unwrap();
                assert_eq!(read_at(HERE, &again, &log()), Read::Event(event));
            }
            Read::Hole(sequence, why) => {
                assert_eq!(sequence, HERE);
                assert!(!why.is_empty() && why.len() < 4_096, "{} bytes", why.len());
            }
            Read::Later(epoch) => assert!(epoch > 1),
        }
    }

    proptest! {
        #[test]
        fn a_message_is_the_logs_event_or_a_hole_whatever_it_says(payload in prop_oneof![
            bytes::noise_or_altered(vec![message().to_string().into_bytes()]).boxed(),
            json::altered(message()).prop_map(|message| message.to_string().into_bytes()).boxed(),
            json::any_value().prop_map(|value| value.to_string().into_bytes()).boxed(),
        ]) {
            check(&payload);
        }

        #[test]
        fn the_event_of_another_place_log_or_epoch_is_not_taken(
            (name, value) in prop_oneof![
                (Just("position"), "[0-9]{1,21}"), (Just("log"), "[a-z]{0,3}"), (Just("epoch"), "[0-9]{1,11}"),
            ],
        ) {
            let mut message = message();
            message[name] = value.clone().into();
            if name == "log" {
                message["source"] = format!("/docket/logs/{value}").into();
            }
            let is_same = value.trim_start_matches('0') == super::tests::message()[name].as_str().unwrap();
            let taken = matches!(read_at(HERE, message.to_string().as_bytes(), &log()), Read::Event(_));
            prop_assert_eq!(taken, is_same, "{} {}", name, value);
        }
    }

    #[test]
    fn the_corpus_of_the_fuzzer_holds_no_surprise() {
        let corpus = corpus::of("envelope");
        assert!(!corpus.is_empty());
        for (path, payload) in corpus {
            println!("{}", path.display());
            check(&payload);
        }
    }
}
