//! Messages of the command queue, read and written.

use hostile_input::{bytes, json};
use messaging::commands::CommandMessage;
use proptest::prelude::*;
use serde_json::{Value, json};

fn message() -> Value {
    json!({
        "command_id": "order-o/reserve_stock/1", "body": "{\"command\":\"Teleport\"}", "correlation_id": "client/1",
        "causation_id": "1", "traceparent": null, "occurred_at": "2010-12-01T08:26:00Z", "begun": true,
    })
}

/// Read, written and read again it is the same.
fn check(text: &[u8]) {
    let Ok(message) = serde_json::from_slice::<CommandMessage>(text) else { return };
    let written = serde_json::to_vec(&message).unwrap();
    let again: CommandMessage = serde_json::from_slice(&written).unwrap();
    assert_eq!(again, message);
}

proptest! {
    #[test]
    fn a_message_is_no_command_or_the_same_however_often_it_travels(text in prop_oneof![
        bytes::noise_or_altered(vec![message().to_string().into_bytes()]).boxed(),
        json::altered(message()).prop_map(|message| message.to_string().into_bytes()).boxed(),
    ]) {
        check(&text);
    }
}
