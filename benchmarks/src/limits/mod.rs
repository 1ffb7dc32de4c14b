//! What the machine, its disk and its servers can do at best, without anything that makes an event store: no decision,
//! no idempotency, no state.

mod fsync;
mod http;
mod postgres;
mod publish;
mod reads;
mod rows;
mod sqlite;

pub(crate) use reads::reads;
pub(crate) use rows::measure;
pub(crate) use sqlite::copied;

/// What an event of the load holds, 267 bytes.
const PAYLOAD: &str = r#"{"sku":"b-00007","delta":1,"reason":"counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again counted again coun"}"#;
/// What stands beside it, 148 bytes.
const METADATA: &str = r#"{"command_id":"c/12/123xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","actor":"shop","correlation_id":"shop","occurred_at":"2026-11-21T00:00:00Z"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_of_the_size_that_everybody_writes() {
        assert_eq!((PAYLOAD.len(), METADATA.len()), (267, 148));
        assert!(serde_json::from_str::<serde_json::Value>(PAYLOAD).is_ok());
        assert!(serde_json::from_str::<event_store::Metadata>(METADATA).is_ok());
    }
}
