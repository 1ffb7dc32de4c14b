//! What holds of any event type, version and payload that is handed over. `fuzz/` holds the same.

use domain::decide::State;
use domain::event::{DecodeError, Event};

/// Panics where it does not hold; gives the event, if it is one.
pub(crate) fn check(event_type: &str, schema_version: u32, payload: &str) -> Option<Event> {
    let is_known = |known: &&domain::event::EventType| known.name == event_type;
    match Event::from_json(event_type, schema_version, payload) {
        Ok(event) => {
            assert_eq!(event.event_type(), event_type);
            assert!(event.schema_version() >= schema_version, "what is read is today's version");
            let written = event.to_json().expect("an event can be written");
            let again = Event::from_json(event_type, event.schema_version(), &written);
            assert_eq!(again.as_ref().ok(), Some(&event), "what is written is read: {written}");
            assert_eq!(again.ok().and_then(|event| event.to_json().ok()), Some(written));
            let folded = State::absent(&event.stream()).evolve(&event).evolve(&event);
            drop(folded.evolve(&event));
            Some(event)
        }
        Err(error) => {
            let said = error.to_string();
            let named = said.contains(event_type) && said.contains(&schema_version.to_string());
            assert!(named, "{said} names neither {event_type} nor {schema_version}");
            let known = Event::types().find(is_known);
            let has_no_reader = matches!(error, DecodeError::UnknownType { .. });
            let is_todays = known.is_some_and(|known| known.schema_version == schema_version);
            assert!(!(has_no_reader && is_todays), "what this build writes it reads: {said}");
            None
        }
    }
}
